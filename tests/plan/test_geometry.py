"""Counts of a plan are those of the partitions that the run makes."""

from pathlib import Path

import numpy as np
import pytest

from qmfront.config.stages import Embedding, InitialRegion
from qmfront.coupling.partition import BUFFER, QM
from qmfront.plan.geometry import UndeformedDomain, undeformed_domain
from qmfront.refine.circle import grown_circle
from qmfront.refine.next_partition import domain_of, first_region
from tests.partitions import partition
from tests.plan.cases import case

THRESHOLDS = partition(width=6.0, residual_factor=1.5)
INITIAL = InitialRegion(radius_r0=2.3)
EDGE = {"domain": {"radius_r0": 8.0, "clamp_width": 10.8}, "initial_region": INITIAL.model_dump()}
"""The edge dislocation of conftest."""


@pytest.fixture(scope="module")
def domain(tungsten) -> UndeformedDomain:
    return undeformed_domain(tungsten.crystal, case(**EDGE), THRESHOLDS, rim=11.0)


def test_the_first_partition(domain, edge) -> None:
    """The run displaces the sites by the predictor before it measures the buffer: a few sites differ."""
    region = first_region(edge, INITIAL, THRESHOLDS)
    assert len(domain) == edge.n_sites
    assert domain.n_qm == np.sum(region == QM)
    assert domain.n_buf == pytest.approx(np.sum(region == BUFFER), rel=0.1)


def test_a_larger_region(domain, edge) -> None:
    region, displaced = (
        first_region(edge, INITIAL, THRESHOLDS),
        domain_of(edge, np.zeros_like(edge.predictor)),
    )
    grown = grown_circle(region, displaced, centre=np.zeros(2), factor=1.8, settings=THRESHOLDS)
    n_qm = int(np.sum(grown == QM))
    assert domain.around(n_qm, layer=0.0, width=6.0) == pytest.approx(np.sum(grown <= BUFFER), rel=0.1)
    assert domain.around(n_qm, layer=3.0, width=6.0) > domain.around(n_qm, layer=0.0, width=6.0)


def test_growth_and_advance_are_inverse(domain) -> None:
    n_old = domain.n_qm
    n_new = domain.grown(n_old, 3.0)
    assert n_new > n_old
    assert domain.advance(n_old, n_new) <= 3.0
    assert domain.grown(n_old, domain.advance(n_old, n_new)) == n_new
    assert domain.grown(n_new, 1e3) == domain.sites.free.sum()


def test_the_domain_ends_somewhere(domain) -> None:
    assert not domain.refusal(domain.n_qm, THRESHOLDS)
    assert "clamp" in domain.refusal(int(domain.sites.free.sum()) - 1, THRESHOLDS)


def test_what_the_model_would_see_is_periodic_along_the_line(domain, tungsten) -> None:
    atoms = domain.nearest(40)
    assert len(atoms) == 40
    assert atoms.pbc.tolist() == [False, False, True]
    assert atoms.cell[2, 2] == pytest.approx(tungsten.crystal.lattice_constant)


def test_boxes_of_a_point_defect(tungsten) -> None:
    """A vacancy in 5^3 cells: 249 atoms; the QM model sees 3^3 cells of 2, then everything."""
    vacancy = case(
        defect={"kind": "point", "position": [0.0] * 3, "removed": [[0.0] * 3], "added": []},
        domain={"kind": "box", "cells": 5},
        initial_region={"radius_r0": 1.1},
    )
    thresholds = partition(width=2.0, residual_factor=1.0, kind="box", minimum_cells=3)
    domain = undeformed_domain(tungsten.crystal, vacancy, thresholds, rim=0.0)
    box = Embedding(kind="box", minimum_cells=3, subtract_lattice=False)
    assert domain.n_qm == 8
    assert domain.seen(8, box, layer=0.0, width=2.0) == pytest.approx(54, abs=1)
    assert domain.seen(8, box, layer=0.0, width=50.0) == 249
    assert len(domain.box(3)) == pytest.approx(54, abs=1)
    assert domain.box(3).pbc.all()


def test_a_file(tungsten, tmp_path: Path) -> None:
    """The user's atoms are counted, not a density."""
    from ase.build import bulk
    from ase.constraints import FixAtoms
    from ase.io import write

    edge = tungsten.crystal.lattice_constant
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
    described = case(defect=defect, initial_region={"radius_r0": 0.5})
    thin = partition(width=3.0, residual_factor=1.0)
    domain = undeformed_domain(tungsten.crystal, described, thin, rim=6.0)
    assert len(domain) == len(atoms)
    assert domain.sites.free.sum() == np.sum(distance <= 16.0)
    assert domain.n_qm > 0


def test_a_crack_pays_for_its_faces(tungsten) -> None:
    """Sites beside the wake are in the cluster of the residual, however small the QM region is."""
    defect = {"kind": "crack", "front": [0, 0, 1], "plane": [1, 1, 0], "load": 0.9, "tip_offset": [0.0, 0.0]}
    domain = {"radius_r0": 20.0, "clamp_width": 10.8}
    described = case(defect=defect, domain=domain, initial_region=INITIAL.model_dump())
    domain = undeformed_domain(tungsten.crystal, described, THRESHOLDS, rim=11.0)
    plane, n_qm = domain.sites.coordinates, domain.n_qm
    assert np.all(plane[domain.faces, 0] < 0)
    assert np.abs(plane[domain.faces, 1]).max() < 11.0 + domain.r0
    assert domain.around(n_qm, layer=5.0, width=6.0) > domain.faces.sum() > 2 * n_qm
    assert domain.around(n_qm, layer=0.0, width=6.0) < domain.faces.sum()
