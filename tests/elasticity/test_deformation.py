"""Deformation gradients on sites and their adjoint."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from qmfront.crystal.neighbours import separations
from qmfront.elasticity.deformation import pair_forces, pair_gradients


def current(defect, displacement: np.ndarray) -> np.ndarray:
    return separations(defect.body.reference + displacement, defect.cell, defect.pbc, defect.stencil)


def gradients(defect, displacement: np.ndarray) -> np.ndarray:
    return pair_gradients(defect.stencil, current(defect, displacement), defect.n_sites)


def whole(defect) -> np.ndarray:
    """Sites with the 14 neighbours of bcc."""
    return np.bincount(defect.stencil.first, minlength=defect.n_sites) == 14


@pytest.fixture(scope="module")
def rattle(edge) -> np.ndarray:
    return 0.1 * np.random.default_rng(0).normal(size=edge.sites.shape)


def test_exact_for_affine_deformations(perfect):
    """F_l = F on every site with a complete stencil, the identity on the rim."""
    F = np.eye(3) + 0.1 * np.random.default_rng(1).normal(size=(3, 3))
    found = pair_gradients(perfect.stencil, perfect.stencil.vector @ F.T, perfect.n_sites)
    inside = whole(perfect)
    assert 0.7 < inside.mean() < 1.0
    assert np.abs(found[inside] - F).max() < 1e-12
    assert np.all(found[~inside] == np.eye(3))


def test_least_squares_on_rattled_neighbours(perfect):
    """F_l minimises sum_rho |d_rho - F rho|^2, by numpy's solver for one site."""
    u = 0.2 * np.random.default_rng(2).normal(size=perfect.sites.shape)
    site = int(np.flatnonzero(whole(perfect))[40])
    mine = perfect.stencil.first == site
    d, rho = current(perfect, u)[mine], perfect.stencil.vector[mine]
    expected = np.linalg.lstsq(rho, d, rcond=None)[0].T
    assert np.abs(gradients(perfect, u)[site] - expected).max() < 1e-12
    assert np.abs(expected - np.eye(3)).max() > 0.01


def test_covariant_under_rotation(edge, rattle):
    """Q d_rho has the gradient Q F_l; a rotated lattice label has F_l Q^T."""
    Q = Rotation.random(random_state=3).as_matrix()
    d = current(edge, rattle)
    before = pair_gradients(edge.stencil, d, edge.n_sites)
    inside = whole(edge)
    after = pair_gradients(edge.stencil, d @ Q.T, edge.n_sites)
    assert np.abs(after[inside] - Q @ before[inside]).max() < 1e-12
    labels = type(edge.stencil)(edge.stencil.first, edge.stencil.second, edge.stencil.vector @ Q.T)
    turned = pair_gradients(labels, d, edge.n_sites)
    assert np.abs(turned[inside] - before[inside] @ Q.T).max() < 1e-12


def test_slip_is_not_strain(edge):
    """Across the glide plane of the predictor F stays near the identity although sites moved apart by b."""
    away = whole(edge) & (np.linalg.norm(edge.sites[:, :2], axis=1) > 5 * edge.r0)
    across = away & (np.abs(edge.sites[:, 1]) < edge.r0) & (edge.sites[:, 0] > 0)
    strain = np.abs(gradients(edge, np.zeros_like(edge.sites)) - np.eye(3)).max(axis=(1, 2))
    assert across.sum() > 5 and strain[across].max() < 0.1 and strain[across].max() > 1e-3


@pytest.mark.parametrize("case", ["edge", "mixed"])
def test_forces_are_the_adjoint(case, request):
    """sum_l P_l : dF_l[v] = -sum_l f_l . v_l for any P and any displacement v: dF is linear in v."""
    defect = request.getfixturevalue(case)
    rng = np.random.default_rng(4)
    u, v = rng.normal(size=(2, *defect.sites.shape))
    P = rng.normal(size=(defect.n_sites, 3, 3))
    change = gradients(defect, 0.01 * u + 1e-2 * v) - gradients(defect, 0.01 * u)
    work = np.sum(P * change) / 1e-2
    forces = pair_forces(defect.stencil, P)
    assert work == pytest.approx(-np.sum(forces * v), rel=1e-10) and abs(work) > 1.0


def test_net_force_is_zero(edge):
    forces = pair_forces(edge.stencil, np.random.default_rng(5).normal(size=(edge.n_sites, 3, 3)))
    assert np.abs(forces).max() > 0.1 and np.abs(forces.sum(axis=0)).max() < 1e-12 * np.abs(forces).sum()


def test_uniform_stress_leaves_no_force_inside(perfect):
    P = np.broadcast_to(np.random.default_rng(6).normal(size=(3, 3)), (perfect.n_sites, 3, 3))
    forces = pair_forces(perfect.stencil, P)
    assert np.abs(forces[perfect.free]).max() < 1e-12 < np.abs(forces).max()


def test_stress_of_incomplete_sites_does_not_count(edge):
    P = np.where(whole(edge)[:, None, None], 0.0, np.ones((3, 3)))
    assert not pair_forces(edge.stencil, P).any()
