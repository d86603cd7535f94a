"""NRL tight binding as an ASE calculator."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import (
    Calculator,
    PropertyNotImplementedError,
    all_changes,
    kpts2sizeandoffsets,
)
from ase.stress import full_3x3_to_voigt_6_stress

from qmfront.models.nrltb.electrons import Electrons
from qmfront.models.nrltb.evaluate import evaluate, structure
from qmfront.models.nrltb.kpoints import monkhorst_pack
from qmfront.models.nrltb.parameters import load_parameters

ENERGIES = {"energy", "free_energy"}


class NRLTB(Calculator):
    """ASE calculator: energy, free_energy, forces, stress.

    `energy` is the band energy. `free_energy` is the grand potential at fixed mu and the canonical free energy for
    neutral atoms; forces and stress are its derivatives. `results` holds eigenvalues, chemical_potential and
    n_electrons too. Any cell, periodic directions and small multi-image cells; a direction that is not periodic takes
    one k-point. Asked for energies alone it leaves out the eigenvectors. Stress is per volume of the cell, vacuum
    included. Errors of the input are those of `structure` and `load_parameters`.

    Parameters
    ----------
    kT : float, eV
        Temperature of the electrons.
    mu : float or None, eV
        Chemical potential; 5.80 is the middle of the gap of silicon. None keeps the atoms neutral.
    kpts : three integers, or {"density": d} with d in Å
        Monkhorst-Pack divisions; (1, 1, 1) is Gamma. A density gives at least d k-points per 1/Å of reciprocal cell
        (ASE's convention) and a grid that contains Gamma, so that one setting serves cells of any size; choose one at
        which no division changes under the strains of interest.
    kpts_shift : three numbers
        Shift of the grid in units of its step; not with a density.
    parameters : str or path
        "silicon", or a JSON file of the same form.
    minimum_distance : float or None, Å
        Closer atoms raise an error; None takes the value of the parameter set (1.9 Å).

    Attributes
    ----------
    cutoff : float, Å
        Reach of the matrix elements, 6.61 Å.
    force_range : float, Å
        2 cutoff, for supercells and buffers. Not a bound as for potentials: the force on an atom depends on all others,
        by an influence that decays exponentially where there is a gap at mu.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012 (ASE's name)

    def __init__(
        self,
        kT: float = 0.1,
        mu: float | None = 5.80,
        kpts: Sequence[int] | Mapping[str, float] = (1, 1, 1),
        *,
        kpts_shift: Sequence[float] = (0.0, 0.0, 0.0),
        parameters: str | Path = "silicon",
        minimum_distance: float | None = None,
    ) -> None:
        super().__init__()
        self.kpts, self.kpts_shift = _checked_kpoints(kpts, kpts_shift)
        self.kT, self.mu = kT, mu
        self._electrons((1, 1, 1), (0.0, 0.0, 0.0))  # refuses kT and mu that make no sense at once
        self.model = load_parameters(parameters, minimum_distance=minimum_distance)
        self.cutoff = self.model.cutoff
        self.force_range = 2.0 * self.cutoff

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """Fill `results`; called by ASE."""
        super().calculate(atoms, properties, system_changes)
        atoms = self.atoms
        electrons = self._electrons(*self._grid(atoms))
        known = structure(self.model, atoms.positions, atoms.cell.array, atoms.pbc, atoms.numbers)
        gradient = properties is None or not ENERGIES.issuperset(properties)
        result = evaluate(self.model, known, electrons, gradient=gradient)
        self.results = {
            "energy": result.energy,
            "free_energy": result.free_energy,
            "eigenvalues": result.eigenvalues,
            "chemical_potential": result.chemical_potential,
            "n_electrons": result.n_electrons,
        }
        if result.gradient is None:
            return
        self.results["forces"] = result.gradient.forces
        volume = abs(np.linalg.det(atoms.cell.array))
        if volume > 0.0:
            self.results["stress"] = full_3x3_to_voigt_6_stress(result.gradient.virial / volume)
        elif properties and "stress" in properties:
            raise PropertyNotImplementedError(
                "Stress needs a cell with a volume. Set three cell vectors, or do not ask for stress."
            )

    def _electrons(self, divisions: Sequence[int], shift: Sequence[float]) -> Electrons:
        return Electrons(monkhorst_pack(divisions, shift=shift), kT=self.kT, mu=self.mu)

    def _grid(self, atoms: Atoms) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """Divisions and shift for these atoms."""
        if isinstance(self.kpts, Mapping):
            divisions, offsets = kpts2sizeandoffsets(density=self.kpts["density"], gamma=True, atoms=atoms)
            return tuple(int(q) for q in divisions), tuple(offsets * divisions)
        free = ~np.asarray(atoms.pbc, bool)
        if np.any(np.array(self.kpts)[free] != 1) or np.any(np.array(self.kpts_shift)[free] != 0):
            raise ValueError(
                f"kpts = {self.kpts}, kpts_shift = {self.kpts_shift} sample a direction that is not periodic (pbc = "
                f"{atoms.pbc.tolist()}). Give 1 and 0 there."
            )
        return self.kpts, self.kpts_shift


def _checked_kpoints(
    kpts: Sequence[int] | Mapping[str, float], shift: Sequence[float]
) -> tuple[tuple[int, ...] | dict[str, float], tuple[float, ...]]:
    """Either divisions and their shift, or a density and none."""
    if not isinstance(kpts, Mapping):
        monkhorst_pack(kpts, shift=shift)
        return tuple(kpts), tuple(shift)
    if set(kpts) != {"density"} or not (np.isfinite(kpts["density"]) and kpts["density"] > 0):
        raise ValueError(
            f"kpts = {dict(kpts)} is no density. Give divisions such as [2, 2, 2], or {{density: 4.0}} in Å."
        )
    if any(shift):
        raise ValueError(
            f"kpts_shift = {tuple(shift)} does not go with a density, whose grid contains Gamma. Leave it out."
        )
    return dict(kpts), (0.0, 0.0, 0.0)
