"""Responses of a homogeneous lattice that the fit observes: energy, stress and force constants under strain.

The same quantities are taken from a calculator (numbers) and from every function of an ACE basis (one more, last
axis), so that an observation is one formula for both and its discretisation cancels in the comparison. The sublattices
of a crystal with a basis stand where `shifts` says, for both alike.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator
from scipy.spatial import cKDTree

from qmfront.config.material import ForceConstantSteps
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.neighbours import pairs_within
from qmfront.elasticity.internal import Shifts, internal_forces
from qmfront.elasticity.surface import energy_of
from qmfront.models.ace.basis import Basis
from qmfront.models.ace.design import Design, design, functions_of, site_basis
from qmfront.models.force_constant_set import APART, MATCH
from qmfront.models.force_constants import force_constants


class Response(Protocol):
    """W_cb and its relatives as functions of the deformation gradient F (3, 3)."""

    def energy(self, gradient: np.ndarray) -> np.ndarray:
        """W_cb(F) of one primitive cell, eV: (...)."""

    def stress(self, gradient: np.ndarray) -> np.ndarray:
        """P = dW_cb/dF, eV: (3, 3, ...)."""

    def internal_forces(self, gradient: np.ndarray) -> np.ndarray:
        """Forces on the atoms of one cell, eV/Å: (nb, 3, ...)."""

    def force_constants(
        self, gradient: np.ndarray, vectors: np.ndarray, *, ends: np.ndarray | None = None
    ) -> np.ndarray:
        """Phi_ab of the deformed lattice for undeformed vectors (m, 3), eV/Å^2: (m, 3, 3, ...).

        ends (m, 2) int: sublattices a, b that the vectors join; a Bravais lattice does not need them.
        """


@dataclass(frozen=True)
class CalculatorResponse:
    """Responses of an ASE calculator.

    steps : ForceConstantSteps
        Reach and displacement of the force constants, cells of their supercell.
    shifts : Shifts, optional
        Internal shifts at the gradients that will be needed; none if left out.
    """

    crystal: Crystal
    calculator: BaseCalculator
    steps: ForceConstantSteps
    shifts: Shifts | None = None

    def energy(self, gradient: np.ndarray) -> np.ndarray:
        """See `Response.energy`: the free energy of a model that has one, since its stress belongs to that."""
        atoms = self._deformed(gradient)
        return np.asarray(energy_of(atoms, atoms.calc))

    def stress(self, gradient: np.ndarray) -> np.ndarray:
        """P = V sigma F^-T, V the deformed volume."""
        atoms = self._deformed(gradient)
        cauchy = atoms.get_stress(voigt=False)
        return atoms.get_volume() * cauchy @ np.linalg.inv(gradient).T

    def internal_forces(self, gradient: np.ndarray) -> np.ndarray:
        """See `Response.internal_forces`."""
        return internal_forces(_deformed(self.crystal, gradient, self.shifts), self.calculator)

    def force_constants(
        self, gradient: np.ndarray, vectors: np.ndarray, *, ends: np.ndarray | None = None
    ) -> np.ndarray:
        """See `Response.force_constants`; central differences in a supercell."""
        stretch = max(1.0, float(np.linalg.norm(gradient, 2)))
        atoms = self._deformed(gradient)
        apart = _offset(self.crystal, gradient, self.shifts)
        reach = self.steps.reach * stretch + np.linalg.norm(apart, axis=2).max()
        transform = self.crystal.supercell if self.steps.supercell == "cubic" else None
        step = self.steps.displacement
        found = force_constants(atoms, self.calculator, reach=reach, step=step, transform=transform)
        joined = np.stack([found.basis_first, found.basis_second], axis=1)
        undeformed = (found.vector - apart[joined[:, 0], joined[:, 1]]) @ np.linalg.inv(gradient).T
        place = _Places(undeformed, joined).of(vectors, ends)
        return np.concatenate([found.matrix, np.zeros((1, 3, 3))])[place]

    def _deformed(self, gradient: np.ndarray) -> Atoms:
        atoms = _deformed(self.crystal, gradient, self.shifts).to_atoms()
        atoms.calc = self.calculator
        return atoms


@dataclass(frozen=True)
class _Shell:
    """What one sublattice sees: vectors (J, 3), Å, undeformed and deformed, and the sublattices (J,) they lead to."""

    undeformed: np.ndarray
    deformed: np.ndarray
    sublattice: np.ndarray


@dataclass(frozen=True)
class BasisResponse:
    """Responses of each function of an ACE basis; the last axis counts functions.

    shifts: internal shifts at the gradients that will be needed, those of the QM model; none if left out.
    """

    crystal: Crystal
    basis: Basis
    step: float = 1e-3
    shifts: Shifts | None = None

    def energy(self, gradient: np.ndarray) -> np.ndarray:
        """See `Response.energy`, (n_functions,)."""
        return self._row(gradient).energy

    def stress(self, gradient: np.ndarray) -> np.ndarray:
        """P = V sigma F^-T, (3, 3, n_functions)."""
        deformed = self.crystal.strained(gradient)
        xx, yy, zz, yz, xz, xy = self._row(gradient).stress.T
        cauchy = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        return deformed.volume * np.einsum("ijb,kj->ikb", cauchy, np.linalg.inv(gradient))

    def internal_forces(self, gradient: np.ndarray) -> np.ndarray:
        """See `Response.internal_forces`, (nb, 3, n_functions)."""
        return self._row(gradient).forces.transpose(1, 2, 0)

    def force_constants(
        self, gradient: np.ndarray, vectors: np.ndarray, *, ends: np.ndarray | None = None
    ) -> np.ndarray:
        """Central differences of dV/du over the sites that see the displaced atom, (m, 3, 3, n_functions)."""
        shells, places = self._shells(gradient), _Places(vectors, ends)
        columns = [self._column(shells, places, axis) for axis in range(3)]
        return np.stack(columns, axis=1)

    def _column(self, shells: list[_Shell], places: "_Places", axis: int) -> np.ndarray:
        """d2E / du_a0,axis du_bm for every atom a of the cell: (m, 3, n_functions)."""
        column = np.zeros((places.count + 1, 3, len(self.basis)))
        species = self.basis.species_of(self.crystal.numbers)
        for moved, own in enumerate(shells):
            sources = np.concatenate([[moved], own.sublattice])
            for source, centre in zip(sources, np.vstack([np.zeros(3), own.undeformed]), strict=True):
                shell = shells[source]
                shift = self._shift(shell, centre, moved, axis)
                change = self._gradient_change(shell, shift, species, int(species[source]))
                target = column[:, :, functions_of(self.basis, int(species[source]))]
                joined = np.stack([np.full_like(shell.sublattice, moved), shell.sublattice], axis=1)
                np.add.at(target, places.of(centre + shell.undeformed, joined), change.transpose(1, 2, 0))
                target[places.of(centre[None], np.array([[moved, source]]))] -= change.sum(axis=1).T
        return column[:-1]

    def _shift(self, shell: _Shell, centre: np.ndarray, moved: int, axis: int) -> np.ndarray:
        """Change (J, 3) of the vectors that the site at `centre` sees when atom `moved` of the cell moves by a step."""
        shift = np.zeros_like(shell.deformed)
        if np.any(centre):
            seen = (np.linalg.norm(shell.undeformed + centre, axis=1) < 1e-6) & (shell.sublattice == moved)
            shift[seen, axis] = self.step
        else:
            shift[:, axis] = -self.step
        return shift

    def _gradient_change(
        self, shell: _Shell, shift: np.ndarray, species: np.ndarray, centre: int
    ) -> np.ndarray:
        """d/du of dV/dg for a site of species `centre`, (functions of the centre, J, 3)."""
        around = species[shell.sublattice]
        up = site_basis(self.basis, shell.deformed + shift, around, centre=centre)[1]
        down = site_basis(self.basis, shell.deformed - shift, around, centre=centre)[1]
        return (up - down) / (2 * self.step)

    def _shells(self, gradient: np.ndarray) -> list[_Shell]:
        """For each sublattice the neighbours whose deformed distance is within the cutoff plus the step."""
        deformed = _deformed(self.crystal, gradient, self.shifts)
        apart = _offset(self.crystal, gradient, self.shifts)
        margin = self.basis.cutoff + 2 * self.step
        pairs = pairs_within(deformed.basis, deformed.cell, np.ones(3, bool), margin)
        apart = apart[pairs.first, pairs.second]
        undeformed = (pairs.vector - apart) @ np.linalg.inv(gradient).T
        vectors = undeformed @ gradient.T + apart
        return [
            _Shell(undeformed[own], vectors[own], pairs.second[own])
            for own in (pairs.first == sublattice for sublattice in range(len(deformed.basis)))
        ]

    def _row(self, gradient: np.ndarray) -> Design:
        deformed = _deformed(self.crystal, gradient, self.shifts)
        return design(deformed.basis, deformed.cell, np.ones(3, bool), deformed.numbers, self.basis)


def response_of_one_atom(crystal: Crystal, basis: Basis) -> np.ndarray:
    """Functions summed over one atom of the perfect crystal, (n_functions,)."""
    return BasisResponse(crystal, basis).energy(np.eye(3)) / len(crystal.basis)


class _Places:
    """Position of (sublattices, vector) in a list; what is not listed gets the place past the end."""

    def __init__(self, vectors: np.ndarray, ends: np.ndarray | None) -> None:
        self.tree = cKDTree(_keys(vectors, ends))
        self.count = len(vectors)

    def of(self, vectors: np.ndarray, ends: np.ndarray | None) -> np.ndarray:
        return np.asarray(self.tree.query(_keys(vectors, ends), distance_upper_bound=MATCH)[1])


def _keys(vectors: np.ndarray, ends: np.ndarray | None) -> np.ndarray:
    """Points (m, 5) that coincide where vectors and sublattices do."""
    ends = np.zeros((len(vectors), 2), int) if ends is None else ends
    return np.column_stack([APART * ends, vectors])


def _deformed(crystal: Crystal, gradient: np.ndarray, shifts: Shifts | None) -> Crystal:
    return crystal.strained(gradient) if shifts is None else shifts.deformed(crystal, gradient)


def _offset(crystal: Crystal, gradient: np.ndarray, shifts: Shifts | None) -> np.ndarray:
    """By how much each pair of sublattices (nb, nb) moved apart beyond F rho, (nb, nb, 3), Å."""
    s = np.zeros((len(crystal.basis), 3)) if shifts is None else shifts.at(gradient)
    return s[None, :] - s[:, None]
