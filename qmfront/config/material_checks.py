"""Checks of materials: a calculator that is there, files, and force constants that reach as far as the model."""

import os
import re
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from qmfront.config.errors import shown_value
from qmfront.config.material import Material, QuantumModel
from qmfront.config.merge import dotted
from qmfront.config.study import Study
from qmfront.config.trust import untrusted

POTENTIAL_SUFFIXES = (".alloy", ".fs", ".eam", ".yace", ".json", ".xml", ".skf", ".model", ".pt", ".param")


def problems_of_materials(study: Study, root: Path) -> Iterator[str]:
    """Calculators without a module or trust, files that are not there, force constants that end too early."""
    for name, material in study.materials.items():
        place = f"materials.{name}.qm"
        yield from _calculator(material.qm, place, study)
        yield from _files(material.qm, place, root)
        yield from _reach(name, material)
        yield from problems_of_crystal_file(name, material, root)


def problems_of_crystal_file(name: str, material: Material, root: Path) -> Iterator[str]:
    """A crystal from a file is one."""
    crystal = material.crystal
    if crystal.file is None:
        return
    from qmfront.config.crystal_file import cell_of_file  # half a second, for crystals of files alone

    try:
        cell_of_file(root / crystal.file)
    except ValueError as error:
        yield f"materials.{name}.crystal.file = {crystal.file!r}: {error}"


def _reach(name: str, material: Material) -> Iterator[str]:
    """Force constants of pairs that interact must be measured; those beyond may come from the potential."""
    steps, cutoff = material.force_constants, material.qm.cutoff
    if steps.beyond == "zero" and steps.reach < cutoff:
        yield (
            f"materials.{name}.force_constants.reach = {steps.reach:g} Å is less than materials.{name}.qm.cutoff = "
            f"{cutoff:g} Å: atoms that interact would have no force constants, and the moduli would be wrong. Choose "
            f"at least {cutoff:g} Å (models of many-body terms need up to twice that), or force_constants.beyond: "
            "potential"
        )


def _calculator(qm: QuantumModel, place: str, study: Study) -> Iterator[str]:
    missing = missing_module(qm.calculator.rpartition(".")[0])
    if missing:
        yield (
            f"{place}.calculator = {qm.calculator!r}: no module {missing!r} in this environment. Install it, or "
            "correct the path"
        )
    known = {} if missing else {"calculator": qm.calculator}
    yield from untrusted({**known, "kwargs": qm.kwargs}, place, study.trust)


def missing_module(dotted: str) -> str | None:
    """The first part of a dotted path to a module, or to a class in one, that is not there; nothing is imported.

    A class counts as there if the text of its module has its name: `module.Class.method` makes a calculator as well.
    """
    path: list[str] | None = None
    parts, file = dotted.split("."), None
    for end, part in enumerate(parts, start=1):
        name = ".".join(parts[:end])
        spec = PathFinder.find_spec(name, path)
        if spec is None:
            return None if end == len(parts) and file is not None and _names(file, part) else name
        path, file = list(spec.submodule_search_locations or []), spec.origin
    return None


def _names(file: str, name: str) -> bool:
    """Whether the text of a Python file has a name."""
    if not file.endswith(".py"):
        return True  # of machine code nothing is known before it is loaded
    text = Path(file).read_text(encoding="utf-8", errors="replace")
    return re.search(rf"\b{re.escape(name)}\b", text) is not None


def _files(qm: QuantumModel, place: str, root: Path) -> Iterator[str]:
    for name, file in qm.files.items():
        if not is_file(root / file) and not os.path.isdir(root / file):
            yield absent(f"{place}.files.{dotted((name,))}", file, root)
    for name, value in qm.kwargs.items():
        if isinstance(value, str) and value.endswith(POTENTIAL_SUFFIXES):
            found = "" if is_file(root / value) else f"; besides, {root / value} does not exist"
            yield (
                f"{place}.kwargs.{dotted((name,))} = {shown_value(value)} looks like a file: list it under "
                f"{place}.files instead, so that a change of its content is noticed{found}"
            )
        elif named := sorted(set(files_in(value, root))):
            label = label_of(named[0])
            yield (
                f"{place}.kwargs.{dotted((name,))} names the file {named[0]}: write {{{label}}} there, and "
                f"{place}.files: {{{label}: {named[0]}}}, so that a change of its content is noticed"
            )


def files_in(value: Any, root: Path) -> Iterator[str]:
    """Words of the texts in a value, at any depth, that are files with a suffix, such as in a command of LAMMPS."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from files_in(item, root)
    elif isinstance(value, str):
        yield from (word for word in value.split() if Path(word).suffix and is_file(root / word))


def label_of(file: str) -> str:
    """A name for a file under `files`."""
    return re.sub(r"\W", "_", Path(file).name)


def is_file(path: Path) -> bool:
    """Whether there is such a file that may be read; a name that no file can have is that of none."""
    try:
        return path.is_file() and os.access(path, os.R_OK)
    except (OSError, ValueError):
        return False


def absent(place: str, file: str, root: Path) -> str:
    """What is said of a file that is not there."""
    looked = str(root / file)
    shown = looked if len(looked) < 200 else "..." + looked[-60:]
    what = "you may not read it" if os.path.isfile(looked) else "no such file"
    return f"{place} = {shown_value(file)}: {what} (looked for {shown}). Correct the path"
