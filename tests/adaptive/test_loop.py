"""The loop of the README: it runs as it is written, journals its QM calls, and is the loop of the workflow."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

import qmfront
from qmfront import (
    EAM,
    Adapt,
    Box,
    Buffer,
    Coarsen,
    Crack,
    Disc,
    Dislocation,
    Estimate,
    InitialRegion,
    LoadPath,
    PathStep,
    Point,
    Solve,
    Step,
    adapt,
    follow,
)
from qmfront.config.stages import Hessian, Reference, Stability, Start
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.partition import Region
from qmfront.coupling.reference import reference_solution, relax_reference
from qmfront.estimate.estimator import true_error
from qmfront.evaluate.forces import calculator_forces

ROOT = Path(__file__).parents[2]
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
    return code.replace("radius_r0=30", "radius_r0=17")


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
    with caplog.at_level("INFO", logger="qmfront.adaptive"):
        steps = list(
            adapt(names["tungsten"], names["potential"], names["edge"], Disc(radius_r0=17), tolerance=1e-3)
        )
    assert tally.computed == before > 50 and tally.cached > 0
    assert steps[-1].eta == names["step"].eta
    told = [record.getMessage() for record in caplog.records if record.name.startswith("qmfront.adaptive")]
    chosen = ("domain.radius_r0 = 17 r0", "core map", "buffer.width = 10.8 Å: twice", "refine.mesh = 0.4")
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


@pytest.mark.slow
def test_sites_that_the_tolerance_does_not_need_leave_once(
    small: tuple[dict, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a region that is too large; the error is what the estimate of the smaller one says, and stays below it."""
    names, folder = small
    monkeypatch.chdir(folder)
    defect, disc, region = names["edge"], Disc(radius_r0=17), InitialRegion(radius_r0=7)
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


PATH_EXAMPLE = ROOT / "docs" / "examples" / "path.py"


@pytest.fixture(scope="module")
def path(small: tuple[dict, Path]) -> list[PathStep]:
    """Four loads of the example of the page of paths, on a smaller disc, with few QM calls."""
    names, folder = small
    mine = {name: names[name] for name in ("tungsten", "potential")}
    code = PATH_EXAMPLE.read_text(encoding="utf-8").split("for step in")[0]
    exec(code, mine)
    loads = mine["loads"].model_copy(update={"end": 0.006})
    solve = Solve(modes=1, prove=False, algebraic_fraction=0.1)
    cheap = {"solve": solve, "estimate": Estimate(far_field_samples=0, hessian=Hessian(mixed_calls=1))}
    start = {"start": Start(tries=1), "adapt": mine["bar"], **cheap}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        disc = Disc(radius_r0=11)
        return list(follow(mine["tungsten"], mine["potential"], mine["mixed"], disc, path=loads, **start))


def test_the_page_of_paths_shows_its_example() -> None:
    page = (ROOT / "docs" / "paths.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    lines = PATH_EXAMPLE.read_text(encoding="utf-8").split('"""\n\n')[1].replace("  # noqa: F821", "")
    assert code is not None and code[1].strip() == lines.strip()
    assert len(code[1].strip().splitlines()) <= 10


def test_a_path_keeps_its_error_bar(path: list[PathStep]) -> None:
    """At every load, against the full model from the same state."""
    assert [step.load for step in path] == pytest.approx([0.0, 0.002, 0.004, 0.006])
    for step in path:
        found = step.step
        force, u = found.hybrid.qm_forces(), found.solution.displacement
        exact = relax_reference(force, found.hybrid.riesz, start=u, max_force=1e-5, settings=Solve())
        error = true_error(u, exact.displacement, found.defect.stencil)
        assert step.eta < 5e-3 and 0.67 < step.eta / error < 1.5


def test_a_shear_drives_the_core_towards_a_fold(path: list[PathStep]) -> None:
    """Along +e1, farther with every step, and with a mode that softens; the stress is that of the load."""
    positions = np.array([step.position for step in path])
    assert np.all(np.diff(positions, 2) > 0) and np.all(np.diff(positions) > 0.05)
    assert np.all(np.diff([step.lowest_eigenvalue for step in path][1:]) < 0)
    stresses = np.array([step.stress for step in path])
    np.testing.assert_allclose(stresses[1:] / stresses[1], [1.0, 2.0, 3.0], rtol=0.02)
    assert not any(step.jumped for step in path)


def test_the_region_of_a_path_does_not_flicker(path: list[PathStep]) -> None:
    """The clamp has moved with the load, regions follow the core: what joins has not left before."""
    left = np.zeros(path[0].step.defect.n_sites, bool)
    for before, after in pairwise(path):
        was, now = (step.step.region == Region.QM for step in (before, after))
        assert (after.added, after.removed) == (np.sum(now & ~was), np.sum(was & ~now))
        assert not np.any(left & now & ~was)
        left |= was & ~now
    assert all(step.qm_calls <= 12 for step in path[1:])


def test_a_path_needs_a_load(small: tuple[dict, Path]) -> None:
    names = small[0]
    with pytest.raises(ValidationError, match="smallest_step"):
        LoadPath(end=0.01, step=1e-4, smallest_step=1e-3)
    loads, paper = LoadPath(end=0.01, step=1e-3, smallest_step=1e-3), Estimate(residual="paper")
    with pytest.raises(ValueError, match="knows no load"):
        next(follow(names["tungsten"], names["potential"], names["edge"], path=loads, estimate=paper))
    crack = Crack(front=(0, 0, 1), plane=(1, 1, 0), load=0.8)
    with pytest.raises(ValueError, match="a crack is not followed"):
        next(follow(names["tungsten"], names["potential"], crack, path=loads))


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
