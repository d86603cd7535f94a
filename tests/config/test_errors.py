"""Bad input: one message that says which key, what is wrong and what to write."""

import math
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from qmfront.config.errors import MOST, ConfigError, problems_of
from qmfront.config.figure_checks import RULES
from qmfront.config.load import load
from qmfront.config.material import Crystal
from qmfront.config.material_checks import missing_module
from qmfront.config.merge import dotted
from qmfront.config.potential import Basis
from qmfront.config.reading import read_yaml
from qmfront.crystal.lattice import Structure, cubic_crystal
from tests.config.conftest import EDGE, ROOT

Change = Callable[[dict[str, Any]], dict[str, Any]]
NO_FIGURES: dict[str, Any] = {}


@pytest.fixture
def problems(changed: Change, root: Path) -> Callable[..., tuple[str, ...]]:
    """Problems of the gallery with some values replaced."""

    def find(values: dict[str, Any]) -> tuple[str, ...]:
        with pytest.raises(ConfigError) as caught:
            load(changed(values), root)
        assert isinstance(caught.value, ValueError)
        assert all(problem in str(caught.value) for problem in caught.value.problems[:MOST])
        return caught.value.problems

    return find


Problems = Callable[[dict[str, Any]], tuple[str, ...]]


@pytest.mark.parametrize(
    ("path", "value", "pieces"),
    [
        (
            "case_defaults.adapt.tolerence",
            1.0,
            ["case_defaults.adapt.tolerence", "did you mean 'tolerance'?"],
        ),
        ("potential_defaults.max degree", [12], ["potential_defaults.max degree: unknown key (there is:"]),
        (
            "case_defaults.refine.t new",
            4.0,
            ["case_defaults.refine.t new: unknown key (did you mean 't_new'?)"],
        ),
        ("cases", ["x" * 120], ["cases: 'xxxx"]),
        (
            "cases",
            {"box": EDGE | {"domain": {"kind": "box", "cells": 9, "radius_r0": 20.0}}},
            [
                "cases.box.domain.radius_r0: unknown key of kind 'box' (there is: kind, cells); another kind has it"
            ],
        ),
        ("cases", ["ab" * 20], ["ends with 'ab' 20 times or more, which Snakemake refuses. Choose another"]),
        ("figures", {"a" + "7" * 25: None}, ["ends with '7' 20 times or more"]),
        ("cases", [f"c{n}" for n in range(9000)], ["it should have at most 1000 entries"]),
        ("case_defaults.adapt.tolerance", "1.0e" + "9" * 5000, ["write a number below 1.0e+308"]),
        ("potential_defaults.basis.max_degree", [9] * 6, ["it should have at most 5 entries, not 6"]),
        (
            "cases",
            {"box": EDGE | {"domain": {"kind": "box", "cells": 101}}},
            ["should be less than or equal to 100, or should be a list"],
        ),
        ("figurs", {}, ["figurs: unknown key (did you mean 'figures'?)"]),
        ("case_defaults.t_new", 2.0, ["case_defaults.t_new: unknown key here; there is 'refine.t_new'"]),
        ("case_defaults.buffer.width", "9 nm", ["buffer.width: '9 nm' is text", "in Å", "Range: >= 0"]),
        ("case_defaults.adapt.tolerance", "1e-4", ["write 1.0e-4", "Unit: Å"]),
        ("case_defaults.adapt.tolerance", 0.0, ["adapt.tolerance: 0.0", "greater than 0"]),
        ("case_defaults.refine.t_new", -1.0, ["refine.t_new: -1.0", "Range: > 0"]),
        ("case_defaults.refine.t_new", True, ["refine.t_new: True", "valid number"]),
        ("case_defaults.qm_kwargs", {"a": math.nan}, ["case_defaults.qm_kwargs.a: nan is refused"]),
        (
            "case_defaults.reference.start",
            True,
            ["reference.start: True is refused", "'predictor', or should be"],
        ),
        (
            "case_defaults.buffer",
            {f"k{n}": n for n in range(26)},
            [
                "buffer.k0: unknown key",
                "for the same reason: 'k1', 'k2', 'k3', and 22 more)",
            ],
        ),
        (
            "materials",
            dict.fromkeys([f"k{n}" for n in range(26)], 3),
            [
                "materials.k0: 3 is not a group",
                "for the same reason: 'k1', 'k2', 'k3', and 22 more)",
            ],
        ),
        ("case_defaults.buffer.width", 1e300, ["buffer.width: 1e+300 is refused", "<= 1000"]),
        ("case_defaults.refine.t_new", math.nan, ["refine.t_new: nan", "finite"]),
        ("case_defaults.refine.method", "circel", ["'circel'", "'fast_marching', 'benefit' or 'circle'"]),
        ("case_defaults.solve.memory", 2.5, ["solve.memory: 2.5", "valid integer"]),
        ("cases.edge_T4.defect.burgers", [1.0, 0.0], ["defect.burgers.2: the key is missing", "Unit: a0"]),
        ("cases.edge_T4.defect.plane", [0, 1, 0], ["line [0, 1, 0] does not lie in the cut plane"]),
        ("cases.edge_T4.defect.burgers", [0.0, 0.0, 0.0], ["burgers is the zero vector"]),
        ("case_defaults.estimate", 3, ["case_defaults.estimate: 3 is not a group of keys"]),
        (
            "potential_defaults.basis.max_degree",
            [],
            ["basis.max_degree: [] is refused", "one to five numbers"],
        ),
        (
            "potential_defaults.basis.order",
            3,
            ["basis.order: the key is gone, remove it", "entries of max_degree"],
        ),
        (
            "potentials.matching_1",
            {"matchin": 1},
            ["potentials.matching_1.matchin", "did you mean 'matching'?"],
        ),
        ("potential_defaults.matching", 4, ["potential_defaults.matching: 4", "0, 1, 2 or 3"]),
        ("materials.tungsten.crystal.structure", "bbc", ["crystal.structure: 'bbc'", "'bcc'"]),
        (
            "figures.figure_1",
            {"case": "edge_T4"},
            ["figures.figure_1.kind: the key is missing", "front, stages"],
        ),
        (
            "figures.figure_1",
            {"window": [3, 9], "Kinds": "errors", "cases": ["edge_T4"]},
            ["figures.figure_1.kind: the key is missing, and 'Kinds' is none: did you mean that?"],
        ),
        ("figures.figure_1.kind", "decompositon", ["figures.figure_1.kind", "did you mean 'decomposition'?"]),
        (
            "figures.figure_1",
            {"kind": "decomposition", "case": "edge_T4"},
            ["figures.figure_1.iteration: the key is missing", "-1 the last"],
        ),
        (
            "figures.figure_1.slope",
            -1.0,
            ["figures.figure_1.slope: unknown key of kind 'decomposition'", "another kind has it"],
        ),
        ("figures.figure_4.slop", -1.0, ["figures.figure_4.slop", "did you mean 'slope'?"]),
        ("figures.figure_4.slope", 1.0, ["figures.figure_4.slope: 1.0 is refused", "Range: >= -10, <= 0"]),
        ("figures.figure_4.window", [100, 70], ["figures.figure_4.window", "window [100, 70] is empty"]),
        ("figures.effectivity.band", [1.1, 0.9], ["figures.effectivity.band", "band [1.1, 0.9] is empty"]),
        ("figures.figure_4.cases", [], ["figures.figure_4.cases: [] is refused"]),
        ("figures.figure_4", "edge_T4", ["figures.figure_4: 'edge_T4'"]),
        ("figures.stages.n_qm", [100, 50], ["figures.stages: n_qm [100, 50] does not increase"]),
        ("figures.figure 7", None, ["figures: 'figure 7' is refused"]),
        ("cases", [], ["cases: {} is refused", "a list of names"]),
        (
            "materials",
            {"crystal": {"structure": "bcc"}, "qm": {"cutoff": 5.0}, "surface": {"vacuum": 3.0}},
            ["are keys of a material, where names are expected. Write its name above them, and indent them"],
        ),
        ("cases", {"title": "one", "material": "tungsten"}, ["'title' and 'material' are keys of a case"]),
        ("cases", ["edge T4", "edge_T2"], ["cases: 'edge T4' is refused"]),
    ],
)
def test_key_by_key(path: str, value: Any, pieces: list[str], problems: Problems) -> None:
    (problem,) = problems({path: value})
    assert [piece for piece in pieces if piece not in problem] == []


