"""Crystals by name and by file: their geometry against ASE, their symmetry against spglib, their indices by hand."""

from pathlib import Path

import numpy as np
import pytest
import spglib
from ase.build import bulk
from ase.io import write

from qmfront.config.material import Crystal
from qmfront.crystal.disc import straight_line_cell
from qmfront.crystal.lattice import crystal_of
from qmfront.crystal.point_defect import PointDefect, point_defect
from qmfront.crystal.slip import faults, slip_systems

NAMED = {
    "bcc": ("W", 229, 2),
    "fcc": ("Cu", 225, 4),
    "diamond": ("Si", 227, 8),
    "hcp": ("Mg", 194, 4),
    "b2": ("NiAl", 221, 2),
    "l1_2": ("NiAl", 221, 4),
    "rocksalt": ("MgO", 225, 8),
    "zincblende": ("SiC", 216, 8),
    "wurtzite": ("AlN", 186, 8),
}
"""Formula, number of the space group, and atoms of the right-angled cell."""


def named(structure: str) -> Crystal:
    return Crystal(structure=structure, symbol=NAMED[structure][0], lattice_constant_guess=3.5)


@pytest.mark.parametrize("structure", NAMED)
def test_a_name_gives_the_space_group_and_the_right_angled_cell(structure: str) -> None:
    _, group, atoms = NAMED[structure]
    settings, crystal = named(structure), crystal_of(named(structure))
    cell = (crystal.cell, crystal.basis @ np.linalg.inv(crystal.cell), crystal.numbers)
    found = spglib.get_symmetry_dataset(cell, symprec=1e-5)
    assert found.number == group
    assert len(crystal.point_group()) == len(np.unique(found.rotations, axis=0))
    edges = crystal.upright @ crystal.cell
    assert np.allclose(edges @ edges.T, np.diag(np.diag(edges @ edges.T)), atol=1e-9)
    assert round(np.linalg.det(crystal.upright)) * len(crystal.numbers) == atoms
    assert settings.nearest_neighbour_guess == pytest.approx(crystal.nearest_neighbour_distance, rel=1e-9)
    assert settings.box_edges == pytest.approx(np.linalg.norm(edges, axis=1).tolist(), rel=1e-9)


@pytest.mark.parametrize(("name", "kind"), [("a.cif", "cif"), ("POSCAR", "vasp"), ("a.xyz", "extxyz")])
def test_a_file_gives_the_crystal_with_its_symmetry(tmp_path: Path, name: str, kind: str) -> None:
    """Written to a few digits, and rattled by less: the symmetry comes back whole, the indices are the file's."""
    for atoms, primitive, operations in (
        (bulk("Mg", "hcp", a=3.2, c=5.2), 2, 24),
        (bulk("NaCl", "rocksalt", a=5.64, cubic=True), 2, 48),
    ):
        atoms.rattle(2e-4, seed=1)
        write(tmp_path / name, atoms, format=kind)
        crystal = crystal_of(Crystal(structure="file", file=str(tmp_path / name)))
        assert len(crystal.numbers) == primitive and len(crystal.point_group()) == operations
        assert np.allclose(crystal.axes @ crystal.axes.T, atoms.cell.array @ atoms.cell.array.T, atol=1e-3)


def test_what_is_no_crystal_is_refused(tmp_path: Path) -> None:
    for arguments, message in (
        ({"structure": "hcp"}, "needs symbol and lattice_constant_guess"),
        ({"structure": "file"}, "belong together"),
        ({"structure": "file", "file": "a.cif", "symbol": "Mg"}, "the file tells that"),
        ({"structure": "hcp", "symbol": "MgO", "lattice_constant_guess": 3.0}, "has 1 species"),
        (
            {"structure": "bcc", "symbol": "W", "lattice_constant_guess": 3.0, "ratio_guess": 1.6},
            "no ratio_guess",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            Crystal(**arguments)
    (tmp_path / "a.cif").write_text("nothing")
    with pytest.raises(ValueError, match="cannot be read"):
        _ = Crystal(structure="file", file=str(tmp_path / "a.cif")).cell


def test_lines_and_planes_of_a_hexagonal_crystal() -> None:
    """A basal <a> edge: line [1-100], plane (0001), b = [11-20]/3, which e1 is along."""
    crystal = crystal_of(named("hcp"))
    cell = straight_line_cell(crystal, (1, -1, 0), (0, 0, 1))
    burgers = cell.frame @ crystal.direction((1.0, 1.0, 0.0)) * crystal.lattice_constant
    assert np.allclose(np.abs(burgers), [3.5, 0.0, 0.0])
    assert cell.period == pytest.approx(3.5 * np.sqrt(3))
    prismatic = straight_line_cell(crystal, (1, 0, 0), (0, 1, 0))
    assert prismatic.period == pytest.approx(3.5)
    assert abs(prismatic.frame[1] @ [0, 0, 1]) < 1e-12, (
        "the normal of a prismatic plane is in the basal plane"
    )


def test_vacancy_and_antisite_are_on_the_sublattice_that_is_named() -> None:
    """Every change is where it is asked for; the first neighbours of an Al site of B2 are eight Ni."""
    crystal = crystal_of(named("b2"))
    place = {"position": (0.0, 0.0, 0.0), "added": (), "cells": (3, 4, 3), "sublattice": 1}
    vacancy = point_defect(crystal, PointDefect(removed=((0.0, 0.0, 0.0),), **place))
    assert np.bincount(vacancy.numbers)[[13, 28]].tolist() == [35, 36]
    near = np.linalg.norm(vacancy.sites - vacancy.core, axis=1) < 1.01 * vacancy.r0
    assert near.sum() == 8 and set(vacancy.numbers[near]) == {28}
    antisite = point_defect(
        crystal, PointDefect(removed=(), substituted=((0.0, 0.0, 0.0),), substitutes=(28,), **place)
    )
    assert np.bincount(antisite.numbers)[[13, 28]].tolist() == [35, 37]
    assert np.linalg.norm(antisite.sites[antisite.numbers == 28] - antisite.core, axis=1).min() < 1e-9


def test_a_box_of_an_hcp_crystal_is_right_angled_and_whole() -> None:
    vacancy = point_defect(
        crystal_of(named("hcp")), PointDefect((0.3, 0.1, 0.2), ((0.0, 0.0, 0.0),), (), (4, 3, 2))
    )
    assert vacancy.n_sites == 4 * 4 * 3 * 2 - 1
    assert np.allclose(np.diag(vacancy.cell), 3.5 * np.array([4.0, 3 * np.sqrt(3), 2 * np.sqrt(8 / 3)]))
    count = np.bincount(vacancy.stencil.first)
    assert np.median(count) == 18 and count.min() == 17


def test_faults_of_hcp() -> None:
    """The basal path ends in a stacking that keeps nearest neighbours; the prismatic one in the crystal."""
    crystal = crystal_of(named("hcp"))
    basal, prismatic = slip_systems(crystal)
    whole = faults(crystal, [basal])[-1]
    r0 = crystal.nearest_neighbour_distance
    assert np.isclose(
        whole.atoms.get_all_distances(mic=True)[whole.atoms.get_all_distances(mic=True) > 0].min(), r0
    )
    assert whole.area == pytest.approx(3.5**2 * np.sqrt(3) / 2)
    assert prismatic.shifts == (0.25, 0.5)
