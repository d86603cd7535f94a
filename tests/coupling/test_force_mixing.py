"""Hybrid forces (2.11): which model acts where, and that nothing changes when both are the same."""

import logging

import numpy as np
import pytest

import qmfront.coupling.solve as solve_module
from qmfront.config.stages import Solve
from qmfront.coupling.anderson import NoEquilibriumError, solve_equilibrium
from qmfront.coupling.descent import Descended
from qmfront.coupling.force_mixing import Models, hybrid_forces, model_forces
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import BUFFER, FAR_FIELD, MM, QM
from qmfront.coupling.solve import FAR_DOWNHILL, FURTHER, NOISE, ROUNDING, Beginning, relax_hybrid
from qmfront.crystal.cluster import surrounded
from qmfront.evaluate.evaluation import EvaluationError

FEW = 10
"""Force calls: not enough from the predictor to 1e-3 Å."""


def regions(defect, *, radius_r0: float, buffer: float) -> np.ndarray:
    region = np.where(defect.free, MM, FAR_FIELD)
    qm = np.linalg.norm(defect.sites[:, :2], axis=1) < radius_r0 * defect.r0
    shell = surrounded(qm, defect.body.reference, defect.cell, defect.pbc, width=buffer)
    region[shell & defect.free] = BUFFER
    region[qm] = QM
    return region


def zero_forces(atoms) -> np.ndarray:
    return np.zeros((len(atoms), 3))


@pytest.fixture(scope="module")
def rattle(edge) -> np.ndarray:
    return np.where(edge.free[:, None], 0.05 * np.random.default_rng(2).normal(size=edge.sites.shape), 0.0)


def test_each_region_gets_its_model(edge, eam_forces, rattle):
    """QM forces on QM sites alone, MM forces on buffer and MM sites, none on the far field."""
    region = regions(edge, radius_r0=2.0, buffer=5.0)
    F = hybrid_forces(edge.body, region, Models(lambda atoms: np.full((len(atoms), 3), 7.0), eam_forces))(
        rattle
    )
    everywhere = eam_forces(edge.body.atoms(rattle))
    mm = (region == BUFFER) | (region == MM)
    assert np.all(F[region == QM] == 7.0) and np.array_equal(F[mm], everywhere[mm])
    assert np.all(F[region == FAR_FIELD] == 0.0) and {QM, BUFFER, MM, FAR_FIELD} == set(region)


@pytest.mark.parametrize("case", ["edge", "mixed"])
def test_cluster_forces_in_an_exact_buffer_are_full_forces(case, request, eam, eam_forces):
    defect = request.getfixturevalue(case)
    region = regions(defect, radius_r0=2.0, buffer=eam.force_range)
    u = np.where(defect.free[:, None], 0.05 * np.random.default_rng(2).normal(size=defect.sites.shape), 0.0)
    F = hybrid_forces(defect.body, region, Models(eam_forces, zero_forces))(u)
    full = eam_forces(defect.body.atoms(u))
    assert np.abs(F - full)[region == QM].max() < 1e-10 and np.abs(full[region == QM]).max() > 1.0
    assert np.sum(region <= BUFFER) < defect.n_sites


def test_thin_buffer_changes_the_forces(edge, eam, eam_forces, rattle):
    region = regions(edge, radius_r0=2.0, buffer=0.7 * eam.cutoff)
    F = hybrid_forces(edge.body, region, Models(eam_forces, eam_forces))(rattle)
    assert np.abs(F - eam_forces(edge.body.atoms(rattle)))[region == QM].max() > 1e-2


def test_models_are_asked_once_per_force_and_keep_their_arrays(edge, eam_forces, rattle):
    """A calculator may hand out its own array; the hybrid forces must not write into it."""
    region, asked = regions(edge, radius_r0=2.0, buffer=5.0), []
    kept = eam_forces(edge.body.atoms(rattle))
    original = kept.copy()

    def mm(atoms):
        asked.append(("mm", len(atoms)))
        return kept

    def qm(atoms):
        asked.append(("qm", len(atoms)))
        return zero_forces(atoms)

    hybrid_forces(edge.body, region, Models(qm, mm))(rattle)
    assert sorted(asked) == [("mm", edge.n_sites), ("qm", np.sum(region <= BUFFER))]
    assert np.array_equal(kept, original)


def test_empty_qm_region_is_refused(edge, eam_forces):
    region = np.where(edge.free, MM, FAR_FIELD)
    with pytest.raises(ValueError, match="QM region is empty"):
        hybrid_forces(edge.body, region, Models(eam_forces, eam_forces))


def test_model_forces_vanish_on_the_clamp(edge, eam_forces, rattle):
    F = model_forces(edge.body, edge.free, eam_forces)(rattle)
    assert np.all(F[~edge.free] == 0.0)
    assert np.array_equal(F[edge.free], eam_forces(edge.body.atoms(rattle))[edge.free])


def test_same_model_on_both_sides_gives_the_reference_solution(edge, edge_operators, eam, eam_forces):
    """QM = MM in an exact buffer: the hybrid solution is the solution of the one model."""
    region = regions(edge, radius_r0=2.5, buffer=eam.force_range)
    jacobian = edge_operators.force_constant_map(edge.free, tolerance=1e-4)
    maps = {
        "hybrid": hybrid_forces(edge.body, region, Models(eam_forces, eam_forces)),
        "reference": model_forces(edge.body, edge.free, eam_forces),
    }
    found = {
        name: solve_equilibrium(
            force,
            np.zeros_like(edge.sites),
            jacobian.solve,
            lambda u, F, r: (np.abs(F).max() < 1e-8, float(np.abs(F).max())),
            settings=Solve(),
        ).displacement
        for name, force in maps.items()
    }
    assert np.abs(found["reference"]).max() > 0.1
    assert np.abs(found["hybrid"] - found["reference"]).max() < 1e-7


