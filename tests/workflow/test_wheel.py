"""What is installed works in an empty folder: the wheel holds the workflow, and five typed lines lead to a report."""

import csv
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import ase.io
import pytest
from ase.build import bulk

from tests.workflow.project import ROOT, environment

BESIDE = ("Snakefile", "config", "profiles", "scripts", "workflow", "tests/results")
"""What the package does not hold, and the command needs."""
TOLERANCE = 3e-2
"""Å; two iterations."""
INIT = ("init", "vacancy.extxyz", "--calculator", "ase.calculators.emt.EMT", "--tolerance", str(TOLERANCE))
MOST_LINES = 10


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wheel and sdist, without a download."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder but for a vacancy in a supercell of copper."""
    made = tmp_path / "my study"
    made.mkdir()
    atoms = bulk("Cu", cubic=True, a=3.6).repeat(6)
    del atoms[100]
    ase.io.write(made / "vacancy.extxyz", atoms)
    return made


def beside() -> set[str]:
    """Files of the clone that belong to the command, beside the package."""
    paths = [
        path
        for part in BESIDE
        for path in ((ROOT / part).rglob("*") if (ROOT / part).is_dir() else [ROOT / part])
    ]
    return {
        path.relative_to(ROOT).as_posix()
        for path in paths
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_what_the_command_needs(built: Path) -> None:
    """Every file of workflow, scripts, schemas and studies, and the package with its data; nothing of the tests."""
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {path.relative_to(ROOT).as_posix() for path in (ROOT / "qmfront").rglob("*") if path.is_file()}
    package = {name for name in package if "__pycache__" not in name}
    assert {"workflow/schemas/case.schema.json", "config/studies/minimal.yaml"} <= beside()
    assert {f"qmfront/_project/{name}" for name in beside()} <= names
    assert package <= names and "qmfront/py.typed" in names
    others = {name for name in names if not name.startswith("qmfront")}
    assert not others and not any("__pycache__" in name for name in names)
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert beside() | package | {"pyproject.toml", "README.md", "LICENSE"} <= held


def test_init_and_check_in_an_empty_folder(built: Path, folder: Path, tmp_path: Path) -> None:
    """From the wheel alone, in one process: no other qmfront is on the path. A study of ten lines has no mistakes."""
    (wheel,) = built.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    both = (
        f"from qmfront.command.main import main; raise SystemExit(main({INIT}) or main(['check', '--dry']))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", both],
        cwd=folder,
        env=environment(tmp_path / "installed"),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "vacancy: no mistakes" in done.stdout
    lines = (folder / "study.yaml").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MOST_LINES and lines[0].startswith("# vacancy.extxyz: a vacancy in fcc Cu")


@pytest.mark.slow
def test_five_lines_in_a_fresh_environment(built: Path, folder: Path, tmp_path: Path) -> None:
    """pip install, init, check, run, report, below folders with blanks; then status, export and plan."""
    venv = tmp_path / "a fresh environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    here = sysconfig.get_path("purelib")
    there = Path(sysconfig.get_path("purelib", "venv", {"base": str(venv), "platbase": str(venv)}))
    (there / "libraries.pth").write_text(f"import site; site.addsitedir({here!r})\n", encoding="utf-8")
    (wheel,) = built.glob("*.whl")
    install = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python"), "install", "--no-deps"]
    subprocess.run([*install, "--quiet", "--ignore-installed", str(wheel)], check=True)
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def qmfront(*words: str) -> str:
        done = subprocess.run(
            [str(venv / "bin" / "qmfront"), *words],
            cwd=folder,
            env=variables,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    qmfront(*INIT)
    qmfront("check")
    qmfront("run")
    qmfront("report")
    assert (folder / "report.html").stat().st_size > 10_000
    (case,) = json.loads(qmfront("status", "--json"))["cases"]
    assert case["done"] and case["eta"] < TOLERANCE
    qmfront("export", "-k", str(case["k"]), "-o", "from stores")
    qmfront("export")
    exported = [(folder / name / "vacancy.extxyz").read_bytes() for name in ("from stores", "export")]
    assert exported[0] == exported[1]
    atoms = ase.io.read(folder / "export" / "vacancy.extxyz")
    assert len(atoms) == 4 * 6**3 - 1 and "eta" in atoms.arrays
    table = list(csv.DictReader((folder / "results" / "vacancy" / "convergence.csv").open(encoding="utf-8")))
    assert float(table[-1]["eta"]) == pytest.approx(case["eta"])
    assert json.loads(qmfront("plan", "--json"))["vacancy"]["finished"] == len(table)
    assert "evaluations" in qmfront("journal", "--check")
