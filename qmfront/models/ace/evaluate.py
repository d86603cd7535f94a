"""Energy, forces and virial of a configuration, as arrays: the functions under the ASE calculator."""

from dataclasses import dataclass

import numpy as np

from qmfront.crystal.neighbours import Pairs, pairs_within
from qmfront.models.ace.kernels import evaluate_sites, scratch
from qmfront.models.ace.potential import Potential
from qmfront.models.ace.program import compiled


@dataclass(frozen=True)
class Evaluation:
    """Result of one call.

    energies : (n,) float, eV
        Site energies (E0 included).
    forces : (n, 3) float, eV/Å
    virial : (3, 3) float, eV
        dE/dstrain; the stress is virial / volume.
    """

    energies: np.ndarray
    forces: np.ndarray
    virial: np.ndarray

    @property
    def energy(self) -> float:
        """Total energy, eV."""
        return float(np.sum(self.energies))


def energy_forces(
    potential: Potential, positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, numbers: np.ndarray
) -> Evaluation:
    """Energy, forces and virial of a configuration, (C.2).

    Parameters
    ----------
    positions : (n, 3) float, Å
    cell : (3, 3) float, Å, rows
    pbc : (3,) bool
    numbers : (n,) int, atomic numbers

    Raises
    ------
    ValueError
        If positions are not finite, atoms are too close, or an element is unknown.
    """
    positions = np.asarray(positions, float)
    if not np.all(np.isfinite(positions)):
        bad = np.flatnonzero(~np.all(np.isfinite(positions), axis=1))
        raise ValueError(
            f"{len(bad)} positions are not finite, the first of atom {bad[0]}: {positions[bad[0]]}. "
            "The step before produced them; reduce its step length or repair the structure."
        )
    species = potential.basis.species_of(numbers)
    if len(positions) == 0:
        return Evaluation(np.zeros(0), np.zeros((0, 3)), np.zeros((3, 3)))
    return evaluate_pairs(potential, pairs_within(positions, cell, pbc, potential.basis.cutoff), species)


def evaluate_pairs(potential: Potential, pairs: Pairs, species: np.ndarray) -> Evaluation:
    """The same from a list of pairs, which may reach beyond the cutoff.

    Parameters
    ----------
    pairs : Pairs
        Both directions, sorted by `first`.
    species : (n,) int
        Positions in `potential.basis.species`.
    """
    n = len(species)
    starts = np.searchsorted(pairs.first, np.arange(n + 1))
    vectors = np.ascontiguousarray(pairs.vector, float).reshape(-1)
    second = np.ascontiguousarray(pairs.second, np.int64)
    species = np.ascontiguousarray(species, np.int64)
    energies, forces, virial = np.zeros(n), np.zeros((n, 3)), np.zeros((3, 3))
    largest = int(np.diff(starts).max(initial=0))
    for centre in np.unique(species).tolist():
        program = compiled(potential, centre)
        atoms = np.flatnonzero(species == centre)
        bad = evaluate_sites(
            program, scratch(program, largest), atoms, starts, second, vectors, species, energies, forces, virial
        )
        if bad >= 0:
            _refuse(potential, pairs, bad)
    return Evaluation(energies, forces, virial)


def _refuse(potential: Potential, pairs: Pairs, bad: int) -> None:
    """Raise the error of a pair that is too close."""
    distance = float(np.linalg.norm(pairs.vector[bad]))
    raise ValueError(
        f"Atoms {pairs.first[bad]} and {pairs.second[bad]} are {distance:.4g} Å apart, below the minimum distance of "
        f"{potential.minimum_distance} Å. The potential means nothing there; repair the structure or the step."
    )
