"""Point defects: which atoms there are, who neighbours whom, and that position and translation do not matter."""

import numpy as np
import pytest

from qmfront.crystal.defect import ADDED
from qmfront.crystal.neighbours import separations
from qmfront.crystal.point_defect import PointDefect, point_defect
from qmfront.elasticity.deformation import gradient_pairs, pair_gradients
from tests.points import DEFECTS, point
from tests.silicon import silicon, sw_forces


@pytest.mark.parametrize("name", DEFECTS)
@pytest.mark.parametrize("cells", [2, 3])
def test_atoms_are_the_lattice_less_the_removed_plus_the_added(name, cells):
    defect, wanted = point(name, cells), DEFECTS[name]
    assert defect.n_sites == 8 * cells**3 - len(wanted["removed"]) + len(wanted["added"])
    assert np.sum(defect.basis_index == ADDED) == len(wanted["added"])
    assert defect.free.all() and defect.pbc.all() and defect.dimension == 3
    assert np.abs(defect.sites - defect.core).max() < 0.6 * cells * defect.period[0], (
        "folded around the defect"
    )


def test_triangular_interstitial_has_three_bonds_of_a_bond_length():
    defect = point("triangular")
    atoms = defect.body.atoms(np.zeros_like(defect.sites))
    added = np.flatnonzero(defect.basis_index == ADDED)
    distance = atoms.get_all_distances(mic=True)
    among = distance[np.ix_(added, added)][np.triu_indices(3, 1)]
    assert among == pytest.approx(2 * np.sqrt(2) * 0.155 * defect.period[0])
    assert distance[added][distance[added] > 0].min() > 1.9, "the model refuses closer atoms"


@pytest.mark.parametrize("name", DEFECTS)
def test_neighbours_are_mutual_and_those_of_the_lattice_far_away(name):
    defect = point(name)
    pairs = set(zip(defect.stencil.first.tolist(), defect.stencil.second.tolist(), strict=True))
    assert pairs == {(b, a) for a, b in pairs}
    count = np.bincount(defect.stencil.first, minlength=defect.n_sites)
    far = np.linalg.norm(defect.sites - defect.core, axis=1) > 3.2 * defect.r0
    assert np.all(count[far] == 28) and np.any(count[~far] != 28)
    assert np.all(count[defect.basis_index == ADDED] >= 3)


def test_strain_is_seen_by_whole_sites_alone():
    """A homogeneous strain is found exactly where the lattice is whole; added atoms have none."""
    defect = point("triangular")
    F = np.eye(3) + 0.01 * np.random.default_rng(0).normal(size=(3, 3))
    pairs = gradient_pairs(defect.stencil, defect.basis_index)
    still = separations(defect.sites, defect.cell, defect.pbc, pairs)
    gradient = pair_gradients(pairs, still @ F.T, defect.n_sites, basis_index=defect.basis_index)
    whole = np.abs(gradient - F).max(axis=(1, 2)) < 1e-12
    assert 0.5 * defect.n_sites < whole.sum() < defect.n_sites
    assert np.all(gradient[~whole] == np.eye(3)) and not whole[defect.basis_index == ADDED].any()


def test_forces_do_not_depend_on_where_the_defect_is():
    here, there = point("split"), point("split", position=(0.3, -2.1, 0.77))
    forces = [sw_forces(d.body.atoms(np.zeros_like(d.sites))) for d in (here, there)]
    assert np.abs(forces[0]).max() > 1.0
    assert np.abs(forces[0] - forces[1]).max() < 1e-9 and np.abs(forces[0].sum(axis=0)).max() < 1e-9


def test_positions_that_are_no_sites_are_refused():
    crystal = silicon().crystal
    with pytest.raises(ValueError, match=r"no site at \[0.3, 0.0, 0.0\] a0"):
        point_defect(crystal, PointDefect((0.0, 0.0, 0.0), ((0.3, 0.0, 0.0),), (), 3))
    with pytest.raises(ValueError, match="twice"):
        point_defect(crystal, PointDefect((0.0, 0.0, 0.0), ((0.0, 0.0, 0.0), (0.001, 0.0, 0.0)), (), 3))
