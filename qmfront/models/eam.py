"""Embedded-atom models as an ASE calculator and as array functions.

    E = sum_i F(rho_i) + sum_(i<j) phi(r_ij),    rho_i = sum_(j != i) f(r_ij)

f depends on the species of both atoms (eam/fs) or of the atom that gives it (eam/alloy). Pairs include
periodic images.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes
from ase.data import chemical_symbols
from ase.stress import full_3x3_to_voigt_6_stress

from qmfront.models.bonds import BondList, Bonds, bond_list
from qmfront.models.compiled import compiled
from qmfront.models.eam_file import read_eam_file
from qmfront.models.eam_table import Interpolation, tabulated
from qmfront.models.eam_zhou import packaged_potentials, packaged_zhou
from qmfront.models.refusals import checked_structure, refuse_overlap

MINIMUM_DISTANCE = 1.0  # Å; closer atoms are taken for an error in the input. ASSUME


class EAMModel(Protocol):
    """What the kernels ask of a model; `kind` (n,) is the position of each atom's species in `species`.

    species : (k,) int, atomic numbers, ascending
    cutoff : float, Å
    """

    species: np.ndarray
    cutoff: float

    def bond_terms(self, kind: np.ndarray, bonds: Bonds) -> np.ndarray:
        """(p, 6): f at the first atom, its r-derivative, f at the second, its derivative, phi, its derivative."""

    def embedding(self, kind: np.ndarray, density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """F and F' at the densities (n,)."""


@dataclass(frozen=True)
class Evaluation:
    """energies (n,), eV, per atom; forces (n, 3), eV/Å; virial (3, 3), eV, dE/dstrain, symmetric."""

    energies: np.ndarray
    forces: np.ndarray
    virial: np.ndarray

    @property
    def energy(self) -> float:
        """Total energy, eV."""
        return float(self.energies.sum())


class EAM(Calculator):
    """ASE calculator: energy, free_energy (the same), energies, forces, stress.

    Any cell, periodic directions and small multi-image cells. Stress is per volume of the cell, vacuum included. Errors
    of the input are those of `energy_forces`, errors of the potential those of `load_eam`.

    Parameters
    ----------
    potential : str or path
        "W_zhou" (analytic, C^3), or a file .eam.alloy or .eam.fs.
    interpolation : "quintic" (C^4, default) or "lammps" (C^1, LAMMPS's own), for files.
    switch_width : float, Å
        For files: width of a C^3 switch below the cutoff; 0 keeps the table as it is.
    minimum_distance : float, Å
        Closer atoms raise an error.
    skin : float, Å
        Neighbours are searched again when an atom has moved by skin/2; 0 searches at every call. Results are the same.

    Attributes
    ----------
    cutoff : float, Å
        Interaction cut-off.
    force_range : float, Å
        2 cutoff: the force on an atom depends on no atom farther away.
    """

    implemented_properties = ["energy", "free_energy", "energies", "forces", "stress"]  # noqa: RUF012 (ASE's name)

    def __init__(
        self,
        potential: str | Path = "W_zhou",
        *,
        interpolation: Interpolation = "quintic",
        switch_width: float = 0.0,
        minimum_distance: float = MINIMUM_DISTANCE,
        skin: float = 0.5,
    ) -> None:
        super().__init__()
        if skin < 0.0:
            raise ValueError(f"skin = {skin} Å is negative. Give 0 or more.")
        self.model = load_eam(potential, interpolation=interpolation, switch_width=switch_width)
        self.cutoff = float(self.model.cutoff)
        self.force_range = 2.0 * self.cutoff
        self.minimum_distance = minimum_distance
        self.skin = skin
        self._list: BondList | None = None

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """Fill `results`; called by ASE."""
        super().calculate(atoms, properties, system_changes)
        atoms = self.atoms
        positions, cell, pbc = checked_structure(atoms.positions, atoms.cell.array, atoms.pbc)
        if self._list is None or not self._list.covers(positions, cell, pbc, self.cutoff):
            self._list = bond_list(positions, cell, pbc, self.cutoff + self.skin)
        result = evaluate_bonds(
            self.model,
            self._list.within(positions, self.cutoff),
            atoms.numbers,
            minimum_distance=self.minimum_distance,
        )
        self.results = {
            "energy": result.energy,
            "free_energy": result.energy,
            "energies": result.energies,
            "forces": result.forces,
        }
        volume = abs(np.linalg.det(cell))
        if volume > 0.0:
            self.results["stress"] = full_3x3_to_voigt_6_stress(result.virial / volume)
        elif properties and "stress" in properties:
            raise PropertyNotImplementedError(
                "Stress needs a cell with a volume. Set three cell vectors, or do not ask for stress."
            )


