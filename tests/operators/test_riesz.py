"""Riesz maps (3.8): they solve what they say, cost little, and their norms are equivalent."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sparse
from scipy.linalg import eigh

from qmfront.operators import riesz


@pytest.fixture(scope="module", params=["perfect", "edge"])
def case(request):
    return request.getfixturevalue(request.param), request.getfixturevalue(f"{request.param}_operators")


def random_forces(defect, seed: int = 5) -> np.ndarray:
    """Forces on all sites, clamped ones too: those must not matter."""
    return np.random.default_rng(seed).normal(size=defect.sites.shape)


def free_block(matrix: sparse.spmatrix, free: np.ndarray) -> np.ndarray:
    return matrix.toarray()[np.ix_(free, free)]


@pytest.mark.parametrize("stabilisation", [0.0, 0.1])
def test_laplacian_map_solves_each_component(case, stabilisation):
    defect, operators = case
    F = random_forces(defect)
    phi = operators.laplacian_map(defect.free, stabilisation=stabilisation).solve(F)
    L = operators.laplacian + operators.mu * stabilisation * sparse.identity(defect.n_sites)
    assert np.abs((L @ phi - F)[defect.free]).max() < 1e-12 * np.abs(F).max()
    assert np.all(phi[~defect.free] == 0.0)


@pytest.mark.parametrize("tolerance", [1e-5, 1e-9])
def test_force_constant_map_solves_to_its_tolerance(case, tolerance):
    defect, operators = case
    F = random_forces(defect)
    phi = operators.force_constant_map(defect.free, tolerance=tolerance).solve(F)
    rest = (operators.force_constants @ phi.ravel()).reshape(-1, 3)[defect.free] - F[defect.free]
    assert np.linalg.norm(rest) < 1.01 * tolerance * np.linalg.norm(F[defect.free])
    assert np.all(phi[~defect.free] == 0.0)


def test_force_constant_map_equals_a_dense_solve(case):
    defect, operators = case
    F = random_forces(defect)
    phi = operators.force_constant_map(defect.free, tolerance=1e-11).solve(F)
    H = free_block(operators.force_constants, np.repeat(defect.free, 3))
    expected = np.linalg.solve(H, F[defect.free].ravel()).reshape(-1, 3)
    assert np.abs(phi[defect.free] - expected).max() < 1e-9 * np.abs(expected).max()


@pytest.mark.parametrize("norm", ["laplacian", "force_constants"])
def test_maps_are_symmetric_positive_and_ignore_the_clamp(case, norm):
    """G . L^-1 F = F . L^-1 G and F . L^-1 F > 0, whatever F is on the clamp."""
    defect, operators = case
    if norm == "laplacian":
        solve = operators.laplacian_map(defect.free, stabilisation=0.0).solve
    else:
        solve = operators.force_constant_map(defect.free, tolerance=1e-11).solve
    F, G = random_forces(defect, 1), random_forces(defect, 2)
    assert np.sum(G * solve(F)) == pytest.approx(np.sum(F * solve(G)), rel=1e-8)
    assert np.sum(F * solve(F)) > 0
    masked = np.where(defect.free[:, None], F, 0.0)
    assert np.array_equal(solve(masked), solve(F)) and np.any(masked != F)


def test_preconditioner_keeps_iterations_few(case, monkeypatch):
    """40 iterations at most to 1e-9, on random forces, where the plain iteration takes several times more."""
    defect, operators = case
    counts = {}

    def counted(label, with_preconditioner):
        def run(matrix, right, *, M, **settings):
            counts[label] = 0

            def count(_):
                counts[label] += 1

            return original(matrix, right, M=M if with_preconditioner else None, callback=count, **settings)

        return run

    original = riesz.cg
    solver = operators.force_constant_map(defect.free, tolerance=1e-9)
    for label, with_preconditioner in (("L", True), ("plain", False)):
        monkeypatch.setattr(riesz, "cg", counted(label, with_preconditioner))
        solver.solve(random_forces(defect))
    assert 0 < counts["L"] <= 40 and counts["plain"] > 1.5 * counts["L"], counts


def test_norms_are_equivalent(case):
    """c u L u <= u H u <= C u L u with constants of order one: mu gives both the same long waves."""
    defect, operators = case
    H = free_block(operators.force_constants, np.repeat(defect.free, 3))
    L = np.kron(free_block(operators.laplacian, defect.free), np.eye(3))
    lowest, *_, highest = eigh(H, L, eigvals_only=True)
    assert 0.1 < lowest < 1.0 < highest < 10.0
    for seed in range(3):  # the dual norms of the residual obey the inverse bounds
        F = random_forces(defect, seed)
        in_h = np.sum(F * operators.force_constant_map(defect.free, tolerance=1e-9).solve(F))
        in_l = np.sum(F * operators.laplacian_map(defect.free, stabilisation=0.0).solve(F))
        assert lowest * in_h <= in_l * (1 + 1e-9) and in_l <= highest * in_h * (1 + 1e-9)


def test_zero_forces_give_zero(edge, edge_operators):
    zero = np.zeros_like(edge.sites)
    assert not edge_operators.force_constant_map(edge.free, tolerance=1e-9).solve(zero).any()
    clamp_only = np.where(edge.free[:, None], 0.0, 1.0)
    assert not edge_operators.force_constant_map(edge.free, tolerance=1e-9).solve(clamp_only).any()
    assert not edge_operators.laplacian_map(edge.free, stabilisation=0.0).solve(clamp_only).any()


def test_without_clamp_forces_are_balanced(edge, edge_operators):
    """A constant force does nothing, with C_stab or without; what is left is solved exactly."""
    everywhere = np.ones(edge.n_sites, bool)
    for stabilisation in (0.0, 0.1):
        riesz = edge_operators.laplacian_map(everywhere, stabilisation=stabilisation)
        assert np.abs(riesz.solve(np.ones_like(edge.sites))).max() < 1e-12
        F = random_forces(edge)
        phi = riesz.solve(F)
        back = edge_operators.laplacian @ phi + edge_operators.mu * stabilisation * phi
        assert np.abs(back - (F - F.mean(axis=0))).max() < 1e-9


def test_indefinite_force_constants_are_reported(edge, edge_operators):
    good = edge_operators.force_constant_map(edge.free, tolerance=1e-9)
    shifted = good.matrix - 0.3 * np.mean(good.matrix.diagonal()) * sparse.identity(good.matrix.shape[0])
    with pytest.raises(RuntimeError, match="not positive definite"):
        replace(good, matrix=shifted).solve(random_forces(edge))
