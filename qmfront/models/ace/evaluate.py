"""Energy, forces and virial of a configuration, as arrays: the functions under the ASE calculator."""

from dataclasses import dataclass

import numpy as np

from qmfront.crystal.neighbours import Pairs, pairs_within
from qmfront.models.ace.kernels import evaluate_sites
from qmfront.models.ace.memory import Neighbourhood, Sums, scratch
from qmfront.models.ace.potential import Potential
from qmfront.models.ace.program import compiled


@dataclass(frozen=True)
class Evaluation:
    """Result of one call.

    energies : (n,) float, eV
        Site energies (E0 included).
    forces : (n, 3) float, eV/Å
    virial : (3, 3) float, eV
        dE/dstrain, symmetric; the stress is virial / volume.
    """

    energies: np.ndarray
    forces: np.ndarray
    virial: np.ndarray

    @property
    def energy(self) -> float:
        """Total energy, eV."""
        return float(np.sum(self.energies))


@dataclass(frozen=True)
class PairList:
    """All pairs within `reach` at `positions`, and for which later positions they still serve.

    positions : (n, 3) float, Å;  cell : (3, 3) float, Å;  pbc : (3,) bool
    pairs : Pairs
    reach : float, Å
    """

    positions: np.ndarray
    cell: np.ndarray
    pbc: np.ndarray
    pairs: Pairs
    reach: float

    def covers(self, positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, cutoff: float) -> bool:
        """True if no pair within cutoff (Å) can be missing: no atom moved by more than (reach - cutoff) / 2."""
        if positions.shape != self.positions.shape:
            return False
        if not (np.array_equal(cell, self.cell) and np.array_equal(pbc, self.pbc)):
            return False
        moved = np.einsum("ij,ij->i", positions - self.positions, positions - self.positions)
        return bool(moved.max(initial=0.0) <= (0.5 * (self.reach - cutoff)) ** 2)


def pair_list(positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, reach: float) -> PairList:
    """All pairs closer than reach (Å), periodic images included; see `pairs_within`."""
    pairs = pairs_within(positions, cell, pbc, reach)
    return PairList(positions.copy(), np.array(cell, float), np.array(pbc, bool), pairs, float(reach))


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
    positions = checked_positions(positions)
    species = potential.basis.species_of(numbers)
    if len(positions) == 0:
        return Evaluation(np.zeros(0), np.zeros((0, 3)), np.zeros((3, 3)))
    return evaluate_pairs(potential, pairs_within(positions, cell, pbc, potential.basis.cutoff), species)


def evaluate_pairs(
    potential: Potential, pairs: Pairs, species: np.ndarray, *, moved: np.ndarray | None = None
) -> Evaluation:
    """The same from pairs at hand, for repeated calls with the same neighbours.

    Parameters
    ----------
    pairs : Pairs
        Both directions, sorted by `first`; those beyond the cutoff contribute nothing.
    species : (n,) int
        Positions in `potential.basis.species`.
    moved : (n, 3) float, Å
        Displacement of the atoms since the pairs were found; None means zero.

    Raises
    ------
    ValueError
        If atoms are too close or a vector is not a number.
    """
    n = len(species)
    near = Neighbourhood(
        np.searchsorted(pairs.first, np.arange(n + 1)),
        np.ascontiguousarray(pairs.second, np.int64),
        np.ascontiguousarray(pairs.vector, float),
        np.zeros((n, 3)) if moved is None else np.ascontiguousarray(moved, float),
        np.ascontiguousarray(species, np.int64),
    )
    sums = Sums(np.zeros(n), np.zeros((n, 3)), np.zeros((3, 3)))
    largest = int(np.diff(near.starts).max(initial=0))
    for centre in np.unique(near.species).tolist():
        program = compiled(potential, centre)
        atoms = np.flatnonzero(near.species == centre)
        bad = evaluate_sites(program, scratch(program, largest), atoms, near, sums)
        if bad >= 0:
            _refuse(potential, near, int(pairs.first[bad]), bad)
    return Evaluation(*sums)


def checked_positions(positions: np.ndarray) -> np.ndarray:
    """The positions as floats; ValueError if one is not finite."""
    positions = np.asarray(positions, float)
    bad = np.flatnonzero(~np.isfinite(positions).all(axis=1))
    if len(bad):
        raise ValueError(
            f"{len(bad)} positions are not finite, the first of atom {bad[0]}: {positions[bad[0]]}. "
            "The step before produced them; reduce its step length or repair the structure."
        )
    return positions


def _refuse(potential: Potential, near: Neighbourhood, first: int, bad: int) -> None:
    """Raise the error of a pair that is too close."""
    second = int(near.second[bad])
    distance = float(np.linalg.norm(near.vectors[bad] + near.moved[second] - near.moved[first]))
    raise ValueError(
        f"Atoms {first} and {second} are {distance:.4g} Å apart, below the minimum distance of "
        f"{potential.minimum_distance} Å. The potential means nothing there; repair the structure or the step."
    )
