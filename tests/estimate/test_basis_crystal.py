"""Diamond on the lattice of a defect: strains of each sublattice, H_FC, linearisation, slip, Cauchy-Born difference."""

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from qmfront.coupling.core import core_position
from qmfront.crystal.neighbours import Pairs, pairs_within, separations
from qmfront.crystal.stencil import label_pairs, stencil_vectors
from qmfront.elasticity.deformation import gradient_pairs, pair_forces, pair_gradients
from qmfront.elasticity.dislocation import dislocation_predictor
from qmfront.elasticity.internal import relaxed_shifts
from qmfront.elasticity.moduli import rotated_moduli
from qmfront.elasticity.strain_polynomial import StrainPolynomial, fit_strain_polynomial, invariants
from qmfront.elasticity.stroh import DislocationField
from qmfront.mismatch.cauchy_born import cauchy_born_difference
from qmfront.operators.force_constant_operator import force_constant_operator, linear_forces, pair_matrices
from tests.homogeneous import homogeneous
from tests.models.ace.step_sweep import assert_derivative
from tests.silicon import (
    FORCE_RANGE,
    REACH,
    edge,
    operators_of,
    perfect,
    silicon,
    stillinger_weber,
    sw_forces,
)


def depth(defect) -> np.ndarray:
    """Distance to the outer boundary, Å."""
    radius = np.linalg.norm(defect.sites[:, :2], axis=1)
    return radius.max() - radius


def gradients(defect, displacement: np.ndarray) -> tuple[Pairs, np.ndarray]:
    pairs = gradient_pairs(defect.stencil, defect.basis_index)
    current = separations(defect.body.reference + displacement, defect.cell, defect.pbc, pairs)
    return pairs, pair_gradients(pairs, current, defect.n_sites, basis_index=defect.basis_index)


def mismatch_polynomial() -> StrainPolynomial:
    rng = np.random.default_rng(8)
    parts = [invariants(order, silicon().crystal.point_group()) for order in (3, 4)]
    coefficients = [v @ (50.0 * rng.normal(size=v.shape[1])) for _, v in parts]
    return StrainPolynomial(np.concatenate([e for e, _ in parts]), np.concatenate(coefficients))


def difference(defect, displacement: np.ndarray, mismatch: StrainPolynomial) -> np.ndarray:
    return cauchy_born_difference(defect, displacement, mismatch)


def test_stencil_of_diamond_holds_the_second_neighbours():
    """12 vectors of the same sublattice on either of them: those of fcc, which determine a deformation gradient."""
    crystal = silicon().crystal
    for vectors in stencil_vectors(crystal):
        own = vectors[[crystal.contains(v[None] + crystal.basis[0]) for v in vectors]]
        lattice = [
            v for v in own if np.abs(np.rint(v @ np.linalg.inv(crystal.cell)) @ crystal.cell - v).max() < 1e-9
        ]
        assert len(lattice) == 12 and np.linalg.matrix_rank(lattice) == 3
    count = np.bincount(gradient_pairs(perfect().stencil, perfect().basis_index).first)
    inside = depth(perfect()) > FORCE_RANGE
    assert np.all(count[inside] == 12) and set(perfect().basis_index[inside]) == {0, 1}


def test_gradient_does_not_see_internal_shifts():
    """Exact for an affine deformation with any shift of one sublattice; all neighbours together would see it."""
    defect, F = perfect(), np.eye(3) + 0.05 * np.random.default_rng(1).normal(size=(3, 3))
    F[:, 2] = [0.0, 0.0, 1.0]  # the period along the line is kept
    u = defect.sites @ (F - np.eye(3)).T + np.outer(defect.basis_index, [0.1, -0.2, 0.15])
    _, found = gradients(defect, u)
    inside = depth(defect) > FORCE_RANGE
    assert inside.sum() > 100 and np.abs(found[inside] - F).max() < 1e-12


def test_completeness_and_moments_are_those_of_each_sublattice():
    """Sublattices with stencils of different size and shape: each finds its own gradient, forces are the adjoint."""
    rng = np.random.default_rng(3)
    star = [np.vstack([v, -v]) for v in (rng.normal(size=(4, 3)), rng.normal(size=(6, 3)))]
    kinds = np.array([0, 1, 0, 1, 1])
    rows = [(site, v) for site, kind in enumerate(kinds) for v in star[kind]]
    first = np.array([site for site, _ in rows])
    others = {site: np.flatnonzero((kinds == kinds[site]) & (np.arange(5) != site)) for site in range(5)}
    second = np.array([others[site][count % len(others[site])] for count, site in enumerate(first)])
    pairs = Pairs(first, second, np.array([v for _, v in rows]))
    F = np.eye(3) + 0.1 * rng.normal(size=(3, 3))
    found = pair_gradients(pairs, pairs.vector @ F.T, 5, basis_index=kinds)
    assert np.abs(found - F).max() < 1e-12
    u, P = rng.normal(size=(5, 3)), rng.normal(size=(5, 3, 3))
    moved = pair_gradients(pairs, pairs.vector @ F.T + u[second] - u[first], 5, basis_index=kinds)
    forces = pair_forces(pairs, P, basis_index=kinds)
    assert np.sum(P * (moved - found)) == pytest.approx(-np.sum(forces * u), rel=1e-10)


