"""Stores: labelled, checked, atomically written Zarr v3 directories; `store_layout` declares what they hold.

A store is either complete or absent: it is written as `<path>.partial` and renamed, and `zarr.json` inside it is
therefore proof of completeness (the file that a rule declares as its output). Values carry a checksum, because Zarr
fills the chunks that are missing from a damaged store without a word.
"""

import hashlib
import json
import shutil
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from qmfront.storage.durable import gone_on_failure, replace_folder
from qmfront.storage.provenance import content_hash, versions
from qmfront.storage.store_layout import LAYOUT, OPEN_KINDS, Declared, checked

SENTINEL = "zarr.json"
RESERVED = ("kind", "checksum", "config_hash", "versions")


class StoreError(RuntimeError):
    """A store on disk is absent, damaged, or not what the reader needs."""


@dataclass(frozen=True)
class Store(Mapping):
    """A loaded store: store["name"] is a read-only array, or a Python number where the array has no axis.

    path : the directory
    kind : "bulk", "structure", ... of `store_layout.LAYOUT`
    attrs : what the writer added, read-only
    checksum : SHA-256 of kind, arrays and attrs; equal content has equal checksums, whatever the versions
    config_hash, versions : settings and software of the writer
    """

    kind: str
    checksum: str
    path: Path = field(compare=False)
    attrs: Mapping[str, Any] = field(compare=False)
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
    kind: str,
    arrays: Mapping[str, Any],
    attrs: Mapping[str, Any] | None = None,
    *,
    config: object = None,
    declared: Mapping[str, Declared] | None = None,
) -> Path:
    """Check the arrays against their declaration and write them as one store, all or nothing.

    Parameters
    ----------
    path : directory `*.zarr`, or the `zarr.json` in it; a store that is there already is replaced
    kind : key of `store_layout.LAYOUT`
    arrays : name -> array or number, in the declared unit
    attrs : JSON-like values to keep beside the arrays
    config : the settings that led to this store; only their hash is kept
    declared : declarations of the arrays that an open kind does not list

    Returns
    -------
    the directory

    Raises
    ------
    ValueError if a name, shape, dtype or value does not fit the declaration.
    """
    folder = directory(path)
    layout = _layout(kind, declared)
    values = checked(arrays, layout, kind)
    extra = _plain(dict(attrs or {}), "attrs")
    if clash := sorted(set(extra) & set(RESERVED)):
        raise ValueError(f"attrs use the reserved names {', '.join(clash)}. Rename them.")
    config_hash = content_hash(config)
    root = {
        "kind": kind,
        "checksum": _checksum(kind, {name: _digest(array) for name, array in values.items()}, extra),
        "config_hash": config_hash,
        "versions": versions(),
        **extra,
    }
    partial = folder.with_name(folder.name + ".partial")
    with gone_on_failure(partial):
        if partial.exists():
            shutil.rmtree(partial)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _write(partial, values, layout, root)
        replace_folder(partial, folder)
    return folder


def load(path: Path | str, kind: str) -> Store:
    """Read a store of the given kind and check everything that `save` promised.

    Raises
    ------
    StoreError if it is absent, of another kind, lacks arrays, has other shapes or units than declared, or if its
    content differs from its checksum.
    """
    folder = directory(path)
    layout = _layout(kind, None)
    attrs, stored, metas = _read(folder)
    if attrs.get("kind") != kind:
        raise StoreError(
            f"{folder} is a store of kind {attrs.get('kind')!r}, but {kind!r} is needed. Correct the path."
        )
    if kind in OPEN_KINDS:
        layout = {name: _declaration(meta) for name, meta in metas.items()} | layout
    _compare_labels(folder, metas, layout)
    try:
        arrays = checked(stored, layout, kind)
    except ValueError as error:
        raise StoreError(
            f"{folder} does not fit the layout of this version: {error} Delete it and rerun."
        ) from None
    extra = {key: value for key, value in attrs.items() if key not in RESERVED}
    _compare_checksum(folder, kind, arrays, metas, attrs)
    for array in arrays.values():
        array.flags.writeable = False
    return Store(
        kind=kind,
        checksum=attrs["checksum"],
        path=folder,
        attrs=MappingProxyType(extra),
        config_hash=attrs["config_hash"],
        versions=MappingProxyType(attrs["versions"]),
        arrays=MappingProxyType(arrays),
    )


