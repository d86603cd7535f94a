"""Defects of compounds, diamond and hexagonal crystals at the dry run: what is missing is said by name."""

from pathlib import Path

import numpy as np
import pytest

from qmfront.config.defect import Crack, Disc, Dislocation, Point
from qmfront.config.defect_checks import problems_of_defect
from qmfront.config.errors import ConfigError
from qmfront.config.load import load
from qmfront.config.material import Crystal, Material, QuantumModel
from qmfront.config.reading import read_yaml
from qmfront.config.study import Case
from qmfront.config.unit_cell import SPECIES, UnitCell, named_cell
from qmfront.crystal.lattice import crystal_of
from qmfront.crystal.termination import BUCKLED_R0, lattice_plane_spacing, terminations

ROOT = Path(__file__).parents[2]

NIAL = Crystal(structure="b2", symbol="NiAl", lattice_constant_guess=2.88)
MAGNESIUM = Crystal(structure="hcp", symbol="Mg", lattice_constant_guess=3.2)
SILICON = Crystal(structure="diamond", symbol="Si", lattice_constant_guess=5.43)
SITE = (0.0, 0.0, 0.0)


def problems(crystal: Crystal, defect: Point | Dislocation | Crack) -> list[str]:
    material = Material(crystal=crystal, qm=QuantumModel(calculator="a.b", cutoff=5.0))
    domain = {"kind": "box", "cells": 6} if isinstance(defect, Point) else Disc(radius_r0=20)
    case = Case(title="", material="a", potential="b", defect=defect, domain=domain)
    return list(problems_of_defect(case, material))


@pytest.mark.parametrize(
    ("defect", "message"),
    [
        ({"sublattice": "Al", "removed": (SITE,)}, None),
        ({"sublattice": "Al", "substituted": ({"element": "Ni"},)}, None),
        ({"added": ((0.5, 0.0, 0.0), {"at": (0.5, 0.5, 0.0), "element": "Al"})}, None),
        ({"sublattice": "Cu", "removed": (SITE,)}, "defect.sublattice = Cu: the crystal has Ni and Al"),
        ({"substituted": ({"element": "Ni"},)}, "has Ni already"),
        ({"substituted": ({"element": "Al"},), "removed": (SITE,)}, "names a site twice"),
        ({"removed": ((0.25, 0.0, 0.0),)}, "no site at"),
    ],
)
def test_sites_and_elements(defect: dict, message: str | None) -> None:
    found = problems(NIAL, Point.model_validate(defect))
    assert not found if message is None else any(message in problem for problem in found), found


@pytest.mark.parametrize(
    ("line", "burgers", "plane", "message"),
    [
        ((1, 1, -2, 0), (1 / 3, 1 / 3, -2 / 3, 0.0), (0, 0, 0, 1), None),
        ((1, -1, 0, 0), (0.333, 0.333, -0.667, 0.0), (0, 0, 0, 1), None),
        ((0, 0, 0, 1), (1.0, 0.0, 0.0), (0, 1, 0), None),
        ((1, 1, -2, 0), (1 / 3, -1 / 3, 0.0, 0.0), (0, 0, 0, 1), "is no lattice vector of hcp"),
    ],
)
def test_indices_of_hexagonal_crystals(
    line: tuple, burgers: tuple, plane: tuple, message: str | None
) -> None:
    found = problems(MAGNESIUM, Dislocation(line=line, burgers=burgers, plane=plane))
    assert not found if message is None else any(message in problem for problem in found), found


def test_four_indices_add_up() -> None:
    with pytest.raises(ValueError, match="add up to zero"):
        Dislocation(line=(1, 1, 1, 0), burgers=(1.0, 0.0, 0.0), plane=(0, 0, 1))
    with pytest.raises(ValueError, match="does not lie in the cut plane"):
        Dislocation(line=(1, -1, 0, 0), burgers=(0.0, 0.0, 1.0), plane=(0, 0, 0, 1))


def test_four_indices_are_of_hexagonal_crystals_alone() -> None:
    """Tungsten is cubic: [1, 1, -2, 1] would be read as [3, 3, 1], which nobody means."""
    case = read_yaml(ROOT / "config/cases/minimal_crack.yaml", shown="case")
    parent = read_yaml(ROOT / f"config/cases/{case['extends']}.yaml", shown="parent")
    front, plane = parent["defect"]["front"], parent["defect"]["plane"]
    h, k, l = plane
    study = {"cases": {"minimal_crack": {"defect": {"plane": [h, k, -h - k, l]}}}, "figures": None}
    with pytest.raises(ConfigError) as caught:
        load(study, ROOT)
    assert caught.value.problems == (
        f"cases.minimal_crack.defect.plane = [{h}, {k}, {-h - k}, {l}] has four indices (Miller and Bravais), which "
        "only a hexagonal crystal has, and bcc is none. Write three, of the vectors of the conventional cell",
    )
    study["cases"]["minimal_crack"] = {"defect": {"plane": plane, "front": front}}
    load(study, ROOT)