def both(edge, operators, qm, mm) -> Hybrid:
    return Hybrid(edge, operators, Models(qm, mm))


def test_a_solution_without_model_error_is_found(edge, edge_operators, eam_forces):
    """No estimate asks for more than rounding: with both models the same, the error of the model vanishes."""
    region = regions(edge, radius_r0=2.0, buffer=12.0)
    found = relax_hybrid(
        both(edge, edge_operators, eam_forces, eam_forces),
        region,
        lambda displacement: 0.0,
        Beginning(np.zeros_like(edge.sites)),
        settings=Solve(algebraic_fraction=0.03, max_calls=60),
    )
    assert found.measure[-1] <= ROUNDING < found.measure[0]


def short_solve(hybrid: Hybrid, **choice):
    """Too few calls for root finding with H_FC from the predictor; the error of the model is 2e-2 Å."""
    settings = Solve(**{"algebraic_fraction": 0.05, "max_calls": FEW, **choice})
    region, begin = regions(hybrid.defect, radius_r0=2.0, buffer=12.0), np.zeros_like(hybrid.defect.sites)
    return relax_hybrid(hybrid, region, lambda displacement: 2e-2, Beginning(begin), settings=settings)


def test_a_solve_that_fails_goes_on_with_the_hessian_of_the_potential(
    edge, edge_operators, eam_forces, caplog
):
    """Exact here, where both models are the same; from where the first try came nearest."""
    with caplog.at_level(logging.INFO):
        found = short_solve(both(edge, edge_operators, eam_forces, eam_forces))
    assert "no equilibrium yet: No equilibrium after" in caplog.text
    assert found.measure[-1] <= 1e-3 and len(found.measure) <= FEW / 2 and found.max_force[0] < 0.2


def stuck(*_):
    """In place of the Hessian of the potential."""

    def precondition(forces: np.ndarray) -> np.ndarray:
        raise NoEquilibriumError("stuck")

    return precondition


def test_a_solve_that_fails_again_goes_downhill(edge, edge_operators, eam_forces, monkeypatch):
    hybrid = both(edge, edge_operators, eam_forces, eam_forces)
    good = solve_module._of_mm_hessian
    for choice, largest in (({"descent_force": 5e-3}, FURTHER * 5e-3), ({}, FAR_DOWNHILL)):
        kinds = iter((stuck, good))
        monkeypatch.setattr(solve_module, "_of_mm_hessian", lambda *given, k=kinds: next(k)(*given))
        found = short_solve(hybrid, **choice)
        assert found.measure[-1] <= 1e-3 and len(found.measure) < FEW
        assert found.max_force[0] <= largest


def test_a_solve_that_stalls_near_equilibrium_is_kept(edge, edge_operators, eam_forces, monkeypatch, caplog):
    """Its measure is below half of the error of the model; farther away it is none."""
    hybrid = both(edge, edge_operators, eam_forces, eam_forces)

    monkeypatch.setattr(solve_module, "_of_mm_hessian", stuck)
    monkeypatch.setattr(
        solve_module, "_downhill", lambda hybrid, region, begin, *_: Descended(begin.displacement, stuck())
    )
    with pytest.raises(NoEquilibriumError, match="No equilibrium after"):
        short_solve(hybrid, algebraic_fraction=1e-7)
    monkeypatch.setattr(solve_module, "STALLED", 4.0)
    found = short_solve(hybrid, algebraic_fraction=1e-7)
    assert 1e-3 < found.measure[-1] < 4.0 * 2e-2 and "has stalled" in caplog.text


def test_noise_ends_a_solve_that_is_near_enough(edge, edge_operators, eam_forces):
    """Forces that are never the same twice: the nearest iterate is the solution, after few calls in vain."""
    noise = np.random.default_rng(2)

    def noisy(atoms) -> np.ndarray:
        return eam_forces(atoms) + noise.normal(scale=4e-4, size=(len(atoms), 3))

    found = short_solve(both(edge, edge_operators, noisy, eam_forces), algebraic_fraction=1e-4, max_calls=60)
    assert 1e-4 * 2e-2 < found.measure[-1] <= NOISE * 2e-2
    assert found.measure[-1] == found.measure.min() and len(found.measure) < 40


def test_a_model_that_gives_up_is_not_asked_again(edge, edge_operators, eam_forces):
    """Going downhill is for solves that find no equilibrium, not for calculators that fail."""
    calls = []

    def broken(atoms) -> np.ndarray:
        calls.append(len(atoms))
        raise EvaluationError("the licence server is away")

    with pytest.raises(EvaluationError, match="licence server"):
        relax_hybrid(
            both(edge, edge_operators, broken, eam_forces),
            regions(edge, radius_r0=2.0, buffer=12.0),
            lambda displacement: 2e-2,
            Beginning(np.zeros_like(edge.sites)),
            settings=Solve(algebraic_fraction=0.05, max_calls=FEW, descent_force=5e-3),
        )
    assert len(calls) == 1
