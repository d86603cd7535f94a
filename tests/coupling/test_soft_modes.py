"""Soft modes: those of a Hessian that is known, the curvature of other forces along them, and what they answer."""

import numpy as np
import pytest

from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.soft_modes import SoftModes, mm_modes, with_curvature
from qmfront.coupling.stability import LAST, WIDER, lowest_mode, proof
from qmfront.operators.norm import stencil_norm

SOFT = (-0.2, 0.05, 0.4)


@pytest.fixture(scope="module")
def directions(edge, edge_operators) -> np.ndarray:
    """Three fields, orthonormal in H_FC, localised at the core, (3, n, 3)."""
    riesz = edge_operators.force_constant_map(edge.free, tolerance=1e-10)
    distance = np.linalg.norm(edge.sites[:, :2], axis=1)
    rng, found = np.random.default_rng(3), []
    for _ in SOFT:
        pull = np.where((edge.free & (distance < 3 * edge.r0))[:, None], rng.normal(size=edge.sites.shape), 0)
        field = riesz.solve(pull)
        for one in found:
            field = field - np.vdot(one, riesz.forces(field)) * one
        found.append(field / np.sqrt(np.vdot(field, riesz.forces(field))))
    return np.array(found)


def forces_with(edge, riesz, directions: np.ndarray, values):
    """u -> -H u with H = H_FC, but for lambda along the directions."""

    def force(u: np.ndarray) -> np.ndarray:
        stretched = riesz.forces(np.where(edge.free[:, None], u, 0.0))
        for direction, value in zip(directions, values, strict=True):
            pull = riesz.forces(direction)
            stretched = stretched + (value - 1.0) * np.vdot(pull, u) * pull
        return -stretched

    return force


@pytest.fixture(scope="module")
def hybrid(edge, edge_operators, directions) -> Hybrid:
    """Both models are linear; the QM model has other eigenvalues along the same directions."""
    riesz = edge_operators.force_constant_map(edge.free, tolerance=1e-10)

    def model(values):
        force = forces_with(edge, riesz, directions, values)
        return lambda atoms: force(atoms.positions - edge.body.reference)

    return Hybrid(edge, edge_operators, Models(model((0.3, -0.1, 0.5)), model(SOFT)))


def test_modes_of_a_known_hessian(hybrid, directions):
    """Values, and the space that the vectors span; negative ones come first."""
    found = mm_modes(hybrid, np.zeros_like(hybrid.defect.sites), 3)
    np.testing.assert_allclose(found.eigenvalues, SOFT, atol=2e-3)
    overlap = np.array([[np.vdot(a, hybrid.riesz.forces(b)) for b in found.vectors] for a in directions])
    np.testing.assert_allclose(np.linalg.svd(overlap)[1], 1.0, atol=1e-2)
    gram = [[np.vdot(a, hybrid.riesz.forces(b)) for b in found.vectors] for a in found.vectors]
    np.testing.assert_allclose(gram, np.eye(3), atol=1e-6)


def test_modes_of_a_state_close_by_need_fewer_calls(hybrid):
    calls = []
    counted = Hybrid(
        hybrid.defect,
        hybrid.operators,
        Models(hybrid.models.qm, lambda atoms: (calls.append(0), hybrid.models.mm(atoms))[1]),
    )
    rest = np.zeros_like(hybrid.defect.sites)
    cold, first = mm_modes(counted, rest, 3), len(calls)
    warm = mm_modes(counted, rest, 3, cold.vectors)
    assert len(calls) - first < 0.7 * first
    np.testing.assert_allclose(warm.eigenvalues, SOFT, atol=2e-3)


def test_the_curvature_is_that_of_the_other_forces(hybrid):
    """One call a mode. The potential calls another direction soft than the QM model."""
    rest, calls = np.zeros_like(hybrid.defect.sites), []
    force = hybrid.qm_forces()

    def counted(u):
        calls.append(0)
        return force(u)

    potential = mm_modes(hybrid, rest, 3)
    found = with_curvature(potential, counted, rest, force(rest), step=1e-3)
    assert len(calls) == 3
    np.testing.assert_allclose(found.eigenvalues, sorted((0.3, -0.1, 0.5)), atol=5e-3)
    pulled = force(found.softest)
    assert np.vdot(pulled, found.softest) > 0  # uphill forces push on: a saddle


