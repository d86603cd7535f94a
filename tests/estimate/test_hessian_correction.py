"""The answer of the true Hessian: what H_FC misses of an error at a soft crack tip."""

import numpy as np
import pytest

from qmfront.config.stages import Estimate, Hessian, Solve
from qmfront.coupling.force_mixing import Models, model_forces
from qmfront.coupling.hessian import SOFTEST, Correction, conjugate_gradients, hessian_products
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import BUFFER, FAR_FIELD, MM, QM
from qmfront.coupling.reference import relax_reference
from qmfront.coupling.solution import Solution
from qmfront.estimate.estimator import representatives
from qmfront.estimate.hessian_correction import corrections
from qmfront.operators.norm import stencil_norm

TIGHT = Solve(max_calls=200)


@pytest.fixture(scope="module")
def tip(crack, crack_operators, eam_forces):
    """Forces of the small crack, its Riesz map and its equilibrium."""
    riesz = crack_operators.force_constant_map(crack.free, tolerance=1e-9)
    force = model_forces(crack.body, crack.free, eam_forces)
    start = np.zeros_like(crack.sites)
    return (
        force,
        riesz,
        relax_reference(force, riesz, start=start, max_force=1e-6, settings=TIGHT).displacement,
    )


def pull_outside(crack, inner_r0: float) -> np.ndarray:
    """Small forces as those of a wrong MM model: strongest beside the region where it is right, opening the crack."""
    radius = np.linalg.norm(crack.sites[:, :2], axis=1) / crack.r0
    pull = 2e-4 * np.random.default_rng(0).normal(size=crack.sites.shape)
    pull[:, 1] += 4e-4 * np.sign(crack.sites[:, 1])
    outside = crack.free & (radius > inner_r0)
    return np.where(outside[:, None], pull / np.maximum(radius, 1.0)[:, None] ** 2, 0.0)


def test_steps_take_the_estimate_to_the_error(crack, tip):
    """H_FC alone sees three quarters of the error; four steps see it to 5 %, six to 2 %."""
    force, riesz, rest = tip
    pull = pull_outside(crack, 2.5)
    u = relax_reference(
        lambda v: force(v) + pull, riesz, start=rest, max_force=1e-7, settings=TIGHT
    ).displacement
    error, residual = stencil_norm(u - rest, crack.stencil), force(u)
    seen = {0: stencil_norm(riesz.solve(residual), crack.stencil) / error}
    for steps in (4, 6):
        answer = conjugate_gradients(hessian_products(force, u), residual, riesz, steps=steps).displacement
        seen[steps] = stencil_norm(answer, crack.stencil) / error
    assert 0.6 < seen[0] < 0.85, seen
    assert abs(seen[4] - 1) < 0.05 and abs(seen[6] - 1) < 0.02, seen


@pytest.mark.parametrize("stiffer", [1.0, 1.7])
def test_mixed_forces_mend_the_answer_of_a_potential_that_is_wrong_in_the_qm_region(
    crack, crack_operators, eam_forces, tip, stiffer
):
    """Against conjugate gradients on the mixed Hessian to the end; one call confirms a potential that is right."""
    _, riesz, rest = tip
    asked = []

    def qm(atoms):
        asked.append(atoms)
        return eam_forces(atoms)

    hybrid = Hybrid(crack, crack_operators, Models(qm, lambda atoms: stiffer * eam_forces(atoms)))
    radius = np.linalg.norm(crack.sites[:, :2], axis=1) / crack.r0
    region = np.select([~crack.free, radius < 3.0, radius < 7.0], [FAR_FIELD, QM, BUFFER], MM)
    solution = Solution(rest, np.zeros_like(rest), np.zeros(1), np.zeros(1))
    residual = {"exact": pull_outside(crack, 1.0)}
    phi = {"exact": riesz.solve(residual["exact"])}
    mixed = hessian_products(hybrid.forces(region), rest)
    true = conjugate_gradients(mixed, residual["exact"], riesz, steps=25).displacement

    def answer(mixed_calls: int) -> Correction:
        asked.clear()
        settings = Estimate(residual="exact", hessian=Hessian(mixed_calls=mixed_calls))
        return corrections(hybrid, region, solution, residual, phi, settings)["exact"]

    plain = answer(0).displacement
    assert not asked
    mended, local = answer(8).displacement, answer(8).local
    assert np.array_equal(local, plain), "the front follows what the potential says"
    assert (len(asked) == 1) == (stiffer == 1.0)
    off = [np.linalg.norm(one - true) / np.linalg.norm(true) for one in (plain, mended)]
    assert off[1] < 0.1 and (off[0] > 0.2 if stiffer > 1 else off[0] < 0.1), off


def test_calls_are_counted(crack, tip):
    """One call at rest and one for each step; nothing to answer costs none beyond the first."""
    force, riesz, rest = tip
    calls = []

    def counted(u: np.ndarray) -> np.ndarray:
        calls.append(u)
        return force(u)

    hessian = hessian_products(counted, rest)
    conjugate_gradients(hessian, pull_outside(crack, 2.5), riesz, steps=3)
    assert len(calls) == 4
    assert not conjugate_gradients(hessian, np.zeros_like(rest), riesz, steps=3).displacement.any()
    assert len(calls) == 4


