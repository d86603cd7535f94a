"""When a solve stops: the error of the model that is known without a QM call. And where it begins again."""

from dataclasses import replace

import numpy as np

from qmfront.config.stages import Solve
from qmfront.coupling import solve as solving
from qmfront.coupling.anderson import NoEquilibriumError
from qmfront.coupling.descent import descend
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import FAR_FIELD, MM, QM
from qmfront.coupling.solution import Solution
from qmfront.coupling.solve import FAR_DOWNHILL, FURTHER, Beginning, model_error_estimate, relax_hybrid
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


def test_where_root_finding_fails_again_a_descent_goes_further(edge, edge_operators, monkeypatch):
    """Four tries of one solve: two without a descent, one after it, and one after a descent that goes on from there."""
    riesz = edge_operators.force_constant_map(edge.free, tolerance=1e-10)

    class Elastic(Hybrid):
        """Forces of the lattice, in no cluster; they grow faster than the distance."""

        def forces(self, region):
            return lambda u: -riesz.forces(u) * (1.0 + np.abs(u).max())

    hybrid = Elastic(edge, edge_operators, Models(None, None))
    noise = np.random.default_rng(5).normal(scale=0.05, size=edge.sites.shape)
    begin, tries, limits = np.where(edge.free[:, None], noise, 0.0), [], []

    def fails_three_times(force, start, *_, **__):
        tries.append(start)
        if len(tries) < 4:
            raise NoEquilibriumError("not yet")
        return Solution(start, force(start), np.zeros(1), np.zeros(1))

    def descends(force, start, precondition, *, max_force, **rest):
        limits.append((start, max_force))
        return descend(force, start, precondition, max_force=max_force, **rest)

    monkeypatch.setattr(solving, "solve_equilibrium", fails_three_times)
    monkeypatch.setattr(solving, "descend", descends)
    monkeypatch.setattr(solving, "_of_mm_hessian", lambda *_: riesz.solve)
    found = relax_hybrid(hybrid, np.zeros(0), lambda _: 1.0, Beginning(begin), settings=Solve())
    assert [limit for _, limit in limits] == [FAR_DOWNHILL, FURTHER * FAR_DOWNHILL]
    assert np.array_equal(limits[0][0], begin) and np.array_equal(limits[1][0], tries[2])
    assert found.displacement is tries[3] and np.abs(found.forces).max() < FURTHER * FAR_DOWNHILL