def test_the_answer_is_that_of_the_hessian(hybrid, directions):
    """Exact where the Hessian is H_FC beside the modes."""
    riesz = hybrid.riesz
    modes = SoftModes(directions, np.diag([0.3, 0.05, 0.5]))
    rng = np.random.default_rng(5)
    wanted = riesz.solve(np.where(hybrid.defect.free[:, None], rng.normal(size=hybrid.defect.sites.shape), 0))
    force = forces_with(hybrid.defect, riesz, directions, (0.3, 0.05, 0.5))
    pull = -force(wanted)
    found = modes.answer(riesz.solve(pull), pull, least=1e-3)
    stencil = hybrid.defect.stencil
    assert stencil_norm(found - wanted, stencil) < 1e-5 * stencil_norm(wanted, stencil)
    assert stencil_norm(riesz.solve(pull) - wanted, stencil) > 0.05 * stencil_norm(wanted, stencil)


def test_no_curvature_counts_as_smaller_than_the_least(directions):
    modes = SoftModes(directions, np.diag([1e-9, -0.5, 1.0]))
    pull = np.random.default_rng(1).normal(size=directions[0].shape)
    parts = np.einsum("mni,ni->m", directions, pull)
    expected = np.tensordot(parts / [0.01, 0.5, 1.0], directions, 1)
    np.testing.assert_allclose(modes.soft(pull, least=0.01), expected, atol=1e-9 * np.abs(expected).max())


def test_modes_survive_their_store(directions):
    modes = SoftModes(directions, np.diag(SOFT))
    again = SoftModes.from_arrays(modes.arrays())
    assert again is not None and np.array_equal(again.vectors, modes.vectors)
    assert SoftModes.from_arrays({}) is None


def test_a_direction_joins_the_modes_unless_it_is_among_them(hybrid, directions):
    riesz = hybrid.riesz
    modes = SoftModes(directions[:2], np.diag(SOFT[:2]))
    wider = modes.with_direction(directions[2] + 2.0 * directions[0], riesz)
    assert len(wider.vectors) == 3 and np.isnan(wider.curvature[2]).all()
    overlap = [np.vdot(wider.vectors[2], riesz.forces(one)) for one in directions]
    np.testing.assert_allclose(overlap, [0.0, 0.0, 1.0], atol=1e-6)
    assert modes.with_direction(3.0 * directions[1] - directions[0], riesz) is modes


@pytest.mark.parametrize("curvature", [0.05, -0.1])
def test_a_proof_believes_no_saddle_that_kinks_of_the_forces_make(
    edge, edge_operators, directions, curvature
):
    """Within the step of the Lanczos run the forces lack 0.15 of their slope, as at the knot of a table."""
    riesz = edge_operators.force_constant_map(edge.free, tolerance=1e-10)
    linear, mode = forces_with(edge, riesz, directions, (0.5, curvature, 0.6)), directions[1]
    pull, knot = riesz.forces(mode), LAST.step / np.abs(mode).max()

    class Kinked(Hybrid):
        """With forces of its own, in no cluster."""

        def forces(self, region):
            return lambda u: linear(u) + 0.15 * np.clip(np.vdot(pull, u), -knot, knot) * pull

    kinked, rest = Kinked(edge, edge_operators, Models(None, None)), np.zeros_like(mode)
    told = lowest_mode(kinked.forces(None), rest, edge, riesz, settings=LAST)[0]
    assert told == pytest.approx(curvature - 0.15, abs=0.01)
    shares = curvature - 0.15 * LAST.step / WIDER
    assert proof(kinked, None, rest).eigenvalue == pytest.approx(shares, abs=0.01) and told < 0.0
