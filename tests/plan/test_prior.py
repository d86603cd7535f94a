"""eta before the first iteration: what elasticity says about point defects, and when it says nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.constraints import FixAtoms
from ase.io import write

from qmfront.config.defect import File, Point
from qmfront.plan.geometry import UndeformedDomain, undeformed_domain
from qmfront.plan.prior import (
    INTERSTITIAL,
    LINEAR,
    SEEN_ETA,
    SEEN_N,
    SEEN_STRAIN,
    VACANCY,
    changed_atoms,
    prior,
    relaxation_volume,
)
from tests.partitions import partition
from tests.plan.cases import case

STEP = {"r0": 2.5, "coordination": 12.0, "changed": (1.0, 0.0)}
PERIOD = 3.0


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("matching", [0, 1, 2])
def test_it_is_the_sum_over_the_sites_outside(matching: int, dimension: int) -> None:
    """A vacancy of volume v per site of unit volume; the second term is to that of a dislocation as their sums are."""
    n, q = 60, matching + 2
    radius = {2: np.sqrt(n / (np.pi * PERIOD)), 3: (3 * n / (4 * np.pi)) ** (1 / 3)}[dimension]
    core = np.sqrt(SEEN_N / np.pi)
    line = summed(q, lambda r: SEEN_STRAIN * core / r, core, 2 * np.pi)
    ways = zip(relaxation_volume(1.0, 0.0), (1e-4, 1e-3, 1e-2), SEEN_ETA, strict=True)
    found = prior(matching, n_qm=n, dimension=dimension, **STEP).eta
    for eta, (volume, misfit, seen) in zip(found, ways, strict=True):
        linear = np.sqrt(12 / 3) * 2.5 * misfit * outside(1, volume, radius, dimension)
        assert eta == pytest.approx(linear + seen * outside(q, volume, radius, dimension) / line, rel=1e-3)


def outside(q: int, volume: float, radius: float, dimension: int) -> float:
    """Of the strain around a point, or a column of points PERIOD apart."""
    if dimension == 3:
        return summed(q, lambda r: np.sqrt(6) * volume / (4 * np.pi * r**3), radius, 4 * np.pi, power=2)
    by_line = np.sqrt(2) * volume / (2 * np.pi * PERIOD)
    return summed(q, lambda r: by_line / r**2, radius, 2 * np.pi * PERIOD)


def summed(q: int, strain: Any, radius: float, area: float, *, power: int = 1) -> float:
    """(sum over sites of unit density beyond a radius of |e|^2q)^(1/2), by the midpoint rule in log r."""
    edges = np.geomspace(radius, 1e4 * radius, 40001)
    r = np.sqrt(edges[:-1] * edges[1:])
    return float(np.sqrt(np.sum(area * r**power * strain(r) ** (2 * q) * np.diff(edges))))


def test_larger_regions_and_better_matching_leave_less() -> None:
    for way in range(3):
        by_size = [prior(1, n_qm=n, dimension=3, **STEP).eta[way] for n in (50, 100, 200, 400)]
        assert np.all(np.diff(by_size) < 0)
        by_order = [prior(m, n_qm=20, dimension=3, **STEP).eta[way] for m in (0, 1, 2)]
        assert np.all(np.diff(by_order) < 0)


def test_what_is_changed() -> None:
    """A dumbbell is an interstitial, a displaced atom is anything."""
    place, site = {"kind": "point", "position": (0.0, 0.0, 0.0)}, ((0.0, 0.0, 0.0),)
    dumbbell = Point(**place, removed=site, added=((0.2, 0.0, 0.0), (-0.2, 0.0, 0.0)))
    assert changed_atoms(dumbbell, 0.0) == (0, 1)
    assert changed_atoms(Point(**place, removed=site, added=()), 0.0) == (1, 0)
    assert relaxation_volume(0, 1)[::2] == INTERSTITIAL
    assert relaxation_volume(2, 0)[::2] == tuple(2 * v for v in VACANCY)
    assert relaxation_volume(0, 0)[::2] == (VACANCY[0], INTERSTITIAL[1])
    assert LINEAR[0] < LINEAR[1]


def domain_in(
    crystal: Any, atoms: Any, clamped: np.ndarray, path: Path, **others: Any
) -> tuple[File, UndeformedDomain]:
    """The description of a file with these atoms, and its domain."""
    atoms.pbc = (False, False, True)
    atoms.set_constraint(FixAtoms(mask=clamped))
    write(path, atoms)
    defect = {
        "kind": "file",
        "file": str(path),
        "axes": np.eye(3, dtype=int).tolist(),
        "lattice_constant": None,
        "lattice": None,
        "clamp": "fix_atoms",
        "seed": None,
        "core": None,
        **others,
    }
    described = case(defect=defect, initial_region={"radius_r0": 1.1}, buffer={"width": 2.0})
    thin = partition(width=2.0, residual_factor=1.0)
    return described.defect, undeformed_domain(crystal, described, thin, rim=4.0)


def test_vacancies_of_a_file_are_counted(tungsten: Any, tmp_path: Path) -> None:
    """By the bonds that their neighbours miss; atoms at the surface miss some too, but are clamped."""
    atoms = bulk("W", "bcc", a=tungsten.crystal.lattice_constant, cubic=True) * (12, 12, 3)
    middle = atoms.positions.mean(axis=0)
    hole = int(np.argmin(np.linalg.norm(atoms.positions - middle, axis=1)))
    apart = np.delete(np.linalg.norm((atoms.positions - atoms.positions[hole])[:, :2], axis=1), hole)
    del atoms[hole]
    atoms.set_cell(1.001 * atoms.cell, scale_atoms=True)
    described, domain = domain_in(tungsten.crystal, atoms, apart > 8.0, tmp_path / "vacancy.extxyz")
    assert domain.is_local and domain.dimension == 2
    assert domain.lost == pytest.approx(1.0)
    assert changed_atoms(described, domain.lost) == (domain.lost, 0.0)


def test_a_dislocation_in_a_file_is_none(tungsten: Any, edge: Any, tmp_path: Path) -> None:
    """Its strain reaches the clamp as b / (2 pi r)."""
    atoms = Atoms(edge.numbers, edge.body.reference, cell=edge.cell)
    axes = np.rint(edge.frame).astype(int).tolist()
    _, domain = domain_in(
        tungsten.crystal, atoms, ~edge.free, tmp_path / "edge.extxyz", axes=axes, core=[0.0, 0.0]
    )
    assert not domain.is_local
