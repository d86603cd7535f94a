"""How many functions an ACE basis has, counted without building any of them.

A function of order N is an invariant of N one-particle functions (mu, n, l), in which their order does not matter. By
Molien's formula the number of these at a total degree d is the coefficient of t^d in the mean over all rotations, by
an angle theta, and over the inversion, s = 1 and -1, of h_N,

    j h_j = sum_{k=1..j} p_k h_{j-k},   p_k = n_species sum_{n,l} s^(k l) chi_l(k theta) t^(k (n - 1 + w l)),
    h_0 = 1,   chi_l(theta) = 1 + 2 sum_{m=1..l} cos(m theta)
"""

from functools import lru_cache

import numpy as np

MOST_MOMENTA = (12, 50, 400)
"""Largest l that is counted, in turn, as long as there are not more functions than anybody asks about."""
STEPS = (0.5, 0.25, 0.2, 0.1, 0.05)
"""Of the total degree, the first that angular_weight is a multiple of."""
FINEST = 400
"""Steps of the total degree where there is none: its parts are rounded up, and some functions are not counted."""
ROUNDING = 1e-9


@lru_cache(maxsize=256)
def number_of_functions(
    n_species: int, max_degree: tuple[int, ...], angular_weight: float, *, beyond: float = np.inf
) -> float:
    """Functions of a basis, for all species of the centre; at least as many as that if there are more than `beyond`."""
    found = 0.0
    for cap in MOST_MOMENTA:
        found = n_species * sum(
            _invariants(n_species, order, degree, angular_weight, cap)
            for order, degree in enumerate(max_degree, start=1)
        )
        if found > beyond or cap * angular_weight >= max(max_degree):
            break
    return found


def _invariants(n_species: int, order: int, degree: int, weight: float, cap: int) -> float:
    """Those of one order and one centre, of one-particle functions up to an l."""
    l_max = min(int(degree / weight + ROUNDING), cap)
    largest = min(order * l_max, int(degree / weight + ROUNDING))
    angle = 2 * np.pi * np.arange(largest + 2) / (largest + 2)
    haar = (1 - np.cos(angle)) / len(angle)
    step = _step(degree, weight)
    size = int(degree / step + ROUNDING) + 1
    count = 0.0
    for inversion in (1, -1):
        sums = [
            np.fft.rfft(n_species * _power_sum(k, inversion, l_max, (degree, weight, step), angle), 2 * size)
            for k in range(1, order + 1)
        ]
        symmetric = [np.fft.rfft(np.eye(1, size), 2 * size)]
        for j in range(1, order + 1):
            product = sum(sums[k - 1] * symmetric[j - k] for k in range(1, j + 1))
            whole = np.fft.irfft(product, 2 * size)[:, :size] / j
            symmetric.append(np.fft.rfft(whole, 2 * size))
        count += float(haar @ whole.sum(1)) / 2
    return round(count) if count < 1e9 else count


def _power_sum(
    k: int, inversion: int, l_max: int, degrees: tuple[float, float, float], angle: np.ndarray
) -> np.ndarray:
    """p_k of one species: (angles, steps of the total degree)."""
    degree, weight, step = degrees
    found = np.zeros((len(angle), int(degree / step + ROUNDING) + 1))
    character = np.full(len(angle), -1.0)
    for l in range(l_max + 1):
        character += 2 * np.cos(l * k * angle)
        radial = np.arange(int(degree - weight * l + ROUNDING) + 1)
        place = k * np.ceil((radial + weight * l) / step - ROUNDING).astype(int)
        place = place[place < found.shape[1]]
        found[:, place] += inversion ** (k * l) * character[:, None]
    return found


def _step(degree: int, weight: float) -> float:
    """The step in which total degrees are counted."""
    exact = (step for step in STEPS if abs(weight / step - round(weight / step)) < ROUNDING)
    return next(exact, degree / FINEST)
