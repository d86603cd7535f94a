"""The estimator split by cause: MM mismatch, buffer, algebra, each there alone by construction."""

import numpy as np
import pytest

from qmfront.config.stages import Estimate
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import FAR_FIELD, MM, QM
from qmfront.estimate.estimator import Responses, estimates, representatives, residual_parts

CAUSES = ("mismatch", "buffer", "algebra")


@pytest.fixture(scope="module")
def region(edge) -> np.ndarray:
    inner = np.linalg.norm(edge.sites[:, :2], axis=1) < 3 * edge.r0
    return np.select([~edge.free, inner], [FAR_FIELD, QM], MM)


def force(edge, where: np.ndarray, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=edge.sites.shape)
    return 1e-3 * np.where((where & edge.free)[:, None], drawn, 0.0)


def found(edge, operators, region, residual: np.ndarray, mixed: np.ndarray):
    hybrid = Hybrid(edge, operators, Models(nobody, nobody))
    residuals = {"exact": residual}
    responses = Responses(residuals, representatives(residuals, hybrid.riesz))
    return estimates(hybrid, region, mixed, responses, Estimate(norm="force_constants", residual="exact"))


def nobody(atoms):
    raise AssertionError("an estimate asks no model")


@pytest.mark.parametrize("cause", CAUSES)
def test_each_alone(cause, edge, edge_operators, region):
    """Models that agree outside, an exact buffer, a solved system: what is left is one part, and that is all of eta."""
    mixed = force(edge, edge.free, 1) if cause == "algebra" else np.zeros_like(edge.sites)
    where = {"mismatch": region == MM, "buffer": region == QM, "algebra": np.zeros_like(edge.free)}[cause]
    result = found(edge, edge_operators, region, mixed + force(edge, where, 2), mixed)
    eta = result.eta["force_constants/exact"]
    assert eta > 1e-4
    for name in CAUSES:
        assert result.parts[name] == pytest.approx(eta if name == cause else 0.0, rel=1e-3, abs=1e-9), name


def test_the_forces_add_up_and_the_parts_bound_eta(edge, edge_operators, region):
    """F = F_algebra + F_buffer + F_mismatch, so that eta is at most their sum (triangle) and at least a difference."""
    mixed, residual = force(edge, edge.free, 3), force(edge, edge.free, 4)
    assert np.allclose(sum(residual_parts(residual, residual, mixed, region).values()), residual, atol=1e-15)
    result = found(edge, edge_operators, region, residual, mixed)
    eta, parts = result.eta["force_constants/exact"], sorted(result.parts.values())
    assert max(parts[2] - parts[1] - parts[0], 0.0) < eta < sum(parts)


def test_the_exact_residual_speaks_on_qm_sites(edge, edge_operators, region):
    """A practical residual that repeats the forces of the solve there must not hide the buffer."""
    mixed = force(edge, edge.free, 5)
    exact = mixed + force(edge, region == QM, 6)
    parts = residual_parts(mixed, exact, mixed, region)
    assert np.abs(parts["buffer"]).max() > 1e-4 and not parts["mismatch"].any()