def test_four_indices_of_slabs() -> None:
    slabs = {"surfaces": {"planes": [[1, 1, 0], [1, 0, -1, 1]]}}
    study = {"cases": ["minimal_crack"], "figures": None, "potentials": {"minimal_surface": slabs}}
    with pytest.raises(ConfigError, match="surfaces.planes = .1, 0, -1, 1. has four indices"):
        load(study, ROOT)


@pytest.mark.parametrize(
    ("structure", "symbol", "is_hexagonal"),
    [("hcp", "Mg", True), ("wurtzite", "GaN", True), ("fcc", "Cu", False), ("b2", "NiAl", False)],
)
def test_hexagonal_cells(structure: str, symbol: str, is_hexagonal: bool) -> None:
    assert named_cell(structure, symbol, 3.2, None).is_hexagonal is is_hexagonal


def test_cells_that_are_nearly_hexagonal() -> None:
    """Rhombohedral axes, and a monoclinic cell of 120 degrees whose edges differ."""
    a, b, c = named_cell("hcp", "Mg", 3.2, None).vectors
    place = ((0.0, 0.0, 0.0),)
    longer = (1.1 * b[0], 1.1 * b[1], 0.0)
    assert UnitCell((a, b, c), place, ("Mg",), place).is_hexagonal
    assert not UnitCell((a, longer, c), place, ("Mg",), place).is_hexagonal
    assert not UnitCell(
        ((3.0, 0.3, 0.3), (0.3, 3.0, 0.3), (0.3, 0.3, 3.0)), place, ("Mg",), place
    ).is_hexagonal
    assert not UnitCell((c, a, b), place, ("Mg",), place).is_hexagonal


@pytest.mark.parametrize(
    ("crystal", "crack", "message"),
    [
        (SILICON, {"front": (1, -1, 0), "plane": (1, 1, 1)}, None),
        (SILICON, {"front": (1, -1, 0), "plane": (1, 1, 1), "termination": 0.4}, None),
        (SILICON, {"front": (1, -1, 0), "plane": (1, 1, 0), "tip_offset": (1.5, 0.0)}, None),
        (NIAL, {"front": (0, 0, 1), "plane": (1, 1, 0)}, None),
        (MAGNESIUM, {"front": (1, 1, -2, 0), "plane": (0, 0, 0, 1)}, None),
        (MAGNESIUM, {"front": (0, 0, 0, 1), "plane": (1, -1, 0, 0)}, None),
        (
            SILICON,
            {"front": (1, -1, 0), "plane": (1, 1, 1), "termination": 0.75},
            "termination = 0.75 is the height of a layer of atoms. Layers [1, 1, 1] of diamond are at 0, 0.75, 1 of",
        ),
        (
            SILICON,
            {"front": (1, -1, 0), "plane": (1, 1, 1), "tip_offset": (0.0, 0.5)},
            "Take 0 along e2, and choose the layers with defect.termination",
        ),
        (
            SILICON,
            {"front": (1, 1, -2), "plane": (1, 1, 1)},
            "defect.front = [1, 1, -2] is no two-fold axis of the moduli of diamond",
        ),
        (
            MAGNESIUM,
            {"front": (1, 1, -2, 3), "plane": (1, -1, 0, 0)},
            "Choose a front [0, 0, 1] or one in the basal plane",
        ),
    ],
)
def test_cracks_of_crystals_with_a_basis(crystal: Crystal, crack: dict, message: str | None) -> None:
    found = problems(crystal, Crack(load=0.9, **crack))
    assert not found if message is None else any(message in problem for problem in found), found


@pytest.mark.parametrize(
    "structure", ["bcc", "fcc", "sc", "diamond", "hcp", "b2", "l1_2", "rocksalt", "wurtzite"]
)
@pytest.mark.parametrize("plane", [(1, 1, 1), (1, 1, 0), (1, 0, 0), (0, 0, 1), (2, -1, 1)])
def test_layers_are_those_that_a_crack_finds(structure: str, plane: tuple[int, int, int]) -> None:
    """Heights of the cell that checks know, beside the gaps of the crystal of a run, which leaves out narrow ones."""
    symbol = "NiAl" if SPECIES[structure] == 2 else "Ni"
    settings = Crystal(structure=structure, symbol=symbol, lattice_constant_guess=4.0)
    crystal, layers = crystal_of(settings), settings.cell.layers(plane)
    normal = crystal.plane_normal(plane)
    spacing = lattice_plane_spacing(crystal, normal / np.linalg.norm(normal))
    widths = np.diff([*layers, 1.0 + layers[0]]) * spacing
    wide = widths > min(BUCKLED_R0 * crystal.nearest_neighbour_distance, 0.999 * widths.max())
    gaps = terminations(crystal, normal)
    assert sorted(cut.lower for cut in gaps) == pytest.approx(np.array(layers)[wide], abs=1e-5)
