"""What a journal of QM evaluations holds: `python -m qmfront.evaluate.inventory FOLDER [--check | --delete]`.

`FOLDER export FILE` writes its evaluations as extended XYZ, `FOLDER import FILE` takes in those of another journal.
"""

import argparse
import re
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from qmfront.evaluate.entry import read_entry, unpacked
from qmfront.evaluate.exchange import REF, Choice, export_entries, import_entries


@dataclass(frozen=True)
class Summary:
    """What a journal holds: complete entries, their bytes, the oldest and the newest (seconds since 1970)."""

    count: int
    size: int
    oldest: float | None
    newest: float | None
    damaged: int


@dataclass(frozen=True)
class Contents:
    """What reading every entry tells.

    atoms, origins : number of entries by number of atoms, and by machine and folder that they were computed for
    seconds : that they took
    unsound : those that are damaged, or no answers
    """

    atoms: Counter[int]
    origins: Counter[str]
    seconds: float
    unsound: tuple[Path, ...]


def summary(folder: Path | str) -> Summary:
    """Count the entries of a journal; raises ValueError if there is no such folder."""
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder. Name the folder of a journal.")
    states = [path.stat() for path in folder.glob("??/*.npz")]
    times = [state.st_mtime for state in states]
    return Summary(
        count=len(states),
        size=sum(state.st_size for state in states),
        oldest=min(times, default=None),
        newest=max(times, default=None),
        damaged=len(list(folder.glob("??/*.damaged"))),
    )


def contents(folder: Path | str) -> Contents:
    """Read every entry and compare it with its checksum; nothing is changed."""
    atoms: Counter[int] = Counter()
    origins: Counter[str] = Counter()
    seconds, unsound = 0.0, []
    for path in sorted(Path(folder).glob("??/*.npz")):
        try:
            found = unpacked(path.stem, read_entry(path))
        except Exception:  # whatever damaged archives raise
            unsound.append(path)
        else:
            atoms[len(found.forces)] += 1
            origins[found.origin or "an earlier version, which did not say where"] += 1
            seconds += found.seconds
    return Contents(atoms, origins, seconds, tuple(unsound))


def told(held: Summary) -> str:
    """A summary in words."""
    text = f"{held.count} evaluations, {held.size / 1e6:.2f} MB, {held.damaged} damaged\n"
    if held.oldest is not None and held.newest is not None:
        first, last = (
            datetime.fromtimestamp(t).isoformat(" ", "seconds") for t in (held.oldest, held.newest)
        )
        text += f"oldest {first}, newest {last}\n"
    return text


def told_contents(read: Contents) -> str:
    """What was found in the entries, in words."""
    sizes = sorted(read.atoms)
    text = f"{sum(read.atoms.values())} entries are sound; they took {read.seconds:.1f} s to compute"
    text += f", of {sizes[0]} to {sizes[-1]} atoms\n" if sizes else "\n"
    text += "".join(
        f"{count} were computed for {origin[:200]}\n" for origin, count in read.origins.most_common()
    )
    lines = [
        f"{path} is not as it was written: it will be computed again when it is needed\n"
        for path in read.unsound
    ]
    return text + "".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Print what a journal holds; export or import evaluations; with --delete remove it, if the answer is yes."""
    parser = argparse.ArgumentParser(prog="python -m qmfront.evaluate.inventory", description=__doc__)
    parser.add_argument("folder", help="such as work/journal")
    parser.add_argument("action", nargs="?", choices=["export", "import"], help="with a FILE of extended XYZ")
    parser.add_argument("file", nargs="?", help="such as evaluations.extxyz")
    parser.add_argument("--check", action="store_true", help="read every entry and compare its checksum")
    parser.add_argument("--delete", action="store_true", help="delete the journal, after a question")
    parser.add_argument("--model", default="", help="export those of models with this in their dotted path")
    parser.add_argument(
        "--atoms", default="1-", help="export those of so many atoms, such as 64, 10-100, 10-"
    )
    parser.add_argument(
        "--ref", action="store_true", help="export as REF_energy and so on, as MACE reads them"
    )
    options = parser.parse_args(arguments)
    if (options.action is None) != (options.file is None):
        parser.error(f"{options.action} needs a FILE")
    try:
        if options.action == "export":
            return _export(options)
        if options.action == "import":
            return _import(options)
        held = summary(options.folder)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(told(held))
    if options.check:
        read = contents(options.folder)
        sys.stdout.write(told_contents(read))
        return 1 if read.unsound else 0
    if options.delete:
        return _delete(Path(options.folder), held.count)
    return 0


def _export(options: argparse.Namespace) -> int:
    choice = Choice(options.model, _bounds(options.atoms))
    done = export_entries(options.folder, options.file, choice, prefix=REF if options.ref else "")
    sys.stdout.write(
        f"{done.written} evaluations are in {options.file}; {done.left_out} were not asked for\n"
    )
    sys.stderr.writelines(f"{path} is damaged and was left out\n" for path in done.unsound)
    return 1 if done.unsound else 0


def _import(options: argparse.Namespace) -> int:
    done = import_entries(options.folder, options.file)
    sys.stdout.write(
        f"{done.added} evaluations of {options.file} are new in {options.folder}; {done.known} were there\n"
    )
    return 0


def _bounds(text: str) -> tuple[int, int]:
    """Least and largest number of atoms, of "64", "10-100", "10-" or "-100"."""
    first, dash, last = text.partition("-")
    if not re.fullmatch(r"\d+|\d+-\d*|-\d+", text):
        raise ValueError(
            f"--atoms {text}: give a number of atoms, or two with a dash between, such as 10-100."
        )
    return int(first or 1), int(last or 10**9) if dash else int(first)


def _delete(folder: Path, count: int) -> int:
    if folder.is_symlink():
        sys.stderr.write(
            f"{folder} is a link to {folder.resolve()}, which other clones may share. Remove the link, or name that "
            "folder to delete it for all of them.\n"
        )
        return 1
    sys.stdout.write(f"Delete {folder}? {count} QM evaluations would have to be computed again. Type yes: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip() != "yes":
        sys.stdout.write("Kept.\n")
        return 1
    shutil.rmtree(folder)
    sys.stdout.write("Deleted.\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
