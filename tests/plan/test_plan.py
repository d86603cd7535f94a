"""The plan of a small tungsten edge dislocation: when it stops, what it learns, and what its numbers are made of."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from qmfront.crystal.lattice import cubic_crystal
from qmfront.plan.iterations import WARM_LOOKS, WARM_SOLVE
from qmfront.plan.page import page, told
from qmfront.plan.plan import Prospect, planned
from qmfront.plan.price import cost_of_clusters, look_seconds
from tests.plan.prospects import COST, case, finished, prospect


def test_it_ends_where_the_tolerance_is_met(monkeypatch: pytest.MonkeyPatch) -> None:
    found = planned(prospect(monkeypatch), [], reference=False)
    eta = [row["eta"] for row in found["iterations"]]
    assert eta[-1] < 5e-3 <= eta[-2]
    assert np.all(np.diff([row["n_qm"] for row in found["iterations"]]) > 0)
    low, expected, high = (found["scenarios"][name] for name in ("low", "expected", "high"))
    assert low["hours"] < expected["hours"] < high["hours"]
    assert "below the tolerance" in expected["reason"]
    assert "clamp" in high["reason"] or "limit" in high["reason"], "0.3 Å cannot come down in this disc"


def test_limits_of_the_case_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    adapt = {"tolerance": 1e-9, "max_iterations": 3, "max_qm_atoms": 1000}
    found = planned(prospect(monkeypatch, adapt=adapt), [], reference=False)
    assert len(found["iterations"]) == 3
    circle = {**case()["refine"], "method": "circle"}
    found = planned(prospect(monkeypatch, adapt=adapt, refine=circle), [], reference=False)
    assert found["iterations"][1]["n_qm"] == 2 * found["iterations"][0]["n_qm"]


def test_finished_iterations_set_eta_calls_and_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    adapt = {"tolerance": 1e-3, "max_iterations": 12, "max_qm_atoms": 1000}
    found = planned(prospect(monkeypatch, adapt=adapt), finished(3), reference=False)
    past, ahead = found["iterations"][:3], found["iterations"][3:]
    assert [row["finished"] for row in past] == [True] * 3
    assert ahead and not any(row["finished"] for row in ahead)
    assert found["price"]["shape"] == pytest.approx(2.0)
    assert found["decay"]["expected"]["slope"] == pytest.approx(-2.0, abs=0.2)
    cluster = ahead[0]["cluster"]
    assert ahead[0]["solve_seconds"] == pytest.approx(8 * 2 * float(COST.seconds(cluster)), rel=0.1)
    left = sum(row["seconds"] for row in ahead) / 3600
    assert found["scenarios"]["expected"]["hours_left"] == pytest.approx(left)
    fresh = planned(prospect(monkeypatch, adapt=adapt), [], reference=False)
    assert fresh["iterations"][1]["calls"] == WARM_SOLVE + 1, "one call for the residual"


def test_a_subtracted_lattice_and_exact_residuals_are_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = planned(prospect(monkeypatch), [], reference=False)["iterations"][0]
    embedding = {"kind": "cluster", "minimum_cells": 1, "shape": "cube", "subtract_lattice": True}
    twice = planned(prospect(monkeypatch, embedding=embedding), [], reference=False)["iterations"][0]
    assert twice["calls"] == plain["calls"] + 1
    assert twice["residual_seconds"] > 1.5 * plain["residual_seconds"]


def test_held_out_cells_are_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve cells of two times two times two cubes, two atoms each."""
    made = prospect(monkeypatch, held_out={"repeat": [2, 2, 2], "count": 12})
    rows = {row["stage"]: row for row in planned(made, [], reference=False)["preparation"]}
    assert (rows["intervals"]["calls"], rows["intervals"]["atoms"]) == (12, 16)
    assert "intervals" not in [
        row["stage"] for row in planned(prospect(monkeypatch), [], reference=False)["preparation"]
    ]


def test_a_reference_is_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"compute": True, "stability": {"vectors": 20, "one_sided": False}}
    made = prospect(monkeypatch, reference=wanted)
    before = planned(made, [], reference=False)["preparation"]
    (row,) = [row for row in before if row["stage"] == "reference"]
    assert row["atoms"] == len(made.ground.numbers)
    assert row["seconds"] > row["calls"] * float(COST.seconds(row["atoms"]))
    hours = planned(made, [], reference=False)["scenarios"]["expected"]["hours_left"]
    assert hours - planned(made, [], reference=True)["scenarios"]["expected"]["hours_left"] == pytest.approx(
        row["seconds"] / 3600
    )


