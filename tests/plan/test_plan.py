"""The plan of a small tungsten edge dislocation: when it stops, what it learns, and what its numbers are made of."""

import json
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms

from qmfront.config.potential import Potential, Rattled
from qmfront.config.stages import Embedding
from qmfront.crystal.lattice import cubic_crystal
from qmfront.evaluate.evaluation import Evaluation
from qmfront.plan.case import PlannedCase
from qmfront.plan.finished import Finished
from qmfront.plan.iterations import WARM_LOOKS, WARM_SOLVE
from qmfront.plan.jobs import Iteration, Job
from qmfront.plan.page import page, summary
from qmfront.plan.plan import Plan, plan
from qmfront.plan.preparation import training_calls
from qmfront.plan.price import cost_of_clusters, look_seconds
from qmfront.plan.resources import resources_of
from tests.plan.cases import COST, POTENTIAL, finished, planned

FRESH = Finished()
FEW = {"tolerance": 1e-9, "max_iterations": 3, "max_qm_atoms": 1000}
HESSIAN = {"norm": "hessian", "hessian": {"model": "mixed", "steps": 4}}


def job_of(found: Plan, stage: str) -> Job | None:
    return next((job for job in (*found.preparation, *found.afterwards) if job.stage == stage), None)


def iterations(made: PlannedCase, done: Finished = FRESH) -> list[Iteration]:
    return plan(made, done).iterations


def test_it_ends_where_the_tolerance_is_met() -> None:
    found = plan(planned(), FRESH)
    eta = [each.eta for each in found.iterations]
    assert eta[-1] < 5e-3 <= eta[-2]
    assert np.all(np.diff([each.n_qm for each in found.iterations]) > 0)
    ways = found.scenarios
    assert ways.low.hours < ways.expected.hours < ways.high.hours
    assert "below the tolerance" in ways.expected.reason
    assert "clamp" in ways.high.reason or "limit" in ways.high.reason, "0.3 Å cannot come down in this disc"


def test_limits_of_the_case_are_kept() -> None:
    assert len(iterations(planned(adapt=FEW))) == 3
    first, second, _ = iterations(planned(adapt=FEW, refine={"method": "circle"}))
    assert second.n_qm == 2 * first.n_qm


def test_finished_iterations_set_eta_calls_and_seconds() -> None:
    made = planned(adapt={"tolerance": 1e-3})
    found = plan(made, finished(3))
    past, ahead = found.iterations[:3], found.iterations[3:]
    assert [each.finished for each in past] == [True] * 3
    assert ahead and not any(each.finished for each in ahead)
    assert found.price.shape == pytest.approx(2.0)
    assert found.decay.expected.slope == pytest.approx(-2.0, abs=0.2)
    assert ahead[0].solve_seconds == pytest.approx(8 * 2 * COST.seconds(ahead[0].cluster), rel=0.1)
    left = sum(each.seconds for each in ahead) / 3600
    assert found.scenarios.expected.hours_left == pytest.approx(left)
    assert iterations(made)[1].calls == WARM_SOLVE + 1, "one call for the residual"


def test_the_file_holds_every_job_with_what_it_asks_for() -> None:
    """Of an iteration solve and adapt: residual, Hessian correction, estimate and front together."""
    found = plan(planned(), finished(2))
    content = json.loads(found.json())
    past = content["iterations"][0]
    assert past["seconds"] == pytest.approx(past["solve_seconds"] + past["adapt_seconds"])
    assert past["adapt_seconds"] > 101.0, "100 s of the residual, 1 s of the rest"
    for each in content["iterations"]:
        for name in ("solve", "adapt"):
            asked = resources_of(each[f"{name}_seconds"], each["memory"])
            assert each["resources"][name] == {"runtime": asked.runtime, "mem_mb": asked.mem_mb}
    assert {job["stage"] for job in content["preparation"]} >= {"bulk", "training", "potential", "structure"}
    assert set(content["scenarios"]) == set(content["decay"]) == {"low", "expected", "high"}


def test_a_subtracted_lattice_and_exact_residuals_are_paid_for() -> None:
    plain, twice = (
        iterations(planned(embedding={"subtract_lattice": subtract}))[0] for subtract in (False, True)
    )
    assert twice.calls == plain.calls + 1
    assert twice.adapt_seconds > 1.5 * plain.adapt_seconds


