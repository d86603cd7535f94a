"""Solutes at the dry run: what nobody knows of them is said by name, with what to write."""

from pathlib import Path

import pytest

from qmfront.config.defect import Crack, Disc, Dislocation, Point
from qmfront.config.eam_text import elements_of
from qmfront.config.errors import ConfigError
from qmfront.config.load import load
from qmfront.config.material import Crystal, Material, QuantumModel
from qmfront.config.merge import merged
from qmfront.config.potential import Potential, Robust
from qmfront.config.solute_checks import problems_of_foreign_elements, problems_of_solutes
from qmfront.config.study import Case

CRYSTAL = Crystal(structure="fcc", symbol="Al", lattice_constant_guess=4.05)
ANY = QuantumModel(calculator="a.b", cutoff=5.0)
EDGE = {"line": (1, -1, 0), "burgers": (0.5, 0.5, 0.0), "plane": (0, 0, 1)}
BOX = {"kind": "box", "cells": 6}
NICKEL = {"element": "Ni", "at": (0.0, 2.0, 0.0)}
SITE = (0.0, 0.0, 0.0)


def problems(defect: Point | Dislocation | Crack, potential: dict, **more: object) -> list[str]:
    domain = BOX if isinstance(defect, Point) else Disc(radius_r0=12)
    case = Case.model_validate(
        {"title": "", "material": "al", "potential": "p", "defect": defect, "domain": domain, **more}
    )
    fitted = Potential.model_validate({"material": "al", **potential})
    return list(problems_of_solutes(case, Material(crystal=CRYSTAL, qm=ANY), fitted))


def edge(*solutes: dict) -> Dislocation:
    return Dislocation(**EDGE, solutes=solutes)


KNOWN = {"solutes": ["Ni"]}


@pytest.mark.parametrize(
    ("defect", "potential", "message"),
    [
        (edge(NICKEL), KNOWN, None),
        (edge(NICKEL, {"element": "Ni", "at": (0.0, -2.0, 0.0)}), KNOWN, None),
        (Point(substituted=({"element": "Ni"},)), KNOWN, None),
        (Point(added=({"at": (0.5, 0.5, 0.5), "element": "H"},)), {"interstitial_solutes": ["H"]}, None),
        (Point(removed=(SITE,)), {}, None),
        (edge(NICKEL), {}, r"Ni is no element of the crystal \(Al\).*Write potentials.p.solutes: \[Ni\]"),
        (edge(NICKEL), {"solutes": ["Cu"]}, r"potentials.p.solutes: \[Cu, Ni\]"),
        (Point(substituted=({"element": "Ni"},)), {}, r"Write potentials.p.solutes: \[Ni\]"),
        (
            Point(added=({"at": (0.5, 0.5, 0.5), "element": "Ni"},)),
            KNOWN,
            r"between the sites. Write potentials.p.interstitial_solutes: \[Ni\]",
        ),
        (edge({"element": "Ni", "at": (60.0, 0.0, 0.0)}), KNOWN, "60.0 Å from the core, and the free part"),
        (edge(NICKEL, NICKEL), KNOWN, "0.00 Å apart. Every site has one"),
        (
            edge(NICKEL, {"element": "Ni", "at": (0.0, -2.0, 0.0)}),
            KNOWN | {"robust": Robust(solute_shells=0)},
            "solute_shells = 0 observes no pairs",
        ),
    ],
)
def test_solutes_of_cases(defect: Point | Dislocation, potential: dict, message: str | None) -> None:
    found = problems(defect, potential)
    if message is None:
        assert not found
    else:
        assert len(found) == 1
        with pytest.raises(ValueError, match=message):
            raise ValueError(found[0])


def test_the_lattice_is_not_subtracted_with_solutes() -> None:
    (found,) = problems(edge(NICKEL), KNOWN, embedding={"subtract_lattice": True})
    assert "has the solutes as well" in found
    assert not problems(edge(), KNOWN, embedding={"subtract_lattice": True})


SETFL = "one\ntwo\nthree\n 2 Ni Al\n5 0.1 5 0.1 5.0\n"


