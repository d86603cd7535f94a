"""The stencil norm (2.2), the estimator (3.9) and its site contributions (4.1)."""

import numpy as np
import pytest
from ase.build import bulk
from scipy.linalg import eigh

from qmfront.crystal.neighbours import Pairs, pairs_within
from qmfront.estimate.estimator import estimator, site_estimator
from qmfront.operators.laplacian import graph_laplacian
from qmfront.operators.norm import stencil_norm
from qmfront.operators.riesz import laplacian_map


@pytest.fixture(scope="module")
def phi(edge) -> np.ndarray:
    """Random, zero on the clamp."""
    return np.where(edge.free[:, None], np.random.default_rng(3).normal(size=edge.sites.shape), 0.0)


def test_stencil_norm_is_the_sum_over_sites_and_neighbours():
    """By loops over atoms and images of a small periodic crystal."""
    atoms = bulk("W", a=3.16, cubic=True) * (2, 1, 1)
    u = np.random.default_rng(0).normal(size=(4, 3))
    total, count = 0.0, 0
    for l in range(4):
        for m in range(4):
            for image in np.ndindex(5, 5, 5):
                shift = (np.array(image) - 2) @ atoms.cell.array
                distance = np.linalg.norm(atoms.positions[m] + shift - atoms.positions[l])
                if 0.1 < distance < 3.5:
                    total, count = total + np.sum((u[m] - u[l]) ** 2), count + 1
    neighbours = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, 3.5)
    assert count == len(neighbours) == 4 * 14
    assert stencil_norm(u, neighbours) == pytest.approx(np.sqrt(total), rel=1e-12)
    assert stencil_norm(u + np.array([1.0, -2.0, 3.0]), neighbours) == pytest.approx(
        np.sqrt(total), rel=1e-12
    )


def test_site_contributions_sum_to_eta(edge, phi):
    eta_site = site_estimator(phi, edge.stencil)
    assert eta_site.shape == (edge.n_sites,) and np.all(eta_site >= 0)
    assert eta_site.sum() == pytest.approx(estimator(phi, edge.stencil), rel=1e-12)


def test_site_contribution_is_local(edge, phi):
    """eta_l eta = sum over the neighbours of l, by a loop over one site."""
    site = 100
    mine = edge.stencil.first == site
    expected = np.sum((phi[edge.stencil.second[mine]] - phi[site]) ** 2) / estimator(phi, edge.stencil)
    assert mine.sum() >= 12 and site_estimator(phi, edge.stencil)[site] == pytest.approx(expected, rel=1e-12)


def test_zero_phi_has_zero_contributions(edge):
    zero = np.zeros_like(edge.sites)
    assert estimator(zero, edge.stencil) == 0.0 and not site_estimator(zero, edge.stencil).any()


@pytest.mark.parametrize("factor", [-3.0, 1e-9])
def test_scaling_is_linear(edge, phi, factor):
    """eta and all eta_l scale with |factor|: what is marked does not depend on the size of the residual."""
    assert estimator(factor * phi, edge.stencil) == pytest.approx(abs(factor) * estimator(phi, edge.stencil))
    expected = abs(factor) * site_estimator(phi, edge.stencil)
    assert np.allclose(site_estimator(factor * phi, edge.stencil), expected, rtol=1e-12, atol=0)


def test_estimate_equals_the_error_of_a_linear_model(edge, edge_operators, phi):
    """F(u) = -H (u - u_bar): phi = H^-1 F(u) is the error itself, so eta_H = ||D(u - u_bar)|| site by site."""
    solver = edge_operators.force_constant_map(edge.free, tolerance=1e-11)
    error = phi
    forces = -(edge_operators.force_constants @ error.ravel()).reshape(-1, 3)
    found = solver.solve(forces)
    assert estimator(found, edge.stencil) == pytest.approx(stencil_norm(error, edge.stencil), rel=1e-9)
    assert np.allclose(site_estimator(found, edge.stencil), site_estimator(error, edge.stencil), rtol=1e-6)


def test_laplacian_norm_bounds_the_error_of_a_linear_model(edge, edge_operators):
    """With L the quadratic form of ||D u||^2 / 2, lambda_min error <= eta <= lambda_max error, H v = lambda L v.

    The bounds are reached on the extreme eigenvectors.
    """
    n, free = edge.n_sites, edge.free
    L = graph_laplacian(edge.stencil, n, mu=1.0, nearest=edge.r0, decay=0.0)
    solver = laplacian_map(L, free)
    H = edge_operators.force_constants.toarray()[np.ix_(np.repeat(free, 3), np.repeat(free, 3))]
    values, vectors = eigh(H, np.kron(L.toarray()[np.ix_(free, free)], np.eye(3)))
    assert values[-1] > 2 * values[0] > 0

    def effectivity(error: np.ndarray) -> float:
        forces, field = np.zeros((n, 3)), np.zeros((n, 3))
        forces[free], field[free] = (H @ error).reshape(-1, 3), error.reshape(-1, 3)
        assert stencil_norm(field, edge.stencil) ** 2 == pytest.approx(2 * np.sum(field * (L @ field)))
        return estimator(solver.solve(forces), edge.stencil) / stencil_norm(field, edge.stencil)

    for error in np.random.default_rng(6).normal(size=(5, len(H))):
        assert values[0] <= effectivity(error) <= values[-1]
    assert effectivity(vectors[:, 0]) == pytest.approx(values[0], rel=1e-8)
    assert effectivity(vectors[:, -1]) == pytest.approx(values[-1], rel=1e-8)


def test_no_neighbours_no_estimate():
    empty = np.zeros(0, int)
    assert estimator(np.ones((2, 3)), Pairs(empty, empty, np.zeros((0, 3)))) == 0.0
