"""Evaluations of a journal as one extended XYZ file, and back: training data for others, and calls nobody repeats.

Every frame holds what fitting codes read (species, positions, energy, forces, stress, virial, name of the model), and
one entry `qmfront` with the rest of the journal's entry and its checksum. Numbers have 17 digits, since the key of an
evaluation depends on every bit of its positions. What is read back is an entry of the journal only if every bit of it
is as it was.
"""

import base64
import io
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from ase.data import atomic_numbers, chemical_symbols
from ase.io.extxyz import key_val_str_to_dict
from ase.stress import full_3x3_to_voigt_6_stress, voigt_6_to_full_3x3_stress

from qmfront.evaluate.entry import (
    BESIDE,
    TIMES,
    Identity,
    archived,
    checksum,
    read_entry,
    sound_members,
    unpacked,
)
from qmfront.evaluate.evaluation import SHAPES
from qmfront.storage.durable import gone_on_failure
from qmfront.storage.extxyz import drawn_box, frame, joined
from qmfront.storage.lock import exclusive
from qmfront.storage.writing import created, moved_aside, write_file

Header = dict[str, Any]
"""What the second line of a frame tells by name, or the JSON in it."""
VERSION = 1
"""Of the entry `qmfront`."""
REF = "REF_"
KINDS = {"R": float, "I": np.int64, "L": bool, "S": str}
COLUMNS = (np.dtype(float), np.dtype(np.int64), np.dtype(bool))
RESERVED = ("species", "pos", "forces", "energy", "stress", "virial")


@dataclass(frozen=True)
class Choice:
    """Which entries are exported.

    model : in the dotted path of the calculator, in small or capital letters; empty for all
    atoms : least and largest number of atoms
    """

    model: str = ""
    atoms: tuple[int, int] = (1, 10**9)

    def takes(self, members: Mapping[str, np.ndarray]) -> bool:
        """Whether an entry is wanted."""
        least, most = self.atoms
        wanted = self.model.lower() in " ".join(_paths(_identity(members))).lower()
        return wanted and least <= len(members["numbers"]) <= most


@dataclass(frozen=True)
class Exported:
    """How many entries were written and how many were not wanted, and those that are damaged."""

    written: int
    left_out: int
    unsound: tuple[Path, ...]


@dataclass(frozen=True)
class Imported:
    """How many evaluations are new in the journal, and how many were there."""

    added: int
    known: int


def export_entries(
    folder: Path | str, path: Path | str, choice: Choice = Choice(), *, prefix: str = ""
) -> Exported:
    """Write entries of a journal to an extended XYZ file, which is whole or absent.

    Parameters
    ----------
    folder : of the journal; nothing in it is changed
    prefix : of the names energy, forces, stress and virial in the file: "", or "REF_", which MACE looks for

    Raises
    ------
    ValueError if there is no such folder, or nothing to write.
    """
    folder, path = Path(folder), Path(path)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder. Name the folder of a journal.")
    written, left_out, unsound = 0, 0, []
    partial = path.with_name(path.name + ".partial")
    with gone_on_failure(partial):
        with created(partial) as stream:
            for entry in sorted(folder.glob("??/*.npz")):
                try:
                    members = sound_members(entry.stem, read_entry(entry))
                except Exception:  # whatever damaged archives raise
                    unsound.append(entry)
                    continue
                if not choice.takes(members):
                    left_out += 1
                    continue
                stream.write(_frame(entry.stem, members, prefix).encode())
                written += 1
            stream.flush()
            os.fsync(stream.fileno())
        if not written:
            raise ValueError(
                f"{path} was not written: of the entries of {folder} {left_out} are not those that were asked for, "
                f"and {len(unsound)} are damaged. Ask for others, or for all."
            )
        os.replace(partial, path)
    return Exported(written, left_out, tuple(unsound))


def import_entries(folder: Path | str, path: Path | str) -> Imported:
    """Put the evaluations of an exported file into a journal; what is there already stays.

    The file is read to its end before anything is written. Evaluations keep the machine and folder that they were
    computed for; where these are not known, the file is named.

    Raises
    ------
    ValueError if a frame is not of an exported journal, or if a single bit of it has changed; nothing is imported then.
    """
    folder, path = Path(folder), Path(path)
    for _ in _entries(path):
        pass
    added = known = 0
    for key, members in _entries(path):
        if not str(members.get("origin", "")):
            members["origin"] = np.array(f"imported:{path.resolve()}")
        if _put(folder, key, members):
            added += 1
        else:
            known += 1
    return Imported(added, known)


