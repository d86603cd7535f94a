"""NRL tight binding as an ASE calculator."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes
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
    kpts : three integers
        Monkhorst-Pack divisions; (1, 1, 1) is Gamma.
    kpts_shift : three numbers
        Shift of the grid in units of its step.
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
        kpts: Sequence[int] = (1, 1, 1),
        *,
        kpts_shift: Sequence[float] = (0.0, 0.0, 0.0),
        parameters: str | Path = "silicon",
        minimum_distance: float | None = None,
    ) -> None:
        super().__init__()
        self.electrons = Electrons(monkhorst_pack(kpts, shift=kpts_shift), kT=kT, mu=mu)
        self.kpts, self.kpts_shift = tuple(kpts), tuple(kpts_shift)
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
        self._refuse_kpoints(atoms.pbc)
        known = structure(self.model, atoms.positions, atoms.cell.array, atoms.pbc, atoms.numbers)
        gradient = properties is None or not ENERGIES.issuperset(properties)
        result = evaluate(self.model, known, self.electrons, gradient=gradient)
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

    def _refuse_kpoints(self, pbc: np.ndarray) -> None:
        free = ~np.asarray(pbc, bool)
        if np.any(np.array(self.kpts)[free] != 1) or np.any(np.array(self.kpts_shift)[free] != 0):
            raise ValueError(
                f"kpts = {self.kpts}, kpts_shift = {self.kpts_shift} sample a direction that is not periodic (pbc = "
                f"{np.asarray(pbc).tolist()}). Give 1 and 0 there."
            )
