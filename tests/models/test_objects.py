"""Arguments that are objects: built from the inside out, guarded, and part of the identity of a model."""

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.espresso import Espresso, EspressoProfile
from ase.calculators.lj import LennardJones

from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.models.calculator import build, identity

LJ = "ase.calculators.lj.LennardJones"
MIXED = "ase.calculators.mixing.LinearCombinationCalculator"
ESPRESSO = "ase.calculators.espresso.Espresso"
PROFILE = "ase.calculators.espresso.EspressoProfile"


def mixture(sigma: float = 2.3) -> dict[str, Any]:
    calcs = [{"object": "ase.calculators.emt.EMT"}, {"object": LJ, "sigma": sigma, "rc": 5.0}]
    return {"calculator": MIXED, "kwargs": {"calcs": calcs, "weights": [1.0, 0.25]}}


def espresso(**profile: Any) -> dict[str, Any]:
    told = {"object": PROFILE, "command": "pw.x", "pseudo_dir": "pseudos", **profile}
    return {"calculator": ESPRESSO, "kwargs": {"profile": told, "input_data": {"system": {"ecutwfc": 40}}}}


def rattled() -> Atoms:
    atoms = bulk("Cu", cubic=True) * (2, 1, 1)
    atoms.rattle(0.1, seed=3)
    return atoms


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("pseudos").mkdir()
    Path("pseudos/Si.upf").write_text("silicon")
    return tmp_path


def program(text: str) -> str:
    """The path of a program that prints this text."""
    path = Path("bin").absolute() / "pw.x"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\nprintf '{text}'\n")
    path.chmod(0o755)
    return str(path)


def test_a_sum_of_calculators_is_the_sum_of_their_values() -> None:
    atoms = rattled()
    mixed, emt, lj = build(mixture()), EMT(), LennardJones(sigma=2.3, rc=5.0)
    for name in ("energy", "forces", "stress"):
        parts = [calculator.get_property(name, atoms) for calculator in (emt, lj)]
        assert np.all(np.abs(parts[1]).max() > 1e-4), "the second part is there to be seen"
        assert mixed.get_property(name, atoms) == pytest.approx(parts[0] + 0.25 * parts[1], abs=1e-12)


def test_objects_in_objects() -> None:
    kwargs = {"calcs": [{"object": MIXED, **mixture()["kwargs"]}, {"object": LJ}], "weights": [2.0, 0.0]}
    nested = build({"calculator": MIXED, "kwargs": kwargs})
    atoms = rattled()
    expected = 2 * build(mixture()).get_property("forces", atoms)
    assert nested.get_property("forces", atoms) == pytest.approx(expected, abs=1e-12)


def test_espresso_with_its_profile() -> None:
    built = build(espresso())
    assert isinstance(built, Espresso)
    assert isinstance(built.profile, EspressoProfile)
    assert (built.profile.command, built.profile.pseudo_dir) == ("pw.x", "pseudos")


def test_the_journal_tells_objects_apart_and_finds_the_same_again(tmp_path: Path) -> None:
    journal, tally, atoms = Journal(tmp_path / "journal"), Tally(), rattled()
    for sigma, cached in ((2.3, False), (2.3, True), (2.4, False)):
        spec = ModelSpec(**mixture(sigma))
        found = journal.evaluate(atoms, None if cached else spec.build(), spec, tally=tally)
        assert found.cached == cached
    assert (tally.computed, tally.cached) == (2, 1)


def test_models_without_objects_keep_their_identity() -> None:
    """Keys of the journals that exist depend on it."""
    assert set(identity({"calculator": LJ, "kwargs": {"sigma": 2.0}})) == {
        "calculator",
        "kwargs",
        "files",
        "code",
    }
    objects = identity(mixture())["objects"]
    assert set(objects) == {"kwargs.calcs[0]", "kwargs.calcs[1]"}
    assert objects["kwargs.calcs[1]"]["object"] == LJ
    assert objects["kwargs.calcs[1]"]["code"], "the version of its distribution"


def test_a_folder_counts_by_content_wherever_it_is() -> None:
    first = identity(espresso(command=program("Program PWSCF v.7.3")))
    os.rename("pseudos", "elsewhere")
    moved = identity(espresso(command=program("Program PWSCF v.7.3"), pseudo_dir="elsewhere"))
    assert moved == first
    Path("elsewhere/Si.upf").write_text("another silicon")
    assert identity(espresso(command=program("Program PWSCF v.7.3"), pseudo_dir="elsewhere")) != first