@pytest.mark.parametrize(
    ("potential", "message"),
    [
        ({"solutes": ["Ni"]}, None),
        ({"solutes": ["Al"]}, "Al is an element of the crystal"),
        ({"solutes": ["Cu"]}, r"Cu is not among the elements of the QM model .*Ni, Al"),
        ({"interstitial_solutes": ["H"]}, "H is not among the elements"),
        ({"solutes": ["Ni"], "recipe": "paper"}, "the recipe paper observes the perfect lattice alone"),
    ],
)
def test_solutes_of_potentials(potential: dict, message: str | None, tmp_path: Path) -> None:
    """The elements of an EAM table are read off it."""
    (tmp_path / "table").write_text(SETFL, encoding="utf-8")
    assert elements_of(tmp_path / "table") == ["Ni", "Al"]
    qm = QuantumModel(calculator="qmfront.models.eam.EAM", files={"potential": "table"}, cutoff=5.0)
    material = Material(crystal=CRYSTAL, qm=qm)
    fitted = Potential.model_validate({"material": "al", **potential})
    found = list(problems_of_foreign_elements("p", fitted, material, tmp_path))
    assert not found if message is None else len(found) == 1
    if message is not None:
        with pytest.raises(ValueError, match=message):
            raise ValueError(found[0])


def test_a_table_without_a_line_of_elements_tells_none(tmp_path: Path) -> None:
    (tmp_path / "funcfl").write_text(
        "Cu\n29 63.55 3.615 FCC\n500 1e-2 500 1e-2 4.95\n0. 1. 2.\n", encoding="utf-8"
    )
    assert elements_of(tmp_path / "funcfl") == elements_of(tmp_path / "absent") == []


CASES = {
    "host": {"defect": {**EDGE, "kind": "dislocation"}},
    "beside": {
        "defect": {"solutes": [{"element": "Ni", "at": [0.0, 1.5, 0.0]}]},
        "domain": {"periods": 3},
        "host": "host",
        "energy": {"compute": True, "of": "substitution"},
    },
    "crystal": {
        "defect": {"kind": "point", "substituted": [{"element": "Ni"}]},
        "domain": {"kind": "box", "cells": 6},
        "energy": {"compute": True, "of": "substitution"},
    },
}
STUDY = {
    "cases": CASES,
    "case_defaults": {
        "material": "al",
        "potential": "al",
        "defect": {**EDGE, "kind": "dislocation"},
        "domain": {"radius_r0": 16.0},
        "buffer": {"residual_factor": 1.0},
    },
    "materials": {
        "al": {
            "crystal": {"structure": "fcc", "symbol": "Al", "lattice_constant_guess": 4.0},
            "qm": {"calculator": "ase.calculators.emt.EMT", "cutoff": 5.9},
        }
    },
    "potentials": {"al": {"material": "al", "solutes": ["Ni"]}},
    "figures": {"binding": {"kind": "binding", "cases": ["crystal", "beside"]}},
}


@pytest.mark.parametrize(
    ("case", "changed", "message"),
    [
        ("beside", {}, None),
        ("beside", {"host": "hos"}, "host: 'hos' is not among the cases of the study"),
        ("beside", {"host": None}, "Name the case of the defect without them as host"),
        ("beside", {"domain": {"radius_r0": 15.0}}, "has another domain. Only domain.periods may differ"),
        ("host", {"domain": {"periods": 2}}, "2 periods high, which do not fit into domain.periods = 3"),
        ("host", {"defect": {**EDGE, "kind": "dislocation", "core_offset": [1.0, 0.0]}}, "is another defect"),
        ("host", {"host": "beside"}, "One of them has to start by itself"),
        ("crystal", {"defect": {"removed": [[0.5, 0.5, 0.0]]}}, "Name the case of the defect without them"),
        ("crystal", {"defect": {"substituted": [], "removed": [[0.5, 0.5, 0.0]]}}, "no substituted atoms"),
        ("crystal", {"energy": {"of": "relaxation"}}, "shows the energy of the solutes of 'crystal'"),
    ],
)
def test_hosts_and_energies(case: str, changed: dict, message: str | None, tmp_path: Path) -> None:
    study = {**STUDY, "cases": {**CASES, case: merged(CASES[case], changed)}}
    if message is None:
        found = load(study, tmp_path)
        assert found.cases["beside"].places == ((0.0, 1.5, 0.0),)
        assert found.asking("start") == list(CASES) and found.asking("energy") == ["beside", "crystal"]
        return
    with pytest.raises(ConfigError, match=message):
        load(study, tmp_path)
