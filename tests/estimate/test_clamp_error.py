"""The error of a clamp against solutions on larger domains, one model everywhere."""

from dataclasses import replace

import numpy as np
import pytest

from qmfront.config.stages import Solve
from qmfront.coupling.force_mixing import model_forces
from qmfront.coupling.reference import relax_reference
from qmfront.elasticity.straight import StraightDislocation, dislocation_defect
from qmfront.estimate.clamp_error import clamp_error
from qmfront.operators.assembly import assemble
from qmfront.operators.norm import stencil_norm


def disc(tungsten, eam, radius: float):
    description = StraightDislocation(
        line=(0, 1, 0),
        plane=(0, 0, 1),
        burgers=(1.0, 0.0, 0.0),
        core_offset=(0.0, 0.0),
        core_map_radius_r0=3.5,
        radius_r0=radius,
        clamp_width=eam.force_range,
    )
    defect = dislocation_defect(tungsten, description)
    operators = assemble(defect, tungsten, reach=eam.force_range, decay=3.0, cutoff_r0=2.5)
    return defect, operators.force_constant_map(defect.free, tolerance=1e-8)


@pytest.fixture(scope="module")
def discs(tungsten, eam):
    return [disc(tungsten, eam, radius) for radius in (8.0, 12.0, 16.0)]


def relaxed(defect, riesz, forces) -> np.ndarray:
    start = np.zeros_like(defect.sites)
    force = model_forces(defect.body, defect.free, forces)
    return relax_reference(
        force, riesz, start=start, max_force=1e-5, settings=Solve(max_calls=200)
    ).displacement


def on(larger, defect, u: np.ndarray) -> np.ndarray:
    """A displacement of the smaller domain on the larger one."""
    spread, known = (
        np.zeros_like(larger.sites),
        {tuple(np.round(s, 3) + 0.0): i for i, s in enumerate(larger.sites)},
    )
    spread[[known[tuple(np.round(s, 3) + 0.0)] for s in defect.sites]] = u
    return spread


def test_it_is_what_a_larger_domain_does(discs, eam_forces):
    """Within 25 % of the true change of the solution, which falls as the domain grows."""
    solutions = [relaxed(*pair, eam_forces) for pair in discs]
    true = []
    for small, large in ((0, 1), (1, 2)):
        (defect, _), (larger, riesz) = discs[small], discs[large]
        change = solutions[large] - on(larger, defect, solutions[small])
        true.append(stencil_norm(change, larger.stencil))
        found = clamp_error(defect, larger, riesz, eam_forces, solutions[small])
        assert found.eta == pytest.approx(true[-1], rel=0.25), (found.eta, true)
        assert found.unbounded(1.5) > found.eta
    assert true[1] < true[0]


def test_without_a_defect_there_is_none(perfect, perfect_operators, eam_forces):
    riesz = perfect_operators.force_constant_map(perfect.free, tolerance=1e-8)
    smaller = replace(perfect, free=np.linalg.norm(perfect.sites[:, :2], axis=1) < 4 * perfect.r0)
    found = clamp_error(smaller, perfect, riesz, eam_forces, np.zeros_like(perfect.sites))
    assert found.eta < 1e-8


def test_other_defects_are_refused(discs, perfect, perfect_operators, eam_forces):
    riesz = perfect_operators.force_constant_map(perfect.free, tolerance=1e-8)
    with pytest.raises(ValueError, match="same defect"):
        clamp_error(discs[0][0], perfect, riesz, eam_forces, np.zeros_like(discs[0][0].sites))
