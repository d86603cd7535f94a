"""Monkhorst-Pack grids (Phys. Rev. B 13, 5188 (1976)), reduced by time reversal."""

from dataclasses import dataclass

import numpy as np

DIGITS = 9  # fractional coordinates that agree to so many are one point
Triple = tuple[int, int, int]


@dataclass(frozen=True)
class KPoints:
    """points (m, 3), fractions of the reciprocal vectors (phase exp(2 pi i k.T) for cell T); weights (m,), sum 1."""

    points: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.weights)


def monkhorst_pack(divisions: Triple, *, shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> KPoints:
    """k_d = (2 m - q_d - 1) / (2 q_d) + shift_d / q_d,  m = 1 .. q_d, one of k and -k kept.

    A shift of 1/2 puts Gamma on the grid where q is even and takes it off where q is odd.

    Raises
    ------
    ValueError
        If divisions are not three positive integers or shift is not three numbers.
    """
    q, move = np.asarray(divisions), np.asarray(shift, float)
    if q.shape != (3,) or np.any(q != np.rint(q)) or np.any(q < 1):
        raise ValueError(f"kpts = {divisions} is not three positive integers. Give for example (2, 2, 2).")
    if move.shape != (3,) or not np.isfinite(move).all():
        raise ValueError(f"kpts_shift = {shift} is not three numbers. Give for example (0.5, 0.5, 0.5).")
    axes = [
        (2 * np.arange(1, n + 1) - n - 1) / (2 * n) + s / n for n, s in zip(q.astype(int), move, strict=True)
    ]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    keys = np.array([_representative(k) for k in grid])
    _, chosen, owner = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return KPoints(grid[chosen], np.bincount(owner.ravel()) / len(grid))


def phases(point: np.ndarray, images: np.ndarray) -> np.ndarray:
    """exp(2 pi i k.T) for cells T (p, 3), whole numbers; real, as 1 and -1, if it is so for all cells."""
    if np.allclose(2.0 * point, np.rint(2.0 * point), rtol=0.0, atol=10.0**-DIGITS):
        return 1.0 - 2.0 * np.mod(images @ np.rint(2.0 * point), 2.0)
    return np.exp(2j * np.pi * (images @ point))


def _representative(point: np.ndarray) -> np.ndarray:
    """The same for k, -k and their sums with reciprocal vectors."""
    candidates = [np.mod(np.round(sign * point, DIGITS), 1.0) for sign in (1.0, -1.0)]
    return min(candidates, key=tuple)