def test_held_out_cells_are_paid_for() -> None:
    """Twelve cells of two times two times two cubes, two atoms each."""
    checked = POTENTIAL.model_copy(update={"held_out": Rattled(repeat=(2, 2, 2), count=12)})
    job = job_of(plan(planned(checked), FRESH), "intervals")
    assert (job.calls, job.atoms) == (12, 16)
    assert job_of(plan(planned(), FRESH), "intervals") is None


def test_a_reference_is_part_of_it() -> None:
    made = planned(reference={"compute": True})
    before, after = plan(made, FRESH), plan(made, Finished(reference=True))
    job = job_of(before, "reference")
    assert job.atoms == len(made.domain)
    assert job.seconds > job.calls * COST.seconds(job.atoms)
    saved = before.scenarios.expected.hours_left - after.scenarios.expected.hours_left
    assert saved == pytest.approx(job.seconds / 3600)


def test_the_page_warns_of_a_thin_region() -> None:
    thin = plan(planned(initial_region={"radius_r0": 1.5}), FRESH)
    assert "initial_region.radius_r0 = 2.01 is wide enough" in page("edge", thin)
    wide = plan(planned(), FRESH)
    assert "wide enough" not in page("edge", wide)
    assert "Nothing is known of this case yet" in page("edge", wide)
    assert summary("edge", wide).startswith("edge: 0 iterations are finished; left: ")


def test_clusters_of_the_case_are_timed() -> None:
    """A model of four times the price of spheres, whatever the size; too dear a model is never called."""
    made = planned()
    sizes = []

    def call(atoms: Atoms) -> Evaluation:
        sizes.append(len(atoms))
        return Evaluation(0.0, np.zeros((len(atoms), 3)), None, 4e-3 * len(atoms) ** 2, 0.0, False)

    found = cost_of_clusters(made.domain, COST, call, made.case.embedding, seconds=1e4)
    assert found.exponent == 2.0
    assert found.seconds(500) == pytest.approx(4 * COST.seconds(500), rel=1e-6)
    assert min(sizes) < made.domain.n_qm + made.domain.n_buf < max(sizes)
    sizes.clear()
    assert cost_of_clusters(made.domain, COST, call, made.case.embedding, seconds=1e-6) == COST
    assert not sizes


def test_the_energy_is_paid_for_once() -> None:
    """16 calls of the cluster of the residual, at the end of each way, until it is there."""
    plain = plan(planned(), FRESH)
    assert job_of(plain, "energy") is None
    made = planned(energy={"compute": True})
    found = plan(made, FRESH)
    job = job_of(found, "energy")
    wide = made.domain.around(found.iterations[-1].n_qm, layer=2.0 * made.domain.r0, width=21.6)
    assert (job.calls, job.atoms, job.finished) == (16, wide, False)
    assert job.seconds == pytest.approx(16 * COST.seconds(wide), rel=0.1)
    for way in ("low", "expected", "high"):
        with_energy, without = (getattr(content.scenarios, way) for content in (found, plain))
        assert with_energy.afterwards_calls == 16 and without.afterwards_calls == 0
        more = with_energy.hours_left - without.hours_left
        assert more == pytest.approx(with_energy.afterwards_hours) and more > 0
    subtracted = planned(energy={"compute": True}, embedding={"subtract_lattice": True})
    assert job_of(plan(subtracted, FRESH), "energy").calls == 32
    assert "16 QM calls after them" in page("edge", found)
    assert "| energy |" in page("edge", found)
    over = planned(energy={"compute": True}, adapt=FEW)
    done = plan(over, finished(3, energy=True))
    assert job_of(done, "energy").finished and done.scenarios.expected.hours_left == 0
    assert not job_of(plan(over, finished(2, energy=True)), "energy").finished


def test_lattices_of_the_far_field_are_paid_for() -> None:
    """Those that test the polynomial are the first of those that take its place, before the first iteration."""
    made = planned(estimate={"far_field_samples": 100})
    plain, found = plan(planned(estimate={"far_field_samples": 0}), FRESH), plan(made, FRESH)
    job = job_of(found, "far field")
    assert (job.calls, job.atoms) == (100, 1)
    assert job_of(plain, "far field") is None
    ways = [content.scenarios.expected for content in (plain, found)]
    assert ways[1].preparation_calls == ways[0].preparation_calls + 100
    assert ways[1].hours_left - ways[0].hours_left == pytest.approx(job.seconds / 3600)
    assert job_of(plan(made, finished(1)), "far field").finished


