"""Homogeneous force constants of a crystal, for any ASE calculator.

Central differences of forces in a supercell, one displaced atom per inequivalent site; crystal symmetry gives the rest.
"""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator

from qmfront.models.force_constant_set import (
    EDGE,
    ForceConstants,
    matching_sites,
    with_index_symmetry,
    with_sum_rule,
)
from qmfront.models.lattice_symmetry import Operation, crystal_operations

__all__ = ["ForceConstants", "force_constants"]


def force_constants(
    crystal: Atoms,
    calculator: BaseCalculator,
    *,
    reach: float,
    step: float = 1e-3,
    symmetry: bool = True,
    transform: np.ndarray | None = None,
) -> ForceConstants:
    """Force constants of a crystal up to a distance, with index symmetry and sum rule imposed.

    The heights of the supercell exceed reach + max(reach, calculator.force_range), so that separations up to reach
    are unique; interactions longer than reach of a calculator without `force_range` fold back into the result.
    A strained lattice needs nothing special: pass the strained cell.

    Parameters
    ----------
    crystal : ase.Atoms
        Primitive or conventional cell, periodic in three directions; not modified.
    calculator : ASE calculator
        Needs forces.
    reach : float, Å
        Largest separation that is kept.
    step : float, Å
        Displacement of the central differences.
    symmetry : bool
        Use the symmetry of lattice and atomic numbers (two calls for a cubic Bravais lattice instead of six).
        Switch it off if something else breaks the symmetry (magnetic moments, k-points, a field).
    transform : (3, 3) int, optional
        Rows make of the cell vectors those of the cell that is repeated, such as the cubic one (`Crystal.cubic`).

    Raises
    ------
    ValueError
        If the crystal is not periodic in three directions, reach or step is not positive, or a force is not finite.
    """
    if not crystal.pbc.all():
        raise ValueError(
            f"crystal.pbc = {crystal.pbc.tolist()}: force constants need three periodic directions."
        )
    if not (reach > 0.0 and step > 0.0):
        raise ValueError(f"reach = {reach} Å and step = {step} Å must be positive.")
    operations = crystal_operations(crystal) if symmetry else _identity(len(crystal))
    height = reach + max(reach, float(getattr(calculator, "force_range", 0.0)))
    supercell = _supercell(crystal, height, np.eye(3, dtype=int) if transform is None else transform)
    rows: list[_Row] = []
    for site in range(len(crystal)):
        known = [operation for operation in operations if np.any(operation.permutation[:site] == site)]
        if known:
            rows.append(_carried(rows, known[0], site))
        else:
            stabiliser = [operation for operation in operations if operation.permutation[site] == site]
            rows.append(_measured(supercell, calculator, site, stabiliser, reach=reach, step=step))
    raw = ForceConstants(
        basis_first=np.repeat(np.arange(len(rows)), [len(row.basis) for row in rows]),
        basis_second=np.concatenate([row.basis for row in rows]),
        vector=np.concatenate([row.vector for row in rows]),
        matrix=np.concatenate([row.matrix for row in rows]),
    )
    return with_sum_rule(with_index_symmetry(raw))


def repeats_above(cell: np.ndarray, height: float) -> np.ndarray:
    """Least repeats (3,) of a cell (3, 3) of which every height exceeds `height`, Å."""
    heights = 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    return np.floor((height + 4 * EDGE) / heights).astype(int) + 1


@dataclass(frozen=True)
class _Row:
    """Phi_ab(rho) of one site a: basis b (m,), vector rho (m, 3), matrix (m, 3, 3)."""

    basis: np.ndarray
    vector: np.ndarray
    matrix: np.ndarray


@dataclass(frozen=True)
class _Supercell:
    atoms: Atoms
    n_basis: int

    def around(self, site: int, reach: float) -> tuple[np.ndarray, np.ndarray]:
        """Indices (m,) and separations (m, 3), Å, of the atoms within reach of atom `site`."""
        cell = self.atoms.cell.array
        fractional = (self.atoms.positions - self.atoms.positions[site]) @ np.linalg.inv(cell)
        # The nearest image has |fractional| < 1/2 because reach is below half of every height.
        vector = (fractional - np.round(fractional)) @ cell
        index = np.flatnonzero(np.linalg.norm(vector, axis=1) <= reach + EDGE)
        return index, vector[index]


