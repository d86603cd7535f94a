"""The bytes of an entry of the journal, and what of them is believed.

An entry is data from outside: a disk, a colleague or another clone may have written it. Its checksum says that the
bytes are as they were written, not that they answer the question: the question, shapes and finiteness are compared too.
That a number is the one which the model gives, no reader can tell: an entry therefore says where it was computed.
"""

import io
import json
import os
import stat
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qmfront.evaluate.evaluation import SHAPES, Evaluation
from qmfront.storage.provenance import content_hash

MOST_BYTES = 1 << 30
"""Of an entry: ten million atoms."""
TIMES = ("seconds", "cpu_seconds")
ANSWERS = (*SHAPES, *TIMES)
BESIDE = ("calculator", "origin")


Identity = Mapping[str, Any]
"""What stands for a calculator, see `models.calculator.identity`: its arguments, and hashes of its code and files."""


@dataclass(frozen=True)
class Question:
    """All that the values of an evaluation depend on.

    model : identity of the calculator
    properties : what is wanted: "energy", "forces", "stress"
    arrays : positions, numbers, cell, pbc, and moments or charges where the atoms have them
    """

    model: Identity
    properties: Sequence[str]
    arrays: Mapping[str, np.ndarray]

    @property
    def key(self) -> str:
        """Its address in the journal."""
        return content_hash({"calculator": self.model, "properties": sorted(self.properties), **self.arrays})


def packed(key: str, question: Question, evaluation: Evaluation) -> bytes:
    """A NumPy archive of question and answer with a checksum over both and the key."""
    members = dict(question.arrays)
    members["calculator"] = np.frombuffer(_text_of(question.model), np.uint8)
    for name in ANSWERS:
        if getattr(evaluation, name) is not None:
            members[name] = np.asarray(getattr(evaluation, name))
    members["origin"] = np.array(evaluation.origin)
    return archived(key, members)


def archived(key: str, members: Mapping[str, np.ndarray]) -> bytes:
    """The archive of an entry's members, to which their checksum is added."""
    stream = io.BytesIO()
    np.savez(stream, checksum=np.array(checksum(key, members)), **members)  # type: ignore[arg-type]
    return stream.getvalue()


def checksum(key: str, members: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of the key and of every bit of the members."""
    return content_hash([key, dict(members)])


def unpacked(key: str, content: bytes, question: Question | None = None) -> Evaluation:
    """The answer in an archive.

    question : what it must be the answer to; None: any

    Raises
    ------
    ValueError, and whatever zipfile raises, if the bytes are not as written, if the answer has other shapes than the
    atoms ask for, is not finite, or if it is that of another question.
    """
    members = sound_members(key, content)
    if question is not None:
        _compare(members, question)
    for array in members.values():
        array.flags.writeable = False
    return Evaluation(
        float(members["energy"]),
        members["forces"],
        members.get("stress"),
        float(members["seconds"]),
        float(members["cpu_seconds"]),
        cached=True,
        origin=str(members.get("origin", "")),
    )


def sound_members(key: str, content: bytes) -> dict[str, np.ndarray]:
    """The arrays of an archive, question and answer, without the checksum; errors as in `unpacked`."""
    members = _members(content)
    if str(members.pop("checksum")) != checksum(key, members):
        raise ValueError("its checksum is wrong")
    _check_answer(members)
    return members


def read_entry(path: Path) -> bytes:
    """The bytes of an entry; raises ValueError for what is no file, such as a folder, a pipe or a device."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise ValueError("it is no file")
        if state.st_size > MOST_BYTES:
            raise ValueError(f"it has {state.st_size} bytes")
        return stream.read()


def _members(content: bytes) -> dict[str, np.ndarray]:
    """The arrays of an archive that is as long as what it says to hold: NumPy allocates before it reads."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED or member.file_size > len(content):
                raise ValueError(f"its member {member.filename[:40]!r} is compressed")
            with archive.open(member) as stream:
                shape, dtype = _header(stream)
            if np.prod([float(length) for length in shape]) * dtype.itemsize > member.file_size:
                raise ValueError(f"its member {member.filename[:40]!r} is shorter than it says")
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _header(stream: Any) -> tuple[tuple[int, ...], np.dtype]:
    major, _ = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    if dtype.hasobject:
        raise ValueError("it holds objects")
    return shape, dtype


def _check_answer(members: Mapping[str, np.ndarray]) -> None:
    count = len(members["numbers"])
    shapes = {name: shape(count) for name, shape in SHAPES.items()} | dict.fromkeys(TIMES, ())
    for name in (name for name in ANSWERS if name in members or name != "stress"):
        array = members[name]
        if array.dtype != np.float64 or array.shape != shapes[name]:
            raise ValueError(f"{name} is {array.dtype} of shape {array.shape}, not float64 of {shapes[name]}")
        if not np.isfinite(array).all() or (name in TIMES and array < 0):
            raise ValueError(f"{name} has numbers that cannot be")


def _compare(members: Mapping[str, np.ndarray], question: Question) -> None:
    """Refuse the answer to another question."""
    asked = question.arrays
    told = set(members) - {*ANSWERS, *BESIDE}
    if told != set(asked):
        raise ValueError(
            f"it holds {', '.join(sorted(told ^ set(asked)))}, or lacks them, unlike the question"
        )
    for name, value in asked.items():
        if members[name].dtype != value.dtype or not np.array_equal(members[name], value):
            raise ValueError(f"its {name} are not those that were asked about")
    if ("stress" in members) != ("stress" in question.properties):
        raise ValueError("it has a stress, or none, unlike the question")
    model = json.loads(members["calculator"].tobytes())
    if content_hash(model) != content_hash(json.loads(_text_of(question.model))):
        raise ValueError("it is of another model")


def _text_of(calculator: Any) -> bytes:
    return json.dumps(calculator, default=str).encode()
