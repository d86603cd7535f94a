"""`qmfront init`: a study for a structure file, of at most ten lines, from what the atoms tell.

What is found is written. What is not is asked for: its key stands in the study behind a #, and a line says why.
"""

import argparse
import json
import multiprocessing
import os
import re
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from qmfront.command.output import Exit, complain, say
from qmfront.command.project import STUDY, Place, project
from qmfront.config.defect import File
from qmfront.config.errors import ConfigError, did_you_mean
from qmfront.config.load import load
from qmfront.config.material import Crystal, QuantumModel
from qmfront.config.material_checks import files_in, label_of
from qmfront.config.reading import read_yaml
from qmfront.config.section import CALCULATOR, FILE
from qmfront.config.trust import is_trusted
from qmfront.storage.writing import write_file

if TYPE_CHECKING:
    from qmfront.plan.survey import Survey

LONGEST_NAME = 40
PATIENCE = 20.0
"""s; a model that takes longer is expensive: its range is asked for, and not measured."""
DIGITS = 5
"""Of a lattice constant, Å."""
CRACK = "{kind: crack, front: [0, 0, 1], plane: [1, 1, 0], load: 0.9} # in place of the file"
MAYBE = "axes: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], pbc: [false, false, true], lattice_constant: 3.6, core: [0.0, 0.0]"
"""What a defect of a file may need, where it is not found."""
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
    model, question = _model(folder, asked, crystal)
    place = "materials.*.crystal" if crystal is None else "defect of the case"
    asks = [f"{place}: {found.problem}".replace(f"{folder}/", "")] if found.problem else []
    pbc = tuple((found.atoms if found.defect is None else found.defect).pbc.tolist())
    repeats = PERIODIC.get(pbc, "periodic along " + " and ".join(np.array(["x", "y", "z"])[list(pbc)]))
    told = f"{found.kind} in {_words(crystal)}, {len(found.atoms)} atoms, {repeats}"
    lines = [
        f"# {shown}: {told}. Every key: docs/settings.md",
        *_trust(asked.calculator),
        "cases:",
        *_case(found, shown, asked.tolerance),
        "materials:",
        f"  {crystal.symbol if crystal is not None and crystal.symbol else 'material'}:",
        f"    {_crystal(crystal)}",
        f"    {model}",
        *_solutes(found),
    ]
    return Draft("\n".join(lines) + "\n", told, tuple([*asks, question] if question else asks))


def _case(found: "Survey", shown: str, tolerance: float | None) -> list[str]:
    """The lines of the case."""
    defect: dict[str, Any] = {"kind": "file", "file": shown}
    if found.found is not None and not found.atoms.pbc.all():
        # a straight file is scaled to the crystal at rest; the cell of a supercell is what the user made it
        defect["lattice_constant"] = round(found.found.crystal.lattice_constant_guess or 0.0, DIGITS)
    unit = " # Å" if "lattice_constant" in defect else ""
    hint = CRACK if found.kind == "a crack" else MAYBE
    name = _name(Path(shown).stem)
    if (found.solutes or found.interstitial_solutes) and tolerance is not None:
        return [f"  {name}: {_flow({'defect': defect, 'adapt': {'tolerance': tolerance}})} # Å, of the error"]
    return [
        f"  {name}:",
        f"    defect: {_flow(defect)}{unit}",
        *([f"    # defect: {hint}"] if found.found is not None and found.problem else []),
        *([] if tolerance is None else [f"    adapt: {_flow({'tolerance': tolerance})} # Å, of the error"]),
    ]


def _solutes(found: "Survey") -> list[str]:
    """The line of the elements that the crystal does not have."""
    told = {name: list(getattr(found, name)) for name in ("solutes", "interstitial_solutes")}
    told = {name: elements for name, elements in told.items() if elements}
    return [f"potential_defaults: {_flow(told)}"] if told else []


def _crystal(crystal: Crystal | None) -> str:
    if crystal is None:
        return "# crystal: {structure: fcc, symbol: Cu, lattice_constant_guess: 3.6} # Å"
    plain = {name: value for name, value in crystal.plain().items() if value is not None}
    rounded = {
        name: round(value, DIGITS) if isinstance(value, float) else value for name, value in plain.items()
    }
    return f"crystal: {_flow(rounded)} # Å"