FILE = {
    "kind": "file",
    "file": "config/structures/cu_vacancy.extxyz",
    "axes": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "lattice_constant": 3.6,
    "lattice": None,
    "clamp": "fix_atoms",
    "seed": None,
    "core": None,
}


DISLOCATION = {"kind": "dislocation", "line": [1, 1, 1], "plane": [1, 1, -2]}


@pytest.mark.parametrize(
    ("values", "pieces"),
    [
        (
            {"cases.edge_T4.material": "tungstn"},
            [
                "no material 'tungstn', neither under materials nor in config/materials (did you mean 'tungsten'?)"
            ],
        ),
        ({"potentials.matching_1.material": "iron"}, ["potentials.matching_1.material: no material 'iron'"]),
        (
            {"cases.edge_T4.potential": "matchin_1"},
            ["no potential 'matchin_1'", "did you mean 'matching_1'?"],
        ),
        ({"cases.edge_T4.title": "broken $\\frac{a$ math"}, ["title: 'broken $", "between the dollars"]),
        (
            {"cases.edge_T4.title": f"${'a^{' * 49}{'}' * 49}$"},
            ["title: '$a^{", "more than 5 braces in each other"],
        ),
        ({"cases.edge_T4.title": "two\nlines"}, [r"title: 'two\nlines' holds '\n', which cannot be printed"]),
        ({"cases.edge_T4.title": "\u202eleft"}, [r"holds '\u202e', which cannot be printed"]),
        ({"cases.edge_T4.title": "x" * 3000}, ["has 3000 characters, and 200 fit. Write a shorter one"]),
        (
            {"cases.edge_T4.locality": {"alternatives": {"$\\no$": {}}}},
            ["locality.alternatives: '$\\\\no$' cannot be set (Unknown symbol", "between the dollars"],
        ),
        ({"cases.edge_T4.potential": "x" * 120}, ["cases.edge_T4.potential: 'xxx"]),
        ({"cases.edge_T4.extends": "x" * 300}, ["extends 'xxxx", "up to 100 letters"]),
        (
            {"figures.structure": {"kind": "decomposition", "case": "edge_T4", "iteration": -1}},
            ["figures.structure: 'structure' is the name of a rule of the workflow"],
        ),
        ({"figures.effectivity.case": "edge_T5"}, ["figures.effectivity: 'edge_T5' is not among the cases"]),
        ({"figures.figure_4.cases": ["edge_T4", "no"]}, ["figures.figure_4: 'no' is not among the cases"]),
        (
            {"figures.figure_4.cases": ["a", "b"]},
            ["figures.figure_4: 'a', 'b' are not among the cases", "null"],
        ),
        (
            {"figures.figure_2.case": "edge_circle"},
            ["figures.figure_2 shows a front", "'edge_circle' is circle", "choose a case with fast_marching"],
        ),
        (
            {"figures.figure_4.cases": ["edge_T2", "edge_T4", "edge_T4"]},
            ["figures.figure_4 calls edge_T4, edge_T4 all 'T_new = 4'", "titles that differ"],
        ),
        (
            {"figures.matching.cases": ["edge_T2", "edge_T4"]},
            ['figures.matching calls edge_T2, edge_T4 all "matching 1'],
        ),
        (
            {"cases.edge_T4.reference.compute": False},
            ["figures.figure_4 shows errors", "compute the reference"],
        ),
        (
            {"case_defaults.reference.start": 12},
            ["reference.start: there is no iteration 12", "adapt.max_iterations = 12"],
        ),
        ({"case_defaults.initial_region.radius_r0": 0.5}, ["does not contain the core", "Choose at least 1"]),
        ({"case_defaults.initial_region.centre_r0": [7.0, 0.0]}, ["does not contain the core"]),
        (
            {"case_defaults.domain.radius_r0": 8.5},
            ["buffer.width = 10.8 Å", "reaches 24.3 Å", "ends at 23.3 Å (domain.radius_r0 = 8.5)"],
        ),
        (
            {"case_defaults.buffer.width": 5.3},
            ["buffer.width = 5.3 Å", "qm.cutoff = 5.4 Å", "feel the surface of the cluster"],
        ),
        ({"case_defaults.initial_region.radius_r0": 60.0}, ["initial_region reaches 164.5 Å"]),
        (
            {"cases.edge_T4.defect": FILE, "cases.edge_T4.clamp.factor": 1.5},
            ["clamp.factor: a file cannot be made again on a larger disc"],
        ),
        (
            {"case_defaults.domain.clamp_width": 12.0},  # wide enough for the range, not for the slip
            [
                "clamp_width = 12 Å",
                "reach 11 Å",
                "slip (defect.burgers) thins the rim by 3.17 Å",
                "Choose at least 14.17 Å",
            ],
        ),
        (
            {"figures.certificate.potentials": ["matchin_1"]},
            ["no potential 'matchin_1'", "did you mean 'matching_1'?"],
        ),
        (
            {"figures.certificate.potentials": ["edge_T4"]},
            ["figures.certificate.potentials: no potential 'edge_T4'"],
        ),
        (
            {"potential_defaults.basis.cutoff": 5.8},
            ["potentials.matching_1.basis.cutoff = 5.8 Å", "reach is 11 Å"],
        ),
        (
            {"potentials.silicon_0.basis.cutoff": 12.5},  # rattled cells hold what lies beyond the reach
            ["potentials.silicon_0.basis.cutoff = 12.5 Å", "reach is 12 Å (at least 12.5 Å here)"],
        ),
        (
            {"potentials.silicon_0.field_samples": 100, "figures.certificate.potentials": ["silicon_0"]},
            ["potentials.silicon_0.field_samples takes the strains of the first case", "a figure shows its"],
        ),
        (
            {"cases.edge_T2.defect": FILE, "potentials.matching_1.field_samples": 100},
            ["potentials.matching_1.field_samples", "'edge_T2', the first case", "no straight dislocation"],
        ),
        (
            {"cases.edge_T4.defect.burgers": [0.3, 0.0, 0.0]},
            [
                "defect.burgers = [0.3, 0, 0] a0 is no lattice vector of bcc (the shortest along it is [1, 0, 0])"
            ],
        ),
        (  # twelve atoms would be 1.6 Å apart
            {"cases.edge_T4.defect": {**DISLOCATION, "burgers": [0.5, -0.5, 0.0]}},
            [
                "defect.burgers = [0.5, -0.5, 0] a0 is no lattice vector of bcc (the shortest along it is [1, -1, 0])"
            ],
        ),
        (
            {
                "case_defaults.domain.clamp_width": 40.0,
                "cases.edge_T4.defect": {"burgers": [3.0, 0.0, 0.0], "core_map_radius_r0": 3.0},
            },
            ["defect.core_map_radius_r0 = 3: the core map (B.4) folds", "component of 3 a0", "at least 7.8"],
        ),
        (
            {"cases.edge_T4.defect.core_offset": [1e6, 0.0]},
            ["defect.core_offset = [1000000.0, 0.0] Å is outside of the domain", "subtract lattice vectors"],
        ),
        (
            {
                "cases.edge_T4.defect": {
                    **DISLOCATION,
                    "line": [0, 1009, 1],
                    "plane": [1, 0, 0],
                    "burgers": [0.0, 1.0, 0.0],
                }
            },
            ["line or front [0, 1009, 1] has indices above 200"],
        ),
        (
            {"case_defaults.domain.clamp_width": 5e4},
            ["domain.clamp_width = 50000 needs 1.6e9 sites, 4.7e4 GB; "],
        ),
        (
            {"cases.crack_50.defect": {"front": [1, 1, -2], "plane": [1, 1, 1]}},
            [
                "defect.front = [1, 1, -2] is no two-fold axis of the moduli of bcc",
                "such as [0, 0, 1] or [1, 1, 0]",
            ],
        ),
        (
            {"cases.crack_50.defect.termination": 0.5},
            ["defect.termination = 0.5, but the potential 'surface_1' is fitted to the cheapest one"],
        ),
        (
            {"materials.tungsten.qm.cutoff": 16.0, "case_defaults.buffer.width": 16.0},
            [
                "clamp_width = 15 Å: the QM model reaches materials.tungsten.qm.cutoff = 16 Å",
                "at least 19.17 Å",
            ],
        ),
        (
            {"materials.tungsten.qm.cutoff": 12.0},
            [
                "materials.tungsten.force_constants.reach = 11 Å is less than materials.tungsten.qm.cutoff = 12 Å"
            ],
        ),
        ({"materials.tungsten.qm.files": {"potential": "W.fs"}}, ["files.potential = 'W.fs': no such file"]),
        ({"materials.tungsten.qm.kwargs": {"potential": "W.fs"}}, ["looks like a file", "does not exist"]),
        ({"materials.tungsten.qm.calculator": "gpaww.GPAW"}, ["no module 'gpaww'"]),
        (
            {"materials.tungsten.qm.calculator": "qmfront.models.eamm.EAM"},
            ["no module 'qmfront.models.eamm'"],
        ),
    ],
)
def test_contradictions(values: dict[str, Any], pieces: list[str], problems: Problems) -> None:
    found = problems(values)
    assert any(all(piece in problem for piece in pieces) for problem in found), found


