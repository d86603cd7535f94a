"""The loop of the README: it runs as it is written, journals its QM calls, and is the loop of the workflow."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

import qmfront
from qmfront import Adapt, Buffer, Disc, Dislocation, adapt

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


def test_a_second_loop_computes_no_qm_call(small: tuple[dict, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    names, folder = small
    monkeypatch.chdir(folder)
    tally, before = names["tungsten"].tally, names["tungsten"].tally.computed
    steps = list(
        adapt(names["tungsten"], names["potential"], names["edge"], Disc(radius_r0=20), tolerance=1e-3)
    )
    assert tally.computed == before > 50 and tally.cached > 0
    assert steps[-1].eta == names["step"].eta


def test_sections_of_a_case_are_keywords(small: tuple[dict, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    names, folder = small
    monkeypatch.chdir(folder)
    edge = Dislocation(line=(0, 1, 0), burgers=(1.0, 0.0, 0.0), plane=(0, 0, 1))
    loop = adapt(
        names["tungsten"], names["potential"], edge, Disc(radius_r0=20), adapt=Adapt(max_iterations=1)
    )
    assert [step.k for step in loop] == [0]
    with pytest.raises(ValidationError, match="bufer"):
        next(adapt(names["tungsten"], names["potential"], edge, bufer=Buffer()))


def test_every_name_of_the_interface_is_there() -> None:
    for name in qmfront.__all__:
        assert getattr(qmfront, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        qmfront.nothing  # noqa: B018
