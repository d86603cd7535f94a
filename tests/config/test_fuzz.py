"""Every mutated study differs or is refused clearly; the judge of clear is doubted too."""

from pathlib import Path

import pytest

from tests.config.clearness import LONGEST, unclear
from tests.config.fuzz import CLASSES, OUTCOMES, Outcome, fuzzed, table


def failed(found: list[Outcome]) -> list[str]:
    return [
        f"{one.mutation.kind}, {one.what}: {one.why[-600:]}"
        for one in found
        if one.what not in ("clear", "accepted")
    ]


def test_mutated_studies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 of them; nothing that they ask for is run."""
    monkeypatch.chdir(tmp_path)
    found = list(fuzzed(500, seed=25))
    assert failed(found) == []
    assert max(one.seconds for one in found) < 2.0
    counts = {what: sum(one.what == what for one in found) for what in OUTCOMES}
    assert counts["clear"] > 300 and counts["accepted"] > 50
    rows = [line.split(",") for line in table(found).splitlines()]
    assert [row[0] for row in rows] == ["class", *CLASSES, "all"]
    assert rows[-1][1:3] == ["500", str(counts["clear"])]
    assert not (tmp_path / "made").exists()


@pytest.mark.slow
def test_many_mutated_studies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The 5 000 of benchmarks/fuzz.csv."""
    monkeypatch.chdir(tmp_path)
    found = list(fuzzed(5000, seed=0))
    assert failed(found) == []
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("problems", "key", "reason"),
    [
        ([], "", "no problem is told"),
        (["refine.mesh: -1.0 is refused: it should be greater than 0."], "mesh", ""),
        (["refine.mesh: -1.0 is refused: it should be greater than 0."], "t_new", "'t_new' is not named"),
        (["refine.mesh: -1.0 is bad"], "mesh", "does not say what to do"),
        (["igures: unknown key (did you mean 'figures'?)"], "igures", ""),
        (["something: choose another"], "", "no key and no line is named"),
        (["study.yaml, line 3: choose another"], "", ""),
        (["refine.mesh: IndexError, choose another"], "", "a word of programmers"),
        (["refine.mesh.function-after[f]: choose another"], "", "a word of programmers"),
        (["refine.mesh: choose " + "x" * 200], "", "not shortened"),
        (["refine.mesh: choose " + "x " * LONGEST], "", "not shortened"),
        (["refine.mesh: choose\nanother"], "", "control characters"),
        ([f"refine.k{n}: remove it" for n in range(26)], "", "26 problems for one mistake"),
    ],
)
def test_the_judge(problems: list[str], key: str, reason: str) -> None:
    assert reason in unclear(problems, key)
    assert bool(reason) == bool(unclear(problems, key))
