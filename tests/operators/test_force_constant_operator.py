"""H_FC on the sites of a defect: the Jacobian of the forces, its invariances and its definiteness."""

from dataclasses import replace

import numpy as np
import pytest
from ase.build import bulk
from scipy.spatial import cKDTree

from qmfront.crystal.neighbours import Pairs, pairs_within, separations
from qmfront.crystal.stencil import label_pairs
from qmfront.models.force_constants import force_constants
from qmfront.operators.force_constant_operator import force_constant_operator, linear_forces, pair_matrices

A0_AWKWARD = 3.165  # Å; 500 a0 is half an integer, where rounding of a component hangs on its last digit


def labelled_pairs(positions, defect, tungsten, reach: float) -> Pairs:
    """Pairs of a configuration, `vector` the label."""
    pairs = pairs_within(positions, defect.cell, defect.pbc, reach)
    labels = label_pairs(pairs, tungsten.crystal.rotated(defect.frame))
    return replace(pairs, vector=labels.vector)


def operator_at(positions, defect, tungsten, reach: float):
    pairs = labelled_pairs(positions, defect, tungsten, reach)
    matrices = pair_matrices(pairs.vector, tungsten.force_constants.rotated(defect.frame))
    return force_constant_operator(pairs, matrices, defect.n_sites)


def depth(defect) -> np.ndarray:
    """Distance to the outer boundary, Å."""
    radius = np.linalg.norm(defect.sites[:, :2], axis=1)
    return radius.max() - radius


def test_is_minus_the_jacobian_of_the_forces(perfect, perfect_operators, eam, eam_forces):
    """H v = -dF/dv by central differences, on sites whose environment is complete."""
    v = np.random.default_rng(1).normal(size=perfect.sites.shape)
    h = 1e-4  # Å; the error of the differences is of order h^2, that of the force constants of order (1e-3 Å)^2
    change = eam_forces(perfect.body.atoms(h * v)) - eam_forces(perfect.body.atoms(-h * v))
    expected = (perfect_operators.force_constants @ v.ravel()).reshape(-1, 3)
    whole = depth(perfect) > eam.force_range
    assert whole.sum() > 200
    error = np.abs(-change / (2 * h) - expected)[whole].max()
    assert error < 1e-5 * np.abs(expected[whole]).max()


@pytest.mark.parametrize("case", ["perfect", "edge", "mixed"])
def test_symmetric_with_translations_in_the_kernel(case, request, tungsten, eam):
    defect = request.getfixturevalue(case)
    H = operator_at(defect.body.reference, defect, tungsten, eam.force_range)
    scale = np.abs(H).max()
    assert abs(H - H.T).max() < 1e-12 * scale
    for axis in range(3):
        assert np.abs(H @ np.tile(np.eye(3)[axis], defect.n_sites)).max() < 1e-12 * scale


def test_slip_by_a_lattice_vector_changes_nothing(perfect, tungsten, eam):
    """The upper half moved by one Burgers vector is the same crystal with its sites renamed.

    Pairs of the reference sites would give other force constants; labels of the deformed pairs give the same.
    """
    upper = perfect.sites[:, 1] > 0
    burgers = np.array([tungsten.crystal.cell.max() * 2, 0.0, 0.0])
    slipped = perfect.sites + upper[:, None] * burgers
    distance, renamed = cKDTree(perfect.sites).query(slipped)
    inside = (distance < 1e-6) & (depth(perfect) > eam.force_range + burgers[0])
    assert inside.sum() > 150 and np.any(renamed[inside] != np.flatnonzero(inside))
    before = (
        operator_at(perfect.sites, perfect, tungsten, eam.force_range)
        .toarray()
        .reshape(-1, 3, perfect.n_sites, 3)
    )
    after = (
        operator_at(slipped, perfect, tungsten, eam.force_range).toarray().reshape(-1, 3, perfect.n_sites, 3)
    )
    sites = np.flatnonzero(inside)
    expected = before[np.ix_(renamed[sites], range(3), renamed[sites], range(3))]
    assert (
        np.abs(after[np.ix_(sites, range(3), sites, range(3))] - expected).max()
        < 1e-12 * np.abs(expected).max()
    )
    unlabelled = before[np.ix_(sites, range(3), sites, range(3))]
    assert np.abs(unlabelled - expected).max() > 0.1 * np.abs(expected).max(), "the slip changes the pairs"


@pytest.mark.parametrize("case", ["edge", "mixed"])
def test_positive_definite_between_the_clamps(case, request, tungsten, eam):
    defect = request.getfixturevalue(case)
    keep = np.repeat(defect.free, 3)
    H = operator_at(defect.body.reference, defect, tungsten, eam.force_range).toarray()[np.ix_(keep, keep)]
    eigenvalues = np.linalg.eigvalsh(H)
    assert eigenvalues[0] > 1e-3 * eigenvalues[-1]


def test_linear_forces_are_minus_h_u_on_the_homogeneous_lattice(perfect, perfect_operators, tungsten, eam):
    pairs = labelled_pairs(perfect.sites, perfect, tungsten, eam.force_range)
    matrices = pair_matrices(pairs.vector, tungsten.force_constants.rotated(perfect.frame))
    u = 0.05 * np.random.default_rng(4).normal(size=perfect.sites.shape)
    current = separations(perfect.sites + u, perfect.cell, perfect.pbc, pairs)
    forces = linear_forces(pairs, matrices, current, perfect.n_sites)
    expected = -(perfect_operators.force_constants @ u.ravel()).reshape(-1, 3)
    assert np.abs(forces - expected).max() < 1e-12 * np.abs(expected).max()
    assert np.abs(linear_forces(pairs, matrices, pairs.vector, perfect.n_sites)).max() == 0.0


def test_pairs_beyond_the_reach_have_no_force_constants(tungsten):
    far = np.array([[20.0, 0.0, 0.0], tungsten.force_constants.vector[3]])
    matrices = pair_matrices(far, tungsten.force_constants)
    assert np.all(matrices[0] == 0) and np.array_equal(matrices[1], tungsten.force_constants.matrix[3])


@pytest.mark.parametrize("noise", [-1e-13, 1e-13])
def test_lookup_does_not_hang_on_the_last_digit(noise, eam):
    constants = force_constants(bulk("W", a=A0_AWKWARD), eam, reach=5.0)
    matrices = pair_matrices(constants.vector * (1 + noise) + noise, constants)
    assert np.array_equal(matrices, constants.matrix)
