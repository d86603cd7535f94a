"""Crystals: symmetry, Wigner-Seitz cells and nearest lattice vectors against brute force."""

import itertools

import numpy as np
import pytest
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from qmfront.crystal.lattice import Crystal, bisector_contacts, crystal_from_atoms, cubic_crystal

A0 = 3.2
STRUCTURES = {  # atoms per primitive cell, volume per a^3, r0 / a
    "sc": (1, 1.0, 1.0),
    "bcc": (1, 1 / 2, np.sqrt(3) / 2),
    "fcc": (1, 1 / 4, np.sqrt(1 / 2)),
    "diamond": (2, 1 / 4, np.sqrt(3) / 4),
}


def triclinic(seed: int = 5) -> Crystal:
    """A lattice without symmetry, in a badly reduced cell, with two species."""
    rng = np.random.default_rng(seed)
    cell = 3 * np.eye(3) + 0.5 * rng.normal(size=(3, 3))
    skew = np.array([[1, 2, -1], [0, 1, 3], [0, 0, 1]])
    basis = np.array([[0.0, 0.0, 0.0], [1.3, 1.1, 1.7]])
    return Crystal(cell=skew @ cell, basis=basis, numbers=np.array([14, 6]))


@pytest.mark.parametrize("structure", STRUCTURES)
def test_cubic_crystals_have_known_geometry(structure):
    n_atoms, volume, r0 = STRUCTURES[structure]
    crystal = cubic_crystal("Si", structure, A0)
    assert len(crystal.numbers) == n_atoms
    assert crystal.volume == pytest.approx(volume * A0**3, rel=1e-14)
    assert crystal.nearest_neighbour_distance == pytest.approx(r0 * A0, rel=1e-14)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_cubic_point_group_has_48_operations_and_is_a_group(structure):
    group = cubic_crystal("Si", structure, A0).point_group()
    assert len(group) == 48
    assert np.allclose(group @ group.transpose(0, 2, 1), np.eye(3), atol=1e-12)
    products = np.einsum("aij,bjk->abik", group, group).reshape(-1, 9)
    apart = np.abs(products[:, None] - group.reshape(1, -1, 9)).max(axis=2).min(axis=1)
    assert apart.max() < 1e-10


def test_point_group_follows_strain_and_species():
    bcc = cubic_crystal("W", "bcc", A0)
    assert len(bcc.strained(np.diag([1.0, 1.0, 1.02])).point_group()) == 16
    zincblende = cubic_crystal("Si", "diamond", A0)
    zincblende = Crystal(zincblende.cell, zincblende.basis, np.array([14, 6]))
    assert len(zincblende.point_group()) == 24
    assert len(triclinic().point_group()) == 1


def test_rotation_turns_the_point_group():
    turn = Rotation.from_rotvec([0.3, -0.8, 0.5]).as_matrix()
    crystal = cubic_crystal("Si", "diamond", A0)
    turned = crystal.rotated(turn).point_group()
    expected = turn @ crystal.point_group() @ turn.T
    apart = np.abs(turned[:, None] - expected[None]).max(axis=(2, 3)).min(axis=1)
    assert len(turned) == 48 and apart.max() < 1e-10


@pytest.mark.parametrize("structure, facets", [("sc", 6), ("bcc", 14), ("fcc", 12)])
def test_wigner_seitz_cell_fills_space(structure, facets):
    crystal = cubic_crystal("W", structure, A0)
    vectors = crystal.voronoi_vectors
    assert len(vectors) == facets
    corners, _ = bisector_contacts(vectors)
    assert ConvexHull(corners).volume == pytest.approx(crystal.volume, rel=1e-9)


@pytest.mark.parametrize(
    "crystal", [cubic_crystal("W", "bcc", A0), cubic_crystal("W", "fcc", A0), triclinic()]
)
def test_nearest_lattice_vector_is_nearest(crystal):
    rng = np.random.default_rng(0)
    points = 4 * rng.normal(size=(300, 3))
    found = crystal.nearest_lattice_vectors(points)
    around = np.array(list(itertools.product(range(-4, 5), repeat=3))) @ crystal.cell
    if len(crystal.basis) > 1:  # undo the skew, so that the brute-force search spans all directions
        around = (
            around
            @ np.linalg.inv(crystal.cell)
            @ np.linalg.inv([[1, 2, -1], [0, 1, 3], [0, 0, 1]])
            @ crystal.cell
        )
    candidates = (found @ crystal.cell)[:, None] + around
    nearest = np.linalg.norm(candidates - points[:, None], axis=2).min(axis=1)
    distance = np.linalg.norm(found @ crystal.cell - points, axis=1)
    assert np.allclose(distance, nearest, atol=1e-10)
    assert distance.max() > 0.3 * crystal.volume ** (1 / 3)  # the points do probe the whole cell


def test_nearest_lattice_vector_is_odd_at_ties():
    crystal = cubic_crystal("W", "bcc", A0)
    corners, _ = bisector_contacts(crystal.voronoi_vectors)
    rng = np.random.default_rng(0)
    ties = np.vstack([0.5 * crystal.voronoi_vectors, corners])
    # Ties at the origin are symmetric by themselves; moved by lattice vectors they are not.
    points = ties[rng.integers(len(ties), size=4000)] + rng.integers(-4, 5, (4000, 3)) @ crystal.cell
    forward, backward = crystal.nearest_lattice_vectors(points), crystal.nearest_lattice_vectors(-points)
    assert np.array_equal(forward, -backward)


def test_round_trip_through_ase():
    crystal = triclinic()
    again = crystal_from_atoms(crystal.to_atoms())
    assert np.array_equal(again.cell, crystal.cell) and np.array_equal(again.numbers, crystal.numbers)


def test_bad_input_says_what_to_do():
    with pytest.raises(ValueError, match="three independent rows"):
        Crystal(np.ones((3, 3)), np.zeros((1, 3)), np.array([74]))
    with pytest.raises(ValueError, match="one Cartesian row per atom"):
        Crystal(np.eye(3), np.zeros((2, 3)), np.array([74]))
