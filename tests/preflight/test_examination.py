"""An honest calculator passes; every lie is refused by the check that it breaks, with a message that names it."""

from collections.abc import Callable
from typing import Any

import pytest

from qmfront.config.material import ForceConstantSteps, Preflight
from qmfront.crystal.lattice import cubic_crystal
from qmfront.preflight.examination import Findings, examine
from qmfront.preflight.repetition import Noise, noise_check
from qmfront.preflight.subject import Subject
from tests.preflight import liars

SETTINGS = Preflight(
    refuse=True,
    atoms=16,
    rattle=0.05,
    noise=1e-4,
    force_error=1e-3,
    stress_error=1e-3,
    size_error=1e-4,
    difference_error=1e-3,
    buffer_error=1e-5,
    clusters=True,
    seconds=5.0,
)
STEPS = ForceConstantSteps(reach=11.0, displacement=2e-3, beyond="zero", supercell="primitive")


def examined(make: Callable[[], Any], settings: Preflight = SETTINGS) -> Findings:
    return examine(Subject(make, make.__name__), cubic_crystal("W", "bcc", 3.165), settings, STEPS)


@pytest.fixture(scope="module")
def honest() -> Findings:
    return examined(liars.Honest)


def test_an_honest_calculator_passes(honest: Findings) -> None:
    assert honest.problems == []
    assert len(honest.checks) == 9
    assert all(check.limit is None or check.value <= check.limit for check in honest.checks)


def test_checks_see_more_than_zero(honest: Findings) -> None:
    """Differences are not exact: a check that compared nothing with nothing would find exactly zero."""
    values = {check.name: check.value for check in honest.checks}
    for name in ("forces against differences of the energy", "stress against differences of the energy"):
        assert 1e-9 < values[name] < 1e-4


def test_the_lattice_at_rest(honest: Findings, tungsten: Any) -> None:
    """By three lattices, beside the root to twelve digits and the moduli."""
    exact = tungsten.crystal.nearest_neighbour_distance / (3.165 * 3**0.5 / 2)
    assert honest.rest.scale == pytest.approx(exact, abs=2e-5)
    c11, c12 = tungsten.moduli[0, 0, 0, 0], tungsten.moduli[0, 0, 1, 1]
    assert honest.rest.bulk_modulus == pytest.approx((c11 + 2 * c12) / 3, rel=1e-2)


def test_a_model_of_boxes_is_never_called_on_a_cluster() -> None:
    """So that nothing is known of the buffer; periodic cells price a call."""
    periodic = set()

    class Watched(liars.Honest):
        def spoil(self) -> None:
            periodic.add(tuple(self.atoms.pbc.tolist()))

    found = examined(Watched, SETTINGS.model_copy(update={"clusters": False, "seconds": 0.5}))
    assert periodic == {(True, True, True)}
    assert found.problems == [] and found.locality is None and found.cost.largest > 16


def test_the_buffer_lies_below_the_range_of_the_model(honest: Findings) -> None:
    """Twice the cut-off (5.4 Å) is exact; half a cut-off is too little."""
    found = honest.locality
    assert 5.4 < found.width < 10.8
    assert found.errors[0] > 1e-3
    assert all(e < 1e-5 for w, e in zip(found.widths, found.errors, strict=True) if w >= found.width)


def test_a_buffer_that_cannot_be_afforded_is_not_recommended() -> None:
    found = examined(liars.Honest, SETTINGS.model_copy(update={"seconds": 0.0})).locality
    assert found.width is None
    assert len(found.widths) == 2
    assert "would take" in found.reason and "raise preflight.seconds" in found.reason


def test_a_full_stress_is_that_of_six_components(honest: Findings) -> None:
    found = examined(liars.FullStress)
    assert found.passed
    assert found.rest == honest.rest


def test_single_precision_is_named_and_is_the_cure(honest: Findings) -> None:
    found = examined(liars.SinglePrecision)
    assert [text for text in found.warnings if "single precision (float32)" in text]
    assert not [text for text in honest.warnings if "single precision" in text]
    (noise,) = [check for check in found.checks if check.name == "noise in differences of forces"]
    assert "converge the calculator" not in noise.problem
    strict = noise_check(Noise(1e-6, 5.0), step=2e-4, limit=1e-5, cure="ask it for double precision")
    assert strict.problem.endswith("or more would do, or ask it for double precision.")


@pytest.mark.parametrize("force", [2.83e-7, 2.9e-7, 3.6e-7, 1.1e-5])
def test_the_advised_displacement_passes(force: float) -> None:
    """Also where its first digit is that of the displacement that was refused."""
    noise = Noise(force, 1.0)
    problem = noise_check(noise, step=2e-4, limit=1e-3, cure="converge").problem
    advised = float(problem.split("force_constants.displacement of ")[1].split()[0])
    assert advised > 2e-4
    assert noise_check(noise, step=advised, limit=1e-3, cure="converge").passed


@pytest.mark.parametrize(
    ("liar", "words"),
    [
        (liars.WrongSign, ["Wrong sign of the forces"]),
        (
            liars.Hartrees,
            ["Wrong unit or factor of the forces", "0.01945", "as if they were in hartree/bohr"],
        ),
        (liars.NotANumber, ["numbers that are not finite", "1 of 54 numbers of forces"]),
        (liars.Random, ["Not deterministic"]),
        (liars.Remembers, ["Not deterministic", "asked again after another structure"]),
        (liars.Noisy, ["The noise is too large for finite differences", "displacement of 0.0"]),
        (liars.Inconsistent, ["Energy and forces are inconsistent", "free_energy"]),
        (liars.StressSign, ["Wrong sign of the stress"]),
        (liars.Gigapascals, ["Wrong unit or factor of the stress", "as if they were in GPa"]),
        (liars.PressureMissing, ["Energy and stress are inconsistent"]),
        (liars.NoStress, ["It gives no stress"]),
        (liars.GivesUp, ["The self-consistent field does not converge", "after 100 iterations"]),
        (liars.SaysUnconverged, ["The self-consistent field is not converged", "says so of 18 atoms"]),
        (liars.Breaks, ["It fails on a small crystal", "no such licence"]),
        (liars.NotPeriodic, ["Not periodic"]),
        (liars.NotExtensive, ["Twice the cell has not twice the energy", "not extensive"]),
        (liars.Weak, ["The lattice does not resist a stretch", "qm.kwargs"]),
        (liars.WrongDensity, ["The lattice is not at rest within 6%", "the stress asks for -"]),
    ],
)
def test_lies_are_refused(liar: Callable[[], Any], words: list[str]) -> None:
    found = examined(liar)
    assert found.problems
    first = found.problems[0]
    assert [word for word in words if word not in first] == [], found.problems
    assert found.locality is None  # nothing long for a liar
