"""The journal of QM evaluations: one file per evaluation, addressed by what was asked, safe against kill -9.

An evaluation is written, flushed and renamed into place before its value is returned, so a rerun after any kind of
death repeats only the evaluation that was under way. Files are NumPy archives that also hold the atoms, and can serve
as training data. `evaluate.inventory` tells what a journal holds.
"""

import json
import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from qmfront.evaluate.entry import Identity, Question, packed, read_entry, unpacked
from qmfront.evaluate.evaluation import Evaluation, EvaluationError, ask
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.evaluate.retry import ONCE, Patience, persistent
from qmfront.models.calculator import identity
from qmfront.storage.lock import exclusive
from qmfront.storage.provenance import content_hash
from qmfront.storage.writing import moved_aside, write_file

OPTIONAL_ARRAYS = ("initial_magmoms", "initial_charges")
"""What every way to a model hands over."""
REMOTE = "qmfront.models.remote."
"""Calculators in a program of their own, to which nothing else is sent."""

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

    The folder may be a link, such as to one that several clones share.

    patience : time limit and retries of an evaluation that has to be computed

    Raises
    ------
    NotADirectoryError, PermissionError if the folder cannot be made.
    """

    def __init__(self, folder: Path | str, patience: Patience = ONCE) -> None:
        self.folder = Path(folder)
        self.patience = patience
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise NotADirectoryError(
                f"The journal {self.folder} is no folder, nor a link to one that exists. Move it away, or make "
                "its target."
            ) from error
        self.origin = f"{socket.gethostname()}:{self.folder.resolve()}"
        self._identities: dict[str, Identity] = {}

    @classmethod
    def of_job(cls, folder: str, resources: Any) -> "Journal":
        """The journal of a job, with the patience that its resources state."""
        return cls(folder, Patience.from_resources(resources))

    def evaluate(
        self,
        atoms: Atoms,
        calculator: Any,
        spec: ModelSpec,
        *,
        stress: bool = False,
        tally: Tally | None = None,
    ) -> Evaluation:
        """Energy and forces of the atoms from the journal, or else from the calculator and then into the journal.

        Parameters
        ----------
        atoms : positions and cell in Å; neither they nor their constraints are touched
        calculator : what `spec.build()` gave
        spec : stands for the calculator in the key
        stress : also the stress
        tally : counts this evaluation

        Raises
        ------
        EvaluationError if the calculator raises, returns wrong shapes, NaN or infinity, or takes too long, in the last
        try as in those before, which ask a calculator built anew; nothing is journaled then.
        """
        atoms = spec.dressed(atoms)
        _refuse_what_is_lost(atoms, spec)
        properties = ("energy", "forces", "stress") if stress else ("energy", "forces")
        question = self._question(atoms, spec, properties)
        key = question.key
        found = self._read(key, question)
        if found is None:
            with exclusive(self.folder / "locks" / f"{key}.lock", what=f"evaluation {key[:8]}"):
                found = self._read(key, question, locked=True)
                if found is None:
                    found = replace(self._asked(atoms, calculator, spec, properties), origin=self.origin)
                    write_file(self._path(key), packed(key, question, found))
        if tally is not None:
            tally.count(found)
        _report(found, len(atoms), tally, foreign=self._is_foreign(found))
        return found

    def _asked(self, atoms: Atoms, calculator: Any, spec: ModelSpec, properties: Sequence[str]) -> Evaluation:
        """The answer of a calculator; what fails once may be in a bad state, so another try asks a new one."""

        def call(number: int) -> Evaluation:
            asked = spec.build() if number else calculator
            limit = self.patience.time_limit
            return ask(atoms, asked, properties, name=spec.calculator, time_limit=limit)

        what = f"QM call of {len(atoms)} atoms"
        return persistent(call, self.patience, failure=EvaluationError, what=what)

    def _question(self, atoms: Atoms, spec: ModelSpec, properties: Sequence[str]) -> Question:
        """All that the values depend on.

        Rows of the cell along free directions count too: grid and plane-wave codes keep their vacuum there.
        The identity of the calculator is taken once per process, when its code is the one that is loaded.
        """
        name = content_hash(spec.entry)
        if name not in self._identities:
            self._identities[name] = identity(spec.entry)
        optional = {str(key): atoms.arrays[key] for key in OPTIONAL_ARRAYS if key in atoms.arrays}
        optional |= {f"atoms_{key}": atoms.arrays[key] for key in _others(atoms)}
        if atoms.info:
            text = json.dumps(atoms.info, sort_keys=True, default=str)
            optional["atoms_info"] = np.frombuffer(text.encode(), np.uint8)
        arrays = {
            "positions": np.asarray(atoms.positions, float),
            "numbers": np.asarray(atoms.numbers, np.int64),
            "cell": np.asarray(atoms.cell.array, float),
            "pbc": np.asarray(atoms.pbc, bool),
        }
        return Question(self._identities[name], properties, arrays | optional)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.npz"

    def _is_foreign(self, evaluation: Evaluation) -> bool:
        """Whether an evaluation says that it was computed for the journal of another folder."""
        return evaluation.origin.partition(":")[2] not in ("", self.origin.partition(":")[2])

    def _read(self, key: str, question: Question, *, locked: bool = False) -> Evaluation | None:
        """The journaled answer to a question; None if there is none.

        What stands there and does not answer it, damaged or of something else, is moved aside by who holds the lock.
        """
        path = self._path(key)
        try:
            return unpacked(key, read_entry(path), question)
        except FileNotFoundError:
            if not path.is_symlink():
                return None
            reason: Exception = ValueError("it is a link to nothing")
        except PermissionError as error:
            raise PermissionError(
                f"{path} cannot be read. Give yourself the right to, or use a journal of your own."
            ) from error
        except Exception as error:  # zipfile, NumPy and json have no common base for what damaged bytes raise
            reason = error
        if locked:
            aside = moved_aside(path, ".damaged")
            text = "%s does not answer what it is asked, it is damaged or forged (%s). Moved to %s; computing it again."
            log.warning(text, path, reason, aside.name)
        return None


def _others(atoms: Atoms) -> list[str]:
    """Names of further arrays, which a model may read."""
    return sorted(set(map(str, atoms.arrays)) - {"numbers", "positions", *OPTIONAL_ARRAYS})


def _refuse_what_is_lost(atoms: Atoms, spec: ModelSpec) -> None:
    """Further arrays and info do not reach a model in a program of its own."""
    lost = [*_others(atoms), *map(str, atoms.info)]
    if lost and spec.calculator.startswith(REMOTE):
        raise ValueError(
            f"The atoms carry {', '.join(lost)}, which {spec.calculator} does not send to the program of the model: "
            "moments and charges alone go there. Take them out of the file, or name the calculator itself."
        )


def _report(evaluation: Evaluation, n_atoms: int, tally: Tally | None, *, foreign: bool) -> None:
    largest = np.sqrt(np.max(np.sum(evaluation.forces**2, axis=1), initial=0.0))
    number = f" {tally.calls}" if tally is not None else ""
    cached = " (cached)" if evaluation.cached else ""
    if foreign:
        cached = f" (cached, computed for {evaluation.origin[:200]!r})"
    text = "QM call%s: %d atoms, %.2f s, max|F| %.3e eV/Å%s"
    log.info(text, number, n_atoms, evaluation.seconds, largest, cached)
