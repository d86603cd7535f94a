"""H_FC of point defects: positive definite but for translations, the lattice's far away; Riesz maps without a clamp."""

import numpy as np
import pytest

from qmfront.crystal.defect import ADDED
from qmfront.operators.point_defect import springs
from tests.points import DEFECTS, operators_of, point
from tests.silicon import silicon, sw_forces


@pytest.mark.parametrize("name", DEFECTS)
def test_translations_alone_cost_nothing(name):
    H = operators_of(name).force_constants.toarray()
    values = np.linalg.eigvalsh(H)
    assert np.abs(H - H.T).max() < 1e-12 * np.abs(H).max()
    assert np.abs(values[:3]).max() < 1e-10 and values[3] > 0.3
    assert np.abs(H @ np.tile(np.eye(3), (len(H) // 3, 1))).max() < 1e-10


def test_far_from_the_defect_it_is_the_hessian_of_the_model():
    """Sites whose surroundings, up to the reach of the forces, are the perfect crystal's, at u = 0."""
    defect, rng = point("vacancy", 4), np.random.default_rng(0)
    far = np.linalg.norm(defect.sites - defect.core, axis=1) > 9.0
    v = np.where(far[:, None], rng.normal(size=defect.sites.shape), 0.0)
    v[~far] = 0.0
    step = 1e-4
    change = sw_forces(defect.body.atoms(-step * v)) - sw_forces(defect.body.atoms(step * v))
    expected = (change / (2 * step))[far]
    found = (operators_of("vacancy", 4).force_constants @ v.ravel()).reshape(-1, 3)[far]
    assert far.sum() > 20
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def test_springs_turn_with_the_bond():
    constants = silicon().force_constants
    rng = np.random.default_rng(1)
    e = rng.normal(size=(5, 3))
    matrices = springs(e, constants)
    e /= np.linalg.norm(e, axis=1)[:, None]
    along = -np.einsum("pi,pij,pj->p", e, matrices, e)
    assert along == pytest.approx(along[0]) and along[0] > 1.0
    assert np.all(np.linalg.eigvalsh(-matrices) > -1e-12)


@pytest.mark.parametrize("kind", ["force_constants", "laplacian"])
def test_riesz_maps_without_a_clamp_are_pseudo_inverses(kind):
    defect, operators = point("triangular"), operators_of("triangular")
    riesz = {
        "force_constants": lambda: operators.force_constant_map(defect.free, tolerance=1e-11),
        "laplacian": lambda: operators.laplacian_map(defect.free, stabilisation=0.0),
    }[kind]()
    F = np.random.default_rng(2).normal(size=defect.sites.shape)
    phi = riesz.solve(F)
    if kind == "laplacian":
        back = operators.laplacian @ phi
    else:
        back = (operators.force_constants @ phi.ravel()).reshape(-1, 3)
    assert np.abs(phi.sum(axis=0)).max() < 1e-9
    assert np.abs(back - (F - F.mean(axis=0))).max() < 1e-8
    assert np.abs(riesz.solve(F + np.array([1.0, 2.0, 3.0])) - phi).max() < 1e-8


def test_added_atoms_are_held_by_their_bonds():
    defect = point("triangular")
    added = np.flatnonzero(defect.basis_index == ADDED)
    H = operators_of("triangular").force_constants.toarray().reshape(defect.n_sites, 3, defect.n_sites, 3)
    assert np.all([np.linalg.eigvalsh(H[a, :, a]).min() > 1.0 for a in added])
