"""An EAM calculator that writes down what it is asked, and dies, hangs, raises or returns NaN on demand."""

import hashlib
import os
import sys
import time
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import all_changes

from qmfront.models.eam import EAM


def signature(positions: np.ndarray, numbers: np.ndarray, cell: np.ndarray, pbc: np.ndarray) -> str:
    """What an evaluation is of; the same for a call and for an entry of the journal."""
    parts = (np.asarray(positions, float), np.asarray(numbers, np.int64), np.asarray(cell, float))
    data = b"".join(np.ascontiguousarray(part).tobytes() for part in (*parts, np.asarray(pbc, bool)))
    return hashlib.sha256(data).hexdigest()[:24]


class Counted(EAM):
    """One line per call in the file $QMFRONT_CALLS; $QMFRONT_TROUBLE is "nan 20" (or raise, hang: the 20th call of all)
    or "slow 0.5" (every call takes half a second more).

    Both come from the environment, since arguments would make other evaluations of the same ones.
    """

    def __init__(self, potential: str) -> None:
        super().__init__(potential=potential)
        self.calls = Path(os.environ["QMFRONT_CALLS"])
        self.trouble, _, at = os.environ.get("QMFRONT_TROUBLE", "").partition(" ")
        self.at = float(at or 0)

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: tuple[str, ...] = ("energy",),
        system_changes: list[str] = all_changes,
    ) -> None:
        line = f"{signature(atoms.positions, atoms.numbers, atoms.cell.array, atoms.pbc)} {os.getpid()}\n"
        with open(self.calls, "a", encoding="utf-8") as stream:
            stream.write(line)
        if fault := getattr(sys, "fault", None):
            fault.happens("call")
        if self.trouble == "slow":
            time.sleep(self.at)
        struck = self.trouble and len(self.calls.read_text(encoding="utf-8").splitlines()) == self.at
        if struck and self.trouble == "raise":
            raise OSError("the licence server is away")
        if struck and self.trouble == "hang":
            time.sleep(600)
        super().calculate(atoms, properties, system_changes)
        if struck and self.trouble == "nan":
            self.results["forces"] = np.full_like(self.results["forces"], np.nan)