@pytest.mark.parametrize(
    ("structure", "vector", "belongs"),
    [
        ("bcc", (0.5, 0.5, -0.5), True),
        ("bcc", (0.5, 0.5, 0.0), False),
        ("bcc", (1.0, 0.0, 0.0), True),
        ("fcc", (0.5, 0.0, -0.5), True),
        ("fcc", (1 / 6, 1 / 6, -1 / 3), False),
        ("diamond", (0.5, 0.5, 0.0), True),
        ("diamond", (0.25, 0.25, 0.25), False),
        ("b2", (0.5, 0.5, 0.5), False),
        ("sc", (2.0, -1.0, 0.0), True),
        ("rocksalt", (0.5, 0.0, 0.0), False),
    ],
)
def test_lattice_vectors(structure: Structure, vector: tuple[float, float, float], belongs: bool) -> None:
    """Those of the cubic cells, against a translation of the crystal itself."""
    symbol = "NaCl" if structure in ("b2", "rocksalt", "zincblende") else "Si"
    crystal = cubic_crystal(symbol, structure, 1.0)
    assert crystal.contains(crystal.basis + np.array(vector), crystal.numbers) == belongs
    described = Crystal(structure=structure, symbol=symbol, lattice_constant_guess=4.0)
    assert described.cell.is_lattice_vector(vector) == belongs
    assert len(crystal.numbers) == described.atoms_per_lattice_point
    assert len(described.cell.sites) == round(len(crystal.numbers) / crystal.volume)
    assert np.allclose(crystal.nearest_neighbour_distance * 4.0, described.nearest_neighbour_guess)
    near = np.array(described.cell.nearest_site((0.27, 0.24, 0.2))[1])
    assert crystal.contains(near[None])


