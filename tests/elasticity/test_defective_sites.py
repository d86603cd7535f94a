"""Sites whose neighbourhood is not that of a strained crystal."""

import numpy as np
import pytest

from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import cubic_crystal
from qmfront.crystal.point_defect import PointDefect, point_defect
from qmfront.elasticity.defective_sites import STRAIN, defective_sites

FCC, BCC, DIAMOND = ("Cu", "fcc", 3.6), ("W", "bcc", 3.16), ("Si", "diamond", 5.43)
B2 = ("NiAl", "b2", 2.88)
NEIGHBOURS = {"Cu": 18, "W": 14, "Si": 12 + 4, "NiAl": 6 + 8}
"""N(l) of the sublattice of the vacancy, and nearest neighbours: those that have lost it."""


NEAREST = {"fcc": 12, "bcc": 8, "diamond": 4, "b2": 8}


def vacancy(symbol: str, structure: str, a0: float, **changes) -> Defect:
    described = {
        "position": (2.0, 2.0, 2.0),
        "removed": ((0.0, 0.0, 0.0),),
        "added": (),
        "cells": 4,
    } | changes
    return point_defect(cubic_crystal(symbol, structure, a0), PointDefect(**described))


@pytest.mark.parametrize("crystal", [FCC, BCC, DIAMOND, B2])
def test_a_vacancy_is_seen_by_those_that_lost_a_neighbour(crystal):
    defect = vacancy(*crystal)
    marked = defective_sites(defect, np.zeros_like(defect.sites), cubic_crystal(*crystal))
    away = np.linalg.norm(defect.sites[marked] - defect.core, axis=1)
    assert marked.sum() == NEIGHBOURS[crystal[0]] and away.max() < 1.8 * defect.r0
    assert np.sum(away < 1.01 * defect.r0) == NEAREST[crystal[1]]


def test_an_added_atom_is_defective_and_so_are_its_neighbours():
    defect = vacancy(*BCC, removed=(), added=((0.25, 0.0, 0.5),))
    marked = defective_sites(defect, np.zeros_like(defect.sites), cubic_crystal(*BCC))
    assert marked[-1] and defect.basis_index[-1] == -1


@pytest.mark.parametrize("size", [0.5 * STRAIN, 1.5 * STRAIN])
def test_a_large_strain_is_a_defect_and_a_small_one_is_not(perfect, tungsten, size):
    away = perfect.body.reference @ np.diag([size, 0.0, -0.3 * size])
    marked = defective_sites(perfect, away, tungsten.crystal)
    inside = perfect.free & (np.linalg.norm(perfect.sites[:, :2], axis=1) < 6 * perfect.r0)
    assert not marked[inside].any() if size < STRAIN else marked[inside].all()


def test_an_atom_out_of_place_is_seen_with_its_neighbours(perfect, tungsten):
    u = np.zeros_like(perfect.sites)
    site = int(np.argmin(np.linalg.norm(perfect.sites[:, :2], axis=1)))
    u[site] = 0.06 * perfect.r0 * np.array([0.6, 0.0, 0.8])
    marked = defective_sites(perfect, u, tungsten.crystal)
    assert marked[site] and 1 < marked.sum() <= 15
    assert not defective_sites(perfect, 0.1 * u, tungsten.crystal).any()


def test_a_stacking_fault_is_seen_on_both_of_its_planes(fcc_halves):
    """One half of an fcc crystal shifted by a/6[112] over the other."""
    defect, crystal, shift = fcc_halves
    marked = defective_sites(defect, shift, crystal)
    height = np.abs(defect.sites[:, 1])
    planes = np.unique(np.round(height[defect.free], 4))
    inner = defect.free & (np.linalg.norm(defect.sites[:, :2], axis=1) < 12.0)
    assert marked[inner & (height < planes[0] + 0.1)].all()
    assert not marked[inner & (height > planes[2] - 0.1)].any()


@pytest.fixture
def fcc_halves():
    from qmfront.config.defect import Disc, Dislocation
    from qmfront.elasticity.defects import defect_without_field

    crystal = cubic_crystal(*FCC)
    section = Dislocation(line=(1, 1, -2), burgers=(0.5, -0.5, 0.0), plane=(1, 1, 1))
    defect, _ = defect_without_field(crystal, section, Disc(radius_r0=10.0, clamp_width=6.0))
    partial = 3.6 / 6 * np.array([2.0, -1.0, -1.0]) @ defect.frame.T
    return defect, crystal, np.where(defect.sites[:, 1:2] > 0, partial, 0.0)


def test_crack_faces_are_no_sign(crack, tungsten):
    """Face atoms lack neighbours from the beginning; what the tip strains is marked, and nothing far behind it."""
    marked = defective_sites(crack, np.zeros_like(crack.sites), tungsten.crystal)
    assert crack.sites[marked, 0].min() > -6 * crack.r0


def test_buckled_layers_below_the_faces_of_a_crack_are_no_sign(crack, tungsten):
    """Rows moved in turn by 0.1 r0, as a surface buckles: seen at the tip and deep inside, not far behind."""
    side = np.sign(crack.sites[:, 1])
    row = np.rint(crack.sites[:, 0] / (crack.r0 / np.sqrt(0.75)))
    buckled = 0.1 * crack.r0 * np.outer(side * (-1.0) ** row, [0.0, 1.0, 0.0])
    behind = (crack.sites[:, 0] < -9 * crack.r0) & crack.free
    depth = np.abs(crack.sites[:, 1])
    for moved, seen in ((depth < 1.5 * crack.r0, False), (depth > 5 * crack.r0, True)):
        u = np.where(moved[:, None], buckled, 0.0)
        marked = defective_sites(crack, u, tungsten.crystal)
        assert (behind & moved).sum() > 5 and marked[behind].any() == seen
        assert marked[moved & ~behind & crack.free].any()