def _model(folder: Path, asked: Asked, crystal: Crystal | None) -> tuple[str, str]:
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
    mentioned = {word: label_of(word) for word in files_in(plain, folder)}
    plain = _labelled(plain, mentioned)
    files |= {label: word for word, label in mentioned.items()}
    given = {"kwargs": plain, "files": files}
    qm = {"calculator": asked.calculator} | {name: value for name, value in given.items() if value}
    if asked.cutoff is not None:
        return f"qm: {_flow(qm | {'cutoff': asked.cutoff})} # Å", ""
    model = QuantumModel(calculator=asked.calculator, kwargs=plain, files=files, cutoff=1.0)
    reach = None if crystal is None else _measured(asked.calculator, model.arguments(folder), crystal)
    r0 = 0.0 if crystal is None else crystal.nearest_neighbour_guess
    if reach is not None and reach < r0:
        ask = (
            f"materials.*.qm.kwargs: {asked.calculator} with these arguments has no forces between neighbours, "
            f"{r0:.2f} Å apart. Give those of this crystal (or --kwargs), and its range as cutoff"
        )
        return f"qm: {_flow(qm)} # cutoff: 5.0", ask
    if reach is not None:
        return (
            f"qm: {_flow(qm | {'cutoff': ceil(5 * reach) / 10})} # Å, measured as half of the range of forces",
            "",
        )
    ask = (
        "materials.*.qm.cutoff: the range of the model's interaction in Å, some 5 for electrons (or --cutoff)"
    )
    return f"qm: {_flow(qm)} # cutoff: 5.0", ask


def _labelled(value: Any, labels: dict[str, str]) -> Any:
    """The value with every word of its texts that is a file replaced by the label of that file, in braces."""
    if isinstance(value, dict):
        return {key: _labelled(item, labels) for key, item in value.items()}
    if isinstance(value, list):
        return [_labelled(item, labels) for item in value]
    if isinstance(value, str):
        for word, label in labels.items():
            value = re.sub(rf"(?<!\S){re.escape(word)}(?!\S)", f"{{{label}}}", value)
    return value


def _measured(calculator: str, kwargs: Mapping[str, Any], crystal: Crystal) -> float | None:
    """The range of forces, Å, of a model that is quick; None for others, with the reason on standard error."""
    asked = (calculator, kwargs, crystal)
    found = _range(*asked) if is_trusted(calculator, ()) else _range_elsewhere(*asked)
    if isinstance(found, str):
        complain(f"the range of {calculator} was not measured: {found}")
        return None
    return found


def _range(calculator: str, kwargs: Mapping[str, Any], crystal: Crystal) -> float | str | None:
    """The range of forces, Å, or what went wrong."""
    from qmfront.crystal.lattice import crystal_of
    from qmfront.evaluate.model_spec import ModelSpec
    from qmfront.preflight.interaction_range import force_range

    try:
        return force_range(ModelSpec(calculator, kwargs).build(), crystal_of(crystal))
    except Exception as error:  # of any calculator; the check tells what is wrong with it
        return f"{type(error).__name__}: {error}"


def _range_elsewhere(calculator: str, kwargs: Mapping[str, Any], crystal: Crystal) -> float | str | None:
    """As `_range`, in a process that may crash, and that is ended with all below it when it takes too long."""
    context = multiprocessing.get_context("spawn")
    answer, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_send_range, args=(theirs, calculator, kwargs, crystal))
    process.start()
    theirs.close()
    try:
        if not answer.poll(PATIENCE):
            return f"no answer within {PATIENCE:g} s, so that it is taken for an expensive one"
        found: float | str | None = answer.recv()
        return found
    except EOFError:
        process.join()
        return f"its process ended with exit code {process.exitcode}"
    finally:
        if process.pid:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.join()


def _send_range(answer: Connection, calculator: str, kwargs: Mapping[str, Any], crystal: Crystal) -> None:
    """What the other process does, in a group of its own."""
    os.setpgrp()
    answer.send(_range(calculator, kwargs, crystal))


def _trust(calculator: str | None) -> list[str]:
    """Who names a calculator on the command line trusts its package."""
    if calculator is None or is_trusted(calculator, ()):
        return []
    ours = calculator.startswith(("ase.", "qmfront."))
    return [f"trust: [{calculator.rpartition('.')[0] if ours else calculator.split('.')[0]}]"]


def _words(crystal: Crystal | None) -> str:
    """A crystal in words."""
    if crystal is None:
        return "an unknown crystal"
    ratio = f", c/a = {crystal.ratio_guess:.4f}" if crystal.ratio_guess else ""
    return f"{crystal.structure} {crystal.symbol}, a = {crystal.lattice_constant_guess:.4f} Å{ratio}"


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
