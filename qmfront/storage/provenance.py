"""Where a result comes from: the code a script reaches, the versions it ran with, hashes of its settings."""

import ast
import dataclasses
import hashlib
import json
import os
import struct
import subprocess
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from importlib import metadata
from pathlib import Path

import numpy as np

from qmfront.storage.writing import created

PACKAGE = "qmfront"
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
DISTRIBUTIONS = ("numpy", "scipy", "numba", "ase", "matscipy", "zarr", "scikit-fmm")
REMEMBERED = "sources.json"
INTERFACE = Path(PACKAGE, "__init__.py")
"""Names for users, loaded when asked for. It computes nothing and every module lies below it: followed, it would tie
each script and each model to the whole package, so it counts as empty, and our own code imports from the modules."""


def reached_files(script: Path | None, root: Path, *, also: tuple[str, ...] = ()) -> list[str]:
    """Files of the package that a script reaches through import statements, directly or not.

    Imports inside functions count, relative ones too; `from qmfront.x import y` follows y where y is a module. A module
    that reads data files beside itself names them in `DATA_FILES = ("silicon.json", ...)`, and they count as well.
    The package's INTERFACE is not followed. Names that are built at run time stay unseen: hand those over through
    `also`.

    Parameters
    ----------
    script : file to start from, or None to start from `also` alone; it is not in the answer, since Snakemake watches
        it by itself
    root : folder that holds the package folder
    also : dotted names (modules, or classes in them) that the script imports by name, such as the
        calculator of a config

    Returns
    -------
    sorted paths, each starting with root

    Raises
    ------
    ValueError if an import names a package module that does not exist.
    """
    root, found = Path(root), set()
    waiting = _imported(Path(script), root) if script is not None else set()
    for name in also:
        waiting |= _package_files(name, root) if name.split(".")[0] == PACKAGE else set()
    while waiting:
        path = waiting.pop()
        found.add(path)
        if path.suffix == ".py":
            waiting |= _imported(path, root) - found
    return sorted(str(path) for path in found)


def versions() -> dict[str, str]:
    """Versions of the package (git describe where there is a repository) and of the libraries under it."""
    return {PACKAGE: _package_version(), **{name: distribution_version(name) for name in DISTRIBUTIONS}}


