"""QM calls scattered over several jobs that fill the journal together, each making its own part of them.

Every job runs the same code and comes to the same calls. Those of the other jobs return zeros, so that nothing computed
from them means anything: only the journal is of use afterwards. Calls that follow from earlier results (relaxations)
are made `in_turn`: every job gets true values then, computed by whichever job comes first.
"""

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator, all_changes

from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.storage.provenance import content_hash


class Scattered(Journaled):
    """Calls that fall to job `number` of `total` as Journaled makes them; zeros for all others.

    in_turn : Journaled
        The same model, every call true.
    skipped : int
        Calls left to the other jobs.
    """

    def __init__(self, spec: ModelSpec, journal: Journal, tally: Tally, *, number: int, total: int) -> None:
        """Raises ValueError unless 0 <= number < total."""
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
        wanted = self.atoms if atoms is None else atoms
        assert wanted is not None, "ASE hands over atoms"
        if job_of(wanted, self._total) == self._number:
            super().calculate(wanted, properties, system_changes)
            return
        self.atoms = wanted.copy()
        self.skipped += 1
        zeros = {"forces": np.zeros((len(wanted), 3)), "stress": np.zeros(6)}
        self.results = {name: zeros.get(name, 0.0) for name in self.implemented_properties}


def job_of(atoms: Atoms, total: int) -> int:
    """The job, 0 to total - 1, to which a structure falls, whatever is wanted of it."""
    structure = [np.asarray(atoms.positions, float), atoms.numbers, np.asarray(atoms.cell.array, float)]
    return int(content_hash(structure)[:12], 16) % total


def in_turn(calculator: BaseCalculator) -> BaseCalculator:
    """The calculator for calls that follow from its earlier results."""
    return getattr(calculator, "in_turn", calculator)