@pytest.mark.parametrize(
    ("removed", "added", "pieces"),
    [
        (
            [[0.1, 0.2, 0.3]],
            [],
            ["defect.removed: there is no site at [0.1, 0.2, 0.3] a0", "nearest is at [0, 0, 0]"],
        ),
        ([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], [], ["defect.removed names a site twice"]),
        ([], [[0.0, 0.0, 0.0]], ["defect.added: the atom at [0, 0, 0] a0 is 0.00 Å", "list the other site"]),
        ([], [[0.5, 0.5, 0.51]], ["is 0.03 Å from the one at [0.5, 0.5, 0.5]"]),
        ([[0.0, 0.0, 0.0]], [[0.1, 0.0, 0.0], [0.0, 0.0, 0.0]], ["is 0.32 Å from the one at [0.1, 0, 0]"]),
    ],
)
def test_sites_of_point_defects(removed: list, added: list, pieces: list[str], problems: Problems) -> None:
    found = problems(
        {
            "cases": {"w_vacancy": {"defect": {"removed": removed, "added": added}}},
            "figures": NO_FIGURES,
            "case_defaults": {},
        }
    )
    assert any(all(piece in problem for piece in pieces) for problem in found), found


def test_what_a_message_recommends_is_accepted(changed: Change, root: Path) -> None:
    load(changed({"case_defaults.domain.clamp_width": 14.17}), root)
    load(changed({"case_defaults.initial_region.radius_r0": 1.0}), root)