def _put(folder: Path, key: str, members: Mapping[str, np.ndarray]) -> bool:
    """Whether an entry was not there, or damaged, and is there now."""
    place = folder / key[:2] / f"{key}.npz"
    with exclusive(folder / "locks" / f"{key}.lock", what=f"evaluation {key[:8]}"):
        try:
            unpacked(key, read_entry(place))
        except FileNotFoundError:
            pass
        except Exception:  # whatever damaged archives raise
            moved_aside(place, ".damaged")
        else:
            return False
        write_file(place, archived(key, members))
        return True


def _frame(key: str, members: Mapping[str, np.ndarray], prefix: str) -> str:
    numbers, positions, cell = members["numbers"], members["positions"], members["cell"]
    pbc = members["pbc"]
    columns = {
        "species": np.array(chemical_symbols)[numbers],
        "pos": positions,
        f"{prefix}forces": members["forces"],
    }
    inner: Header = {"version": VERSION, "key": key, "checksum": checksum(key, members)}
    inner |= {"prefix": prefix, "cell": cell.tolist(), "calculator": _identity(members), "columns": {}}
    inner |= {name: float(members[name]) for name in TIMES} | {"others": {}}
    inner |= {"origin": str(members["origin"])} if "origin" in members else {}
    text = members["calculator"].tobytes()
    as_usual = {"numbers", "positions", "cell", "pbc", *SHAPES, *TIMES, *BESIDE}
    if json.dumps(inner["calculator"]).encode() != text:
        as_usual.remove("calculator")
    for name in sorted(set(members) - as_usual):
        column = _column_name(name, columns)
        if column is None or not _fits(members[name], len(numbers)):
            inner["others"][name] = _packed_array(members[name])
        else:
            columns[column] = members[name]
            inner["columns"][name] = column
    box, corner = (cell, None) if np.linalg.matrix_rank(cell) == 3 else drawn_box(positions, cell, pbc)
    lattice = f'Lattice="{joined(box)}"' + ("" if corner is None else f' Origin="{joined(corner)}"')
    flags = " ".join("T" if periodic else "F" for periodic in pbc)
    header = f'pbc="{flags}" {prefix}energy={float(members["energy"]):.16e}'
    if "stress" in members:
        stress = voigt_6_to_full_3x3_stress(members["stress"])
        header += f' {prefix}stress="{joined(stress)}"'
        if corner is None:
            header += f' {prefix}virial="{joined(-abs(np.linalg.det(cell)) * stress)}"'
    header += f" model={_quoted(_paths(inner['calculator'])[-1])}"
    return frame(columns, lattice, f"{header} qmfront={_quoted('_JSON ' + json.dumps(inner))}")


def _column_name(name: str, taken: Collection[str]) -> str | None:
    """That of an array of the atoms in the file; None for what is no array, or has no name that can be written."""
    short = name.removeprefix("atoms_")
    if name == "atoms_info" or not short.isidentifier() or short in taken:
        return None
    return name if short in RESERVED else short


def _fits(array: np.ndarray, n_atoms: int) -> bool:
    """Whether an array is read from columns as it was written to them."""
    fits = array.dtype in COLUMNS and array.ndim in (1, 2) and len(array) == n_atoms and array.size > 0
    return fits and (array.ndim == 1 or array.shape[1] > 1) and bool(np.isfinite(array).all())


def _identity(members: Mapping[str, np.ndarray]) -> Identity:
    return dict(json.loads(members["calculator"].tobytes()))


def _paths(identity: Identity) -> list[str]:
    """Dotted paths of a calculator and of the one that it passes questions to."""
    inner = identity.get("model")
    return [str(identity.get("calculator")), *(_paths(inner) if isinstance(inner, Mapping) else [])]


def _quoted(text: str) -> str:
    """A text of the header, which is ASCII without line breaks: a dotted path, or JSON."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _packed_array(array: np.ndarray) -> str:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return base64.b64encode(stream.getvalue()).decode()


def _unpacked_array(text: str) -> np.ndarray:
    return np.asarray(np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False))


def _entries(path: Path) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Key and members of every frame, each compared with its checksum."""
    try:
        with open(path, encoding="ascii") as stream:
            line, number = 1, 0
            while (first := stream.readline()).strip():
                number += 1
                where = f"{path}, frame {number} (line {line})"
                header, rows = _lines(first, stream, where)
                yield _entry(header, rows, where)
                line += len(rows) + 2
            if first and stream.read().strip():
                raise ValueError(f"{path} has an empty line after frame {number}. {REFUSED}")
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error.strerror}). Name a file that an export has written."
        ) from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text in ASCII, as exports are. Nothing was imported.") from None
    if not number:
        raise ValueError(f"{path} has no frames. Nothing was imported.")


