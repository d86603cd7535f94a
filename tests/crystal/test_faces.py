"""A cracked body: which pairs are cut, which sites are faces, and the norm (2.2) that follows."""

from dataclasses import replace

import numpy as np

from qmfront.crystal.faces import NO_CRACK, crossing, face_sites, uncut
from qmfront.crystal.neighbours import Pairs, pairs_within
from qmfront.crystal.stencil import stencil
from qmfront.operators.norm import stencil_norm


def test_the_line_between_two_sites_decides():
    sites = np.array([[-3.0, 1.0, 0.0], [-1.0, -1.0, 0.0], [1.0, -3.0, 0.0], [5.0, 1.0, 0.0]])
    first, second = np.array([0, 1, 0, 3, 0, 2]), np.array([1, 0, 2, 2, 3, 3])
    pairs = Pairs(first, second, sites[second] - sites[first])
    # they pass x2 = 0 at -2, -2, -2, 4, never, 4
    assert crossing(sites, pairs, 0.0).tolist() == [True, True, True, False, False, False]
    assert crossing(sites, pairs, -2.5).sum() == 0 and crossing(sites, pairs, 4.5).sum() == 5
    assert not crossing(sites, pairs, NO_CRACK).any() and len(uncut(sites, pairs, 0.0)) == 3
    assert face_sites(sites, pairs, 0.0).tolist() == [True, True, True, False]


def test_no_stencil_pair_passes_through_the_crack(crack, tungsten):
    """Near the tip the faces are closer than neighbours are elsewhere: distance alone would glue them."""
    assert not crossing(crack.sites, crack.stencil, 0.0).any()
    crystal = tungsten.crystal.rotated(crack.frame)
    by_distance = stencil(crack.body.reference, crack.cell, crack.pbc, crystal, basis_index=crack.basis_index)
    cut = crossing(crack.sites, by_distance, 0.0)
    assert cut.sum() >= 8 and len(by_distance) - cut.sum() == len(crack.stencil)


def test_face_sites_are_the_two_planes_beside_the_crack(crack):
    """Bonds of {110} reach one plane deep: the faces are the planes at half a spacing, behind the tip."""
    height = np.abs(crack.sites[:, 1])
    plane = height < height.min() + 1e-6
    faces = crack.face_sites()
    assert np.all(plane[faces]) and np.all(crack.sites[faces, 0] < crack.r0)
    assert np.all(faces[plane & (crack.sites[:, 0] < -crack.r0)])


def test_rigid_opening_costs_nothing_behind_the_tip(crack, glued):
    """Moving the upper half as a whole strains only the pairs ahead; with glued faces those behind count as well."""
    u = np.where(crack.sites[:, 1:2] > 0, [[0.0, 1.0, 0.0]], 0.0)
    pairs = pairs_within(crack.sites, crack.cell, crack.pbc, 1.2 * crack.r0)  # N(l) of bcc is two shells
    apart = (crack.sites[pairs.first, 1] > 0) != (crack.sites[pairs.second, 1] > 0)
    ahead = apart & ~crossing(crack.sites, pairs, 0.0)
    assert stencil_norm(u, crack.stencil) ** 2 < 1.2 * ahead.sum()
    assert stencil_norm(u, glued.stencil) ** 2 > 1.2 * stencil_norm(u, crack.stencil) ** 2


def test_stored_crack_comes_back(crack):
    again = type(crack).from_arrays(crack.arrays())
    assert again.crack_tip == crack.crack_tip == 0.0
    assert type(crack).from_arrays(replace(crack, crack_tip=NO_CRACK).arrays()).crack_tip == NO_CRACK