def test_circle_outside_the_domain(problems: Problems) -> None:
    found = problems(
        {
            "case_defaults.refine.circle.centre_r0": [50.5, 0.0],
            "cases": ["edge_circle"],
            "figures": NO_FIGURES,
        }
    )
    assert "refine.circle.centre_r0 = [50.5, 0.0] is outside" in found[0]


def test_a_problem_shared_by_cases_is_told_once(problems: Problems) -> None:
    """One message per potential and slip, not one per case: four potentials of dislocations, three of cracks."""
    found = problems({"case_defaults.domain.clamp_width": 3.0})
    assert len(found) == 7
    assert found[0].startswith(
        "cases edge_T2, edge_T4, edge_T8, edge_circle, edge_circle_off: domain.clamp_width"
    )


def test_all_problems_are_told_at_once(problems: Problems) -> None:
    found = problems(
        {
            "case_defaults.refine.mesh": -1.0,
            "case_defaults.adapt.tolerance": "x",
            "potentials.matching_1.matching": 9,
        }
    )
    assert len(found) == 3


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("a: {b: 1}\na: {c: 2}\n", ["the key 'a' occurs twice", "line 2"]),
        ("solve: {max_calls: 1:30}\n", ["1:30 means 90 in YAML 1.1: write 90"]),
        ("solve: {max_calls: 060}\n", ["060 means 48 in YAML 1.1"]),
        ("a: 1\n\tb: 2\n", ["is not valid YAML", "line 2"]),
        ("title: \xc5\n", ["study.yaml is not text in UTF-8 (byte 7)"]),
    ],
)
def test_the_text_of_a_study(
    text: str, pieces: list[str], changed: Change, root: Path, tmp_path: Path
) -> None:
    """What Snakemake would read in silence, or refuse without a line."""
    path = tmp_path / "study.yaml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        load(changed({}), root, files=[path])
    assert all(piece in str(caught.value) for piece in pieces), str(caught.value)


