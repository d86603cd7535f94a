"""Energy densities as polynomials in Green strain with the point symmetry of the crystal.

The difference W_QM - W_MM of two homogeneous lattices is expanded from the first order that the MM model does
not match; lower orders would leak into the fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

_PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


@dataclass(frozen=True)
class StrainPolynomial:
    """W(E) = sum_t c_t prod_a e_a^k_ta with e = (E_xx, E_yy, E_zz, E_yz, E_xz, E_xy), crystal axes.

    exponents : (t, 6) int
    coefficients : (t,) float, eV per primitive cell
    """

    exponents: np.ndarray
    coefficients: np.ndarray

    @property
    def decay(self) -> int:
        """p of dP ~ r^-p about a line defect: dP falls as strain^(order - 1), and strain as 1 / r."""
        return int(self.exponents.sum(axis=1).min()) - 1

    def energy(self, gradient: np.ndarray) -> np.ndarray:
        """W (n,) eV for deformation gradients (n, 3, 3)."""
        return _monomials(strain_components(_green(gradient)), self.exponents) @ self.coefficients

    def stress(self, gradient: np.ndarray) -> np.ndarray:
        """First Piola-Kirchhoff stress P = dW/dF = F dW/dE, (n, 3, 3) eV."""
        exponents, coefficients = _gradient(self.exponents, self.coefficients)
        derivative = _monomials(strain_components(_green(gradient)), exponents) @ coefficients
        return gradient @ from_strain_components(derivative)


def invariants(order: int, rotations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Independent polynomials of the given order that are invariant under E -> R E R^T.

    Parameters
    ----------
    order : int
    rotations : (r, 3, 3) float
        Point group of the crystal.

    Returns
    -------
    exponents : (t, 6) int
    vectors : (t, i) float
        Monomial coefficients of each invariant, orthonormal columns.
    """
    exponents = _exponents(order)
    samples = np.random.default_rng(order).normal(size=(4 * len(exponents), 6))
    strains = from_strain_components(samples * np.array([1, 1, 1, 2, 2, 2]))
    averaged = np.mean(
        [_monomials(strain_components(r @ strains @ r.T), exponents) for r in rotations], axis=0
    )
    projector = np.linalg.lstsq(_monomials(samples, exponents), averaged, rcond=None)[0]
    left, singular, _ = np.linalg.svd(projector)
    return exponents, left[:, singular > 0.5]  # of a projector, oblique too, they are 0 or at least 1


def fit_strain_polynomial(
    gradients: np.ndarray,
    stresses: np.ndarray,
    *,
    orders: Sequence[int],
    rotations: np.ndarray,
    weights: np.ndarray | None = None,
) -> StrainPolynomial:
    """Least-squares fit of W to first Piola-Kirchhoff stresses.

    Parameters
    ----------
    gradients : (s, 3, 3) float
        Deformation gradients of homogeneous lattices.
    stresses : (s, 3, 3) float, eV
        P = dW/dF (times the cell volume).
    orders : sequence of int
        Orders in strain that W contains, e.g. (4, 5).
    rotations : (r, 3, 3) float
        Point group of the crystal.
    weights : (s,) float, optional
        Of the stresses; all the same if left out.

    Raises ValueError when there are fewer data than coefficients.
    """
    bases = [invariants(order, rotations) for order in orders]
    weight = np.ones((len(gradients), 1)) if weights is None else weights[:, None]
    target = weight * _voigt_stress(np.linalg.solve(gradients, stresses))
    strain = strain_components(_green(gradients))
    blocks = [np.einsum("nta,ti->nai", monomial_gradients(strain, e), v) for e, v in bases]
    design = (weight[:, :, None] * np.concatenate(blocks, axis=2)).reshape(target.size, -1)
    if design.shape[0] < 2 * design.shape[1]:
        raise ValueError(
            f"{len(gradients)} stress samples are too few for {design.shape[1]} strain invariants of orders "
            f"{tuple(orders)}. Raise stress_samples.count of the material."
        )
    scale = np.linalg.norm(design, axis=0)
    solution = np.linalg.lstsq(design / scale, target.ravel(), rcond=1e-12)[0] / scale
    parts = np.split(solution, np.cumsum([v.shape[1] for _, v in bases])[:-1])
    coefficients = [v @ part for (_, v), part in zip(bases, parts, strict=True)]
    # order by order: at strains of 1 % a coefficient of fifth order is easily 1e10 times one of second order
    used = [np.abs(c) > 1e-10 * np.abs(c).max() for c in coefficients]
    exponents = [e[kept] for (e, _), kept in zip(bases, used, strict=True)]
    kept = [c[these] for c, these in zip(coefficients, used, strict=True)]
    return StrainPolynomial(np.concatenate(exponents), np.concatenate(kept))


def sample_strains(count: int, amplitude: float, rng: np.random.Generator) -> np.ndarray:
    """Random symmetric deformation gradients I + e with max |e_ij| <= amplitude, (count, 3, 3)."""
    strain = rng.uniform(-amplitude, amplitude, (count, 3, 3))
    return np.eye(3) + (strain + strain.transpose(0, 2, 1)) / 2


def _green(gradient: np.ndarray) -> np.ndarray:
    """E = (F^T F - I) / 2."""
    return (gradient.swapaxes(-1, -2) @ gradient - np.eye(3)) / 2


def _exponents(order: int) -> np.ndarray:
    terms = combinations_with_replacement(range(6), order)
    return np.array([np.bincount(term, minlength=6) for term in terms])


def strain_components(strain: np.ndarray) -> np.ndarray:
    return np.stack([strain[..., i, j] for i, j in _PAIRS], axis=-1)


def _voigt_stress(stress: np.ndarray) -> np.ndarray:
    """dW/de_a for e_a above: off-diagonal entries count twice."""
    return strain_components(stress + stress.swapaxes(-1, -2)) * np.array([0.5, 0.5, 0.5, 1, 1, 1])


def from_strain_components(values: np.ndarray) -> np.ndarray:
    """Symmetric matrices from dW/de_a (n, 6): half of each off-diagonal entry on either side."""
    matrix = np.zeros((*values.shape[:-1], 3, 3))
    for a, (i, j) in enumerate(_PAIRS):
        matrix[..., i, j] = matrix[..., j, i] = values[..., a] * (1.0 if i == j else 0.5)
    return matrix


def _monomials(strain: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    result = np.ones((len(strain), len(exponents)))
    for a in range(6):
        powers = strain[:, a, None] ** np.arange(exponents[:, a].max(initial=0) + 1)
        result *= powers[:, exponents[:, a]]
    return result


def monomial_gradients(strain: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    """d monomial_t / d e_a, (n, t, 6)."""
    gradients = np.empty((len(strain), *exponents.shape))
    for a in range(6):
        lowered = exponents.copy()
        lowered[:, a] = np.maximum(lowered[:, a] - 1, 0)
        gradients[:, :, a] = exponents[:, a] * _monomials(strain, lowered)
    return gradients


def _gradient(exponents: np.ndarray, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """dW/de as polynomials: the monomials that occur (m, 6) and the coefficients of each derivative (m, 6)."""
    lowered = exponents[:, None, :] - np.eye(6, dtype=int)
    factors = exponents * coefficients[:, None]
    distinct, place = np.unique(np.maximum(lowered, 0).reshape(-1, 6), axis=0, return_inverse=True)
    result = np.zeros((len(distinct), 6))
    np.add.at(result, (place.ravel(), np.tile(np.arange(6), len(exponents))), factors.ravel())
    return distinct, result
