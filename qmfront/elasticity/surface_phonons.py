"""Phonons of a slab along one line of its plane, from displacements in a row of its cells.

    D_ij(q) = sum_R d2E / du_i(0) du_j(R) exp(i q . (r_j + R - r_i)),    q = k b1 / N,  k = 0 .. N/2

for N cells in a row along the first surface vector: at these q the sum over the N cells is exact for any range of
the forces, the periodic images of the second surface vector included (q . a2 = 0). Masses are left out.
Where a slab has a centre of inversion, half of its atoms tell all.
"""

import numpy as np
from ase.calculators.calculator import BaseCalculator

from qmfront.crystal.slab import Slab

SAME_SITE = 0.02
"""Å; an atom this near to the inversion image of another is that image."""


def slab_phonons(
    slab: Slab, calculator: BaseCalculator, *, cells: int, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues of the dynamical matrix of a relaxed slab.

    Parameters
    ----------
    slab : Slab
        At rest.
    cells : int
        N, the cells in a row.
    step : float, Å
        Displacement of the central differences; 6 n displacements, 3 n in a slab with a centre of inversion.

    Returns
    -------
    path : (N // 2 + 1,) float, 1/Å
        |q|, from the zone centre to the zone boundary (for even N).
    eigenvalues : (N // 2 + 1, 3 n) float, eV/Å^2
        In ascending order. At the zone centre the three translations are removed, so that its first three
        eigenvalues are exactly zero and the others stand behind them.
    """
    count = len(slab.numbers)
    image = inversion_images(slab)
    moved = np.arange(count) if image is None else np.flatnonzero(np.arange(count) <= image)
    row = slab.repeated(cells, 1)
    hessian = _hessian_rows(row, calculator, moved, step).reshape(-1, 3, cells, count, 3)
    reciprocal = 2 * np.pi * np.linalg.inv(slab.cell[:2, :2])[:, 0]
    apart = row.positions.reshape(cells, count, 3)[:, None] - slab.positions[None, :, None]
    path, eigenvalues = [], []
    for k in range(cells // 2 + 1):
        q = k / cells * reciprocal
        phase = np.exp(1j * apart[..., :2] @ q)[:, moved]
        half = np.einsum("iacjb,cij->iajb", hessian, phase)
        blocks = np.zeros((count, 3, count, 3), complex)
        blocks[moved] = half
        if image is not None:  # inversion turns r_j - r_i and hence the sign of q
            blocks[image[moved]] = half[:, :, image].conj()
        matrix = blocks.reshape(3 * count, 3 * count)
        matrix = 0.5 * (matrix + matrix.conj().T)
        path.append(np.linalg.norm(q))
        eigenvalues.append(np.linalg.eigvalsh(matrix) if k else _without_translations(matrix.real))
    return np.array(path), np.array(eigenvalues)


def lowest_eigenvalue(eigenvalues: np.ndarray) -> float:
    """The lowest eigenvalue at the zone centre behind the translations, eV/Å^2: positive where the slab is stable."""
    return float(eigenvalues[0, 3])


def softest(eigenvalues: np.ndarray) -> float:
    """The lowest eigenvalue of all waves, at the zone centre behind the translations, eV/Å^2."""
    return min(lowest_eigenvalue(eigenvalues), float(eigenvalues[1:].min()))


def inversion_images(slab: Slab) -> np.ndarray | None:
    """The atom (n,) int that inversion of the slab makes of each atom; None for a slab without a centre."""
    height, cell = slab.positions[:, 2], slab.cell[:2, :2]
    outermost = height > height.max() - (height[0] - height.min()) - SAME_SITE
    for last in np.flatnonzero(outermost & (slab.numbers == slab.numbers[0])):
        apart = slab.positions[0] + slab.positions[last] - slab.positions[:, None] - slab.positions
        whole = np.rint(apart[..., :2] @ np.linalg.inv(cell))
        apart[..., :2] -= whole @ cell
        near = (np.linalg.norm(apart, axis=2) < SAME_SITE) & (slab.numbers[:, None] == slab.numbers)
        if np.all(near.sum(axis=1) == 1):
            return near.argmax(axis=1)
    return None


def _hessian_rows(row: Slab, calculator: BaseCalculator, moved: np.ndarray, step: float) -> np.ndarray:
    """d2E / du_i du for the atoms i in `moved` (m,), (m, 3, 3 n), eV/Å^2."""
    rows = np.zeros((len(moved), 3, row.positions.size))
    for place, i in enumerate(moved):
        for axis in range(3):
            for sign in (1.0, -1.0):
                atoms = row.to_atoms()
                atoms.positions[i, axis] += sign * step
                atoms.calc = calculator
                rows[place, axis] -= sign * atoms.get_forces().ravel() / (2 * step)
    return rows


def _without_translations(matrix: np.ndarray) -> np.ndarray:
    """Three zeros, then the eigenvalues on the complement of the translations."""
    uniform = np.tile(np.eye(3), (len(matrix) // 3, 1))
    complement = np.linalg.qr(uniform, mode="complete")[0][:, 3:]
    return np.concatenate([np.zeros(3), np.linalg.eigvalsh(complement.T @ matrix @ complement)])