def test_strains_of_the_field_are_paid_for() -> None:
    """One primitive cell of a Bravais lattice for each site."""
    of_field = POTENTIAL.model_copy(update={"field_samples": 300})
    plain, more = (job_of(plan(planned(each), FRESH), "training") for each in (POTENTIAL, of_field))
    assert more.calls == plain.calls + 300


def test_the_default_recipe_is_paid_for() -> None:
    """Two steps of every derivative, to matching 2 at most, and all cells away from the lattice."""
    robust = Potential(material="tungsten")
    samples = training_calls(robust, planned(robust).crystal, supercell=1331)
    paper = training_calls(POTENTIAL, planned().crystal, supercell=1331)
    assert samples[0][0] > 1.4 * paper[0][0] and samples[1][0] == 10 * paper[1][0]
    cells = {atoms: count for count, atoms in samples[2:]}
    # 48 rattled cells of 2^3, faults of 6 and 10 layers, 3 close pairs, 5 vacancies and 3 dumbbells in 3^3
    assert cells[16] == 48 and (cells[54], cells[53], cells[55]) == (3, 5, 3) and sum(cells.values()) == 67


def test_steps_on_the_hessian_are_paid_for() -> None:
    """Steps + 1 calls of the cluster of the solve in every iteration."""
    made = planned(estimate=HESSIAN)
    for each, plain in zip(iterations(made), iterations(planned()), strict=True):
        assert each.calls == plain.calls + 5
        assert each.solve_seconds == plain.solve_seconds
        assert each.adapt_seconds - plain.adapt_seconds == pytest.approx(
            5 * COST.seconds(each.cluster), rel=0.2
        )
    with_correction = finished(2, correction_calls=5, rest_seconds=500.0)
    each, plain = (iterations(made, done)[0] for done in (with_correction, finished(2)))
    assert each.calls == plain.calls + 5
    assert each.seconds == pytest.approx(plain.seconds + 499.0)


def test_steps_on_the_hessian_of_the_potential_cost_no_qm_call() -> None:
    plain, corrected = iterations(planned()), iterations(planned(estimate={"norm": "hessian"}))
    assert [each.calls for each in corrected] == [each.calls for each in plain]
    assert all(each.seconds > other.seconds for each, other in zip(corrected, plain, strict=True))


def test_forces_of_the_solve_are_no_call_of_the_residual() -> None:
    assert iterations(planned(estimate={"layer_r0": 0.0}))[1].calls == WARM_SOLVE


@pytest.mark.parametrize("sites", [1, 2])
def test_looks_at_the_model_error_take_time(sites: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In proportion to the pairs of force constants; what finished solves took holds theirs. A solve leaves them out
    where one site per cell lets the potential have all force constants, the residual does not.
    """
    monkeypatch.setattr(PlannedCase, "is_matched", property(lambda _: sites == 1))
    made = planned()
    far = replace(made, reach=10.0)
    assert look_seconds(made.crystal, 10.0) == pytest.approx(8 * look_seconds(made.crystal, made.reach))
    near, wide = (iterations(each)[1] for each in (made, far))
    more = 7 * look_seconds(made.crystal, made.reach) * len(made.domain)
    looks = WARM_LOOKS if sites == 2 else 0
    assert wide.solve_seconds - near.solve_seconds == pytest.approx(looks * more)
    assert wide.adapt_seconds - near.adapt_seconds == pytest.approx(more)
    learnt = [iterations(each, finished(2))[-1] for each in (made, far)]
    assert learnt[0].solve_seconds == learnt[1].solve_seconds


def test_force_constants_are_expected_to_match_on_a_bravais_lattice() -> None:
    made = planned()
    assert made.is_matched
    assert not replace(made, crystal=cubic_crystal("Si", "diamond", 5.43)).is_matched


def test_the_plan_sees_the_boxes_of_a_box_embedding() -> None:
    """A box is the buffer: more atoms than the cluster."""
    box = Embedding(kind="box", minimum_cells=3, subtract_lattice=False)
    vacancy = {"kind": "point", "position": [0.0] * 3, "removed": [[0.0] * 3], "added": []}
    made = planned(
        defect=vacancy,
        domain={"kind": "box", "cells": 6},
        initial_region={"radius_r0": 1.1, "centre_r0": [0.0, 0.0]},
        buffer={"width": 2.0, "residual_factor": 1.0},
        embedding=box.model_dump(mode="json"),
    )
    first = iterations(made)[0]
    assert first.cluster == made.domain.seen(first.n_qm, box, layer=0.0, width=2.0)
    assert first.cluster > made.domain.around(first.n_qm, layer=0.0, width=2.0)
