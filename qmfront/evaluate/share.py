"""One of several jobs that fill the journal together: it computes its share of the questions and skips the others.

Every job runs the same code over the same questions. What is not its share gets zeros, so that nothing computed from
the answers means anything but what the journal holds afterwards. Questions that follow from earlier answers
(relaxations) are asked `in_turn`: all jobs get the true answers then, each computed by whoever comes first.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator, all_changes

from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.storage.provenance import content_hash


class Share(Journaled):
    """Answers what falls to job `number` of `total` as Journaled does, and everything else with zeros.

    in_turn : Journaled
        The same model with true answers only.
    skipped : int
        Questions left to the other jobs.
    """

    def __init__(
        self, spec: Mapping[str, Any], journal: Journal, tally: Tally, *, number: int, total: int
    ) -> None:
        """spec : {calculator: dotted path, kwargs: {...}}; raises ValueError unless 0 <= number < total."""
        if not 0 <= number < total:
            raise ValueError(f"Job {number} of {total} does not exist; the first is 0.")
        super().__init__(spec, journal, tally)
        self.in_turn = Journaled(spec, journal, tally)
        self.skipped = 0
        self._number, self._total = number, total

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: tuple[str, ...] = ("energy",),
        system_changes: list[str] = all_changes,
    ) -> None:
        """Fill `results`; called by ASE. Errors as in `Journal.evaluate`."""
        asked = self.atoms if atoms is None else atoms
        assert asked is not None, "ASE asks about atoms"
        if share_of(asked, self._total) == self._number:
            super().calculate(asked, properties, system_changes)
            return
        self.atoms = asked.copy()
        self.skipped += 1
        zeros = {"forces": np.zeros((len(asked), 3)), "stress": np.zeros(6)}
        self.results = {name: zeros.get(name, 0.0) for name in self.implemented_properties}


def share_of(atoms: Atoms, total: int) -> int:
    """The job, 0 to total - 1, to which a structure falls, whatever is asked about it."""
    question = [np.asarray(atoms.positions, float), atoms.numbers, np.asarray(atoms.cell.array, float)]
    return int(content_hash(question)[:12], 16) % total


def in_turn(calculator: BaseCalculator) -> BaseCalculator:
    """The calculator for questions that follow from its earlier answers."""
    return getattr(calculator, "in_turn", calculator)
