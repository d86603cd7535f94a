"""Time from a structure file to the report, line by line: python benchmarks/command.py [CELLS TOLERANCE].

A supercell of copper of CELLS^3 cubic cells with a vacancy, 5 and 3e-2 Å unless something else is said, in a folder of
its own; the wheel, installed without anything of ours that is compiled, so that kernels are compiled within the time.
Every Python process leaves its processor time when it ends, as in benchmarks/overhead.py. The processor time does not
depend on what else the machine does, the wall time does. Rows of benchmarks/command.csv: system, line, stage (`all` of
them, then each), processes, processor_s, wall_s (of the line).
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import ase.io
from ase.build import bulk
from overhead import ROOT, WATCH, processor_seconds
from tables import keep

TABLE = Path(__file__).with_suffix(".csv")
LINES = (
    "init vacancy.extxyz --calculator ase.calculators.emt.EMT --tolerance {tolerance}",
    "check",
    "run",
    "report",
    "status",
    "export",
)


def installed(folder: Path) -> Path:
    """The command of a wheel of this clone, beside the libraries of this Python."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    venv = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    there = Path(sysconfig.get_path("purelib", "venv", {"base": str(venv), "platbase": str(venv)}))
    libraries = sysconfig.get_path("purelib")
    (there / "libraries.pth").write_text(f"import site; site.addsitedir({libraries!r})\n")
    (wheel,) = folder.glob("*.whl")
    install = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python"), "install", "--no-deps"]
    subprocess.run([*install, "--quiet", "--ignore-installed", str(wheel)], check=True)
    return venv / "bin" / "qmfront"


def measured(cells: int, tolerance: str) -> list[dict]:
    """Rows of the table."""
    rows: list[dict] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder, times, watch = (Path(temporary) / name for name in ("study", "times", "watch"))
        for each in (folder, watch):
            each.mkdir()
        (watch / "sitecustomize.py").write_text(WATCH.format(folder=str(times)))
        command = installed(Path(temporary))
        atoms = bulk("Cu", cubic=True, a=3.6).repeat(cells)
        del atoms[100]
        ase.io.write(folder / "vacancy.extxyz", atoms)
        environment = {**os.environ, "PYTHONPATH": str(watch)}
        for line in LINES:
            shutil.rmtree(times, ignore_errors=True)
            times.mkdir()
            start = time.perf_counter()
            words = line.format(tolerance=tolerance).split()
            subprocess.run([command, *words], cwd=folder, env=environment, check=True)
            told = {"system": f"Cu {len(atoms)} atoms, {tolerance} Å", "line": words[0]}
            wall = round(time.perf_counter() - start, 1)
            seconds, processes = processor_seconds(times)
            total = {"stage": "all", "processes": processes.total(), "processor_s": seconds.total()}
            rows.append(told | total | {"wall_s": wall})
            rows += [
                told | {"stage": stage, "processes": processes[stage], "processor_s": value}
                for stage, value in seconds.most_common()
            ]
    return rows


if __name__ == "__main__":
    cells, tolerance = sys.argv[1:] or ["5", "3e-2"]
    found = keep(measured(int(cells), tolerance), TABLE)
    sys.stdout.write(found.to_string(float_format="%.2f") + "\n")
