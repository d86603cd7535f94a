"""The loop of the README: it runs as it is written, journals its QM calls, and is the loop of the workflow."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

import qmfront
from qmfront import (
    EAM,
    Adapt,
    Box,
    Buffer,
    Coarsen,
    Disc,
    Dislocation,
    Estimate,
    InitialRegion,
    Point,
    Solve,
    Step,
    adapt,
)
from qmfront.config.stages import Reference, Stability
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.reference import reference_solution, relax_reference
from qmfront.estimate.estimator import true_error
from qmfront.evaluate.forces import calculator_forces

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "docs" / "examples" / "loop.py"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    """The names that the example defines, run on a smaller disc to the same tolerance."""
    folder = tmp_path_factory.mktemp("loop")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        names: dict = {}
        exec(shortened(EXAMPLE.read_text(encoding="utf-8")), names)
    return names, folder


def shortened(code: str) -> str:
    return code.replace("radius_r0=30", "radius_r0=20")


def test_the_readme_shows_the_example() -> None:
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None and code[1].strip() in EXAMPLE.read_text(encoding="utf-8")
    assert len(code[1].strip().splitlines()) <= 10


def test_the_loop_ends_below_its_tolerance_with_a_larger_region(small: tuple[dict, Path]) -> None:
    step = small[0]["step"]
    assert step.k >= 1 and step.eta < 1e-3 and step.n_qm > 80
    assert step.numbers.eta == step.eta == pytest.approx(step.estimated.estimates.eta_site.sum())
    atoms = step.atoms()
    assert {"QM", "buffer", "MM", "far field"} == set(atoms.arrays["region"])
    assert (atoms.arrays["region"] == "QM").sum() == step.n_qm


def test_a_second_loop_computes_no_qm_call(
    small: tuple[dict, Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And what is chosen where the caller is silent stands in the log, once, with the verdict of every step."""
    names, folder = small
    monkeypatch.chdir(folder)
    tally, before = names["tungsten"].tally, names["tungsten"].tally.computed
    with caplog.at_level("INFO", logger="qmfront.loop"):
        steps = list(
            adapt(names["tungsten"], names["potential"], names["edge"], Disc(radius_r0=20), tolerance=1e-3)
        )
    assert tally.computed == before > 50 and tally.cached > 0
    assert steps[-1].eta == names["step"].eta
    told = [record.getMessage() for record in caplog.records if record.name == "qmfront.loop"]
    chosen = ("domain.radius_r0 = 20 r0", "core map", "buffer.width = 10.8 Å: twice", "refine.mesh = 0.4")
    assert [sum(line.startswith(name) for line in told) for name in chosen] == [1] * 4
    verdicts = [line for line in told if line.startswith("unnamed, iteration ")]
    assert len(verdicts) == len(steps)
    assert f"iteration {steps[-1].k}: N_QM" in verdicts[-1] and "trusted" in verdicts[-1].lower()
    info = steps[-1].atoms().info
    assert info["trusted"] == steps[-1].trusted and info["reasons"] == "; ".join(steps[-1].trust.told)


def test_sections_of_a_case_are_keywords(small: tuple[dict, Path]) -> None:
    names, _ = small
    with pytest.raises(ValidationError, match="bufer"):
        next(adapt(names["tungsten"], names["potential"], names["edge"], bufer=Buffer()))


DEFAULTS = {
    "screw": (Dislocation(line=(1, 1, 1), burgers=(0.5, 0.5, 0.5), plane=(1, -1, 0)), Disc(radius_r0=14)),
    "two vacancies": (
        Point(position=(4.0, 4.0, 4.0), removed=((0.0, 0.0, 0.0), (0.5, 0.5, 0.5))),
        Box(cells=8),
    ),
}
"""Small ones of benchmarks/zoo.py."""


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_find_a_minimum_and_know_its_error(
    small: tuple[dict, Path], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """From the second iteration on."""
    names, folder = small
    monkeypatch.chdir(folder)
    stop = Adapt(max_iterations=2, max_qm_atoms=200, tolerance=1e-4)
    steps = list(adapt(names["tungsten"], names["potential"], *DEFAULTS[name], adapt=stop))
    errors = true_errors(steps)
    assert len(steps) > 1 and errors[-1] < 0.7 * errors[0]
    for step, error in zip(steps[1:], errors[1:], strict=True):
        assert 0.67 < step.eta / error < 1.5, step.trust


def test_sites_that_the_tolerance_does_not_need_leave_once(
    small: tuple[dict, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a region that is too large; the error is what the estimate of the smaller one says, and stays below it."""
    names, folder = small
    monkeypatch.chdir(folder)
    defect, disc, region = names["edge"], Disc(radius_r0=20), InitialRegion(radius_r0=7)
    keys = {"start": names["step"], "initial_region": region, "coarsen": Coarsen()}
    steps = list(adapt(names["tungsten"], names["potential"], defect, disc, **keys, **CHEAP))
    sizes, last = [step.n_qm for step in steps], steps[-1]
    assert sizes[1] < 0.8 * sizes[0] and sizes[1:] == sorted(sizes[1:])
    assert "sites leave" in steps[0].reason
    force, u = last.hybrid.qm_forces(), last.solution.displacement
    exact = relax_reference(force, last.hybrid.riesz, start=u, max_force=1e-4, settings=Solve())
    for step in steps:
        error = true_error(step.solution.displacement, exact.displacement, last.defect.stencil)
        assert step.eta < TOLERANCE and 0.67 < step.eta / error < 1.5


TOLERANCE = 3e-3
CHEAP = {
    "solve": Solve(modes=0),
    "adapt": Adapt(tolerance=TOLERANCE, prove=False),
    "estimate": Estimate(far_field_samples=0),
}


def test_coarsening_is_a_section(small: tuple[dict, Path]) -> None:
    names = small[0]
    with pytest.raises(TypeError, match="coarsen is a Buffer"):
        next(adapt(names["tungsten"], names["potential"], names["edge"], coarsen=Buffer()))


def test_the_estimate_of_the_readme_is_right(small: tuple[dict, Path]) -> None:
    step = small[0]["step"]
    assert step.trust.trusted or "glide" in str(step.trust.reasons)
    assert 0.67 < step.eta / true_errors([step])[0] < 1.5


def true_errors(steps: list[Step]) -> list[float]:
    """Against the QM model's own minimum of the basin of the last one, which is proven to be one."""
    forces = calculator_forces(EAM("W_zhou"))
    alone = replace(steps[-1].hybrid, models=Models(forces, forces))
    settings = Reference(max_force=1e-6, stability=Stability(tolerance=1e-2))
    found = reference_solution(alone, settings, steps[-1].solution.displacement)
    assert found.lowest_eigenvalue > 0 and steps[-1].trust.lowest_eigenvalue > 0
    return [
        true_error(step.solution.displacement, found.displacement, alone.defect.stencil) for step in steps
    ]


def test_every_name_of_the_interface_is_there() -> None:
    for name in qmfront.__all__:
        assert getattr(qmfront, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        qmfront.nothing  # noqa: B018
