"""Point defects of compounds and hexagonal crystals at the dry run: what is missing is said by name."""

import pytest

from qmfront.config.defect import Disc, Dislocation, Point
from qmfront.config.defect_checks import problems_of_defect
from qmfront.config.material import Crystal, Material, QuantumModel
from qmfront.config.study import Case

NIAL = Crystal(structure="b2", symbol="NiAl", lattice_constant_guess=2.88)
MAGNESIUM = Crystal(structure="hcp", symbol="Mg", lattice_constant_guess=3.2)
SITE = (0.0, 0.0, 0.0)


def problems(crystal: Crystal, defect: Point | Dislocation) -> list[str]:
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
        ({"substituted": ({"element": "Cu"},)}, "Cu is no element of the crystal"),
        ({"added": ({"at": (0.5, 0.0, 0.0), "element": "C"},)}, "cells with the solute"),
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
