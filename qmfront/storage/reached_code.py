"""The code that a script reaches through its imports: its files, a hash of what they do, a stamp for Snakemake."""

import ast
import dataclasses
import json
import os
from pathlib import Path

from qmfront.storage.provenance import PACKAGE, content_hash
from qmfront.storage.writing import created

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
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
