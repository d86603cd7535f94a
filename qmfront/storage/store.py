"""Stores: labelled, checked, atomically written Zarr v3 directories; `layouts` declares what they hold.

A store is either complete or absent: it is written as `<path>.partial` and renamed, and `zarr.json` inside it is
therefore proof of completeness (the file that a rule declares as its output). Values carry a checksum, because Zarr
fills the chunks that are missing from a damaged store without a word.

`zarr.json` follows from the content alone: a job that runs again and finds the same leaves it as it was, and nothing
that depends on it runs again. What differs from run to run (seconds, versions) stands in `run.json` beside it.
"""

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from pydantic_core import to_jsonable_python

from qmfront.storage.durable import gone_on_failure, replace_folder
from qmfront.storage.layout import Attributes, Declared, Kind, checked
from qmfront.storage.provenance import content_hash, versions
from qmfront.storage.writing import cleared

SENTINEL = "zarr.json"
RUN = "run.json"
PROVENANCE = ("config_hash", "versions")
LARGE = 10_000_000
MOST_COMPRESSED = 1000
"""Bytes of an array over those of its files, where it has LARGE bytes; we compress nothing."""
RESERVED = ("kind", "checksum", *PROVENANCE)
"""Attributes of the store itself; older stores have the provenance among them, and no run.json."""


class StoreError(RuntimeError):
    """A store on disk is absent, damaged, or not what the reader needs."""


@dataclass(frozen=True)
class Store(Mapping):
    """A loaded store: store["name"] is a read-only array, or a Python number where the array has no axis.

    path : the directory
    kind : name of the kind, "bulk", "structure", ...
    attrs : what the writer added, read-only
    run : what the writer measured, such as the seconds of its parts, read-only
    checksum : SHA-256 of kind, arrays and attrs; equal content has equal checksums, whatever the run
    config_hash, versions : settings and software of the writer
    """

    kind: str
    checksum: str
    path: Path = field(compare=False)
    attrs: Attributes = field(compare=False)
    run: Attributes = field(compare=False)
    config_hash: str = field(compare=False)
    versions: Mapping[str, str] = field(compare=False)
    arrays: Mapping[str, np.ndarray] = field(compare=False, repr=False)

    def __getitem__(self, name: str) -> Any:
        if name not in self.arrays:
            raise KeyError(f"{self.path} ({self.kind}) holds no {name!r}, only {', '.join(self.arrays)}.")
        array = self.arrays[name]
        return array if array.ndim else array.item()

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)


def save(
    path: Path | str,
    kind: Kind,
    arrays: Mapping[str, ArrayLike],
    attrs: Attributes | None = None,
    *,
    run: Attributes | None = None,
    config: object = None,
) -> Path:
    """Check the arrays against their declaration and write them as one store, all or nothing.

    Parameters
    ----------
    path : directory `*.zarr`, or the `zarr.json` in it; a store that is there already is replaced
    kind : one of `layouts`; an open one `including` what its writer adds
    arrays : name -> array or number, in the declared unit
    attrs : JSON-like values that follow from the input as the arrays do
    run : JSON-like values that the next run may measure differently
    config : the settings that led to this store, as nouns or plain values; only their hash is kept

    Returns
    -------
    the directory

    Raises
    ------
    ValueError if a name, shape, dtype or value does not fit the declaration.
    """
    folder = directory(path)
    values = checked(arrays, kind)
    extra, measured = _plain(dict(attrs or {}), "attrs"), _plain(dict(run or {}), "run")
    if clash := sorted({*extra, *measured} & set(RESERVED)):
        raise ValueError(f"attrs use the reserved names {', '.join(clash)}. Rename them.")
    digests = {name: _digest(array) for name, array in values.items()}
    root = {"kind": kind.name, "checksum": _checksum(kind.name, digests, extra), **extra}
    measured = {"config_hash": content_hash(to_jsonable_python(config)), "versions": versions(), **measured}
    partial = folder.with_name(folder.name + ".partial")
    with gone_on_failure(partial):
        _make_room(folder, partial)
        partial.mkdir()
        _write(partial, values, kind, root)
        (partial / RUN).write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
        replace_folder(partial, folder)
    return folder