def _supercell(crystal: Atoms, height: float, transform: np.ndarray) -> _Supercell:
    """Repeated cell of which every height exceeds `height`; atom index modulo n_basis is the site."""
    repeats = repeats_above(transform @ crystal.cell.array, height)
    atoms = Atoms(crystal.numbers, crystal.positions, cell=crystal.cell, pbc=True)
    for name in ("initial_magmoms", "initial_charges", "tags"):
        if crystal.has(name):
            atoms.set_array(name, crystal.arrays[name])
    if np.array_equal(transform, np.eye(3)):
        return _Supercell(atoms.repeat(tuple(repeats)), len(crystal))
    from ase.build import make_supercell  # slow to import

    return _Supercell(make_supercell(atoms, np.diag(repeats) @ transform, wrap=False), len(crystal))


def _measured(
    supercell: _Supercell, calculator: BaseCalculator, site: int, stabiliser: list[Operation], *, reach: float,
    step: float,
) -> _Row:  # fmt: skip
    """One row from displacements along as few axes as the operations that keep the site allow.

    A displacement d gives g_d(rho) = Phi(rho)^T d; every operation R gives g_Rd(R rho) = R g_d(rho) as well.
    Phi(rho) solves all these equations in the sense of least squares.
    """
    index, vector = supercell.around(site, reach)
    basis = index % supercell.n_basis
    rotations = np.array([operation.rotation for operation in stabiliser])
    sources = [
        matching_sites(basis, vector, operation.permutation[basis], vector @ operation.rotation.T)
        for operation in stabiliser
    ]
    directions: list[np.ndarray] = []
    responses: list[np.ndarray] = []
    for axis in np.eye(3):
        turned = rotations @ axis
        if np.linalg.matrix_rank(np.array([*directions, *turned]), tol=1e-6) == _rank(directions):
            continue
        response = _response(supercell, calculator, site, axis * step)[index] / step
        for rotation, target in zip(rotations, sources, strict=True):
            moved = np.empty_like(response)
            moved[target] = response @ rotation.T
            responses.append(moved)
        directions += list(turned)
    matrix = np.einsum("ad,dmb->mab", np.linalg.pinv(np.array(directions)), np.array(responses))
    return _Row(basis, vector, matrix)


def _response(supercell: _Supercell, calculator: BaseCalculator, site: int, shift: np.ndarray) -> np.ndarray:
    """-(F(+shift) - F(-shift)) / 2 on all atoms, (n, 3), eV/Å, for atom `site` moved by shift (3,), Å."""
    forces = []
    for sign in (1.0, -1.0):
        atoms = supercell.atoms.copy()
        atoms.positions[site] += sign * shift
        atoms.calc = calculator
        forces.append(np.array(atoms.get_forces()))
        if not np.isfinite(forces[-1]).all():
            raise ValueError(
                f"The calculator returned forces that are not finite for {len(atoms)} atoms with atom {site} moved "
                f"by {sign * shift} Å. Check it on the perfect crystal."
            )
    return (forces[1] - forces[0]) / 2.0


def _carried(rows: list[_Row], operation: Operation, site: int) -> _Row:
    """The row of `site` from that of an equivalent earlier site, Phi(R rho) = R Phi(rho) R^T."""
    source = rows[int(np.flatnonzero(operation.permutation[: len(rows)] == site)[0])]
    rotation = operation.rotation
    return _Row(
        operation.permutation[source.basis],
        source.vector @ rotation.T,
        rotation @ source.matrix @ rotation.T,
    )


def _identity(n_basis: int) -> list[Operation]:
    return [Operation(np.eye(3), np.arange(n_basis))]


def _rank(directions: list[np.ndarray]) -> int:
    return int(np.linalg.matrix_rank(np.array(directions), tol=1e-6)) if directions else 0