def test_pair_matrices_tell_sublattices_apart():
    constants = silicon().force_constants
    ends = np.stack([constants.basis_first, constants.basis_second], axis=1)
    assert np.array_equal(pair_matrices(constants.vector, constants, ends=ends), constants.matrix)
    same = (ends == 0).all(axis=1) & (np.linalg.norm(constants.vector, axis=1) > 0.1)
    swapped = pair_matrices(constants.vector[same], constants, ends=1 - ends[same])
    assert np.abs(swapped - constants.matrix[same]).max() > 0.01 * np.abs(constants.matrix[same]).max()
    with pytest.raises(ValueError, match="Pass ends"):
        pair_matrices(constants.vector, constants)


@pytest.mark.parametrize("case", ["perfect", "edge"])
def test_operator_is_symmetric_and_positive_definite_with_translations_in_the_kernel(case):
    """Translations leave no force on sites that have all their neighbours; the core and the rim do not."""
    defect, H = {"perfect": perfect, "edge": edge}[case](), operators_of(case).force_constants
    scale = np.abs(H).max()
    assert abs(H - H.T).max() < 1e-12 * scale
    whole = (depth(defect) > REACH + 1.0) & (
        (np.linalg.norm(defect.sites[:, :2], axis=1) > 4 * defect.r0) | (case == "perfect")
    )
    rigid = (H @ np.tile([0.3, 1.0, -0.5], defect.n_sites)).reshape(-1, 3)
    assert whole.sum() > 100 and np.abs(rigid[whole]).max() < 1e-12 * scale
    keep = np.repeat(defect.free, 3)
    eigenvalues = np.linalg.eigvalsh(H.toarray()[np.ix_(keep, keep)])
    assert eigenvalues[0] > 1e-4 * eigenvalues[-1]


def test_operator_is_minus_the_jacobian_of_the_forces():
    defect, h = perfect(), 1e-4
    v = np.random.default_rng(1).normal(size=defect.sites.shape)
    change = sw_forces(defect.body.atoms(h * v)) - sw_forces(defect.body.atoms(-h * v))
    expected = (operators_of("perfect").force_constants @ v.ravel()).reshape(-1, 3)
    whole = depth(defect) > FORCE_RANGE
    assert whole.sum() > 100
    assert np.abs(-change / (2 * h) - expected)[whole].max() < 1e-5 * np.abs(expected[whole]).max()


def test_linear_residual_of_homogeneous_strain_is_of_second_order():
    """With the shifts that the crystal takes; without them it is of first order."""
    defect, sizes = perfect(), np.array([4e-3, 2e-3, 1e-3])
    e = np.random.default_rng(2).normal(size=(3, 3))
    crystal = silicon().crystal.rotated(defect.frame)
    e[:, 2] = 0.0  # the period along the line is kept, so only in-plane gradients are homogeneous there
    shifts = relaxed_shifts(crystal, stillinger_weber(), np.eye(3) + sizes[:, None, None] * e).shifts
    inside, left, bare = depth(defect) > FORCE_RANGE, [], []
    for size, shift in zip(sizes, shifts, strict=True):
        u = size * defect.sites @ e.T
        bare.append(np.abs(operators_of("perfect").linear_residual(u)[inside]).max())
        u = u + shift[defect.basis_index]
        left.append(np.abs(operators_of("perfect").linear_residual(u)[inside]).max())
    assert np.all(np.abs(np.diff(np.log2(left)) + 2) < 0.1), left
    assert np.all(np.abs(np.diff(np.log2(bare)) + 1) < 0.05) and bare[-1] > 20 * left[-1]


def test_slip_by_a_burgers_vector_leaves_no_forces():
    """The upper half moved by 1/2<110> is the same crystal with its sites renamed: linear forces vanish inside."""
    defect, bulk = perfect(), silicon()
    crystal, constants = bulk.crystal.rotated(defect.frame), bulk.force_constants.rotated(defect.frame)
    burgers = np.array([2 * crystal.cell[:, 0].max(), 0.0, 0.0])
    slipped = defect.sites + (defect.sites[:, 1] > 0)[:, None] * burgers
    distance, renamed = cKDTree(defect.sites).query(slipped)
    inside = (distance < 1e-6) & (depth(defect) > REACH + burgers[0] + 0.5)
    assert inside.sum() > 100 and np.all(defect.basis_index[renamed[inside]] == defect.basis_index[inside])
    assert np.any(renamed[inside] != np.flatnonzero(inside))
    pairs = pairs_within(slipped, defect.cell, defect.pbc, REACH)
    labels = label_pairs(pairs, crystal, basis_index=defect.basis_index)
    ends = np.stack([labels.first_basis, labels.second_basis], axis=1)
    matrices = pair_matrices(labels.vectors, constants, ends=ends)[labels.index]
    labelled = Pairs(pairs.first, pairs.second, labels.vector)
    assert np.abs(linear_forces(labelled, matrices, pairs.vector, defect.n_sites)[inside]).max() < 1e-9
    naive = -(operators_of("perfect").force_constants @ (slipped - defect.sites).ravel()).reshape(-1, 3)
    assert np.abs(naive[inside]).max() > 1.0
    after = force_constant_operator(labelled, matrices, defect.n_sites).diagonal().reshape(-1, 3)
    before = operators_of("perfect").force_constants.diagonal().reshape(-1, 3)
    assert np.abs(after[inside] - before[renamed[inside]]).max() < 1e-10 * np.abs(before).max()


