"""Vectors on the atoms of a cell as polynomials in strain with the symmetry of the crystal: internal forces, shifts.

f_p(b)(R E R^T) = R f_b(E)    for every operation, which turns by R and takes sublattice b to p(b)
"""

from itertools import combinations_with_replacement

import numpy as np

_PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def equivariants(
    order: int, rotations: np.ndarray, permutations: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Independent vector fields on the sublattices, homogeneous polynomials of the given order in E.

    Parameters
    ----------
    order : int
    rotations : (r, 3, 3) float
    permutations : (r, nb) int
        Sublattice to which each rotation takes each sublattice.

    Returns
    -------
    exponents : (t, 6) int
        Monomials in E_xx, E_yy, E_zz, E_yz, E_xz, E_xy.
    fields : (t, 3 nb, i) float
        Coefficients of each field, orthonormal over the first two axes.
    """
    terms = combinations_with_replacement(range(6), order)
    exponents = np.array([np.bincount(term, minlength=6) for term in terms])
    rng = np.random.default_rng(order)
    samples = rng.normal(size=(4 * len(exponents), 3, 3))
    samples += samples.swapaxes(1, 2)
    n_basis = permutations.shape[1]
    averaged = np.zeros((len(samples), n_basis, 3, len(exponents), n_basis, 3))
    for R, permutation in zip(rotations, permutations, strict=True):
        values = monomial_values(R @ samples @ R.T, exponents) / len(rotations)
        for b, image in enumerate(permutation):
            averaged[:, b, :, :, image, :] += np.einsum("st,ji->sitj", values, R)
    size = len(exponents) * 3 * n_basis
    columns = averaged.reshape(len(samples), -1)
    projector = np.linalg.lstsq(monomial_values(samples, exponents), columns, rcond=None)[0]
    left, singular, _ = np.linalg.svd(projector.reshape(size, size))
    kept = left[:, singular > 0.5]  # of a projector, oblique too, they are 0 or at least 1
    return exponents, kept.reshape(len(exponents), 3 * n_basis, -1)


def monomial_values(strain: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    """prod_a e_a^k_ta, (n, t), for symmetric strain (n, 3, 3) and exponents (t, 6)."""
    components = np.stack([strain[:, i, j] for i, j in _PAIRS], axis=1)
    return np.prod(components[:, None, :] ** exponents, axis=2)