def test_numbers_that_mean_what_they_say(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("a: 0\nb: -12\nc: 0x1F\nd: '060'\ne: 1_000\n", encoding="utf-8")
    assert read_yaml(path, shown="study") == {"a": 0, "b": -12, "c": 31, "d": "060", "e": 1000}


def test_names_of_rules(root: Path) -> None:
    """Those in the workflow, so that none is forgotten."""
    texts = [
        path.read_text(encoding="utf-8")
        for path in (root / "workflow/Snakefile", *(root / "workflow/rules").glob("*.smk"))
    ]
    rule = re.compile(r"^ *(?:use rule \w+ as|rule|checkpoint) (\w+)", re.MULTILINE)
    found = {name for text in texts for name in rule.findall(text) if not name.startswith("draw_")}
    assert found <= set(RULES) and len(found) > 20


def test_a_reserved_name(changed: Change, root: Path, project: Callable[..., Path]) -> None:
    config = changed({"cases": ["bulk"], "figures": NO_FIGURES, "case_defaults": EDGE})
    with pytest.raises(ConfigError, match="'bulk' is a folder of the results"):
        load(config, project(bulk=""))


def test_modules_are_found_without_importing_them() -> None:
    assert missing_module("qmfront.config.load") is None
    assert missing_module("xml.dom.minidom") is None
    assert missing_module("xml.no_such.minidom") == "xml.no_such"
    assert missing_module("ase.calculators.tersoff.Tersoff") is None  # from_lammps of it makes a calculator
    assert missing_module("qmfront.models.ace.ACE") is None
    assert missing_module("ase.calculators.tersoff.Tersof") == "ase.calculators.tersoff.Tersof"
    assert missing_module("ase.calculators.emtt.EMT") == "ase.calculators.emtt"


def test_moments_of_a_file_need_those_of_the_crystal(problems: Problems, tmp_path: Path) -> None:
    """The crystal and the training cells would be another material."""
    path = tmp_path / "magnetic.extxyz"
    path.write_text("1\nProperties=species:S:1:pos:R:3:initial_magmoms:R:1\nW 0 0 0 1.0\n")
    found = problems({"cases.edge_T4.defect": FILE | {"file": str(path)}, "cases.edge_T4.clamp.factor": 1.5})
    assert any(
        "has initial_magmoms, but materials.tungsten.qm.moments is not given" in text for text in found
    )


def test_entries_that_are_wrong_are_told_once() -> None:
    """Pydantic also says that the list without them is too short."""
    content = {"max_degree": [60, 16]}
    with pytest.raises(ValidationError) as caught:
        Basis.model_validate(content)
    (problem,) = problems_of(caught.value, Basis, content, name_of=dotted)
    assert problem.startswith("max_degree.0: 60 is refused: it should be less than or equal to 40.")


def test_a_list_of_thousands_of_names_is_one_problem(root: Path) -> None:
    before = time.process_time()
    with pytest.raises(ConfigError) as caught:
        load({"cases": [f"c{n}" for n in range(9000)]}, root)
    assert time.process_time() - before < 2.0
    assert len(caught.value.problems) == 1


def test_files_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a model and of a structure; root may read everything."""
    study = read_yaml(ROOT / "config/studies/own.yaml", shown="own.yaml")
    study["materials"]["copper"]["qm"]["files"] = {"potential": "config/config.yaml"}
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(ConfigError) as caught:
        load(study, ROOT)
    told = "\n".join(caught.value.problems)
    assert "qm.files.potential = 'config/config.yaml': you may not read it" in told
    assert "defect.file = 'config/structures/cu_vacancy.extxyz': you may not read it" in told
