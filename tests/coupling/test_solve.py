"""When a solve stops: the error of the model that is known without a QM call."""

from dataclasses import replace

import numpy as np

from qmfront.coupling.partition import FAR_FIELD, MM, QM
from qmfront.coupling.solve import model_error_estimate
from qmfront.operators.norm import stencil_norm


def test_the_error_of_the_model_is_the_answer_to_what_the_models_differ_by(edge, edge_operators):
    """Forces on QM sites and on the clamp have no part in it; those on MM sites all have, be they linear or not."""
    region = np.where(edge.free, MM, FAR_FIELD)
    region[np.linalg.norm(edge.sites[:, :2], axis=1) < 2.0 * edge.r0] = QM
    jacobian = edge_operators.force_constant_map(edge.free, tolerance=1e-8)
    rng = np.random.default_rng(1)
    differ, u = 1e-3 * rng.normal(size=edge.sites.shape), 1e-2 * rng.normal(size=edge.sites.shape)
    seen = []

    def difference(displacement: np.ndarray) -> np.ndarray:
        seen.append(displacement)
        return differ

    found = model_error_estimate(edge, replace(jacobian, tolerance=2e-2), region, difference)(u)
    expected = stencil_norm(jacobian.solve(np.where((region == MM)[:, None], differ, 0.0)), edge.stencil)
    assert np.array_equal(seen[0], u) and expected > 1e-3
    assert abs(found / expected - 1.0) < 2e-2
    everywhere = stencil_norm(jacobian.solve(np.where(edge.free[:, None], differ, 0.0)), edge.stencil)
    assert abs(everywhere / expected - 1.0) > 4e-2
