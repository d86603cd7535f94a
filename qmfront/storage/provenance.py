"""Hashes of values, and the versions that a result was made with."""

import dataclasses
import hashlib
import os
import struct
import subprocess
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from importlib import metadata
from pathlib import Path

import numpy as np

PACKAGE = "qmfront"
DISTRIBUTIONS = ("numpy", "scipy", "numba", "ase", "matscipy", "zarr", "scikit-fmm")


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


"""Where a result comes from: the code a script reaches, the versions it ran with, hashes of its settings."""
