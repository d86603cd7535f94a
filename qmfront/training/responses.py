"""Responses of a homogeneous lattice that the fit observes: energy, stress and force constants under strain.

The same three questions are put to a calculator (numbers) and to every function of an ACE basis (one more, last
axis), so that an observation is one formula for both and its discretisation cancels in the comparison.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from ase.calculators.calculator import Calculator
from scipy.spatial import cKDTree

from qmfront.crystal.lattice import Crystal
from qmfront.crystal.neighbours import pairs_within
from qmfront.models.ace.basis import Basis
from qmfront.models.ace.design import design, site_basis
from qmfront.models.force_constant_set import MATCH
from qmfront.models.force_constants import force_constants


class Response(Protocol):
    """W_cb and its relatives as functions of the deformation gradient F (3, 3)."""

    def energy(self, gradient: np.ndarray) -> np.ndarray:
        """W_cb(F) of one primitive cell, eV: (...)."""

    def stress(self, gradient: np.ndarray) -> np.ndarray:
        """P = dW_cb/dF, eV: (3, 3, ...)."""

    def force_constants(self, gradient: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Phi of the deformed lattice for undeformed lattice vectors (m, 3), eV/Å^2: (m, 3, 3, ...)."""


@dataclass(frozen=True)
class CalculatorResponse:
    """Responses of an ASE calculator. reach (Å): range of the force constants; step (Å): of the differences."""

    crystal: Crystal
    calculator: Calculator
    reach: float
    step: float = 1e-3

    def energy(self, gradient: np.ndarray) -> np.ndarray:
        """See `Response.energy`."""
        return np.asarray(self._deformed(gradient).get_potential_energy())

    def stress(self, gradient: np.ndarray) -> np.ndarray:
        """P = V sigma F^-T, V the deformed volume."""
        atoms = self._deformed(gradient)
        cauchy = atoms.get_stress(voigt=False)
        return atoms.get_volume() * cauchy @ np.linalg.inv(gradient).T

    def force_constants(self, gradient: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """See `Response.force_constants`; central differences in a supercell."""
        stretch = max(1.0, np.linalg.norm(gradient, 2))
        found = force_constants(
            self._deformed(gradient), self.calculator, reach=self.reach * stretch, step=self.step
        )
        return _matched(found.vector @ np.linalg.inv(gradient).T, found.matrix, vectors)

    def _deformed(self, gradient: np.ndarray):
        atoms = self.crystal.strained(gradient).to_atoms()
        atoms.calc = self.calculator
        return atoms


@dataclass(frozen=True)
class BasisResponse:
    """Responses of each function of an ACE basis on a Bravais lattice; the last axis counts functions."""

    crystal: Crystal
    basis: Basis
    step: float = 1e-3

    def energy(self, gradient: np.ndarray) -> np.ndarray:
        """See `Response.energy`, (n_functions,)."""
        return self._row(gradient).energy

    def stress(self, gradient: np.ndarray) -> np.ndarray:
        """P = V sigma F^-T, (3, 3, n_functions)."""
        deformed = self.crystal.strained(gradient)
        xx, yy, zz, yz, xz, xy = self._row(gradient).stress.T
        cauchy = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        return deformed.volume * np.einsum("ijb,kj->ikb", cauchy, np.linalg.inv(gradient))

    def force_constants(self, gradient: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Central differences of dV/du over the sites that see the displaced atom, (m, 3, 3, n_functions)."""
        columns = [self._column(gradient, vectors, axis) for axis in range(3)]
        return np.stack(columns, axis=1)

    def _column(self, gradient: np.ndarray, vectors: np.ndarray, axis: int) -> np.ndarray:
        """d2E / du_0,axis du_m: (m, 3, n_functions)."""
        shell = self._shell(gradient)
        place = _Places(vectors)
        column = np.zeros((len(vectors) + 1, 3, len(self.basis)))
        for centre in np.vstack([np.zeros(3), shell]):
            change = self._gradient_change(shell, centre, gradient, axis)
            np.add.at(column, place.of(centre + shell), change.transpose(1, 2, 0))
            column[place.of(centre[None])] -= change.sum(axis=1).T
        return column[:-1]

    def _gradient_change(
        self, shell: np.ndarray, centre: np.ndarray, gradient: np.ndarray, axis: int
    ) -> np.ndarray:
        """d/du of dV/dg for the site at `centre` when the atom at the origin moves, (n_functions, J, 3)."""
        moved = np.zeros_like(shell)
        if np.any(centre):
            moved[np.linalg.norm(shell + centre, axis=1) < 1e-6, axis] = self.step
        else:
            moved[:, axis] = -self.step
        species = np.zeros(len(shell), dtype=np.int64)
        deformed = shell @ gradient.T
        up = site_basis(self.basis, deformed + moved, species, centre=0)[1]
        down = site_basis(self.basis, deformed - moved, species, centre=0)[1]
        return (up - down) / (2 * self.step)

    def _shell(self, gradient: np.ndarray) -> np.ndarray:
        """Undeformed lattice vectors whose deformed length is within the cutoff plus the step."""
        deformed = self.crystal.strained(gradient)
        margin = self.basis.cutoff + 2 * self.step
        pairs = pairs_within(deformed.basis, deformed.cell, np.ones(3, bool), margin)
        return pairs.vector @ np.linalg.inv(gradient).T

    def _row(self, gradient: np.ndarray):
        deformed = self.crystal.strained(gradient)
        return design(deformed.basis, deformed.cell, np.ones(3, bool), deformed.numbers, self.basis)


class _Places:
    """Position of lattice vectors in a list; vectors that are not listed get the place past the end."""

    def __init__(self, vectors: np.ndarray) -> None:
        self.tree = cKDTree(vectors)

    def of(self, vectors: np.ndarray) -> np.ndarray:
        return self.tree.query(vectors, distance_upper_bound=MATCH)[1]


def _matched(found: np.ndarray, matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Matrices reordered to the wanted vectors; zero where none was found."""
    place = _Places(found).of(vectors)
    return np.concatenate([matrices, np.zeros((1, 3, 3))])[place]