def load_eam(
    potential: str | Path, *, interpolation: Interpolation = "quintic", switch_width: float = 0.0
) -> EAMModel:
    """The model behind a packaged name or a file; arguments and errors as in `EAM`, `read_eam_file`, `tabulated`."""
    if str(potential) in packaged_potentials():
        return packaged_zhou(str(potential))  # type: ignore[return-value]
    if not Path(potential).suffix:
        raise ValueError(
            f"EAM potential {str(potential)!r} is unknown. Choose one of {packaged_potentials()} or give the path of "
            "an .eam.alloy or .eam.fs file."
        )
    return tabulated(read_eam_file(potential), interpolation=interpolation, switch_width=switch_width)  # type: ignore[return-value]


def energy_forces(
    model: EAMModel,
    positions: np.ndarray,
    cell: np.ndarray,
    pbc: np.ndarray,
    numbers: np.ndarray,
    *,
    minimum_distance: float = MINIMUM_DISTANCE,
) -> Evaluation:
    """Energies, forces and virial of atoms in any cell (small multi-image cells included).

    Parameters
    ----------
    model : EAMModel
        From `load_eam`.
    positions : (n, 3) float, Å
    cell : (3, 3) float, Å
        Rows are the cell vectors; only rows of periodic directions matter.
    pbc : (3,) bool
    numbers : (n,) int
        Atomic numbers.
    minimum_distance : float, Å

    Raises
    ------
    ValueError
        For positions that are not finite, species without parameters, atoms closer than minimum_distance.
    """
    positions, cell, pbc = checked_structure(positions, cell, pbc)
    bonds = bond_list(positions, cell, pbc, model.cutoff).within(positions, model.cutoff)
    return evaluate_bonds(model, bonds, numbers, minimum_distance=minimum_distance)


def evaluate_bonds(
    model: EAMModel, bonds: Bonds, numbers: np.ndarray, *, minimum_distance: float = MINIMUM_DISTANCE
) -> Evaluation:
    """As `energy_forces`, for bonds that are known already (all within the cutoff of the model)."""
    kind = _kind(model.species, np.asarray(numbers))
    refuse_overlap(
        bonds, minimum_distance, advice="or lower minimum_distance if the potential is meant for it"
    )
    terms = model.bond_terms(kind, bonds)
    density = np.zeros(len(kind))
    _density(bonds.first, bonds.second, terms, density)
    energies, slope = model.embedding(kind, density)
    forces, virial = np.zeros((len(kind), 3)), np.zeros((3, 3))
    _forces(bonds.first, bonds.second, bonds.vector, bonds.distance, terms, slope, energies, forces, virial)
    return Evaluation(energies, forces, virial)


def _kind(species: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    unknown = np.setdiff1d(numbers, species)
    if len(unknown):
        raise ValueError(
            f"The EAM potential has no parameters for {[chemical_symbols[z] for z in unknown]}; it knows "
            f"{[chemical_symbols[z] for z in species]}. Choose another potential or change the atoms."
        )
    return np.searchsorted(species, numbers)


@compiled
def _density(first: np.ndarray, second: np.ndarray, terms: np.ndarray, density: np.ndarray) -> None:
    for p in range(len(first)):
        density[first[p]] += terms[p, 0]
        density[second[p]] += terms[p, 2]


@compiled
def _forces(
    first: np.ndarray, second: np.ndarray, vector: np.ndarray, distance: np.ndarray, terms: np.ndarray,
    slope: np.ndarray, energies: np.ndarray, forces: np.ndarray, virial: np.ndarray,
) -> None:  # fmt: skip
    for p in range(len(first)):
        i, j = first[p], second[p]
        pull = (slope[i] * terms[p, 1] + slope[j] * terms[p, 3] + terms[p, 5]) / distance[p]
        energies[i] += 0.5 * terms[p, 4]
        energies[j] += 0.5 * terms[p, 4]
        for a in range(3):
            forces[i, a] += pull * vector[p, a]
            forces[j, a] -= pull * vector[p, a]
            for b in range(3):
                virial[a, b] += pull * vector[p, a] * vector[p, b]
