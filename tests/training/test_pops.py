"""Intervals of a fit whose basis is too small for the function."""

import numpy as np
import pytest

from qmfront.config.potential import RelevanceDetermination, SmoothnessPrior
from qmfront.training.pops import parameter_box, pointwise_corrections
from qmfront.training.regression import relevance

PENALTY = np.full(4, 1e-8)


def data(count: int) -> tuple[np.ndarray, np.ndarray]:
    """A cubic through a function that is none."""
    x = np.sort(np.random.default_rng(0).uniform(-1, 1, count))
    return np.vander(x, 4), np.sin(6 * x) + 0.5 * x


def fitted(rows: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq(rows, right, rcond=None)[0]


def test_every_correction_makes_its_observation_exact():
    """And is the smallest in the metric of A^T A: it stands on the coefficients that leave the observation alone."""
    rows, right = data(50)
    c = fitted(rows, right)
    d, leverage = pointwise_corrections(rows, right, c, PENALTY)
    assert np.abs(np.einsum("nf,nf->n", rows, c + d) - right).max() < 1e-9
    assert leverage.sum() == pytest.approx(4.0) and leverage.max() < 1  # trace of the hat matrix
    free = np.linalg.svd(rows[17:18])[2][1:]
    assert np.abs(free @ (rows.T @ rows) @ d[17]).max() < 1e-8 * np.linalg.norm(d[17])
    assert np.linalg.norm(d[17]) > 1e-3


@pytest.mark.parametrize("count", [40, 400])
def test_the_box_covers_where_a_posterior_does_not(count):
    """The error of the fit stays as data are added: so does the box, while noise over sqrt(n) would shrink."""
    rows, right = data(count)
    c = fitted(rows, right)
    low, high = parameter_box(rows, right, c, PENALTY).interval(rows)
    assert np.all((low <= right + 1e-9) & (right <= high + 1e-9))
    spread = np.std(right - rows @ c)
    posterior = spread * np.sqrt(np.einsum("nf,nf->n", rows, np.linalg.solve(rows.T @ rows, rows.T).T))
    covered = np.mean(np.abs(right - rows @ c) < 2 * posterior)
    assert covered < {40: 0.75, 400: 0.35}[count]


def test_a_right_basis_has_a_small_box():
    rows, _ = data(60)
    right = rows @ [1.0, -2.0, 0.5, 3.0]
    c = relevance(
        rows, right, np.ones(4), SmoothnessPrior(strength=1e-8), RelevanceDetermination()
    ).coefficients
    low, high = parameter_box(rows, right, c, PENALTY).interval(rows)
    assert np.abs(high - low).max() < 1e-4
    assert np.all(low <= high)


def test_faces_move_in_with_what_may_lie_outside():
    rows, right = data(200)
    c = fitted(rows, right)
    width = [
        np.mean(np.subtract(*parameter_box(rows, right, c, PENALTY, **choice).interval(rows)[::-1]))
        for choice in ({}, {"outside": 0.05}, {"outside": 0.05, "least_leverage": 0.5})
    ]
    assert width[0] > width[1] > width[2] > 0