def distribution_version(name: str) -> str:
    """Installed version of a distribution, or "absent"."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"


def content_hash(value: object) -> str:
    """SHA-256, hexadecimal, of nested mappings, sequences, sets, dataclasses, numbers, strings and arrays.

    Equal content gives an equal hash in every process and on every machine: keys are sorted, arrays are hashed by
    dtype, shape and bytes in C order, tuples count as lists, -0.0 as 0.0. The types int, float and bool are told apart.

    Raises
    ------
    TypeError for a type whose content is not defined.
    """
    digest = hashlib.sha256()
    for piece in _pieces(value):
        digest.update(struct.pack("<Q", len(piece)))
        digest.update(piece)
    return digest.hexdigest()


def code_hash(module: str, root: Path) -> str:
    """SHA-256 of the statements of a package module and of all that it imports from the package.

    Comments, docstrings and layout do not count, so an edit of them keeps the hash; data files count in full.
    """
    files = reached_files(None, root, also=(module,))
    names = {path: Path(path).relative_to(root) for path in files}
    return content_hash({str(name): _statements(Path(path), name) for path, name in names.items()})


def code_stamp(
    stamp: Path, root: Path, *, script: Path | None = None, also: tuple[str, ...] = ()
) -> list[str]:
    """The path of a file that lists code with the hash of each file's statements, written where one has changed.

    Snakemake compares times of inputs: one stamp stands for the fifty files behind a script, which it would look at one
    by one for every job that waits, and neither a comment nor a fresh checkout makes it younger. What each file imports
    and its hash are remembered beside the stamp, so that a workflow that is loaded again parses what was edited alone.

    Parameters
    ----------
    stamp : relative to the working folder; it is as old as the youngest of the files where none was there
    root : folder that holds the package folder
    script, also : of `reached_files`, which has the same errors

    Returns
    -------
    The path alone, or nothing if no file is reached.
    """
    memory = stamp.parent / REMEMBERED
    _recall(memory, root)
    paths = [(Path(file), Path(file).relative_to(root)) for file in reached_files(script, root, also=also)]
    lines = [f"{_source(path).digest}  {name.as_posix()}\n" for path, name in paths if name != INTERFACE]
    _remember(memory, root)
    if not paths:
        return []
    text, is_new = "".join(lines), not stamp.is_file()
    if is_new or stamp.read_text(encoding="utf-8") != text:
        partial = _written_beside(stamp, text)
        if is_new:
            youngest = max((path.stat().st_mtime_ns for path, name in paths if name != INTERFACE), default=0)
            os.utime(partial, ns=(youngest, youngest))
        os.replace(partial, stamp)
    return [str(stamp)]


@dataclasses.dataclass(frozen=True)
class _Source:
    """What one file of the package does, in one state.

    names : imported names as (dotted name, level, line)
    data : DATA_FILES
    digest : SHA-256 of its statements
    """

    names: tuple[tuple[str, int, int], ...]
    data: tuple[str, ...]
    digest: str


_SOURCES: dict[tuple[str, int, int], _Source] = {}
"""(path, time of its last change in ns, size) -> what the file does."""


def _source(path: Path) -> _Source:
    status = path.stat()
    state = (str(path), status.st_mtime_ns, status.st_size)
    if state not in _SOURCES:
        names, data = _declared_by(path) if path.suffix == ".py" else ((), ())
        _SOURCES[state] = _Source(names, data, content_hash(_statements(path, path)))
    return _SOURCES[state]


def _recall(memory: Path, root: Path) -> None:
    """Sources that an earlier process has parsed, once; a file that cannot be read as such is as good as none."""
    if memory in _written or not memory.is_file():
        return
    found = {}
    try:
        for name, changed, size, names, data, digest in json.loads(memory.read_text(encoding="utf-8")):
            imported = tuple((str(dotted), int(level), int(line)) for dotted, level, line in names)
            found[str(root / name), changed, size] = _Source(imported, tuple(data), digest)
    except (ValueError, TypeError):
        return
    _SOURCES.update(found)
    _written[memory] = len(_SOURCES)


def _remember(memory: Path, root: Path) -> None:
    """Write the sources below root, if more are known than were written last; of each path the latest state."""
    if len(_SOURCES) == _written.get(memory):
        return
    _written[memory] = len(_SOURCES)
    latest = {
        path: (str(Path(path).relative_to(root)), changed, size, *dataclasses.astuple(source))
        for (path, changed, size), source in _SOURCES.items()
        if Path(path).is_relative_to(root)
    }
    os.replace(_written_beside(memory, json.dumps(list(latest.values()))), memory)


_written: dict[Path, int] = {}
"""Number of sources in each file of them."""


def _written_beside(path: Path, text: str) -> Path:
    """A partial file with a text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with created(partial) as stream:
        stream.write(text.encode())
    return partial


def _imported(path: Path, root: Path) -> set[Path]:
    """Package files that one file imports or declares as data; none for the package's INTERFACE."""
    if path == root / INTERFACE:
        return set()
    source = _source(path)
    found = {path.parent / name for name in source.data}
    for name, level, line in source.names:
        if level:
            folder = path.parents[level - 1].relative_to(root).parts
            name = ".".join((*folder, name)) if name else ".".join(folder)
        if name.split(".")[0] == PACKAGE:
            try:
                found |= _package_files(name.removesuffix(".*"), root)
            except ValueError as error:
                raise ValueError(f"{path}, line {line}: {error}") from None
    return found


