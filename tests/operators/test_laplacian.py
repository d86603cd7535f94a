"""The generalised graph Laplacian (3.2): against ASE's Exp preconditioner, graph theory and the force constants."""

from dataclasses import replace

import matscipy.neighbours
import numpy as np
import pytest
from ase.build import bulk
from ase.constraints import FixAtoms
from ase.neighborlist import neighbor_list
from ase.optimize.precon import Exp
from ase.optimize.precon.neighbors import estimate_nearest_neighbour_distance

from qmfront.crystal.neighbours import Pairs, pairs_within
from qmfront.operators.force_constant_operator import force_constant_operator, pair_matrices
from qmfront.operators.laplacian import graph_laplacian, laplacian_scale, largest_nearest_distance

A0 = 3.1649  # Å


def rattled_crystal():
    """Sheared, rattled bcc with a vacancy, 3 cells wide along one direction: several images per pair."""
    rng = np.random.default_rng(11)
    atoms = bulk("W", a=A0, cubic=True) * (3, 2, 1)
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.05 * rng.normal(size=(3, 3))), scale_atoms=True)
    atoms.positions += 0.1 * rng.normal(size=(len(atoms), 3))
    return atoms[1:]


def neighbour_list(n: int):
    """ASE's own neighbours for few atoms; for a disc they take a minute, so matscipy's."""
    return neighbor_list if n < 100 else matscipy.neighbours.neighbour_list


def ase_matrix(atoms, *, r_nn: float, cutoff: float) -> np.ndarray:
    """ASE's scalar matrix with mu = 1, A = 3, c_stab = 0.1 (its three components are equal)."""
    precon = Exp(A=3.0, r_cut=cutoff, r_NN=r_nn, mu=1.0, c_stab=0.1, solver="direct", reinitialize=False)
    precon.neighbor_list = neighbour_list(len(atoms))
    precon.make_precon(atoms)
    full = precon.asarray()
    assert np.array_equal(full[::3, ::3], full[2::3, 2::3]) and np.all(full[::3, 1::3] == 0)
    return full[::3, ::3]


@pytest.mark.parametrize("structure", ["crystal", "dislocation"])
def test_equals_the_exp_preconditioner_of_ase(structure, edge):
    """Same matrix; y_nn by our rule is ASE's rule as well.

    Two differences: ASE takes mu from the forces of a test wave, here both get 1; ASE drops pairs of an atom with
    its own image, which we add to both sides of the row sum, where they cancel.
    """
    atoms = rattled_crystal() if structure == "crystal" else edge.body.atoms(np.zeros_like(edge.sites))
    n, cutoff = len(atoms), 2.5 * A0 * np.sqrt(3) / 2
    pairs = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, cutoff)
    nearest = largest_nearest_distance(pairs, n)
    assert nearest == pytest.approx(estimate_nearest_neighbour_distance(atoms, neighbour_list(n)), rel=1e-12)
    ours = graph_laplacian(pairs, n, mu=1.0, nearest=nearest, decay=3.0, stabilisation=0.1).toarray()
    assert np.abs(ours - ase_matrix(atoms, r_nn=nearest, cutoff=cutoff)).max() < 1e-12 * np.abs(ours).max()


def test_clamped_sites_of_ase_are_a_restriction(edge):
    """With FixAtoms ASE drops c_stab and writes unit rows for clamped atoms; the free block is our L without C_stab."""
    atoms = edge.body.atoms(np.zeros_like(edge.sites))
    atoms.set_constraint(FixAtoms(np.flatnonzero(~edge.free)))
    cutoff = 2.5 * edge.r0
    pairs = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, cutoff)
    ours = graph_laplacian(pairs, len(atoms), mu=1.0, nearest=edge.r0, decay=3.0).toarray()
    theirs = ase_matrix(atoms, r_nn=edge.r0, cutoff=cutoff)
    block = np.ix_(edge.free, edge.free)
    assert np.abs(ours[block] - theirs[block]).max() < 1e-12 * np.abs(ours).max()
    assert np.array_equal(theirs[~edge.free], np.eye(len(atoms))[~edge.free])


@pytest.mark.parametrize("decay", [0.0, 3.0])
@pytest.mark.parametrize("stabilisation", [0.0, 0.1])
def test_rows_sum_to_the_stabilisation(decay, stabilisation):
    atoms = rattled_crystal()
    pairs = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, 5.0)
    L = graph_laplacian(
        pairs, len(atoms), mu=0.7, nearest=2.7, decay=decay, stabilisation=stabilisation
    ).toarray()
    assert np.abs(L.sum(axis=1) - 0.7 * stabilisation).max() < 1e-12 * L.max()
    assert np.abs(L - L.T).max() < 1e-12 * L.max()
    eigenvalues = np.linalg.eigvalsh(L)
    assert eigenvalues[0] == pytest.approx(0.7 * stabilisation, abs=1e-12 * L.max())
    assert eigenvalues[1] > 0.1, "the crystal is connected: constants are the only kernel of L without C_stab"


