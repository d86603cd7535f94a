"""What a file of atoms announces, before a reader makes room for it."""

import os
import re
from pathlib import Path

MOST_BYTES = 2e9
"""Of a file: twenty million atoms."""
COMPRESSED = (".gz", ".bz2", ".xz")
LONGEST_HEAD = 2000
SHORTEST_LINE = 6
"""Bytes of a line with an atom."""
COUNT_ALONE = re.compile(rb"^\s*(?:ANIMSTEPS\s+)?(\d+)(?:\s+[A-Z])?\s*$")
"""The first line of XYZ, of XSF with several steps, and of GEN."""
LONGEST_REASON = 200
MOST_FRAMES = 10_000
"""Configurations of a file, of which the last is read."""


def refuse_impossible_text(path: Path, file_format: str | None) -> None:
    """Raise ValueError for a file that announces more atoms, columns or configurations than its bytes can hold.

    file_format : ASE's name of the format; None: by the name of the file
    """
    if not path.is_file():
        raise ValueError(f"There is no file {path}. Correct the path.")
    if not os.access(path, os.R_OK):
        raise ValueError(f"{path} may not be read by you. Change its permissions, or correct the path.")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(
            f"{path} has {size} bytes, more than {MOST_BYTES:g}. Write one configuration, the last."
        )
    if path.suffix.lower() in COMPRESSED:
        raise ValueError(f"{path} is compressed. Unpack it, and correct the path.")
    content = path.read_bytes()
    count = _announced(
        content, is_poscar=file_format == "vasp" or path.name.startswith(("POSCAR", "CONTCAR"))
    )
    if count * SHORTEST_LINE > size:
        raise ValueError(
            f"{path} announces {count} atoms in its first lines and is {size} bytes long, and an atom takes "
            f"{SHORTEST_LINE} of them or more. Write it again."
        )
    widths = re.findall(rb":[RISL]:(\d+)", content) if content[:1].isdigit() else []
    if widths and max(map(len, widths)) > 4:
        raise ValueError(
            f"{path} announces a column of {max(widths, key=len).decode()[:40]} values. Write it again."
        )
    frames = max(content.count(mark) for mark in (b"Properties=", b"Lattice=", b"ITEM: TIMESTEP"))
    if frames > MOST_FRAMES:
        raise ValueError(f"{path} holds {frames} configurations. Write the last alone.")


def _announced(content: bytes, *, is_poscar: bool) -> int:
    """The largest number of atoms in the first lines of extended XYZ, LAMMPS data or dump, or POSCAR; 0 without one."""
    head = content[:LONGEST_HEAD].splitlines()
    words = COUNT_ALONE.findall(head[0]) if head else []  # others hold free text, such as the step of a run
    if is_poscar:
        words = [word for line in head[5:7] for word in line.split()]
    words += re.findall(rb"(?m)^\s*(\d+)\s+atoms\b", content[:LONGEST_HEAD])
    words += re.findall(rb"ITEM: NUMBER OF ATOMS\s+(\d+)", content[:LONGEST_HEAD])
    return max((int(word[:30]) for word in words if word.isdigit()), default=0)


def reason_of(error: Exception) -> str:
    """What a reader of ASE says of a file: one line, shortened, since some repeat the file."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 3] + "..."