def load(path: Path | str, kind: Kind) -> Store:
    """Read a store of the given kind and check everything that `save` promised.

    Raises
    ------
    StoreError if it is absent, of another kind, lacks arrays, has other shapes or units than declared, or if its
    content differs from its checksum.
    """
    folder = directory(path)
    attrs, stored, metas = _read(folder)
    if attrs.get("kind") != kind.name:
        raise StoreError(
            f"{folder} is a store of kind {attrs.get('kind')!r}, but {kind.name!r} is needed. Correct the path."
        )
    if kind.is_open:
        found = {name: _declaration(meta) for name, meta in metas.items() if name not in kind.arrays}
        kind = kind.including(found)
    _compare_labels(folder, metas, kind)
    try:
        arrays = checked(stored, kind, copy=False)
    except ValueError as error:
        raise StoreError(
            f"{folder} does not fit the layout of this version: {error} Delete it and rerun."
        ) from None
    _compare_checksum(folder, arrays, metas, attrs)
    run = _run(folder, attrs)
    if missing := [name for name in PROVENANCE if name not in run]:
        raise StoreError(
            f"{folder} is damaged: {RUN} lacks {', '.join(missing)}. Delete the store and rerun."
        )
    for array in arrays.values():
        array.flags.writeable = False
    return Store(
        kind=kind.name,
        checksum=attrs["checksum"],
        path=folder,
        attrs=MappingProxyType(_extra(attrs)),
        run=MappingProxyType(_extra(run)),
        config_hash=run["config_hash"],
        versions=MappingProxyType(run["versions"]),
        arrays=MappingProxyType(arrays),
    )


def link(source: Path | str, path: Path | str) -> Path:
    """The same store in another place, all or nothing, by hard links: it takes no room, since no store is edited.

    Returns
    -------
    the new directory
    """
    folder = directory(path)
    partial = folder.with_name(folder.name + ".partial")
    with gone_on_failure(partial):
        _make_room(folder, partial)
        shutil.copytree(directory(source), partial, copy_function=os.link)
        replace_folder(partial, folder)
    return folder


def attributes(path: Path | str) -> Attributes:
    """Attributes of a complete store and what its writer measured; its arrays are left unread and unchecked."""
    folder = directory(path)
    attrs = json.loads((folder / SENTINEL).read_text(encoding="utf-8"))["attributes"]
    return attrs | _run(folder, attrs)


def directory(path: Path | str) -> Path:
    """The directory of a store, given that directory or the zarr.json in it."""
    path = Path(path)
    folder = path.parent if path.name == SENTINEL else path
    if folder.suffix != ".zarr":
        raise ValueError(f"{path} does not name a store. Use a directory NAME.zarr, or NAME.zarr/{SENTINEL}.")
    return folder


def _run(folder: Path, attrs: Attributes) -> Attributes:
    """What is in run.json; of an older store the attributes, where everything stood."""
    try:
        run = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except FileNotFoundError:
        run = dict(attrs)
    except ValueError as error:
        raise StoreError(f"{folder / RUN} cannot be read ({error}). Delete the store and rerun.") from error
    return run


def _extra(attrs: Attributes) -> Attributes:
    """The attributes that are not the store's own."""
    return {key: value for key, value in attrs.items() if key not in RESERVED}


def _make_room(folder: Path, partial: Path) -> None:
    """Remove what a killed job or somebody else has left where a store is about to be written."""
    cleared(partial)
    old = folder.with_name(folder.name + ".old")
    if old.is_symlink():
        old.unlink()
    folder.parent.mkdir(parents=True, exist_ok=True)


def _write(folder: Path, arrays: Mapping[str, np.ndarray], kind: Kind, root: Attributes) -> None:
    import zarr

    group = zarr.create_group(store=folder, zarr_format=3, attributes=dict(root))
    for name, array in arrays.items():
        spec = kind.arrays[name]
        label = {"unit": spec.unit, "long_name": spec.long_name, "equation": spec.equation}
        target = group.create_array(
            name,
            shape=array.shape,
            dtype=array.dtype,
            chunks=tuple(max(1, length) for length in array.shape),
            dimension_names=spec.names,
            compressors=None,
            config={"write_empty_chunks": True},
            attributes={**label, "sha256": _digest(array)},
        )
        target[...] = array
    with warnings.catch_warnings():
        # Consolidated metadata is an extension of Zarr v3 that xarray reads; without it every array is
        # opened by itself.
        warnings.filterwarnings("ignore", message="Consolidated metadata", category=UserWarning)
        zarr.consolidate_metadata(folder, zarr_format=3)