def test_the_page_tells_a_thin_region(monkeypatch: pytest.MonkeyPatch) -> None:
    thin = {"radius_r0": 1.5, "centre_r0": [0.0, 0.0]}
    found = {"calculator": "x", **planned(prospect(monkeypatch, initial_region=thin), [], reference=False)}
    assert "initial_region.radius_r0 = 2.01 is wide enough" in page("edge", found)
    wide = {"calculator": "x", **planned(prospect(monkeypatch), [], reference=False)}
    assert "wide enough" not in page("edge", wide)
    assert "Nothing is known of this case yet" in page("edge", wide)
    assert told("edge", wide).startswith("edge: 0 iterations are finished; left: ")


def test_clusters_of_the_case_are_timed(monkeypatch: pytest.MonkeyPatch, eam) -> None:
    """A model of four times the price of spheres, whatever the size; too dear a model is not asked at all."""
    made = prospect(monkeypatch)
    clock = {"cpu": 0.0}

    def answer(atoms: Any, *_: Any, **__: Any) -> Any:
        clock["asked"] = len(atoms)
        return type("Answer", (), {"seconds": 4e-3 * len(atoms) ** 2, "cpu_seconds": 0.0})()

    monkeypatch.setattr("qmfront.plan.price.ask", answer)
    found = cost_of_clusters(made.ground, COST, eam, name="eam", cluster=200, seconds=1e4)
    assert found.exponent == 2.0
    assert found.seconds(500) == pytest.approx(4 * COST.seconds(500), rel=1e-6)
    clock.pop("asked")
    assert cost_of_clusters(made.ground, COST, eam, name="eam", cluster=200, seconds=1e-6) == COST
    assert "asked" not in clock


def row_of(found: dict, stage: str) -> dict | None:
    rows = [*found["preparation"], *found["afterwards"]]
    return next((row for row in rows if row["stage"] == stage), None)


def test_the_energy_is_paid_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """16 calls of the cluster of the residual, at the end of each way, until it is there."""
    plain = planned(prospect(monkeypatch), [], reference=False)
    assert row_of(plain, "energy") is None
    twice = {"kind": "cluster", "minimum_cells": 1, "shape": "cube", "subtract_lattice": True}
    made = prospect(monkeypatch, energy={"compute": True})
    found = planned(made, [], reference=False)
    row = row_of(found, "energy")
    wide = made.ground.around(found["iterations"][-1]["n_qm"], layer=2.0 * made.ground.r0, width=21.6)
    assert (row["calls"], row["atoms"], row["finished"]) == (16, wide, False)
    assert row["seconds"] == pytest.approx(16 * float(COST.seconds(wide)), rel=0.1)
    for way in ("low", "expected", "high"):
        with_energy, without = (content["scenarios"][way] for content in (found, plain))
        assert with_energy["afterwards_calls"] == 16 and without["afterwards_calls"] == 0
        more = with_energy["hours_left"] - without["hours_left"]
        assert more == pytest.approx(with_energy["afterwards_hours"]) and more > 0
    subtracted = prospect(monkeypatch, energy={"compute": True}, embedding=twice)
    assert row_of(planned(subtracted, [], reference=False), "energy")["calls"] == 32
    assert "16 QM calls after them" in page("edge", {"calculator": "x", **found})
    assert "| energy |" in page("edge", {"calculator": "x", **found})
    limits = {"tolerance": 1e-9, "max_iterations": 3, "max_qm_atoms": 1000}
    over = prospect(monkeypatch, energy={"compute": True}, adapt=limits)
    done = planned(over, finished(3), reference=False, energy=True)
    assert row_of(done, "energy")["finished"] and done["scenarios"]["expected"]["hours_left"] == 0
    assert not row_of(planned(over, finished(2), reference=False, energy=True), "energy")["finished"]


