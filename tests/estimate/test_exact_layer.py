"""The width of the exact layer, chosen by the estimator."""

import numpy as np
import pytest

from qmfront.config.stages import Buffer, Estimate
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import FAR_FIELD, MM, QM
from qmfront.coupling.solution import Solution
from qmfront.elasticity.strain_polynomial import StrainPolynomial
from qmfront.estimate.estimator import estimator
from qmfront.estimate.exact_layer import (
    RENEWAL,
    Layer,
    LayeredSettings,
    enough,
    layer_width,
    residual_with_layer,
)
from qmfront.estimate.residual import ResidualSettings
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.storage import store
from qmfront.storage.layouts.residual import RESIDUAL
from qmfront.storage.timing import Seconds

NOTHING = StrainPolynomial(np.zeros((1, 6), int), np.zeros(1))


@pytest.mark.parametrize(
    ("etas", "expected"),
    [
        ({0.0: 1.0, 1.0: 1.0, 2.0: 1.0}, 0.0),
        ({0.0: 0.5, 1.0: 0.95, 2.0: 1.0}, 1.0),
        ({0.0: 1.0, 1.0: 0.5, 2.0: 1.0}, 2.0),  # no layer agrees by luck
        ({0.0: 1.2, 1.0: 1.09, 2.0: 1.0}, 1.0),
        ({0.0: 0.0}, 0.0),
    ],
)
def test_the_thinnest_layer_from_which_on_all_agree(etas, expected):
    assert enough(etas, 0.1) == expected


def test_the_widest_layer_comes_first_and_again_when_the_region_has_grown():
    assert layer_width(None, 40, widest=2.0) == 2.0
    before = Layer(2.0, 0.0, 40, {})
    assert layer_width(before, int(RENEWAL * 40) - 1, widest=2.0) == 0.0
    assert layer_width(before, int(RENEWAL * 40), widest=2.0) == 2.0
    assert layer_width(Layer(2.0, 2.0, 40, {}), 50, widest=1.0) == 1.0


def test_is_kept_by_a_store(tmp_path):
    layer = Layer(2.0, 1.0, 40, {0.0: 0.5, 1.0: 0.9, 2.0: 1.0})
    path = tmp_path / "residual.zarr" / "zarr.json"
    forces = {"cauchy_born": np.zeros((3, 3))}
    store.save(path, RESIDUAL, forces, {"layer": layer.attributes()}, config={})
    assert Layer.of(store.load(path, RESIDUAL)) == layer


class Wrong:
    """A QM model whose forces differ from the mixed ones, zero, within a distance (Å) of the core; counts its calls."""

    def __init__(self, edge, reach: float) -> None:
        radius = np.linalg.norm(edge.sites[:, :2], axis=1)
        self.sites, self.forces, self.calls = edge.sites, np.zeros_like(edge.sites), 0
        self.forces[(radius < reach) & edge.free, 0] = 0.1

    def __call__(self, atoms):
        self.calls += 1
        near = np.linalg.norm(atoms.positions[:, None, :2] - self.sites[None, :, :2], axis=2)
        return self.forces[near.argmin(axis=1)]


def residual(edge, operators, qm, *, before=None, tolerance=0.1):
    inner = np.linalg.norm(edge.sites[:, :2], axis=1) < 3.0 * edge.r0
    region = np.select([~edge.free, inner], [FAR_FIELD, QM], MM)
    still = -edge.predictor  # atoms on their sites, so that the model can tell which is which
    estimate = Estimate(layer_r0=2.0, face_layer=0.0, layer_tolerance=tolerance)
    settings = ResidualSettings(("cauchy_born",), estimate, Buffer(width=6.0, residual_factor=1.0))
    return residual_with_layer(
        Hybrid(edge, operators, Models(qm, qm)),
        region,
        Solution(still, np.zeros_like(edge.sites), np.zeros(1), np.zeros(1)),
        ModelDifference(edge, NOTHING),
        settings=LayeredSettings(settings, before),
        seconds=Seconds(),
    )


def test_a_fault_beside_the_region_keeps_the_layer(edge, edge_operators):
    """Forces that are wrong up to 4.5 r0 need a layer of 2 r0 about a region of 3 r0."""
    qm = Wrong(edge, 4.5 * edge.r0)
    arrays, layer = residual(edge, edge_operators, qm)
    assert qm.calls == 1 and layer.width_r0 == 2.0 and layer.enough_r0 == 2.0
    phi = edge_operators.force_constant_map(edge.free, tolerance=1e-8).solve(arrays["cauchy_born"])
    assert layer.etas[2.0] == pytest.approx(estimator(phi, edge.stencil), rel=1e-5)
    assert layer.etas[0.0] < layer.etas[1.0] < 0.9 * layer.etas[2.0]
    _, again = residual(edge, edge_operators, qm, before=layer)
    assert qm.calls == 2 and again == layer


def test_a_layer_that_tells_nothing_new_is_left_out_and_costs_no_call(edge, edge_operators):
    qm = Wrong(edge, 2.0 * edge.r0)
    mixed_is_right = Wrong(edge, 0.0)
    _, layer = residual(edge, edge_operators, mixed_is_right)
    assert layer.enough_r0 == 0.0 and mixed_is_right.calls == 1
    arrays, after = residual(edge, edge_operators, qm, before=layer)
    assert qm.calls == 0 and after.width_r0 == 0.0 and after.widest_at == layer.widest_at
    assert not np.any(arrays["cauchy_born"])
    _, fixed = residual(edge, edge_operators, qm, before=layer, tolerance=0.0)
    assert qm.calls == 1 and fixed.width_r0 == 2.0