def test_predictor_is_in_balance_far_from_the_core():
    """Linear forces of the predictor are of the order of strain squared; without the internal shifts, of strain."""
    defect, operators, bulk = edge(), operators_of("edge"), silicon()
    burgers = defect.frame @ [0.5, 0.5, 0.0] * bulk.crystal.lattice_constant
    field = DislocationField(rotated_moduli(bulk.moduli, defect.frame), burgers)
    bravais = dislocation_predictor(defect.sites, field, core_radius=4.0 * defect.r0)
    bare = operators.linear_residual(bravais - defect.predictor)
    ring = defect.free & (np.linalg.norm(defect.sites[:, :2], axis=1) > 6 * defect.r0)
    assert ring.sum() > 50
    assert np.abs(operators.linear_predictor[ring]).max() < 0.2 * np.abs(bare[ring]).max()
    assert np.linalg.norm(core_position(np.zeros_like(defect.sites), defect)[:2]) < 2 * defect.r0


def test_cauchy_born_difference_is_a_gradient_without_net_force():
    """Minus the derivative of sum dW(F_l) / 2 at a rattled dislocation."""
    defect, mismatch, rng = edge(), mismatch_polynomial(), np.random.default_rng(1)
    u, v = 0.05 * rng.normal(size=defect.sites.shape), rng.normal(size=defect.sites.shape)
    forces = difference(defect, u, mismatch)

    def energy(t: float) -> float:
        gradient = gradients(defect, u + t * v)[1]
        return float(mismatch.energy(defect.frame.T @ gradient @ defect.frame).sum()) / 2

    assert_derivative(energy, -np.sum(forces * v), scale=0.1)
    size = np.abs(forces).sum()
    assert size > 1.0 and np.abs(forces.sum(axis=0)).max() < 1e-12 * size


def test_homogeneous_strain_with_any_shift_leaves_no_force_inside():
    defect = perfect()
    e = np.array([[0.02, 0.05, 0.0], [-0.01, 0.03, 0.0], [0.04, -0.03, 0.0]])
    u = defect.sites @ e.T + np.outer(defect.basis_index, [0.1, -0.2, 0.15])
    forces = difference(defect, u, mismatch_polynomial())
    inside = depth(defect) > FORCE_RANGE
    assert np.abs(forces[inside]).max() < 1e-10 * np.abs(forces).max() and np.abs(forces).max() > 1e-3


def wave_error(n: int, whole: StrainPolynomial) -> float:
    """Relative difference of Cauchy-Born and atomistic forces, both summed over each cell, for a wave of n cells."""
    frame = Rotation.random(random_state=4).as_matrix()
    crystal = silicon().crystal.rotated(frame)
    atoms = crystal.to_atoms() * (n, 1, 1)
    basis_index = np.tile([0, 1], n)
    piece = homogeneous(crystal, atoms, frame)
    wave = 2 * np.pi * np.linalg.inv(atoms.cell.array)[:, 0]
    phase, amplitude = atoms.positions @ wave, n * np.array([1e-4, -2e-4, 1.5e-4])
    gradient = np.eye(3) - np.einsum("n,i,j->nij", np.sin(phase), amplitude, wave)
    chosen = relaxed_shifts(crystal, stillinger_weber(), gradient).shifts
    shifts = chosen[np.arange(2 * n), basis_index]
    u = np.outer(np.cos(phase), amplitude) + shifts
    ours = cauchy_born_difference(piece, u, whole)
    exact = sw_forces(piece.body.atoms(u))
    ours, exact = (f.reshape(n, 2, 3).sum(axis=1) for f in (ours, exact))
    return float(np.linalg.norm(ours - exact) / np.linalg.norm(exact))


def test_cauchy_born_forces_are_atomistic_forces_on_smooth_fields():
    """With all of W_cb: the forces on whole cells agree better the longer the wave, the factor 1/2 included."""
    bulk = silicon()
    whole = fit_strain_polynomial(
        bulk.gradients, bulk.stresses, orders=(2, 3, 4), rotations=bulk.crystal.point_group()
    )
    lengths = np.array([12, 24, 48])
    errors = np.array([wave_error(n, whole) for n in lengths])
    assert errors[-1] < 0.02, errors
    assert np.all(np.diff(np.log(errors)) / np.diff(np.log(lengths)) < -0.9), errors
