"""EAM files that LAMMPS reads and our reader refuses for their text: a copy with the same tables, in plain text.

LAMMPS ends lines at a line feed alone, stops where the last table ends, and takes any name for an element. Our reader,
whose statements belong to the keys of finished evaluations, knows more line ends, wants nothing after the last table,
and chemical symbols. No number is touched.
"""

import hashlib
import logging
import re
from pathlib import Path

from qmfront.storage.writing import write_file

log = logging.getLogger(__name__)

EAM = "qmfront.models.eam.EAM"
"""The calculator that reads them, in its argument `potential`."""
COPIES = Path("work") / "eam"
"""Folder of the copies, in the project."""
ELEMENTS_LINE = 3
"""Number and names of the elements; three lines of free text come first."""
OTHER_LINE_ENDS = re.compile("[\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
DOS_END = "\x1a"


def readable_copy(path: Path, root: Path) -> Path:
    """The file itself, or a copy of it in the project that our reader reads; the name tells the content."""
    if not path.is_file():
        return path
    text = path.read_bytes().decode("utf-8", errors="replace")
    plain = plain_text(text)
    if plain == text:
        return path
    copy = root / COPIES / f"{hashlib.sha256(plain.encode()).hexdigest()[:16]}_{path.name}"
    if not copy.is_file():
        log.info("%s is read as LAMMPS reads it, by a copy in plain text: %s", path, copy)
        write_file(copy, plain)
    return copy


def plain_text(text: str) -> str:
    """The text with line feeds alone as ends of lines, nothing after a DOS end of file, and chemical symbols."""
    body, _, rest = text.partition(DOS_END)
    text = body if not rest.strip(DOS_END + " \r\n") else text
    lines = OTHER_LINE_ENDS.sub(" ", text).split("\n")
    if len(lines) > ELEMENTS_LINE:
        lines[ELEMENTS_LINE] = _with_symbols(lines[ELEMENTS_LINE])
    return "\n".join(lines)


def elements_of(path: Path) -> list[str]:
    """Chemical symbols that a table names (setfl, eam/alloy and eam/fs); none of a file without such a line."""
    if not path.is_file():
        return []
    lines = plain_text(path.read_bytes().decode("utf-8", errors="replace")).split("\n")
    words = lines[ELEMENTS_LINE].split("#")[0].split() if len(lines) > ELEMENTS_LINE else []
    return words[1:] if words and words[0] == str(len(words) - 1) else []


def _with_symbols(line: str) -> str:
    """CU and Cu1 are Cu, as long as all names become different symbols; otherwise the line as it is."""
    words = line.split("#")[0].split()
    names = words[1:]
    symbols = [re.sub(r"[^A-Za-z].*$", "", name).capitalize() for name in names]
    if names == symbols or len(set(symbols)) < len(symbols):
        return line
    from ase.data import chemical_symbols  # a tenth of a second that the check of a study can do without

    if not set(symbols) <= set(chemical_symbols[1:]):
        return line
    return " ".join([words[0], *symbols])