def test_without_decay_it_is_the_standard_graph_laplacian():
    """mu (degree matrix - adjacency matrix), pairs through several images counted once each."""
    atoms = rattled_crystal()
    n = len(atoms)
    pairs = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, 5.0)
    adjacency = np.zeros((n, n))
    for i, j in zip(pairs.first, pairs.second, strict=True):
        adjacency[i, j] += 1
    assert adjacency.max() > 1 and np.any(np.diag(adjacency) > 0), "needs pairs with images and self images"
    expected = np.diag(adjacency.sum(axis=1)) - adjacency
    assert np.array_equal(graph_laplacian(pairs, n, mu=1.0, nearest=2.7, decay=0.0).toarray(), expected)


def test_quadratic_form_is_the_sum_over_bonds():
    """u L u = mu/2 sum_ij exp(-A (r/y_nn - 1)) (u_i - u_j)^2 + mu C_stab |u|^2, each directed pair once."""
    atoms, u = rattled_crystal(), np.random.default_rng(2).normal(size=11)
    pairs = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, 6.0)
    L = graph_laplacian(pairs, 11, mu=1.3, nearest=2.6, decay=3.0, stabilisation=0.1)
    weight = np.exp(-3.0 * (np.linalg.norm(pairs.vector, axis=1) / 2.6 - 1))
    energy = 0.65 * np.sum(weight * (u[pairs.second] - u[pairs.first]) ** 2) + 0.13 * u @ u
    assert u @ (L @ u) == pytest.approx(energy, rel=1e-12)


@pytest.mark.parametrize("cubic, axis", [(True, 2), (False, 0), (False, 1)])
def test_scale_matches_the_force_constants_on_long_waves(tungsten, cubic, axis):
    """Rayleigh quotients of H_FC (mean over polarisations) and L agree as the wave gets longer, error ~ 1/length^2.

    In a cubic crystal the trace over polarisations does not depend on the direction for long waves, so that each
    direction, here along [001] and along reciprocal vectors of type <110>, shows the mean over directions.
    """
    cutoff, r0 = (
        2.5 * tungsten.crystal.nearest_neighbour_distance,
        tungsten.crystal.nearest_neighbour_distance,
    )
    mu = laplacian_scale(tungsten.force_constants, nearest=r0, decay=3.0, cutoff=cutoff)
    lengths = np.array([16, 32, 64])
    errors = np.abs([rayleigh_ratio(tungsten, mu, cutoff, n, cubic=cubic, axis=axis) - 1.0 for n in lengths])
    assert errors[-1] < 1e-2
    assert np.all(np.abs(np.diff(np.log(errors)) / np.diff(np.log(lengths)) + 2.0) < 0.1), errors


def rayleigh_ratio(tungsten, mu: float, cutoff: float, n: int, *, cubic: bool, axis: int) -> float:
    """(1/3) sum_e u_e H u_e / u L u for one plane wave of n cells along a reciprocal vector."""
    a0, r0 = tungsten.crystal.cell.max() * 2, tungsten.crystal.nearest_neighbour_distance
    cell = bulk("W", a=a0, cubic=True) if cubic else tungsten.crystal.to_atoms()
    repeat = [1, 1, 1]
    repeat[axis] = n
    atoms = cell * repeat
    constants = tungsten.force_constants
    reach = np.linalg.norm(constants.vector, axis=1).max() + 1e-6
    pairs = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, reach)
    H = force_constant_operator(pairs, pair_matrices(pairs.vector, constants), len(atoms))
    bonds = pairs.chosen(np.linalg.norm(pairs.vector, axis=1) < cutoff)
    L = graph_laplacian(bonds, len(atoms), mu=mu, nearest=r0)
    wave = np.cos(2 * np.pi * atoms.get_scaled_positions()[:, axis] + 0.3)
    energies = [u @ (H @ u) for u in (np.outer(wave, e).ravel() for e in np.eye(3))]
    return float(np.mean(energies) / (wave @ (L @ wave)))


def test_scale_is_homogeneous(tungsten):
    """Twice as stiff force constants give twice the mu; the factor does not depend on units of length otherwise."""
    constants = tungsten.force_constants
    settings = {"nearest": 2.74, "decay": 3.0, "cutoff": 6.85}
    mu = laplacian_scale(constants, **settings)
    assert laplacian_scale(replace(constants, matrix=2 * constants.matrix), **settings) == pytest.approx(
        2 * mu
    )
    longer = replace(constants, vector=1.5 * constants.vector)
    stretched = laplacian_scale(longer, nearest=1.5 * 2.74, decay=3.0, cutoff=1.5 * 6.85)
    assert stretched == pytest.approx(mu, rel=1e-12)


def test_lonely_site_has_no_nearest_distance():
    pairs = Pairs(np.array([0, 1]), np.array([1, 0]), np.array([[1.0, 0, 0], [-1.0, 0, 0]]))
    assert largest_nearest_distance(pairs, 2) == 1.0
    with pytest.raises(ValueError, match="1 sites have no neighbour.*cutoff_r0"):
        largest_nearest_distance(pairs, 3)


def test_unstable_lattice_has_no_scale(tungsten):
    unstable = replace(tungsten.force_constants, matrix=-tungsten.force_constants.matrix)
    with pytest.raises(ValueError, match="must be positive"):
        laplacian_scale(unstable, nearest=2.74, decay=3.0, cutoff=6.85)
