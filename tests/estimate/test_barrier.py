"""Barriers of forces that are not those of the model, against the energies that it has."""

import numpy as np
import pytest

from qmfront.config.defect import Box, Point
from qmfront.config.stages import Solve
from qmfront.coupling.band import Saddle, saddle_from
from qmfront.coupling.curve import Curve
from qmfront.coupling.force_mixing import model_forces
from qmfront.coupling.hybrid import Field
from qmfront.coupling.reference import relax_reference
from qmfront.crystal.correspondence import in_order_of
from qmfront.elasticity.defects import defect_of
from qmfront.estimate.barrier import Climb, Stationary, climb
from qmfront.evaluate.forces import calculator_energy
from qmfront.operators.assembly import assemble
from qmfront.operators.riesz import ForceConstantMap
from qmfront.operators.translations import balanced

BOX = Box(cells=4)
WRONG = 0.15
"""Of H_FC; by so much the potential of the test is too stiff."""


class Vacancy:
    """A vacancy of tungsten that hops, with the model and with a potential beyond some shells that is too stiff."""

    def __init__(self, bulk, eam, eam_forces) -> None:
        self.defect = defect_of(bulk, Point(removed=((0.0, 0.0, 0.0),)), BOX)[0]
        beside = in_order_of(self.defect, defect_of(bulk, Point(removed=((0.5, 0.5, 0.5),)), BOX)[0])
        operators = assemble(self.defect, bulk, reach=eam.force_range, decay=3.0, cutoff_r0=2.5)
        self.riesz = operators.force_constant_map(self.defect.free, tolerance=1e-8)
        self.exact = model_forces(self.defect.body, self.defect.free, eam_forces)
        self.hop = beside.sites - self.defect.sites
        away = np.linalg.norm(self.defect.sites - self.hop.sum(axis=0) / 2, axis=1) / self.defect.r0
        self.outside, self.core = away > 1.5, away < 2.0
        self.atom = int(np.abs(self.hop).max(axis=1).argmax())

    def wrong(self, u: np.ndarray) -> np.ndarray:
        """F^QM - F^MM outside, not the gradient of anything there."""
        still = u.copy()
        still[self.atom] = 0.0
        return balanced(
            np.where(self.outside[:, None], WRONG * self.riesz.forces(still), 0.0), self.defect.free
        )

    def mixed(self, u: np.ndarray) -> np.ndarray:
        return self.exact(u) - self.wrong(u)

    def relaxed(self, force: Field) -> tuple[np.ndarray, Saddle]:
        start = relax_reference(
            force, self.riesz, start=0.0 * self.hop, max_force=1e-6, settings=Solve()
        ).displacement
        half = start + self.hop / 2
        return start, saddle_from(force, self.riesz, half, self.hop, accuracy=1e-10, settings=Solve())


@pytest.fixture(scope="module")
def vacancy(tungsten, eam, eam_forces) -> Vacancy:
    return Vacancy(tungsten, eam, eam_forces)


@pytest.fixture(scope="module")
def truth(vacancy, eam) -> float:
    start, saddle = vacancy.relaxed(vacancy.exact)
    energy = calculator_energy(eam)
    top, bottom = (energy(vacancy.defect.body.atoms(u)) for u in (saddle.displacement, start))
    return top - bottom


def climbed(vacancy: Vacancy, force: Field, parts, riesz: ForceConstantMap) -> Climb:
    start, saddle = vacancy.relaxed(force)
    ends = (Stationary(riesz.solve), Stationary(saddle.answer_with(riesz)))
    curve = Curve(np.array([start, saddle.displacement]))
    return climb(parts, vacancy.core, curve, ends, free=vacancy.defect.free, bar=1e-4)


def test_one_model_everywhere(vacancy, truth):
    found = climbed(vacancy, vacancy.exact, lambda u: (vacancy.exact(u), 0.0 * u), vacancy.riesz).barrier
    assert found.value == pytest.approx(truth, abs=1e-5) and found.layer == found.beyond == 0.0
    assert abs(found.value - truth) < found.bar < 1e-4


def test_what_mixed_forces_lack_comes_back(vacancy, truth):
    """To first order along the path, to second order at its ends: without either the value is not the truth."""
    found = climbed(vacancy, vacancy.mixed, lambda u: (vacancy.mixed(u), vacancy.wrong(u)), vacancy.riesz)
    own = found.barrier
    assert abs(own.work - truth) > 5e-3
    second = own.saddle_relaxation - own.start_relaxation
    assert abs(own.value - second - truth) > 2 * abs(own.value - truth)
    assert abs(own.value - truth) < 0.3 * own.mismatch and own.layer != 0.0 and own.beyond != 0.0
    assert own.bar == pytest.approx(own.mismatch + own.algebra + own.quadrature)
    assert own.numbers()["value"] == own.value


def test_a_wider_core_moves_parts_of_the_bar_to_what_is_known(vacancy):
    wide = vacancy.core
    parts = lambda u: (vacancy.mixed(u), vacancy.wrong(u))  # noqa: E731
    narrow = climbed(vacancy, vacancy.mixed, parts, vacancy.riesz).barrier
    try:
        vacancy.core = np.ones_like(wide)
        whole = climbed(vacancy, vacancy.mixed, parts, vacancy.riesz).barrier
    finally:
        vacancy.core = wide
    assert whole.value == pytest.approx(narrow.value, abs=1e-9)
    assert whole.beyond == pytest.approx(0.0, abs=1e-12) and whole.bar < narrow.bar
