"""Linear regression of the ACE coefficients: ridge with a smoothness prior, or automatic relevance determination."""

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ARDRegression


@dataclass(frozen=True)
class Prior:
    """Prior of the coefficients: smoother basis functions are cheaper.

    strength : float
        alpha, relative to observations scaled to unit size.
    smoothness : float
        p in gamma_b = (1 + s_b)^p, s_b the smoothness number of the basis function.
    """

    strength: float = 1e-8
    smoothness: float = 1.0


@dataclass(frozen=True)
class RelevanceSettings:
    """Automatic relevance determination: iterations, change at convergence, precision at which a function is dropped."""

    max_iterations: int = 300
    tolerance: float = 1e-8
    threshold: float = 1e12


def weighted_system(
    targets: dict[str, np.ndarray], design: dict[str, np.ndarray], weights: dict[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """All observations as one least-squares system, Eq. (2.12), (4.5).

        sum_j W_j |A_j c - y_j|^2 / |y_j|^2

    # PAPER (4.5): each group is relative to its own size, so that a weight means the same for every material;
    # the stress target is zero and is measured against 1 eV.

    Parameters
    ----------
    targets : name -> (rows,)
    design : name -> (rows, n_functions)
    weights : name -> W_j

    Returns
    -------
    (rows, n_functions) float, (rows,) float
    """
    missing = sorted(set(targets) - set(weights))
    if missing:
        raise ValueError(f"No weight for {', '.join(missing)}. Add them to weights of the potential.")
    rows, right = [], []
    for name, target in targets.items():
        if not (np.all(np.isfinite(target)) and np.all(np.isfinite(design[name]))):
            raise ValueError(f"Observation {name} is not finite; the QM model or the basis failed on it.")
        size = np.linalg.norm(target) if name != "stress" else 1.0
        factor = np.sqrt(weights[name]) / size
        rows.append(factor * design[name])
        right.append(factor * target)
    return np.concatenate(rows), np.concatenate(right)


def ridge(rows: np.ndarray, right: np.ndarray, smoothness: np.ndarray, prior: Prior) -> np.ndarray:
    """argmin |A c - y|^2 + alpha^2 |Gamma c|^2 with Gamma = diag(gamma_b / min gamma), (n_functions,)."""
    gamma = _gamma(smoothness, prior)
    extended = np.vstack([rows, prior.strength * np.diag(gamma)])
    return np.linalg.lstsq(extended, np.concatenate([right, np.zeros(len(gamma))]), rcond=None)[0]


def relevance(
    rows: np.ndarray, right: np.ndarray, smoothness: np.ndarray, prior: Prior, settings: RelevanceSettings
) -> np.ndarray:
    """Automatic relevance determination in the variables Gamma c, (n_functions,)."""
    gamma = _gamma(smoothness, prior)
    compressed, target = _compressed(rows / gamma, right)
    scale = np.sqrt(np.mean(target**2))
    model = ARDRegression(
        max_iter=settings.max_iterations,
        tol=settings.tolerance,
        threshold_lambda=settings.threshold,
        fit_intercept=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(compressed, target / scale)
    return model.coef_ * scale / gamma


def fit_coefficients(
    rows: np.ndarray,
    right: np.ndarray,
    smoothness: np.ndarray,
    *,
    method: Literal["ridge", "ard"],
    prior: Prior,
    relevance_settings: RelevanceSettings,
) -> np.ndarray:
    """Coefficients of the basis functions by the chosen method, (n_functions,)."""
    if method == "ridge":
        return ridge(rows, right, smoothness, prior)
    return relevance(rows, right, smoothness, prior, relevance_settings)


def _gamma(smoothness: np.ndarray, prior: Prior) -> np.ndarray:
    gamma = (1.0 + smoothness) ** prior.smoothness
    return gamma / gamma.min()


def _compressed(rows: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An equivalent system with one row per function: the QR factor R and Q^T y."""
    if len(rows) <= rows.shape[1]:
        return rows, right
    orthogonal, triangular = np.linalg.qr(rows)
    return triangular, orthogonal.T @ right
