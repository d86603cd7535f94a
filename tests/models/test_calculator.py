"""Calculators by dotted path: the right one is built, mistakes are explained, identities follow what matters."""

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk

from qmfront.models.calculator import build, file_arguments, identity

MODULE = """
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from ase.calculators.calculator import Calculator, all_changes

class Spring(Calculator):
    implemented_properties = ["energy", "forces"]

    def __init__(self, stiffness=1.0, *, table=None, parameter_file=None, **kwargs):
        super().__init__(**kwargs)
        self.stiffness = stiffness
        if stiffness < 0:
            raise RuntimeError("negative stiffness")

    @classmethod
    def load(cls, path):
        return cls(float(Path(path).read_text()))

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        self.results = {"energy": 0.0, "forces": -self.stiffness * atoms.positions}

class Strict(Spring):
    def __init__(self, stiffness, path=None):
        super().__init__(stiffness)

if TYPE_CHECKING:
    from somewhere import Table

NUMBER = 1
len = len

def wrong() -> str:
    raise AssertionError

def silent(what="spring"):
    return 1.0 if what == "float" else Spring(2.0)

def told(table: "Table" = None) -> "Spring":
    return Spring(3.0)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"springs_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    (tmp_path / f"{name}_broken.py").write_text("import no_such_library\n")
    (tmp_path / f"{name}_raises.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return name


def test_ase_calculator_with_arguments() -> None:
    atoms = bulk("Ar", cubic=True)
    energies = []
    for epsilon in (1.0, 2.0):
        kwargs = {"sigma": 3.4, "epsilon": epsilon, "rc": 6.0}
        atoms.calc = build({"calculator": "ase.calculators.lj.LennardJones", "kwargs": kwargs})
        energies.append(atoms.get_potential_energy())
    assert energies[0] != 0
    assert np.isclose(energies[1], 2 * energies[0], rtol=1e-14)


def test_factory_of_a_class_will_do(module: str) -> None:
    Path("stiffness.txt").write_text("2.5")
    built = build({"calculator": f"{module}.Spring.load", "kwargs": {"path": "stiffness.txt"}})
    assert built.stiffness == 2.5


@pytest.mark.parametrize(
    "name, kwargs, message",
    [
        (None, {}, "calculator is None. Give a dotted path"),
        ("EMT", {}, "Give a dotted path"),
        ("no_such_module.X", {}, "no module no_such_module. Install it, or correct"),
        ("{}_broken.X", {}, "needs no_such_library, which is not installed"),
        ("{}_raises.X", {}, "cannot be imported .ZeroDivisionError"),
        ("{}.Sprng", {}, "has no Sprng. Did you mean Spring"),
        ("{}.Strict", {"stifness": 1.0}, "does not list stifness; it takes stiffness, path. Correct kwargs"),
        ("{}.Strict", {}, "refuses to be built without arguments .TypeError.* it takes stiffness, path"),
        ("{}.Spring", {"stiffness": -1.0}, "refuses .*RuntimeError: negative stiffness"),
        (
            "{}.Strict",
            {"stiffness": 1.0, "path": "gone"},
            r"kwargs\.path is 'gone', which does not exist under",
        ),
        (
            "{}.Spring",
            {"table": [{"x": "gone.alloy"}]},
            r"kwargs\.table\[0\]\.x is 'gone.alloy', which does not exist",
        ),
        ("{}.Path", {}, "is the class Path, which is not an ASE calculator, and was not called"),
        (
            "{}.wrong",
            {},
            "is a function that returns .*str.*, which is not an ASE calculator, and was not called",
        ),
        ("{}.silent", {"what": "float"}, "gives a float, which is not an ASE calculator"),
        (
            "{}.subprocess.getoutput",
            {"cmd": "touch made"},
            "is a function that returns|is a function, which is not",
        ),
        ("{}.NUMBER", {}, "is a int, which is not an ASE calculator"),
        ("{}.len", {}, "is a builtin_function_or_method, which"),
        (
            "subprocess.getoutput",
            {"cmd": "touch made"},
            "subprocess is part of Python and has no calculators",
        ),
        ("os.system", {"command": "touch made"}, "os is part of Python"),
        ("numpy.fromfile", {"file": "made"}, "is a builtin_function_or_method, which"),
    ],
)
def test_mistakes_are_explained(module: str, name: str | None, kwargs: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build({"calculator": name and name.format(module), "kwargs": kwargs})
    assert not Path("made").exists()


@pytest.mark.parametrize(("name", "stiffness"), [("silent", 2.0), ("told", 3.0), ("Spring", 1.0)])
def test_functions_that_return_a_calculator_will_do(name: str, stiffness: float, module: str) -> None:
    assert build({"calculator": f"{module}.{name}"}).stiffness == stiffness


def test_unknown_keys_of_the_entry_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown keys args. Use calculator and kwargs"):
        build({"calculator": "ase.calculators.emt.EMT", "args": {}})


def test_argument_that_ase_would_ignore_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    build({"calculator": "ase.calculators.lj.LennardJones", "kwargs": {"sigmaa": 3.4}})
    assert "does not list sigmaa; it takes" in caplog.text


def test_identity_follows_file_content_not_file_name(module: str) -> None:
    def of(**kwargs: object) -> dict:
        return identity({"calculator": f"{module}.Spring", "kwargs": kwargs})

    Path("a.alloy").write_text("1")
    Path("b.alloy").write_text("1")
    Path("folder").mkdir()
    Path("folder/part").write_text("1")
    assert of(parameter_file="a.alloy")["files"] == of(parameter_file="b.alloy")["files"]
    assert of(parameter_file="a.alloy") == of(parameter_file=Path("b.alloy"))
    before, table = of(parameter_file="a.alloy"), of(table="./folder")
    Path("a.alloy").write_text("2")
    Path("folder/part").write_text("2")
    assert of(parameter_file="a.alloy") != before
    assert of(table="./folder") != table


def test_identity_follows_arguments_not_outputs(module: str) -> None:
    def of(**kwargs: object) -> dict:
        return identity({"calculator": f"{module}.Spring", "kwargs": kwargs})

    assert of(stiffness=1.0) != of(stiffness=1.5)
    assert of(stiffness=1.0, txt="x.txt", label="run/1") == of(stiffness=1.0)
    Path("PBE").write_text("a file that merely has the name of a functional")
    assert file_arguments({"xc": "PBE", "txt": "out.json", "command": "/bin/sh -c x"}) == []


def test_identity_follows_the_code(module: str) -> None:
    spec = {"calculator": f"{module}.Spring"}
    before = identity(spec)
    Path(f"{module}.py").write_text(MODULE + "\n# changed\n")
    assert identity(spec) != before
    assert identity({"calculator": "ase.calculators.emt.EMT"})["code"].count(".") == 2  # ASE's version
    own = identity({"calculator": "qmfront.models.calculator.build"})
    assert len(own["code"]) == 64