def test_lattices_of_the_far_field_are_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """24 that doubt the polynomial and those that take its place, before the first iteration."""
    plain = planned(prospect(monkeypatch), [], reference=False)
    estimate = {**case()["estimate"], "far_field_samples": 100}
    made = prospect(monkeypatch, estimate=estimate)
    found = planned(made, [], reference=False)
    row = row_of(found, "far field")
    assert (row["calls"], row["atoms"]) == (124, 1)
    assert row_of(plain, "far field") is None
    ways = [content["scenarios"]["expected"] for content in (plain, found)]
    assert ways[1]["preparation_calls"] == ways[0]["preparation_calls"] + 124
    assert ways[1]["hours_left"] - ways[0]["hours_left"] == pytest.approx(row["seconds"] / 3600)
    assert row_of(planned(made, finished(1), reference=False), "far field")["finished"]


def test_strains_of_the_field_are_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """One primitive cell of a Bravais lattice for each site."""
    plain, asked = (
        row_of(planned(prospect(monkeypatch, field_samples=samples), [], reference=False), "training")
        for samples in (0, 300)
    )
    assert asked["calls"] == plain["calls"] + 300


def test_steps_on_the_hessian_are_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps + 1 calls of the cluster of the solve in every iteration."""
    plain = planned(prospect(monkeypatch), [], reference=False)["iterations"]
    estimate = {**case()["estimate"], "norm": "hessian", "hessian": {"model": "mixed", "steps": 4}}
    made = prospect(monkeypatch, estimate=estimate)
    asked = planned(made, [], reference=False)["iterations"]
    for row, other in zip(asked, plain, strict=True):
        assert row["calls"] == other["calls"] + 5
        assert row["seconds"] - other["seconds"] == pytest.approx(
            5 * float(COST.seconds(row["cluster"])), rel=0.2
        )
    past = [
        {**row, "answer_calls": 5, "rest_seconds": 1.0 + 6 * float(COST.seconds(row["cluster"]))}
        for row in finished(2)
    ]
    told_past, plain_past = (
        planned(made, rows, reference=False)["iterations"][0] for rows in (past, finished(2))
    )
    assert told_past["calls"] == plain_past["calls"] + 5
    assert told_past["seconds"] > plain_past["seconds"] + 5 * float(COST.seconds(told_past["cluster"]))


def test_steps_on_the_hessian_of_the_potential_cost_no_qm_call(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = planned(prospect(monkeypatch), [], reference=False)["iterations"]
    asked = planned(
        prospect(monkeypatch, estimate={**case()["estimate"], "norm": "hessian"}), [], reference=False
    )["iterations"]
    assert [row["calls"] for row in asked] == [row["calls"] for row in plain]
    assert all(row["seconds"] > other["seconds"] for row, other in zip(asked, plain, strict=True))


def test_forces_of_the_solve_are_no_call_of_the_residual(monkeypatch: pytest.MonkeyPatch) -> None:
    estimate = {**case()["estimate"], "layer_r0": 0.0}
    found = planned(prospect(monkeypatch, estimate=estimate), [], reference=False)
    assert found["iterations"][1]["calls"] == WARM_SOLVE


@pytest.mark.parametrize("sites", [1, 2])
def test_looks_at_the_model_error_take_time(sites: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In proportion to the pairs of force constants; what finished solves took holds theirs. A solve leaves them out
    where one site per cell lets the potential have all force constants, the residual does not.
    """
    monkeypatch.setattr(Prospect, "is_matched", property(lambda _: sites == 1))
    made = prospect(monkeypatch)
    far = replace(made, reach=10.0)
    assert look_seconds(made.crystal, 10.0) == pytest.approx(8 * look_seconds(made.crystal, made.reach))
    near, wide = (planned(each, [], reference=False)["iterations"][1] for each in (made, far))
    more = 7 * look_seconds(made.crystal, made.reach) * len(made.ground.numbers)
    looks = WARM_LOOKS if sites == 2 else 0
    assert wide["solve_seconds"] - near["solve_seconds"] == pytest.approx(looks * more)
    assert wide["residual_seconds"] - near["residual_seconds"] == pytest.approx(more)
    learnt = [planned(each, finished(2), reference=False)["iterations"][-1] for each in (made, far)]
    assert learnt[0]["solve_seconds"] == learnt[1]["solve_seconds"]


def test_force_constants_are_expected_to_match_on_a_bravais_lattice(monkeypatch: pytest.MonkeyPatch) -> None:
    made = prospect(monkeypatch)
    assert made.is_matched
    assert not replace(made, crystal=cubic_crystal("Si", "diamond", 5.43)).is_matched