def _declared_by(path: Path) -> tuple[tuple[tuple[str, int, int], ...], tuple[str, ...]]:
    """Imported names as (dotted name, level, line), and DATA_FILES, of one file."""
    names: list[tuple[str, int, int]] = []
    data: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        if isinstance(node, ast.Import):
            names += [(alias.name, 0, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            stem = f"{node.module}." if node.module else ""
            names += [(stem + alias.name, node.level, node.lineno) for alias in node.names]
        elif isinstance(node, ast.Assign) and any(
            getattr(t, "id", None) == "DATA_FILES" for t in node.targets
        ):
            data += ast.literal_eval(node.value)
    return tuple(names), tuple(data)


def _package_files(name: str, root: Path) -> set[Path]:
    """The file of a dotted name, of its parents, and nothing for the attributes at its end."""
    found, folder = set(), root
    for part in name.split("."):
        place = os.path.join(folder, part)  # ten thousand of them: paths as text take a tenth of the time
        if os.path.isfile(f"{place}/__init__.py"):
            folder = folder / part
            found.add(folder / "__init__.py")
        elif os.path.isfile(f"{place}.py"):
            return found | {folder / f"{part}.py"}
        elif folder != root and folder / "__init__.py" != root / INTERFACE and _defines(folder, part):
            return found
        else:
            raise ValueError(f"{name} is imported, but {folder} holds no module {part}. Correct the import.")
    return found


def _defines(folder: Path, name: str) -> bool:
    """Whether the text of a package's __init__.py could define a name; empty ones define nothing."""
    return name in (folder / "__init__.py").read_text(encoding="utf-8")


def _statements(path: Path, name: Path) -> str | bytes:
    """What a file of this name in the package does: its syntax tree without docstrings, or its bytes if not Python."""
    if name == INTERFACE:
        return ast.dump(ast.parse(""))
    if path.suffix != ".py":
        return path.read_bytes()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return ast.dump(tree)


def _package_version() -> str:
    """git describe of the checkout, else the installed version."""
    root = Path(__file__).resolve().parents[2]
    if (root / ".git").exists():
        command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--tags"]
        environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
        try:
            answer = subprocess.run(
                command, check=False, capture_output=True, text=True, timeout=5, env=environment
            )
        except (OSError, subprocess.TimeoutExpired):
            return distribution_version(PACKAGE)
        if answer.returncode == 0 and answer.stdout.strip():
            return answer.stdout.strip()
    return distribution_version(PACKAGE)


def _pieces(value: object) -> Iterator[bytes]:
    """Byte strings that determine a value; each is hashed with its length, so that they cannot run together."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        yield from _array_pieces(value)
    elif isinstance(value, Mapping):
        yield f"dict:{len(value)}".encode()
        for key in sorted(value, key=str):
            yield from _pieces(key)
            yield from _pieces(value[key])
    elif isinstance(value, list | tuple):
        yield f"list:{len(value)}".encode()
        for item in value:
            yield from _pieces(item)
    elif isinstance(value, AbstractSet):
        yield from _pieces(["set", *sorted(content_hash(item) for item in value)])
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        yield from _pieces([type(value).__name__, fields])
    else:
        yield _single(value)


def _single(value: object) -> bytes:
    """Tagged bytes of a value without parts."""
    if value is None or isinstance(value, bool | int):
        return f"{type(value).__name__}:{value}".encode()
    if isinstance(value, float):
        return b"float" + struct.pack("<d", value + 0.0)
    if isinstance(value, str | os.PathLike):
        return b"str" + os.fspath(value).encode()
    if isinstance(value, bytes):
        return b"bytes" + value
    raise TypeError(
        f"{type(value).__name__} has no defined content to hash. Hand over numbers, strings, arrays, "
        "lists, mappings or dataclasses of them."
    )


def _array_pieces(array: np.ndarray) -> Iterator[bytes]:
    if array.dtype.kind not in "biufcSU":
        raise TypeError(
            f"Arrays of dtype {array.dtype} have no defined content to hash. Use numbers or strings."
        )
    array = array.astype(array.dtype.newbyteorder("<"), order="C")
    if array.dtype.kind in "fc":
        array = array + 0.0
    yield f"array:{array.dtype.str}:{array.shape}".encode()
    yield array.tobytes()