def test_the_version_of_the_program_counts(caplog: pytest.LogCaptureFixture) -> None:
    old = identity(espresso(command=program("\\n     Program PWSCF v.7.2 starts\\n")))
    new = identity(espresso(command=program("\\n     Program PWSCF v.7.3 starts\\n")))
    assert old["objects"]["kwargs.profile"]["version"] == "7.2"
    assert new["objects"]["kwargs.profile"]["version"] == "7.3"
    caplog.set_level(logging.WARNING)
    silent = identity(espresso(command=program("nothing")))
    assert silent["objects"]["kwargs.profile"]["version"] == "unknown"
    assert "kwargs.profile: the program does not tell its version" in caplog.text


@pytest.mark.parametrize(
    "change, message",
    [
        ({"object": "ase.calculators.espresso.EspresoProfile"},
         r"kwargs.profile: .* has no EspresoProfile. Did you mean EspressoProfile"),
        ({"object": "ase.calculators.expresso.Profile"}, "kwargs.profile: .*expresso"),
        ({"object": "no_such_package.Profile"}, "kwargs.profile: .*no module no_such_package.*kwargs.profile.object"),
        ({"object": 3}, "kwargs.profile.object is 3. Give a dotted path"),
        ({"object": "EspressoProfile"}, "kwargs.profile.object is 'EspressoProfile'. Give a dotted path"),
        ({"comand": "pw.x"}, "kwargs.profile: .*refuses .*comand.*Correct kwargs.profile; it takes command, "),
        ({"command": 3}, "kwargs.profile: .*EspressoProfile refuses .*Correct kwargs.profile"),
        ({"pseudo_dir": "pseudo"}, "kwargs.profile.pseudo_dir is 'pseudo', which does not exist"),
    ],
)  # fmt: skip
def test_mistakes_name_the_key(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(espresso(**change))


def test_a_mistake_in_a_list_names_its_place() -> None:
    spec = mixture()
    spec["kwargs"]["calcs"][1] = {"object": "ase.calculators.emt.ETM"}
    with pytest.raises(ValueError, match=r"kwargs.calcs\[1\]: .* has no ETM. Did you mean EMT"):
        build(spec)


@pytest.mark.parametrize(
    "made, message",
    [
        ({"object": "ase.calculators.eam.np.memmap", "filename": "made", "mode": "w+", "shape": [3]}, "is of numpy"),
        ({"object": "os.system", "command": "touch made"}, "os is part of Python"),
        ({"object": "ase.calculators.emt.Calculator"}, "is of ase.calculators.calculator, not of ase.calculators.emt"),
        ({"object": "ase.calculators.eam.EAM.write_potential", "self": {"object": LJ}, "filename": "made"},
         "makes no object"),
        ({"object": "ase.calculators.lj.LennardJones.implemented_properties"}, "is a list, which makes no object"),
        ({"object": "qmfront.storage.writing.write_file", "path": "made", "content": "x"},
         "a function that returns None"),
    ],
)  # fmt: skip
def test_only_what_makes_an_object_is_called(made: dict[str, Any], message: str) -> None:
    Path("made").write_text("kept")
    with pytest.raises(ValueError, match=message):
        build({"calculator": MIXED, "kwargs": {"calcs": [made], "weights": [1.0]}})
    assert Path("made").read_text() == "kept"


def test_a_method_is_no_calculator_either() -> None:
    """With an object as its first argument it could be called."""
    kwargs = {"self": {"object": LJ}, "filename": "made"}
    Path("made").write_text("kept")
    with pytest.raises(ValueError, match="is not an ASE calculator, and was not called"):
        build({"calculator": "ase.calculators.eam.EAM.write_potential", "kwargs": kwargs})
    assert Path("made").read_text() == "kept"


def test_what_another_program_builds_is_left_to_it() -> None:
    """A calculator that is handed on keeps its objects as text."""
    from qmfront.models.calculator import _made

    model = {"calculator": MIXED, "kwargs": mixture()["kwargs"]}
    assert _made(model, "kwargs.model") is model
    spec = {"calculator": "qmfront.models.remote.Remote", "kwargs": {"launch": "python", "model": model}}
    assert set(identity(spec)["model"]["objects"]) == {"kwargs.calcs[0]", "kwargs.calcs[1]"}
