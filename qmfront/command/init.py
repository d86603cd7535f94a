"""`qmfront init`: a study for a structure file, of at most ten lines, from what the atoms tell.

What is found is written. What is not is asked for: its key stands in the study behind a #, and a line says why.
"""

import argparse
import json
import os
import re
import shutil
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import yaml

from qmfront.command.output import Exit, complain, say
from qmfront.command.project import STUDY, Place, project
from qmfront.config.defect import File
from qmfront.config.errors import ConfigError, did_you_mean
from qmfront.config.load import load
from qmfront.config.reading import read_yaml
from qmfront.config.section import CALCULATOR, FILE
from qmfront.config.trust import is_trusted
from qmfront.storage.writing import write_file

LONGEST_NAME = 40
DIGITS = 5
"""Of a lattice constant, Å."""
PERIODIC = {
    (True, True, True): "periodic in all directions",
    (False, False, False): "periodic in no direction",
}


@dataclass(frozen=True)
class Asked:
    """What the command line says.

    structure : file with the atoms, or None
    calculator, kwargs, cutoff : of the QM model; None where it is not given
    tolerance : Å, or None
    example : a study that comes with qmfront, or None
    force : whether a study that is there is written over
    """

    structure: str | None = None
    calculator: str | None = None
    kwargs: str = "{}"
    cutoff: float | None = None
    tolerance: float | None = None
    example: str | None = None
    force: bool = False

    @classmethod
    def of(cls, options: argparse.Namespace) -> "Asked":
        """From the options of the command."""
        return cls(**{name: getattr(options, name) for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Draft:
    """A study, and what it asks for: keys that could not be found, and why."""

    text: str
    told: str
    asks: tuple[str, ...]


def initialise(place: Place, asked: Asked) -> int:
    """Write a study into a folder, and say what is in it and what it asks for.

    Raises
    ------
    ConfigError
        If there is a study already, no structure is named, or the file cannot be read.
    """
    path = place.folder / place.file
    if path.exists() and not asked.force:
        raise ConfigError([f"{place.file} is there already. Edit it, or write over it with --force"])
    if asked.example is not None:
        return _example(place, asked.example)
    if asked.structure is None:
        raise ConfigError(
            ["no structure file is named. Write qmfront init FILE --calculator PATH, or use --example"]
        )
    draft = drafted(place.folder, asked)
    write_file(path, draft.text)
    say(f"{place.file}: {draft.told}")
    for ask in draft.asks:
        complain(f"{place.file} asks for {ask}")
    say(f"Next: qmfront check{'' if place.file == STUDY else f' --study {place.file}'}")
    return Exit.DONE


def drafted(folder: Path, asked: Asked) -> Draft:
    """The text of a study for a structure file.

    Raises
    ------
    ConfigError
        If the file cannot be read, or an option is wrong.
    """
    from qmfront.plan.survey import survey

    shown = _shown(folder, str(asked.structure))
    try:
        found = survey(folder / shown, File(file=shown))
    except ValueError as error:
        raise ConfigError([str(error).replace(f"{folder}/", "")]) from error
    crystal = found.found.crystal if found.found else None
    defect: dict[str, Any] = {"kind": "file", "file": shown}
    told = f"{found.kind} in {_words(crystal)}"
    asks = [f"defect of the case: {found.problem}"] if crystal is not None and found.problem else []
    if crystal is not None and not found.atoms.pbc.all():
        defect["lattice_constant"] = round(float(crystal.lattice_constant_guess or 0.0), DIGITS)
    model, question = _model(folder, asked, crystal)
    asks += [question] if question else []
    if crystal is None:
        asks.append(f"materials.*.crystal: {found.problem}")
    repeats = PERIODIC.get(tuple(found.atoms.pbc.tolist()), "periodic along " + _axes(found.atoms.pbc))
    name = _name(Path(shown).stem)
    material = crystal.symbol if crystal is not None and crystal.symbol else "material"
    lines = [
        f"# {shown}: {told}, {len(found.atoms)} atoms, {repeats}. Every key: docs/settings.md",
        *_trust(asked.calculator),
        "cases:",
        f"  {name}:",
        f"    defect: {_flow(defect)}{' # Å' if 'lattice_constant' in defect else ''}",
        *(
            []
            if asked.tolerance is None
            else [f"    adapt: {_flow({'tolerance': asked.tolerance})} # Å, of the error"]
        ),
        "materials:",
        f"  {material}:",
        f"    {_crystal(crystal)}",
        f"    {model}",
    ]
    return Draft("\n".join(lines) + "\n", f"{told}, {len(found.atoms)} atoms, {repeats}", tuple(asks))


def _crystal(crystal: Any) -> str:
    if crystal is None:
        return "# crystal: {structure: fcc, symbol: Cu, lattice_constant_guess: 3.6} # Å"
    plain = {name: value for name, value in crystal.plain().items() if value is not None}
    rounded = {
        name: round(value, DIGITS) if isinstance(value, float) else value for name, value in plain.items()
    }
    return f"crystal: {_flow(rounded)} # Å"


def _model(folder: Path, asked: Asked, crystal: Any) -> tuple[str, str]:
    """The line of the QM model, and what it asks for."""
    if asked.calculator is None:
        ask = (
            "materials.*.qm.calculator: the dotted path of an ASE calculator, such as ase.calculators.emt.EMT"
        )
        return "# qm: {calculator: ase.calculators.emt.EMT, cutoff: 6.0} # Å", ask
    if not re.match(CALCULATOR, asked.calculator):
        raise ConfigError(
            [f"--calculator {asked.calculator}: write a dotted path, such as ase.calculators.emt.EMT"]
        )
    try:
        kwargs = json.loads(asked.kwargs)
        assert isinstance(kwargs, dict)
    except (ValueError, AssertionError):
        raise ConfigError([f'--kwargs {asked.kwargs}: write JSON, such as \'{{"xc": "PBE"}}\'']) from None
    files = {
        name: value for name, value in kwargs.items() if isinstance(value, str) and (folder / value).is_file()
    }
    plain = {name: value for name, value in kwargs.items() if name not in files}
    given = {"kwargs": plain, "files": files}
    qm = {"calculator": asked.calculator} | {name: value for name, value in given.items() if value}
    if asked.cutoff is not None:
        return f"qm: {_flow(qm | {'cutoff': asked.cutoff})} # Å", ""
    absolute = {name: str(folder / value) for name, value in files.items()}
    measured = None if crystal is None else _measured(asked.calculator, plain | absolute, crystal)
    if measured is not None:
        return f"qm: {_flow(qm | {'cutoff': measured})} # Å, measured", ""
    ask = (
        "materials.*.qm.cutoff: the range of the model's interaction in Å, some 5 for electrons (or --cutoff)"
    )
    return f"qm: {_flow(qm)} # cutoff: 5.0", ask


def _measured(calculator: str, kwargs: dict[str, Any], crystal: Any) -> float | None:
    """Half of the range of forces, Å, of a model that computes in this process and is quick; None for others."""
    if not is_trusted(calculator, ()):
        return None
    from qmfront.crystal.lattice import crystal_of
    from qmfront.evaluate.model_spec import ModelSpec
    from qmfront.preflight.interaction_range import force_range

    try:
        reach = force_range(ModelSpec(calculator, kwargs).build(), crystal_of(crystal))
    except Exception as error:  # of any calculator; the check tells what is wrong with it
        complain(f"{calculator} was not measured ({type(error).__name__}: {error})")
        return None
    return None if reach is None else ceil(5 * reach) / 10


def _trust(calculator: str | None) -> list[str]:
    """Who names a calculator on the command line trusts its package."""
    if calculator is None or is_trusted(calculator, ()):
        return []
    ours = calculator.startswith(("ase.", "qmfront."))
    return [f"trust: [{calculator.rpartition('.')[0] if ours else calculator.split('.')[0]}]"]


def _words(crystal: Any) -> str:
    """A crystal in words."""
    if crystal is None:
        return "an unknown crystal"
    ratio = f", c/a = {crystal.ratio_guess:.4f}" if crystal.ratio_guess else ""
    return f"{crystal.structure} {crystal.symbol}, a = {crystal.lattice_constant_guess:.4f} Å{ratio}"


def _axes(pbc: Any) -> str:
    return " and ".join(axis for axis, periodic in zip("xyz", pbc, strict=True) if periodic)


def _shown(folder: Path, structure: str) -> str:
    """The path as the study names it: relative to the folder where it is below it."""
    path = Path(structure)
    path = path if path.is_absolute() else Path.cwd() / path
    shown = os.path.relpath(path, folder) if path.is_relative_to(folder) else str(path)
    if not re.match(FILE, shown):
        raise ConfigError([f"{shown!r} is no path that a study can name. Rename the file"])
    return shown


def _name(stem: str) -> str:
    """A name of a case from that of a file."""
    found = re.sub(r"\W+", "_", stem, flags=re.ASCII).strip("_")[:LONGEST_NAME]
    return found or "case"


def _flow(content: dict[str, Any]) -> str:
    """Keys and values on one line of YAML."""
    return yaml.safe_dump(
        content, default_flow_style=True, sort_keys=False, width=10**6, allow_unicode=True
    ).strip()


def _example(place: Place, name: str) -> int:
    """Copy a study of ours, with the files that it names."""
    studies = project() / "config" / "studies"
    source = project() / "config" / "config.yaml" if name == "config" else studies / f"{name}.yaml"
    if not source.is_file():
        known = ["config", *sorted(path.stem for path in studies.glob("*.yaml"))]
        raise ConfigError([f"there is no example {name!r}{did_you_mean(name, known)}"])
    study = load(read_yaml(source, shown=source.name), project())
    files = {case.defect.file for case in study.cases.values() if isinstance(case.defect, File)}
    files |= {file for material in study.materials.values() for file in material.qm.files.values()}
    shutil.copyfile(source, place.folder / place.file)
    for file in sorted(files):
        if (project() / file).is_file() and not (place.folder / file).exists():
            (place.folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(project() / file, place.folder / file)
    say(f"{place.file}: {', '.join(study.cases)}")
    say("Next: qmfront check")
    return Exit.DONE