def _lines(first: str, stream: TextIO, where: str) -> tuple[str, list[str]]:
    if not re.fullmatch(r"\d{1,9}", first.strip()):
        raise ValueError(
            f"{where} begins with {first.strip()[:40]!r}, not with its number of atoms. {REFUSED}"
        )
    header, count = stream.readline(), int(first)
    rows = list(islice(stream, count))
    if len(rows) < count:
        raise ValueError(f"{where} ends after {len(rows)} of {count} atoms. {REFUSED}")
    return header, rows


REFUSED = "The file was cut or changed, or is no extended XYZ. Nothing was imported."


def _entry(header: str, rows: list[str], where: str) -> tuple[str, dict[str, np.ndarray]]:
    if " qmfront=" not in header:
        raise ValueError(
            f"{where} has no entry qmfront: it does not come from an export of a journal. An evaluation is found by "
            "the model and its settings, which other files do not tell. Nothing was imported."
        )
    try:
        told = key_val_str_to_dict(header)
        inner = told["qmfront"]
        version = inner["version"]
    except Exception as error:  # whatever damaged headers raise
        raise ValueError(f"{where} has a damaged header ({_short(error)}). {REFUSED}") from None
    if version != VERSION:
        raise ValueError(f"{where} is of version {version}, this program reads {VERSION}. Use a newer one.")
    try:
        key = str(inner["key"])
        members = _members(told, inner, rows)
        if not re.fullmatch("[0-9a-f]{64}", key) or checksum(key, members) != inner["checksum"]:
            raise ValueError("its checksum is wrong")
        return key, sound_members(key, archived(key, members))
    except Exception as error:  # whatever damaged lines raise
        raise ValueError(
            f"{where} is not as it was exported ({_short(error)}). The file was damaged, or a program that wrote it "
            "again has rounded or changed it: import the original. Nothing was imported."
        ) from None


def _short(error: Exception) -> str:
    return (
        f"{type(error).__name__}: {str(error)[:200]}"
        if not isinstance(error, ValueError)
        else str(error)[:200]
    )


def _members(told: Header, inner: Header, rows: list[str]) -> dict[str, np.ndarray]:
    """The arrays of the entry; the types are those that `entry.packed` was given."""
    columns, prefix = _columns(str(told["Properties"]), rows), inner["prefix"]
    members = {
        "positions": columns["pos"],
        "numbers": np.array([atomic_numbers[word] for word in columns["species"]], np.int64),
        "cell": np.array(inner["cell"], float),
        "pbc": np.array(told["pbc"], bool),
        "forces": columns[f"{prefix}forces"],
        "energy": np.array(told[f"{prefix}energy"], float),
        "calculator": np.frombuffer(json.dumps(inner["calculator"]).encode(), np.uint8),
    }
    members |= {"origin": np.array(inner["origin"])} if "origin" in inner else {}
    members |= {name: np.array(inner[name], float) for name in TIMES}
    members |= {name: columns[column] for name, column in inner["columns"].items()}
    members |= {name: _unpacked_array(text) for name, text in inner["others"].items()}
    if f"{prefix}stress" in told:
        stress = np.reshape(told[f"{prefix}stress"], (3, 3)).astype(float)
        members["stress"] = full_3x3_to_voigt_6_stress(stress)
    return members


def _columns(properties: str, rows: list[str]) -> dict[str, np.ndarray]:
    fields = properties.split(":")
    widths = [int(width) for width in fields[2::3]]
    words = [row.split() for row in rows]
    for number, row in enumerate(words, 1):
        if len(row) != sum(widths):
            raise ValueError(f"atom {number} has {len(row)} columns in place of {sum(widths)}")
    table, columns, start = list(zip(*words, strict=True)), {}, 0
    for name, letter, width in zip(fields[::3], fields[1::3], widths, strict=True):
        found = np.array([_converted(column, letter) for column in table[start : start + width]]).T
        columns[name] = np.ascontiguousarray(found[:, 0] if width == 1 else found)
        start += width
    return columns


def _converted(words: tuple[str, ...], letter: str) -> np.ndarray:
    if letter == "L":
        return np.array([{"T": True, "F": False}[word] for word in words])
    return np.array([KINDS[letter](word) for word in words], KINDS[letter])
