"""What a plan learns from is in the attributes of the stores of an iteration."""

import json
from pathlib import Path
from typing import Any

from qmfront.plan.finished import Finished, FinishedIteration, finished_in


def write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def an_iteration(folder: Path, n_qm: int) -> None:
    write(folder / "estimate.json", {"n_qm": n_qm, "n_buf": 100, "eta": 0.1})
    attributes = {
        "solution": {"qm_calls": 9, "qm_seconds": 8.0, "seconds": {"solve": 10.0}},
        "residual": {"qm_calls": 1, "seconds": {"exact": 2.0, "cauchy_born": 3.0}},
        "estimate": {"qm_calls": 5, "seconds": {"estimate": 4.0}},
        "refined": {"seconds": {"refine": 0.5}},
    }
    for name, content in attributes.items():
        write(folder / f"{name}.zarr" / "zarr.json", {"attributes": content})
    write(folder / "decision.json", {"stop": False})


def test_nothing_is_there(tmp_path: Path) -> None:
    assert finished_in(tmp_path / "edge") == Finished()


def test_iterations_without_a_gap(tmp_path: Path) -> None:
    """One without a decision is not finished, and none after it counts."""
    for k in (0, 1, 2, 3):
        an_iteration(tmp_path / str(k), n_qm=50 + k)
    (tmp_path / "2" / "decision.json").unlink()
    write(tmp_path / "energy.json", {})
    found = finished_in(tmp_path)
    assert [each.k for each in found.iterations] == [0, 1]
    assert found.energy and not found.reference
    first = found.iterations[0]
    assert first == FinishedIteration(
        k=0,
        n_qm=50,
        cluster=150,
        eta=0.1,
        qm_calls=9,
        residual_calls=1,
        correction_calls=5,
        solve_seconds=10.0,
        qm_seconds=8.0,
        residual_seconds=5.0,
        rest_seconds=4.5,
    )
    assert first.calls == 15
