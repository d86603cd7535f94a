"""Linear regression of the ACE coefficients: ridge with a smoothness prior, or automatic relevance determination."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.linalg import qr, solve_triangular

from qmfront.config.potential import Regression, RelevanceDetermination, SmoothnessPrior, Weights
from qmfront.training.observe.kinds import KIND

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Posterior:
    """Coefficients, and the Gaussian posterior N(c, noise (A^T A + diag(penalty)^2)^-1) that they are the mean of.

    coefficients : (n_functions,) float
        c.
    penalty : (n_functions,) float
        Prior precision over that of an observation, its root; infinite for a function that was dropped.
    noise : float
        Variance of a weighted observation.
    """

    coefficients: np.ndarray
    penalty: np.ndarray
    noise: float


def weighted_system(
    targets: Mapping[str, np.ndarray],
    design: Mapping[str, np.ndarray],
    weights: Weights,
    changed: Mapping[str, float] = MappingProxyType({}),
) -> tuple[np.ndarray, np.ndarray]:
    """All observations as one least-squares system, Eq. (2.12), (4.5).

        sum_j W_j |A_j c - y_j|^2 / |y_j|^2

    # PAPER (4.5): each group is relative to its own size, so that a weight means the same for every material;
    # the stress target is zero and is measured against 1 eV. So are the targets of internal forces: they count as the
    # derivative of the stress of the same order.

    Parameters
    ----------
    targets : kind -> (rows,)
    design : kind -> (rows, n_functions)
    weights : Weights
        W_j, see `kinds`.
    changed : kind -> W_j
        In place of those.

    Returns
    -------
    (rows, n_functions) float, (rows,) float
    """
    rows, right = [], []
    for name, target in targets.items():
        if not (np.all(np.isfinite(target)) and np.all(np.isfinite(design[name]))):
            raise ValueError(f"Observation {name} is not finite; the QM model or the basis failed on it.")
        weight = changed[name] if name in changed else getattr(weights, KIND[name].weight)
        factor = np.sqrt(weight) / KIND[name].size(targets)
        rows.append(factor * design[name])
        right.append(factor * target)
    return np.concatenate(rows), np.concatenate(right)


def ridge(rows: np.ndarray, right: np.ndarray, smoothness: np.ndarray, prior: SmoothnessPrior) -> np.ndarray:
    """argmin |A c - y|^2 + alpha^2 |Gamma c|^2 with Gamma = diag(gamma_b / min gamma), (n_functions,)."""
    gamma = _gamma(smoothness, prior)
    extended = np.vstack([rows, prior.strength * np.diag(gamma)])
    return np.linalg.lstsq(extended, np.concatenate([right, np.zeros(len(gamma))]), rcond=None)[0]


def relevance(
    rows: np.ndarray,
    right: np.ndarray,
    smoothness: np.ndarray,
    prior: SmoothnessPrior,
    settings: RelevanceDetermination,
) -> Posterior:
    """Automatic relevance determination by evidence maximisation, in the variables x = Gamma c.

        Sigma = (beta A^T A + diag alpha)^-1,  x = beta Sigma A^T y,  g_i = 1 - alpha_i Sigma_ii,
        alpha_i <- g_i / x_i^2,  1 / beta <- |y - A x|^2 / (n - sum g)

    (MacKay, Neural Computation 4, 415 (1992); Tipping, JMLR 1, 211 (2001)). Posterior means come from a QR
    factorisation of [sqrt(beta) A; sqrt(diag alpha)], since the normal equations lose half the digits and the
    observations are met to 1e-7. The same fixed point as scikit-learn's ARDRegression, without its priors on
    alpha and beta, in seconds instead of minutes.
    """
    gamma = _gamma(smoothness, prior)
    triangular, target, outside = _compressed(rows / gamma, right)
    count, size = len(right), float(np.linalg.norm(right))
    alpha = np.full(rows.shape[1], 1.0 / size**2)
    beta = 1.0 / (1e-4 * size) ** 2 * count
    x = np.zeros(rows.shape[1])
    for _ in range(settings.max_iterations):
        kept = alpha < settings.threshold * alpha.min()
        new, variance = _posterior(triangular[:, kept], target, alpha[kept], beta)
        determined = np.clip(1.0 - alpha[kept] * variance, 1e-12, 1.0)
        change = float(np.linalg.norm(new - x[kept])) / max(float(np.linalg.norm(new)), 1e-300)
        x = np.zeros_like(x)
        x[kept] = new
        alpha[kept] = determined / np.maximum(new**2, 1e-300)
        misfit = np.sum((target - triangular @ x) ** 2) + outside
        noise = misfit / max(count - determined.sum(), 1.0)
        beta = 1.0 / max(noise, (settings.noise * size) ** 2 / count)
        if change < settings.tolerance:
            break
    logger.info("relevance: %d of %d functions kept", kept.sum(), len(x))
    penalty = np.where(kept, gamma * np.sqrt(alpha / beta), np.inf)
    return Posterior(x / gamma, penalty, float(1.0 / beta))


def _posterior(
    rows: np.ndarray, right: np.ndarray, alpha: np.ndarray, beta: float
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variances of the coefficients."""
    stacked = np.vstack([np.sqrt(beta) * rows, np.diag(np.sqrt(alpha))])
    orthogonal, triangular = qr(stacked, mode="economic", check_finite=False)
    rotated = orthogonal.T @ np.concatenate([np.sqrt(beta) * right, np.zeros(len(alpha))])
    inverse = solve_triangular(triangular, np.eye(len(alpha)), check_finite=False)
    return inverse @ rotated, np.einsum("ij,ij->i", inverse, inverse)


def regress(rows: np.ndarray, right: np.ndarray, smoothness: np.ndarray, settings: Regression) -> Posterior:
    """The regression of the chosen method.

    Ridge has no noise of its own: |y - A c|^2 / (n - tr A (A^T A + alpha^2 Gamma^2)^-1 A^T).
    """
    prior = settings.prior
    if settings.method == "ard":
        return relevance(rows, right, smoothness, prior, settings.ard)
    coefficients = ridge(rows, right, smoothness, prior)
    gamma = _gamma(smoothness, prior)
    squared = np.linalg.svd(qr(rows / gamma, mode="r", check_finite=False)[0], compute_uv=False) ** 2
    determined = np.sum(squared[squared > 0] / (squared[squared > 0] + prior.strength**2))
    misfit = np.sum((right - rows @ coefficients) ** 2)
    noise = float(misfit / max(len(right) - determined, 1.0))
    return Posterior(coefficients, prior.strength * gamma, noise)


def _gamma(smoothness: np.ndarray, prior: SmoothnessPrior) -> np.ndarray:
    gamma = (1.0 + smoothness) ** prior.smoothness
    return gamma / gamma.min()


def _compressed(rows: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """An equivalent system of at most n_functions rows: R, Q^T y, and the squared part of y outside the range."""
    orthogonal, triangular = qr(rows, mode="economic", check_finite=False)
    target = orthogonal.T @ right
    return triangular, target, float(max(right @ right - target @ target, 0.0))
