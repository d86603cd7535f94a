"""NRL tight binding as an ASE calculator."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

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
from qmfront.models.nrltb.evaluate import Evaluation, Structure, evaluate, structure
from qmfront.models.nrltb.green import SpectrumError, is_cheaper
from qmfront.models.nrltb.kpoints import monkhorst_pack
from qmfront.models.nrltb.parameters import load_parameters
from qmfront.models.nrltb.strips import NoStripsError, Strips, cut_strips

log = logging.getLogger(__name__)
Solver = Literal["auto", "dense", "poles"]
ENERGIES = {"energy", "free_energy"}


class NRLTB(Calculator):
    """ASE calculator: energy, free_energy, forces, stress.

    `energy` is the band energy. `free_energy` is the grand potential at fixed mu and the canonical free energy for
    neutral atoms; forces and stress are its derivatives. `results` holds chemical_potential and n_electrons too, and
    eigenvalues where they were computed. Any cell, periodic directions and small multi-image cells; a direction that is
    not periodic takes one k-point. Asked for energies alone it leaves out the eigenvectors. Stress is per volume of the
    cell, vacuum included. Errors of the input are those of `structure` and `load_parameters`.

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
    solver : "auto", "dense" or "poles"
        "dense" diagonalises. "poles" sums Green functions over poles of the Fermi function, strip by strip across a
        direction that is not periodic: much faster for large clusters and straight defects, at fixed mu alone, between
        levels of mu - 300 kT and mu + 5000 kT (proven in each call). Its errors against "dense" are at most 3e-6 kT per
        atom in `free_energy`, of which forces and stress are the exact derivatives, 3e-7 kT per atom in `energy`, and
        1e-9 eV/Å in the forces of discs at kT = 0.1 eV. "auto" takes the one that is expected to be faster, and
        diagonalises where the levels reach too far for the poles.

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
        solver: Solver = "auto",
    ) -> None:
        super().__init__()
        if solver not in get_args(Solver):
            raise ValueError(f"solver = {solver!r} is unknown. Choose one of {get_args(Solver)}.")
        if solver == "poles" and mu is None:
            raise ValueError(
                "solver = 'poles' needs a chemical potential, and mu is None. Give mu (5.80 eV is the middle of the "
                "gap of silicon), or take 'dense'."
            )
        self.solver = solver
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
        strips = self._strips(atoms, electrons, gradient=gradient)
        result = self._evaluated(known, electrons, gradient=gradient, strips=strips)
        names = ("energy", "free_energy", "eigenvalues", "chemical_potential", "n_electrons")
        values = {name: getattr(result, name) for name in names}
        self.results = {name: value for name, value in values.items() if value is not None}
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

    def _strips(self, atoms: Atoms, electrons: Electrons, *, gradient: bool) -> Strips | None:
        """Strips for the poles; None if the matrices are to be diagonalised."""
        if self.solver == "dense" or electrons.mu is None:
            return None
        try:
            strips = cut_strips(atoms.positions, atoms.cell.array, atoms.pbc, self.cutoff)
        except NoStripsError:
            if self.solver == "poles":
                raise
            return None
        if self.solver == "poles" or is_cheaper(strips, electrons.kpoints, gradient=gradient):
            return strips
        return None

    def _evaluated(
        self, known: Structure, electrons: Electrons, *, gradient: bool, strips: Strips | None
    ) -> Evaluation:
        """By poles if there are strips; "auto" comes back to eigenvalues if the spectrum is too wide for them."""
        try:
            return evaluate(self.model, known, electrons, gradient=gradient, strips=strips)
        except SpectrumError as error:
            if self.solver == "poles":
                raise
            log.warning("Diagonalising %d atoms, because the poles fail: %s", len(known.kind), error)
        return evaluate(self.model, known, electrons, gradient=gradient)

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