def attributes(path: Path | str) -> dict[str, Any]:
    """Root attributes of a complete store, its arrays left unread and unchecked."""
    text = (directory(path) / SENTINEL).read_text(encoding="utf-8")
    return json.loads(text)["attributes"]


def directory(path: Path | str) -> Path:
    """The directory of a store, given that directory or the zarr.json in it."""
    path = Path(path)
    folder = path.parent if path.name == SENTINEL else path
    if folder.suffix != ".zarr":
        raise ValueError(f"{path} does not name a store. Use a directory NAME.zarr, or NAME.zarr/{SENTINEL}.")
    return folder


def _layout(kind: str, declared: Mapping[str, Declared] | None) -> dict[str, Declared]:
    if kind not in LAYOUT:
        raise ValueError(f"Unknown kind of store {kind!r}; declared are {', '.join(LAYOUT)}.")
    if declared and kind not in OPEN_KINDS:
        raise ValueError(
            f"Stores of kind {kind!r} are closed. Declare {', '.join(declared)} in store_layout.py."
        )
    return {**LAYOUT[kind], **(declared or {})}


def _write(
    folder: Path, arrays: Mapping[str, np.ndarray], layout: Mapping[str, Declared], root: dict
) -> None:
    import zarr

    group = zarr.create_group(store=folder, zarr_format=3, attributes=root)
    for name, array in arrays.items():
        spec = layout[name]
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


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, dict[str, Any]]]:
    """Root attributes, arrays, and per array its attributes with "dims" and "kind" added."""
    import zarr

    if not (folder / SENTINEL).is_file():
        state = "is not complete" if folder.exists() else "does not exist"
        raise StoreError(f"{folder} {state} (no {SENTINEL} in it). Run the rule that writes it.")
    try:
        group = zarr.open_group(folder, mode="r", zarr_format=3)
        stored, metas = {}, {}
        for name, array in group.arrays():
            stored[name] = np.asarray(array[...])
            dims = " ".join(str(name) for name in getattr(array.metadata, "dimension_names", None) or ())
            metas[name] = {**array.attrs.asdict(), "dims": dims, "kind": array.dtype.kind}
        return group.attrs.asdict(), stored, metas
    except Exception as error:  # zarr has no common base for what a damaged store can raise
        raise StoreError(
            f"{folder} cannot be read ({type(error).__name__}: {error}). Delete it and rerun."
        ) from error


def _compare_labels(folder: Path, metas: Mapping[str, dict], layout: Mapping[str, Declared]) -> None:
    for name, meta in metas.items():
        for key in ("unit", "dims"):
            if name in layout and meta.get(key) != getattr(layout[name], key):
                raise StoreError(
                    f"{folder}: {name} has {key} {meta.get(key)!r}, but {getattr(layout[name], key)!r} is declared. "
                    "It was written by another version. Delete it and rerun."
                )


def _compare_checksum(
    folder: Path,
    kind: str,
    arrays: Mapping[str, np.ndarray],
    metas: Mapping[str, dict],
    attrs: Mapping[str, Any],
) -> None:
    extra = {key: value for key, value in attrs.items() if key not in RESERVED}
    damaged = [name for name, array in arrays.items() if _digest(array) != metas[name].get("sha256")]
    digests = {name: meta.get("sha256") for name, meta in metas.items()}
    if damaged or _checksum(kind, digests, extra) != attrs.get("checksum"):
        what = f"array {', '.join(damaged)}" if damaged else "the list of arrays and attributes"
        raise StoreError(
            f"{folder} is damaged: the checksum of {what} differs from the one written with it "
            "(a chunk is missing, truncated or changed). Delete the store and rerun."
        )


def _declaration(meta: Mapping[str, Any]) -> Declared:
    """What an array of an open kind says about itself."""
    labels = {key: meta.get(key, "") for key in ("unit", "long_name", "equation")}
    return Declared(meta["dims"], meta["kind"], **labels, infinite=True)


def _digest(array: np.ndarray) -> str:
    head = f"{array.dtype.str}{array.shape}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()


def _checksum(kind: str, digests: Mapping[str, str | None], attrs: Mapping[str, Any]) -> str:
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