def _read(folder: Path) -> tuple[Attributes, dict[str, np.ndarray], dict[str, Attributes]]:
    """Root attributes, arrays, and per array its attributes with "dims" and "kind" added."""
    import zarr

    if not (folder / SENTINEL).is_file():
        state = "is not complete" if folder.exists() else "does not exist"
        raise StoreError(f"{folder} {state} (no {SENTINEL} in it). Run the rule that writes it.")
    try:
        group = zarr.open_group(folder, mode="r", zarr_format=3)
        stored: dict[str, np.ndarray] = {}
        metas: dict[str, Attributes] = {}
        for name, array in group.arrays():
            if array.nbytes > LARGE:
                _refuse_empty(folder / name, array.nbytes)
            stored[name] = np.asarray(array[...])
            dims = " ".join(str(name) for name in getattr(array.metadata, "dimension_names", None) or ())
            metas[name] = {**array.attrs.asdict(), "dims": dims, "kind": array.dtype.kind}
        return group.attrs.asdict(), stored, metas
    except Exception as error:  # zarr has no common base for what a damaged store can raise
        raise StoreError(
            f"{folder} cannot be read ({type(error).__name__}: {error}). Delete it and rerun."
        ) from error


def _refuse_empty(array: Path, promised: int) -> None:
    """Zarr fills with zeros what an array promises and its files lack."""
    held = sum(path.stat().st_size for path in array.rglob("*") if path.is_file())
    if promised > MOST_COMPRESSED * held:
        raise ValueError(f"{array.name} says that it has {promised} bytes, and its files have {held}")


def _compare_labels(folder: Path, metas: Mapping[str, Attributes], kind: Kind) -> None:
    for name, meta in metas.items():
        for key in ("unit", "dims"):
            wanted = getattr(kind.arrays.get(name), key, None)
            if name in kind.arrays and meta.get(key) != wanted:
                raise StoreError(
                    f"{folder}: {name} has {key} {meta.get(key)!r}, but {wanted!r} is declared. "
                    "It was written by another version. Delete it and rerun."
                )


def _compare_checksum(
    folder: Path, arrays: Mapping[str, np.ndarray], metas: Mapping[str, Attributes], attrs: Attributes
) -> None:
    damaged = [name for name, array in arrays.items() if _digest(array) != metas[name].get("sha256")]
    digests = {name: meta.get("sha256") for name, meta in metas.items()}
    if damaged or _checksum(attrs["kind"], digests, _extra(attrs)) != attrs.get("checksum"):
        what = f"array {', '.join(damaged)}" if damaged else "the list of arrays and attributes"
        raise StoreError(
            f"{folder} is damaged: the checksum of {what} differs from the one written with it "
            "(a chunk is missing, truncated or changed). Delete the store and rerun."
        )


def _declaration(meta: Attributes) -> Declared:
    """What an array of an open kind says about itself."""
    labels = {key: meta.get(key, "") for key in ("unit", "long_name", "equation")}
    return Declared(meta["dims"], meta["kind"], **labels, infinite=True)


def _digest(array: np.ndarray) -> str:
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)  # H_FC is 90 MB: not copied
    return digest.hexdigest()


def _checksum(kind: str, digests: Mapping[str, str | None], attrs: Attributes) -> str:
    content = json.dumps([kind, dict(digests), attrs], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _plain(value: Any, where: str) -> Any:
    """The same value as JSON will give it back: numpy and tuples become Python lists and numbers."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, Path):
        return str(value)
    if (
        value is None
        or isinstance(value, str | bool | int)
        or (isinstance(value, float) and np.isfinite(value))
    ):
        return value
    raise ValueError(
        f"{where} is {value!r} ({type(value).__name__}). Use finite numbers, strings, lists and mappings."
    )
