"""`qmfront init` writes a study that is complete where the atoms tell all, and asks by key for what they do not."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import bulk
from ase.io import write

from qmfront.command.main import main
from qmfront.command.project import project
from qmfront.config.load import load
from qmfront.config.study import Study

EMT = ("--calculator", "ase.calculators.emt.EMT")
MOST_LINES = 10


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def vacancy(folder: Path) -> str:
    atoms = bulk("Cu", cubic=True, a=3.62).repeat(6)
    del atoms[77]
    write(folder / "my vacancy.extxyz", atoms)
    return "my vacancy.extxyz"


def written(folder: Path) -> Study:
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    return load(yaml.safe_load(text), folder)


def test_a_study_for_a_vacancy(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is asked: structure, lattice constant and range of the model are found."""
    assert main(["init", vacancy(folder), *EMT, "--tolerance", "2e-3"]) == 0
    said = capsys.readouterr()
    assert "a vacancy in fcc Cu" in said.out and not said.err
    study = written(folder)
    (case,) = study.cases.values()
    assert list(study.cases) == ["my_vacancy"] and case.adapt.tolerance == 2e-3
    crystal, qm = study.materials["Cu"].crystal, study.materials["Cu"].qm
    assert crystal.structure == "fcc" and crystal.lattice_constant_guess == pytest.approx(3.62, abs=1e-3)
    assert 3.5 < qm.cutoff < 6.0 and case.buffer.width == 2 * qm.cutoff
    assert main(["check", "--dry"]) == 0 and "no mistakes" in capsys.readouterr().out
    assert main(["check", "--dry", "--json"]) == 0 and json.loads(capsys.readouterr().out)["passed"]
    before = (folder / "study.yaml").read_bytes()
    assert main(["init", vacancy(folder), *EMT]) == 3  # it is there
    assert (folder / "study.yaml").read_bytes() == before
    assert main(["init", vacancy(folder), *EMT, "--force"]) == 0


def test_what_is_expensive_is_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who names a calculator trusts it; this one is not installed."""
    assert main(["init", vacancy(folder), "--calculator", "gpaw.GPAW", "--kwargs", '{"xc": "PBE"}']) == 0
    assert "materials.*.qm.cutoff" in capsys.readouterr().err
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    assert "trust: [gpaw]" in text and "# cutoff: 5.0" in text
    (folder / "study.yaml").unlink()
    assert main(["init", vacancy(folder), "--calculator", "gpaw.GPAW", "--cutoff", "4"]) == 0
    assert not capsys.readouterr().err
    assert yaml.safe_load((folder / "study.yaml").read_text())["materials"]["Cu"]["qm"]["cutoff"] == 4.0


OWN = """
import os, subprocess
from ase.calculators.emt import EMT
class Quick(EMT): pass
def slow():
    open("child", "w").write(str(subprocess.Popen(["sleep", "60"]).pid))
    subprocess.run(["sleep", "60"])
def crashing(): os._exit(3)
"""


@pytest.mark.parametrize(
    ("name", "said", "asked"),
    [
        ("Quick", "", False),
        ("slow", "no answer within 3 s", True),
        ("crashing", "its process ended with exit code 3", True),
        ("absent", "has no absent", True),
    ],
)
def test_the_range_of_a_model_of_ones_own(
    name: str,
    said: str,
    asked: bool,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is asked in a process of its own, since it may hang or crash; what that has started ends with it."""
    (folder / "ownmodel.py").write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr("qmfront.command.init.PATIENCE", 3.0 if name == "slow" else 60.0)
    assert main(["init", vacancy(folder), "--calculator", f"ownmodel.{name}"]) == 0
    told = capsys.readouterr().err
    assert said in told and ("materials.*.qm.cutoff" in told) == asked
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    assert ("# cutoff: 5.0" in text) == asked and "trust: [ownmodel]" in text
    if name == "slow":
        state = Path(f"/proc/{(folder / 'child').read_text()}/stat")
        assert not state.exists() or state.read_text().split()[2] == "Z"


