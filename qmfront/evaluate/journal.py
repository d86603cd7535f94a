"""The journal of QM evaluations: one file per evaluation, addressed by what was asked, safe against kill -9.

An evaluation is written, flushed and renamed into place before its value is returned, so a rerun after any kind of
death repeats only the evaluation that was under way. Files are NumPy archives that also hold the atoms, and can serve
as training data. `python -m qmfront.evaluate.journal FOLDER` prints what a journal holds.
"""

import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from qmfront.durable import write_file
from qmfront.evaluate.entry import Evaluation, ask, packed, unpacked
from qmfront.evaluate.lock import exclusive
from qmfront.models.calculator import identity
from qmfront.provenance import content_hash

log = logging.getLogger(__name__)


@dataclass
class Tally:
    """Running count of evaluations that the caller owns: computed, cached, and the seconds that they cost once.

    saved_cpu_seconds are those of the cached ones.
    """

    computed: int = 0
    cached: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    saved_cpu_seconds: float = 0.0

    @property
    def calls(self) -> int:
        """All evaluations, journaled ones included."""
        return self.computed + self.cached

    def count(self, evaluation: Evaluation) -> None:
        """Add one evaluation; a cached one counts with the time it took when it was computed."""
        self.cached += evaluation.cached
        self.computed += not evaluation.cached
        self.seconds += evaluation.seconds
        self.cpu_seconds += evaluation.cpu_seconds
        self.saved_cpu_seconds += evaluation.cpu_seconds * evaluation.cached


class Journal:
    """A folder of evaluations. Several processes may use one folder: each evaluation is computed by one of them.

    Raises
    ------
    NotADirectoryError, PermissionError if the folder cannot be made.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._identities: dict[str, dict[str, Any]] = {}

    def evaluate(
        self,
        atoms: Atoms,
        calculator: Any,
        spec: Mapping[str, Any],
        *,
        stress: bool = False,
        tally: Tally | None = None,
    ) -> Evaluation:
        """Energy and forces of the atoms from the journal, or else from the calculator and then into the journal.

        Parameters
        ----------
        atoms : positions and cell in Å; neither they nor their constraints are touched
        calculator : what `models.calculator.build(spec)` gave
        spec : {calculator: dotted path, kwargs: {...}}, which stands for the calculator in the key
        stress : also the stress
        tally : counts this evaluation

        Raises
        ------
        EvaluationError if the calculator raises or returns wrong shapes, NaN or infinity; nothing is journaled then.
        """
        properties = ("energy", "forces", "stress") if stress else ("energy", "forces")
        question = self._question(atoms, spec, properties)
        key = content_hash(question)
        found = self._read(key)
        if found is None:
            with exclusive(self.folder / "locks" / f"{key}.lock", what=f"evaluation {key[:8]}"):
                found = self._read(key, locked=True)
                if found is None:
                    found = ask(atoms, calculator, properties, name=spec["calculator"])
                    write_file(self._path(key), packed(key, question, found))
        if tally is not None:
            tally.count(found)
        _report(found, len(atoms), tally)
        return found

    def _question(self, atoms: Atoms, spec: Mapping[str, Any], properties: Sequence[str]) -> dict[str, Any]:
        """All that the values depend on.

        Rows of the cell along free directions count too: grid and plane-wave codes keep their vacuum there.
        The identity of the calculator is taken once per process, when its code is the one that is loaded.
        """
        name = content_hash(spec)
        if name not in self._identities:
            self._identities[name] = identity(spec)
        optional = {
            key: atoms.arrays[key] for key in ("initial_magmoms", "initial_charges") if key in atoms.arrays
        }
        return {
            "calculator": self._identities[name],
            "properties": sorted(properties),
            "positions": np.asarray(atoms.positions, float),
            "numbers": np.asarray(atoms.numbers, np.int64),
            "cell": np.asarray(atoms.cell.array, float),
            "pbc": np.asarray(atoms.pbc, bool),
            **optional,
        }

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.npz"

    def _read(self, key: str, *, locked: bool = False) -> Evaluation | None:
        """The journaled evaluation; None if there is none, or a damaged one, which who holds the lock moves aside."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return unpacked(key, content)
        except Exception as error:
            if locked:
                aside = path.with_suffix(".damaged")
                log.warning("%s is damaged (%s). Moved to %s; computing it again.", path, error, aside.name)
                path.replace(aside)
            return None


@dataclass(frozen=True)
class Summary:
    """What a journal holds: complete entries, their bytes, the oldest and the newest (seconds since 1970)."""

    count: int
    size: int
    oldest: float | None
    newest: float | None
    damaged: int


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


def _report(evaluation: Evaluation, n_atoms: int, tally: Tally | None) -> None:
    largest = np.sqrt(np.max(np.sum(evaluation.forces**2, axis=1), initial=0.0))
    number = f" {tally.calls}" if tally is not None else ""
    cached = " (cached)" if evaluation.cached else ""
    text = "QM call%s: %d atoms, %.2f s, max|F| %.3e eV/Å%s"
    log.info(text, number, n_atoms, evaluation.seconds, largest, cached)


def main(arguments: Sequence[str]) -> int:
    """Print the summary of the journal named on the command line."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m qmfront.evaluate.journal FOLDER\n")
        return 2
    try:
        held = summary(arguments[0])
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{held.count} evaluations, {held.size / 1e6:.2f} MB, {held.damaged} damaged\n")
    if held.oldest is not None and held.newest is not None:
        first, last = (
            datetime.fromtimestamp(t).isoformat(" ", "seconds") for t in (held.oldest, held.newest)
        )
        sys.stdout.write(f"oldest {first}, newest {last}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
