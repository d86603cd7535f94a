"""Residual forces: exact in a buffered cluster, from the Cauchy-Born difference, and linearised as in (3.7)."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from qmfront.crystal.neighbours import pairs_within, separations
from qmfront.crystal.stencil import label_pairs
from qmfront.elasticity.deformation import pair_gradients
from qmfront.elasticity.strain_polynomial import StrainPolynomial, fit_strain_polynomial, invariants
from qmfront.estimate.residual import combined, core_residual, linearised_residual
from qmfront.mismatch.cauchy_born import cauchy_born_difference
from qmfront.operators.force_constant_operator import pair_matrices
from tests.homogeneous import homogeneous
from tests.models.ace.step_sweep import assert_derivative


@pytest.fixture(scope="module")
def mismatch(tungsten) -> StrainPolynomial:
    """A random cubic polynomial of orders 3 and 4 in crystal axes."""
    rng = np.random.default_rng(8)
    parts = [invariants(order, tungsten.crystal.point_group()) for order in (3, 4)]
    coefficients = [v @ (50.0 * rng.normal(size=v.shape[1])) for _, v in parts]
    return StrainPolynomial(np.concatenate([e for e, _ in parts]), np.concatenate(coefficients))


def cauchy_born_energy(defect, displacement, mismatch) -> float:
    """sum_l dW(F_l)."""
    positions = defect.body.reference + displacement
    current = separations(positions, defect.cell, defect.pbc, defect.stencil)
    gradient = pair_gradients(defect.stencil, current, defect.n_sites)
    return float(mismatch.energy(defect.frame.T @ gradient @ defect.frame).sum())


@pytest.mark.parametrize("case", ["edge", "mixed"])
def test_cauchy_born_difference_is_a_gradient(case, request, mismatch):
    """Minus the derivative of sum dW(F_l) along a random direction, at a rattled dislocation."""
    defect = request.getfixturevalue(case)
    rng = np.random.default_rng(1)
    u, v = 0.05 * rng.normal(size=defect.sites.shape), rng.normal(size=defect.sites.shape)
    forces = cauchy_born_difference(defect, u, mismatch)
    assert_derivative(
        lambda t: cauchy_born_energy(defect, u + t * v, mismatch), -np.sum(forces * v), scale=0.1
    )


def test_cauchy_born_difference_has_no_net_force_and_torque(mixed, mismatch):
    """The energy does not change under translations and rotations about the line."""
    u = 0.05 * np.random.default_rng(2).normal(size=mixed.sites.shape)
    forces = cauchy_born_difference(mixed, u, mismatch)
    size = np.abs(forces).sum()
    assert size > 1.0 and np.abs(forces.sum(axis=0)).max() < 1e-12 * size
    torque = np.cross(mixed.body.reference + u, forces)[:, 2]
    assert abs(torque.sum()) < 1e-12 * np.abs(torque).sum()


def test_homogeneous_strain_leaves_no_force_inside(perfect, mismatch):
    """Every F_l is the same and the pulls of opposite neighbours cancel; the surface of the disc sees a force."""
    shear = np.eye(3) + np.array([[0.02, 0.05, 0.0], [-0.01, 0.03, 0.0], [0.04, -0.03, 0.0]])
    u = perfect.sites @ (shear - np.eye(3)).T
    forces = cauchy_born_difference(perfect, u, mismatch)
    assert np.abs(forces[perfect.free]).max() < 1e-10 * np.abs(forces).max() and np.abs(forces).max() > 1e-3


def test_cauchy_born_forces_are_atomistic_forces_on_smooth_fields(tungsten, eam_forces):
    """With the whole W_cb of a model in place of a difference: forces agree as 1/length^2 of a plane wave.

    In a random frame, so that crystal axes and frame cannot be exchanged unnoticed.
    """
    frame = Rotation.random(random_state=4).as_matrix()
    whole = fit_strain_polynomial(
        tungsten.gradients, tungsten.stresses, orders=(2, 3, 4), rotations=tungsten.crystal.point_group()
    )
    lengths = np.array([12, 24, 48])
    errors = np.array([wave_error(tungsten, frame, whole, n, eam_forces) for n in lengths])
    assert errors[-1] < 0.02
    assert np.all(np.abs(np.diff(np.log(errors)) / np.diff(np.log(lengths)) + 2.0) < 0.2), errors


def wave_error(tungsten, frame, energy_density, n: int, eam_forces) -> float:
    """Relative difference of Cauchy-Born and atomistic forces for a wave of n cells in the crystal seen in frame."""
    crystal = tungsten.crystal.rotated(frame)
    atoms = crystal.to_atoms() * (n, 1, 1)
    crystal_piece = homogeneous(crystal, atoms, frame)
    phase = 2 * np.pi * atoms.get_scaled_positions()[:, 0]
    u = np.outer(np.cos(phase), [1e-4, -2e-4, 1.5e-4]) * n
    ours = cauchy_born_difference(crystal_piece, u, energy_density)
    exact = eam_forces(crystal_piece.body.atoms(u))
    return float(np.linalg.norm(ours - exact) / np.linalg.norm(exact))


def test_linearised_residual_is_exact_to_first_order(perfect, perfect_operators, tungsten, eam, eam_forces):
    """On the homogeneous lattice the error grows with the square of the displacement."""
    pairs = pairs_within(perfect.sites, perfect.cell, perfect.pbc, eam.force_range)
    labels = label_pairs(pairs, tungsten.crystal.rotated(perfect.frame))
    matrices = pair_matrices(labels.vector, tungsten.force_constants.rotated(perfect.frame))
    v = np.random.default_rng(3).normal(size=perfect.sites.shape)
    v[~perfect.free] = 0.0
    sizes, errors = np.array([0.02, 0.01, 0.005]), []
    for size in sizes:
        linear = linearised_residual(perfect.body, size * v, replace(pairs, vector=labels.vector), matrices)
        exact = eam_forces(perfect.body.atoms(size * v))
        errors.append(np.linalg.norm((linear - exact)[perfect.free]))
        again = perfect_operators.linear_residual(size * v)
        assert np.abs(linear - again).max() < 1e-10 * np.abs(linear).max(), "assembled once at the predictor"
    assert np.all(np.abs(np.diff(np.log(errors)) / np.diff(np.log(sizes)) - 2.0) < 0.05), errors


def test_linearised_residual_removes_the_slip(edge, edge_operators, perfect_operators):
    """Far from the core the predictor is in balance up to strain squared, across the cut too.

    The operator of the reference sites would see atoms that moved apart by b and pull with more than 1 eV/Å.
    """
    radius = np.linalg.norm(edge.sites[:, :2], axis=1)
    ring = edge.free & (radius > 6 * edge.r0)
    naive = -(perfect_operators.force_constants @ edge.predictor.ravel()).reshape(-1, 3)
    assert np.abs(edge_operators.linear_predictor[ring]).max() < 0.01
    assert np.abs(naive[ring]).max() > 1.0


def core_of(defect, radius_r0: float) -> np.ndarray:
    return np.linalg.norm(defect.sites[:, :2], axis=1) < radius_r0 * defect.r0


@pytest.mark.parametrize("case", ["edge", "mixed"])
def test_core_residual_in_twice_the_cutoff_is_exact(case, request, eam, eam_forces):
    """The force on an atom of an EAM model depends on atoms within 2 r_cut and on no others."""
    defect = request.getfixturevalue(case)
    u = 0.03 * np.random.default_rng(5).normal(size=defect.sites.shape)
    core = core_of(defect, 2.0)
    full = eam_forces(defect.body.atoms(u))
    forces, cluster = core_residual(defect.body, u, core, eam_forces, buffer=eam.force_range)
    assert len(cluster.sites) < defect.n_sites, "the cluster must leave something out"
    assert np.array_equal(cluster.sites[cluster.wanted], np.flatnonzero(core))
    assert np.abs(forces - full)[core].max() < 1e-10 and np.all(forces[~core] == 0.0)


def test_core_residual_in_a_thin_buffer_is_not_exact(edge, eam, eam_forces):
    """The other atoms of the core matter through the density of their neighbours."""
    u, core = np.zeros_like(edge.sites), core_of(edge, 2.0)
    full = eam_forces(edge.body.atoms(u))
    errors = [
        np.abs(core_residual(edge.body, u, core, eam_forces, buffer=b)[0] - full)[core].max()
        for b in (0.5 * eam.cutoff, eam.cutoff, 1.5 * eam.cutoff)
    ]
    assert errors[0] > 0.1 and errors[0] > errors[1] > errors[2] > 1e-10, errors


def test_core_residual_asks_once(edge, eam, eam_forces):
    calls = []

    def counted(atoms):
        calls.append(len(atoms))
        return eam_forces(atoms)

    _, cluster = core_residual(
        edge.body, np.zeros_like(edge.sites), core_of(edge, 2.0), counted, buffer=eam.cutoff
    )
    assert calls == [len(cluster.sites)]


def test_combined_takes_each_residual_where_it_belongs(edge):
    core = core_of(edge, 2.0)
    rng = np.random.default_rng(0)
    inside, outside = rng.normal(size=(2, *edge.sites.shape))
    forces = combined(core, inside, outside, edge.free)
    assert np.array_equal(forces[core], inside[core])
    assert np.array_equal(forces[edge.free & ~core], outside[edge.free & ~core])
    assert not forces[~edge.free].any()