def test_a_model_that_does_not_reach_the_neighbours_is_asked_for_its_arguments(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pair potential whose length is left at 1 Å: its range would be an answer, and be wrong."""
    write(folder / "argon.xyz", bulk("Ar", cubic=True, a=5.26).repeat(4)[1:])
    words = ["init", "argon.xyz", "--calculator", "ase.calculators.lj.LennardJones"]
    assert main(words) == 0
    said = capsys.readouterr().err
    assert "no forces between neighbours, 3.72 Å apart" in said and "--kwargs" in said
    assert "# cutoff: 5.0" in (folder / "study.yaml").read_text(encoding="utf-8")
    assert main([*words, "--force", "--kwargs", '{"sigma": 3.4, "epsilon": 0.01, "rc": 8.5}']) == 0
    assert not capsys.readouterr().err


def test_arguments_that_are_files_are_named_as_files(folder: Path) -> None:
    (folder / "Cu.table").write_text("x", encoding="utf-8")
    words = ["--calculator", "my.Model", "--kwargs", '{"potential": "Cu.table", "order": 2}', "--cutoff", "5"]
    assert main(["init", vacancy(folder), *words]) == 0
    qm = yaml.safe_load((folder / "study.yaml").read_text())["materials"]["Cu"]["qm"]
    assert qm["files"] == {"potential": "Cu.table"} and qm["kwargs"] == {"order": 2}


def test_files_in_commands_are_named_as_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Else a change of their content would change no key of the journal: LAMMPS has them in the lines of its input."""
    (folder / "Cu.snapcoeff").write_text("x", encoding="utf-8")
    line = "pair_coeff * * snap Cu.snapcoeff none.snapparam Cu"
    words = ["--calculator", "my.Model", "--kwargs", json.dumps({"lmpcmds": [line]}), "--cutoff", "5"]
    assert main(["init", vacancy(folder), *words]) == 0
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    qm = yaml.safe_load(text)["materials"]["Cu"]["qm"]
    assert qm["files"] == {"Cu_snapcoeff": "Cu.snapcoeff"}
    assert qm["kwargs"]["lmpcmds"] == [line.replace("Cu.snapcoeff", "{Cu_snapcoeff}")]
    (folder / "study.yaml").write_text(text.replace("{Cu_snapcoeff}", "Cu.snapcoeff"), encoding="utf-8")
    assert main(["check", "--dry"]) == 3
    assert "kwargs.lmpcmds names the file Cu.snapcoeff: write {Cu_snapcoeff} there" in capsys.readouterr().err


def test_a_crystal_that_is_not_recognised_is_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gas = Atoms("Cu64", np.random.default_rng(1).uniform(0.0, 14.0, (64, 3)), cell=[14.0] * 3, pbc=True)
    write(folder / "gas.extxyz", gas)
    assert main(["init", "gas.extxyz"]) == 0
    asked = capsys.readouterr().err
    assert "materials.*.crystal" in asked and "materials.*.qm.calculator" in asked
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    assert "# crystal: {structure: " in text and "# qm: {calculator: " in text
    assert main(["check"]) == 3


def test_mistakes_on_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, told in (
        ([], "no structure file is named"),
        (["nothing.extxyz"], "There is no file nothing.extxyz"),
        ([vacancy(folder), "--calculator", "EMT"], "write a dotted path"),
        ([vacancy(folder), *EMT, "--kwargs", "xc=PBE"], "write JSON"),
        (["--example", "minimul"], "did you mean 'minimal'?"),
    ):
        assert main(["init", *words]) == 3
        assert told in capsys.readouterr().err
    assert not (folder / "study.yaml").exists()


@pytest.mark.parametrize("name", ["config", "minimal", "own", "solute"])
def test_a_study_of_ours_is_an_example(name: str, folder: Path) -> None:
    """Complete in the folder, with the files that it names."""
    assert main(["init", "--example", name]) == 0
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    assert load(yaml.safe_load(text), folder, library=project()).cases
