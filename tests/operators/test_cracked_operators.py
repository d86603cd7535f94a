"""Operators and residuals of a cracked body: faces are free, and glued faces would not be."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse.linalg import eigsh

from qmfront.config.stages import Buffer, Estimate
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import BUFFER, FAR_FIELD, MM, QM
from qmfront.coupling.solution import Solution
from qmfront.elasticity.strain_polynomial import StrainPolynomial, invariants
from qmfront.estimate.residual import ResidualSettings, residual_arrays
from qmfront.mismatch.cauchy_born import cauchy_born_difference
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.operators.assembly import assemble
from qmfront.storage.timing import Seconds


@pytest.fixture(scope="module")
def glued_operators(glued, tungsten, eam):
    return assemble(glued, tungsten, reach=eam.force_range, decay=3.0, cutoff_r0=2.5)


@pytest.fixture(scope="module")
def opening(crack) -> np.ndarray:
    """The upper half lifted by 1 Å."""
    return np.where(crack.sites[:, 1:2] > 0, [[0.0, 1.0, 0.0]], 0.0)


@pytest.fixture(scope="module")
def behind(crack, eam) -> np.ndarray:
    """Sites next to the crack, farther behind the tip than any interaction reaches."""
    near = np.abs(crack.sites[:, 1]) < 4.0
    return near & crack.free & (crack.sites[:, 0] < -eam.force_range - 1.0)


@pytest.mark.parametrize("name", ["force_constants", "laplacian"])
def test_rigid_opening_pulls_on_nothing_behind_the_tip(
    name, crack_operators, glued_operators, opening, behind
):
    """Both operators of the norms; with glued faces the two halves pull on each other."""
    field = opening.ravel() if name == "force_constants" else opening[:, 1]
    pull, glued_pull = (
        np.abs((getattr(operators, name) @ field).reshape(len(opening), -1)[behind]).max()
        for operators in (crack_operators, glued_operators)
    )
    assert behind.sum() > 5 and pull < 1e-12 and glued_pull > 1e-5


def test_linearised_forces_of_opened_faces_vanish(crack, glued, tungsten, eam, opening, behind):
    """Second row of (3.7) at two halves moved apart rigidly: nothing is strained, so that nothing pulls."""
    forces = []
    for body in (crack, glued):
        apart = replace(body, predictor=opening)
        operators = assemble(apart, tungsten, reach=eam.force_range, decay=3.0, cutoff_r0=2.5)
        forces.append(np.abs(operators.linear_residual(np.zeros_like(opening))[behind]).max())
    assert forces[0] < 1e-12 and forces[1] > 1e-2


def test_cauchy_born_difference_does_not_see_the_opening(crack, glued, tungsten, opening, behind):
    """Pairs across the crack measure the opening, not a strain."""
    exponents, vectors = invariants(3, tungsten.crystal.point_group())
    mismatch = StrainPolynomial(exponents, 50.0 * vectors.sum(axis=1))
    forces = [
        cauchy_born_difference(replace(body, predictor=np.zeros_like(body.sites)), 0.3 * opening, mismatch)
        for body in (crack, glued)
    ]
    assert np.abs(forces[0][behind]).max() < 1e-12 and np.abs(forces[1][behind]).max() > 1e-3


def test_both_operators_are_positive_definite(crack, crack_operators):
    for operator in (
        crack_operators.force_constant_map(crack.free, tolerance=1e-8).matrix,
        crack_operators.laplacian[crack.free][:, crack.free],
    ):
        assert abs(operator - operator.T).max() < 1e-9
        assert eigsh(operator, k=1, which="SA", return_eigenvectors=False)[0] > 0


def test_every_residual_is_exact_at_the_faces(crack, crack_operators, eam_forces):
    """With the layer the approximate residuals are the exact one there; without it they are not."""
    rng = np.random.default_rng(4)
    u = np.where(crack.free[:, None], 0.02 * rng.normal(size=crack.sites.shape), 0.0)
    radius = np.linalg.norm(crack.sites[:, :2], axis=1)
    region = np.select([~crack.free, radius < 8.0, radius < 14.0], [FAR_FIELD, QM, BUFFER], MM)
    mm = 0.9 * np.where(
        crack.free[:, None], eam_forces(crack.body.atoms(u)), 0.0
    )  # an MM model that is 10 % off
    far = crack.face_sites() & crack.free & (radius > 16.0)
    found = {}
    for layer in (5.0, 0.0):
        settings = ResidualSettings(
            ("exact", "cauchy_born", "paper"),
            Estimate(layer_r0=1.0, face_layer=layer),
            Buffer(width=11.5, residual_factor=1.0),
        )
        found[layer] = residual_arrays(
            Hybrid(crack, crack_operators, Models(eam_forces, eam_forces)),
            region,
            Solution(u, mm, np.zeros(1), np.zeros(1)),
            ModelDifference(crack, StrainPolynomial(np.zeros((1, 6), int), np.zeros(1))),
            settings=settings,
            seconds=Seconds(),
        )
    for name in ("cauchy_born", "paper"):
        error, without = (
            np.abs(found[layer][name] - found[layer]["exact"])[far].max() for layer in (5.0, 0.0)
        )
        assert far.sum() > 3 and error < 1e-9 and without > 1e-3


def test_assembly_in_tiles_is_the_assembly(crack, crack_operators, tungsten, eam, monkeypatch):
    """Halves of a tile meet without a gap: same rows, same forces, still symmetric."""
    monkeypatch.setattr("qmfront.operators.labelled_pairs.TILE", 150)
    tiled = assemble(crack, tungsten, reach=eam.force_range, decay=3.0, cutoff_r0=2.5)
    assert abs(tiled.force_constants - crack_operators.force_constants).max() < 1e-12
    assert tiled.linear_predictor == pytest.approx(crack_operators.linear_predictor, abs=1e-10)
    assert np.abs(crack_operators.linear_predictor).max() > 0.1
    assert abs(tiled.force_constants - tiled.force_constants.T).max() < 1e-12


def test_restriction_to_free_sites_takes_their_blocks(crack, crack_operators):
    """Block by block the same as entry by entry."""
    keep = np.repeat(crack.free, 3)
    expected = crack_operators.force_constants.tocsr()[keep][:, keep]
    found = crack_operators.force_constant_map(crack.free, tolerance=1e-6).matrix
    assert found.shape == expected.shape and abs(found - expected).max() == 0.0
