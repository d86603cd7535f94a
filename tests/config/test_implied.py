"""A study says what makes it that study: the few keys that a vacancy, a dislocation, a crack and an alloy need."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from qmfront.config.errors import ConfigError
from qmfront.config.load import load
from qmfront.config.section import Yaml

VACANCY = """
cases: {vacancy: {defect: {kind: point, removed: [[0, 0, 0]]}, domain: {cells: 6}}}
materials: {copper: {crystal: {symbol: Cu}, qm: {calculator: ase.calculators.emt.EMT, cutoff: 4.5}}}
"""
DISLOCATION = """
cases: {edge: {defect: {kind: dislocation, line: [1, -1, 0], burgers: [0.5, 0.5, 0], plane: [0, 0, 1]}}}
materials: {aluminium: {crystal: {symbol: Al}, qm: {calculator: ase.calculators.emt.EMT, cutoff: 5.0}}}
"""
CRACK = """
cases: {crack: {defect: {kind: crack, front: [0, 0, 1], plane: [1, 1, 0], load: 0.9}}}
materials: {copper: {crystal: {symbol: Cu}, qm: {calculator: ase.calculators.emt.EMT, cutoff: 4.5}}}
"""
ALLOY = """
cases: {vacancy: {defect: {kind: point, removed: [[0, 0, 0]]}, domain: {cells: 6}}}
materials:
  alloy:
    crystal: {structure: l1_2, symbol: CuAu, lattice_constant_guess: 3.8}
    qm: {calculator: ase.calculators.emt.EMT, cutoff: 5.0}
"""
SOLUTE = """
cases: {solute: {defect: {kind: point, substituted: [{element: Cu}]}, domain: {cells: 6}}}
materials: {aluminium: {crystal: {symbol: Al}, qm: {calculator: ase.calculators.emt.EMT, cutoff: 5.0}}}
"""


@pytest.mark.parametrize(
    "text, most",
    [(VACANCY, 6), (DISLOCATION, 8), (CRACK, 9), (ALLOY, 8), (SOLUTE, 8)],
    ids=["vacancy", "dislocation", "crack", "alloy", "solute"],
)
def test_a_study_has_few_keys(text: str, most: int, tmp_path: Path) -> None:
    """Names that the user chooses do not count, and each of the others is needed: without it the study is refused."""
    written = yaml.safe_load(text)
    keys = list(leaves(written))
    assert len(keys) <= most
    load(written, tmp_path)
    for place in keys:
        fewer = yaml.safe_load(text)
        section = fewer
        for name in place[:-1]:
            section = section[name]
        del section[place[-1]]
        with pytest.raises(ConfigError):
            load(fewer, tmp_path)


def test_what_is_implied_is_what_would_be_written(tmp_path: Path) -> None:
    written = yaml.safe_load(CRACK)
    explicit = yaml.safe_load(CRACK)
    explicit["cases"]["crack"] |= {"material": "copper", "potential": "copper", "domain": {"kind": "disc"}}
    explicit["materials"]["copper"]["crystal"] |= {"structure": "fcc", "lattice_constant_guess": 3.61}
    explicit["potentials"] = {"copper": {"material": "copper", "surfaces": {"planes": [[1, 1, 0]]}}}
    assert load(written, tmp_path) == load(explicit, tmp_path)


def test_a_potential_of_its_own_knows_the_solutes(tmp_path: Path) -> None:
    assert load(yaml.safe_load(SOLUTE), tmp_path).potentials["aluminium"].solutes == ("Cu",)
    assert load(yaml.safe_load(VACANCY), tmp_path).potentials["copper"].solutes == ()


def test_what_is_written_is_taken(tmp_path: Path) -> None:
    """Two materials leave a choice; a potential that is written is the one of all cases, as it is written."""
    study = yaml.safe_load(CRACK)
    study["potentials"] = {"plain": {"basis": {"cutoff": 5.0}}}
    found = load(study, tmp_path)
    assert found.cases["crack"].potential == "plain" and found.potentials["plain"].material == "copper"
    assert found.potentials["plain"].surfaces is None
    study["materials"]["gold"] = {"crystal": {"symbol": "Au"}, "qm": study["materials"]["copper"]["qm"]}
    with pytest.raises(ConfigError, match=r"crack\.material: the key is missing"):
        load(study, tmp_path)


def test_elements_stand_for_their_crystals(tmp_path: Path) -> None:
    """As ASE tabulates them; an element of another structure, and a structure that is another one, are asked for."""
    study = yaml.safe_load(VACANCY.replace("cells: 6", "cells: 8"))
    crystal: dict[str, Any] = study["materials"]["copper"]["crystal"]
    found = load(study, tmp_path).materials["copper"].crystal
    assert (found.structure, found.lattice_constant_guess) == ("fcc", 3.61)
    crystal |= {"symbol": "Mg"}
    found = load(study, tmp_path).materials["copper"].crystal
    assert found.structure == "hcp" and found.ratio_guess == pytest.approx(1.624, abs=1e-3)
    crystal |= {"symbol": "Fe", "structure": "fcc"}
    with pytest.raises(ConfigError, match="lattice_constant_guess"):
        load(study, tmp_path)


def test_files_of_the_project_count_where_the_folder_has_none(tmp_path: Path) -> None:
    library = tmp_path / "library"
    for folder, title in ((library, "of the project"), (tmp_path, "of the folder")):
        (folder / "config" / "cases").mkdir(parents=True)
        case = yaml.safe_load(VACANCY)["cases"]["vacancy"] | {"title": title}
        (folder / "config" / "cases" / f"{title[-6:]}.yaml").write_text(
            yaml.safe_dump(case), encoding="utf-8"
        )
        (folder / "config" / "cases" / "both.yaml").write_text(yaml.safe_dump(case), encoding="utf-8")
    study = yaml.safe_load(VACANCY) | {"cases": ["both", "roject", "folder"]}
    found = load(study, tmp_path, library=library)
    assert [case.title for case in found.cases.values()] == [
        "of the folder",
        "of the project",
        "of the folder",
    ]
    with pytest.raises(ConfigError, match="no file config/cases/roject.yaml"):
        load(study, tmp_path)


def leaves(content: Yaml, place: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Places of the keys with values; of a list of atoms, the keys of an atom are one."""
    found = []
    for name, value in content.items():
        found += leaves(value, (*place, name)) if isinstance(value, dict) else [(*place, name)]
    return found
