"""Counts of a plan are those of the partitions that the run makes."""

from pathlib import Path

import numpy as np
import pytest

from qmfront.coupling.partition import BUFFER, QM
from qmfront.elasticity.bulk import cubic_lattice_constant
from qmfront.plan.geometry import first_partition, ground_of
from qmfront.refine.circle import grown_circle
from qmfront.refine.next_partition import domain_of, first_region
from qmfront.refine.regions import Thresholds

THRESHOLDS = Thresholds(buffer_width=6.0, exact_factor=1.5)
EDGE = {
    "defect": {
        "kind": "dislocation",
        "line": [0, 1, 0],
        "burgers": [1.0, 0.0, 0.0],
        "plane": [0, 0, 1],
        "core_offset": [0.0, 0.0],
        "core_map_radius_r0": 3.5,
    },
    "domain": {"kind": "disc", "radius_r0": 8.0, "clamp_width": 10.8},
    "initial_region": {"radius_r0": 2.3, "centre_r0": [0.0, 0.0]},
    "estimate": {"face_layer": 11.0},
}


@pytest.fixture(scope="module")
def ground(tungsten):
    return ground_of(tungsten.crystal, cubic_lattice_constant(tungsten.crystal), EDGE, rim=11.0)


def test_the_first_partition(ground, edge) -> None:
    """The run displaces the sites by the predictor before it measures the buffer: a few sites differ."""
    region = first_region(edge, EDGE["initial_region"], THRESHOLDS)
    n_qm, n_buf = first_partition(ground, THRESHOLDS)
    assert len(ground.numbers) == edge.n_sites
    assert n_qm == np.sum(region == QM)
    assert n_buf == pytest.approx(np.sum(region == BUFFER), rel=0.1)


def test_a_larger_region(ground, edge) -> None:
    region = first_region(edge, EDGE["initial_region"], THRESHOLDS)
    domain = domain_of(edge, np.zeros_like(edge.predictor))
    grown = grown_circle(region, domain, centre=np.zeros(2), factor=1.8, thresholds=THRESHOLDS)
    n_qm = int(np.sum(grown == QM))
    assert ground.around(n_qm, layer=0.0, width=6.0) == pytest.approx(np.sum(grown <= BUFFER), rel=0.1)
    assert ground.around(n_qm, layer=3.0, width=6.0) > ground.around(n_qm, layer=0.0, width=6.0)


def test_growth_and_advance_are_inverse(ground) -> None:
    n_old = int(ground.first.sum())
    n_new = ground.grown(n_old, 3.0)
    assert n_new > n_old
    assert ground.advance(n_old, n_new) <= 3.0
    assert ground.grown(n_old, ground.advance(n_old, n_new)) == n_new
    assert ground.grown(n_new, 1e3) == ground.domain.free.sum()


def test_the_domain_ends_somewhere(ground) -> None:
    assert not ground.refused(int(ground.first.sum()), THRESHOLDS)
    assert "clamp" in ground.refused(int(ground.domain.free.sum()) - 1, THRESHOLDS)


def test_what_the_model_would_see_is_periodic_along_the_line(ground, tungsten) -> None:
    atoms = ground.nearest(40)
    assert len(atoms) == 40
    assert atoms.pbc.tolist() == [False, False, True]
    assert atoms.cell[2, 2] == pytest.approx(cubic_lattice_constant(tungsten.crystal))


def test_boxes_of_a_point_defect(tungsten) -> None:
    """A vacancy in 5^3 cells: 249 atoms; the QM model sees 3^3 cells of 2, then everything."""
    case = {
        "defect": {"kind": "point", "position": [0.0] * 3, "removed": [[0.0] * 3], "added": []},
        "domain": {"kind": "box", "cells": 5},
        "initial_region": {"radius_r0": 1.1, "centre_r0": [0.0, 0.0]},
        "estimate": {"face_layer": 0.0},
    }
    ground = ground_of(tungsten.crystal, cubic_lattice_constant(tungsten.crystal), case, rim=0.0)
    n_qm, _ = first_partition(ground, Thresholds(buffer_width=2.0, exact_factor=1.0, cube_cells=3))
    assert n_qm == 8
    assert ground.boxed(n_qm, layer=0.0, width=2.0, minimum_cells=3) == pytest.approx(54, abs=1)
    assert ground.boxed(n_qm, layer=0.0, width=50.0, minimum_cells=3) == 249
    assert len(ground.box(3)) == pytest.approx(54, abs=1)
    assert ground.box(3).pbc.all()


def test_a_file(tungsten, tmp_path: Path) -> None:
    """The user's atoms are counted, not a density."""
    from ase.build import bulk
    from ase.constraints import FixAtoms
    from ase.io import write

    edge = cubic_lattice_constant(tungsten.crystal)
    atoms = bulk("W", cubic=True, a=edge).repeat((16, 16, 3))
    centre = atoms.positions[np.linalg.norm(atoms.positions - atoms.positions.mean(axis=0), axis=1).argmin()]
    distance = np.linalg.norm((atoms.positions - centre)[:, :2], axis=1)
    keep = (distance < 24.0) & (np.linalg.norm(atoms.positions - centre, axis=1) > 0.1)
    atoms, distance = atoms[keep], distance[keep]
    atoms.pbc = (False, False, True)
    atoms.set_constraint(FixAtoms(mask=distance > 16.0))
    write(tmp_path / "own.extxyz", atoms, columns=["symbols", "positions", "move_mask"])
    defect = {"kind": "file", "file": str(tmp_path / "own.extxyz"), "axes": np.eye(3, dtype=int).tolist()}
    defect |= {"lattice_constant": None, "lattice": None, "clamp": "fix_atoms", "seed": None, "core": None}
    case = {
        "defect": defect,
        "domain": {"kind": "disc", "radius_r0": 0.0, "clamp_width": 0.0},
        "initial_region": {"radius_r0": 0.5, "centre_r0": [0.0, 0.0]},
        "estimate": {"face_layer": 0.0},
    }
    ground = ground_of(tungsten.crystal, edge, case, rim=6.0)
    assert len(ground.numbers) == len(atoms)
    assert ground.domain.free.sum() == np.sum(distance <= 16.0)
    assert ground.first.sum() > 0


def test_a_crack_pays_for_its_faces(tungsten) -> None:
    """Sites beside the wake are in the cluster of the residual, however small the QM region is."""
    defect = {"kind": "crack", "front": [0, 0, 1], "plane": [1, 1, 0], "load": 0.9, "tip_offset": [0.0, 0.0]}
    case = {**EDGE, "defect": defect, "domain": {"kind": "disc", "radius_r0": 20.0, "clamp_width": 10.8}}
    ground = ground_of(tungsten.crystal, cubic_lattice_constant(tungsten.crystal), case, rim=11.0)
    plane = ground.domain.coordinates
    assert np.all(plane[ground.faces, 0] < 0)
    assert np.abs(plane[ground.faces, 1]).max() < 11.0 + ground.r0
    n_qm = int(ground.first.sum())
    assert ground.around(n_qm, layer=5.0, width=6.0) > ground.faces.sum() > 2 * n_qm
    assert ground.around(n_qm, layer=0.0, width=6.0) < ground.faces.sum()