def test_in_the_perfect_lattice_one_step_is_phi(perfect, perfect_operators, eam_forces):
    """There H is H_FC."""
    riesz = perfect_operators.force_constant_map(perfect.free, tolerance=1e-10)
    force = model_forces(perfect.body, perfect.free, eam_forces)
    near = perfect.free & (np.linalg.norm(perfect.sites[:, :2], axis=1) < 4 * perfect.r0)
    residual = np.where(near[:, None], 1e-3 * np.random.default_rng(2).normal(size=(*near.shape, 3)), 0.0)
    phi = riesz.solve(residual)
    found = conjugate_gradients(
        hessian_products(force, np.zeros_like(residual)), residual, riesz, steps=1
    ).displacement
    assert np.linalg.norm(found - phi) < 0.02 * np.linalg.norm(phi)


def test_a_saddle_has_no_error_bar(perfect, perfect_operators):
    riesz = perfect_operators.force_constant_map(perfect.free, tolerance=1e-8)
    residual = perfect.free[:, None] * np.ones(3)
    with pytest.raises(RuntimeError, match="saddle"):
        conjugate_gradients(lambda v: -v, residual, riesz, steps=2)


def test_a_potential_that_is_unstable_somewhere_answers_as_far_as_it_is_stable(
    perfect, perfect_operators, eam_forces
):
    """With truncation phi is what is left of an unstable Hessian, and the steps before the first bad direction else."""
    riesz = perfect_operators.force_constant_map(perfect.free, tolerance=1e-8)
    near = perfect.free & (np.linalg.norm(perfect.sites[:, :2], axis=1) < 4 * perfect.r0)
    residual = np.where(near[:, None], 1e-3 * np.random.default_rng(2).normal(size=(*near.shape, 3)), 0.0)
    rest = np.zeros_like(residual)
    found = conjugate_gradients(lambda v: -v, residual, riesz, steps=2, truncated=True)
    assert found.steps == 0 and np.array_equal(found.displacement, riesz.solve(residual))
    stable = model_forces(perfect.body, perfect.free, eam_forces)
    calls = []

    def breaks(u: np.ndarray) -> np.ndarray:
        calls.append(u)
        return stable(u) if len(calls) < 4 else 0.9 * SOFTEST * stable(u)

    found = conjugate_gradients(hessian_products(breaks, rest), residual, riesz, steps=6, truncated=True)
    assert found.steps == 2 and len(calls) == 4
    assert np.array_equal(
        found.displacement,
        conjugate_gradients(hessian_products(stable, rest), residual, riesz, steps=2).displacement,
    )


class Identity:
    """H_FC = 1 eV/Å^2."""

    def solve(self, forces: np.ndarray) -> np.ndarray:
        return forces


@pytest.mark.parametrize("softest", [1e-4, 1e-3, 1e-2, 0.2])
def test_steps_end_at_the_first_direction_that_is_too_soft(softest):
    """Directions from the textbook's conjugate gradients, their stiffness by the whole quotient d H d / d d."""
    rng = np.random.default_rng(4)
    stiffness, residual = np.geomspace(softest, 3.0, 60), 1e-3 * rng.normal(size=60)
    left, direction, expected = residual, residual, 0
    for _ in range(30):
        quotient = direction @ (stiffness * direction) / (direction @ direction)
        if quotient < SOFTEST:
            break
        new = left - left @ left / (direction @ (stiffness * direction)) * stiffness * direction
        direction, left = new + new @ new / (left @ left) * direction, new
        expected += 1

    def force(u: np.ndarray) -> np.ndarray:
        return -(stiffness * u.ravel()).reshape(u.shape)

    found = conjugate_gradients(
        hessian_products(force, np.zeros((20, 3))),
        residual.reshape(20, 3),
        Identity(),
        steps=30,
        truncated=True,
    )
    assert found.steps == expected
    assert (softest > SOFTEST) == (expected == 30) and expected > 0


def test_the_potential_stands_for_the_hessian_at_no_qm_call(crack, crack_operators, tip, eam_forces):
    """Chosen and exact residual are answered; mixed forces ask the QM model once per step and once at rest."""
    _, _, rest = tip
    region = np.where(crack.free, MM, FAR_FIELD)
    region[np.linalg.norm(crack.sites[:, :2], axis=1) < 3 * crack.r0] = QM
    pull, calls = pull_outside(crack, 3.0), []

    def qm(atoms) -> np.ndarray:
        calls.append(len(atoms))
        return eam_forces(atoms)

    residuals = {"exact": pull, "cauchy_born": 0.9 * pull, "paper": 2.0 * pull}
    hybrid = Hybrid(crack, crack_operators, Models(qm, eam_forces))
    phi = representatives(residuals, hybrid.riesz)
    solution = Solution(rest, np.zeros_like(rest), np.zeros(1), np.zeros(1))

    def ask(model: str, chosen: str):
        settings = Estimate(residual=chosen, hessian=Hessian(model=model, steps=4, mixed_calls=0))
        return corrections(hybrid, region, solution, residuals, phi, settings)

    found = ask(model="mm", chosen="cauchy_born")
    assert not calls and set(found) == {"exact", "cauchy_born"}
    np.testing.assert_allclose(
        found["cauchy_born"].displacement, 0.9 * found["exact"].displacement, rtol=0, atol=1e-7
    )
    mixed = ask(model="mixed", chosen="exact")
    assert len(calls) == 5 and set(mixed) == {"exact"}
