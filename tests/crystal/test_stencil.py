"""N(l) of (2.3) and slip-safe labels, on perfect, rattled and slipped crystals."""

import numpy as np
import pytest

from qmfront.crystal.disc import disc, straight_line_cell
from qmfront.crystal.lattice import cubic_crystal
from qmfront.crystal.neighbours import Pairs, pairs_within
from qmfront.crystal.stencil import label_pairs, stencil, stencil_vectors

A0 = 3.1649


def as_set(pairs: Pairs) -> set:
    """Each pair with its vector, rounded."""
    rows = np.column_stack([pairs.first, pairs.second, np.round(pairs.vector, 6) + 0.0])
    return set(map(tuple, rows))


def supercell(structure: str, repeat: int):
    """Positions, cell, basis index and crystal of a periodic supercell."""
    crystal = cubic_crystal("Si", structure, A0)
    atoms = crystal.to_atoms().repeat(repeat)
    basis_index = np.tile(np.arange(len(crystal.basis)), repeat**3)
    return atoms.positions, atoms.cell.array, basis_index, crystal


@pytest.mark.parametrize(
    "structure, touching, facet", [("sc", 26, 6), ("bcc", 14, 14), ("fcc", 18, 12), ("diamond", 28, 16)]
)
def test_number_of_voronoi_neighbours(structure, touching, facet):
    crystal = cubic_crystal("Si", structure, A0)
    for contact, number in (("touching", touching), ("facet", facet)):
        assert [len(v) for v in stencil_vectors(crystal, contact=contact)] == [number] * len(crystal.basis)


def test_bcc_stencil_is_two_shells():
    length = np.linalg.norm(stencil_vectors(cubic_crystal("W", "bcc", A0))[0], axis=1)
    assert np.allclose(length[:8], np.sqrt(3) / 2 * A0) and np.allclose(length[8:], A0)


def test_stencil_agrees_with_the_definition_by_sampling():
    """A point a with |a-l| = |a-m| <= |a-k| is looked for on each bisector plane of bcc by brute force."""
    crystal = cubic_crystal("W", "bcc", A0)
    n = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3), axis=-1).reshape(-1, 3)
    sites = n[np.any(n != 0, axis=1)] @ crystal.cell
    rng = np.random.default_rng(2)
    found = 0
    for v in sites[np.linalg.norm(sites, axis=1) < 1.7 * A0]:
        flat = rng.normal(size=(1000, 3)) * A0 * 0.3
        a = 0.5 * v + flat - np.outer(flat @ v, v) / (v @ v)
        closest = np.linalg.norm(a[:, None] - sites, axis=2).min(axis=1)
        found += bool(np.any(np.linalg.norm(a, axis=1) <= closest + 1e-9))
    assert found == 14


@pytest.mark.parametrize("structure", ["bcc", "fcc", "diamond"])
def test_rattled_crystal_keeps_its_stencil(structure):
    positions, cell, basis_index, crystal = supercell(structure, 4)
    rattle = 0.04 * A0 * np.random.default_rng(1).uniform(-1, 1, positions.shape)
    perfect = stencil(positions, cell, np.ones(3, bool), crystal, basis_index=basis_index)
    rattled = stencil(positions + rattle, cell, np.ones(3, bool), crystal, basis_index=basis_index)
    assert as_set(perfect) == as_set(rattled)
    assert np.all(np.bincount(perfect.first) == len(stencil_vectors(crystal)[0]))


def test_pairs_come_in_both_directions_even_when_labels_are_ambiguous():
    """Atoms at random, far from any lattice: labels mean little but stay antisymmetric."""
    rng = np.random.default_rng(4)
    cell, crystal = np.diag([9.0, 9.0, A0]), cubic_crystal("W", "bcc", A0)
    pairs = stencil(rng.uniform(0, 9, (40, 3)), cell, np.array([False, False, True]), crystal)
    assert len(pairs) > 100 and np.all(np.diff(pairs.first) >= 0)
    assert as_set(pairs) == as_set(Pairs(pairs.second, pairs.first, -pairs.vector))


def test_labels_index_the_vectors_and_contain_the_basis():
    positions, cell, basis_index, crystal = supercell("diamond", 3)
    pairs = pairs_within(positions, cell, np.ones(3, bool), 1.2 * A0)
    labels = label_pairs(pairs, crystal, basis_index=basis_index)
    assert np.abs(labels.vector - pairs.vector).max() < 1e-9
    offset = crystal.basis[labels.second_basis] - crystal.basis[labels.first_basis]
    assert np.allclose(labels.coordinates @ crystal.cell + offset, labels.vectors)
    assert np.array_equal(labels.first_basis[labels.index], basis_index[pairs.first])
    assert len(
        np.unique(np.column_stack([labels.coordinates, labels.first_basis, labels.second_basis]), axis=0)
    ) == len(labels.vectors)


def test_labels_see_through_a_slip_by_a_lattice_vector():
    """Half of the crystal slipped by b: reference separations are off by b, labels are not."""
    cell = straight_line_cell(cubic_crystal("W", "bcc", A0), (0, 1, 0), (0, 0, 1))
    sites = disc(cell, 16.0, clamp_width=8.0)
    slip = np.where(sites.positions[:, 1:2] > 0, [A0, 0.0, 0.0], 0.0)
    pairs = stencil(sites.positions + slip, sites.cell, sites.pbc, cell.crystal)
    inner = sites.free & (np.abs(sites.positions[:, 0]) < 10)
    assert np.all(np.bincount(pairs.first, minlength=len(sites))[inner] == 14)
    reference = sites.positions[pairs.second] - sites.positions[pairs.first]
    off = np.abs((reference - pairs.vector)[:, 0]) > 0.5 * A0
    across = sites.positions[pairs.first][:, 1] * sites.positions[pairs.second][:, 1] < 0
    assert np.array_equal(off, across) and across.any()


def test_basis_index_is_asked_for():
    positions, cell, _, crystal = supercell("diamond", 2)
    with pytest.raises(ValueError, match="need basis_index"):
        stencil(positions, cell, np.ones(3, bool), crystal)
