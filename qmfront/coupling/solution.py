"""A solution of F(u) = 0: what a solve hands to the estimator, and to the next solve."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from qmfront.coupling.soft_modes import SoftModes


@dataclass(frozen=True)
class Solution:
    """A solution of F(u) = 0.

    displacement, forces : (n, 3) float, Å and eV/Å
    measure : (calls,) float
        Value of the stopping measure at each force call; the last one is at or below the target.
    max_force : (calls,) float, eV/Å
    modes : SoftModes, optional
        With the curvature of the mixed forces, where they were asked for.
    test_calls : int
        QM calls that tested for saddles, among those of the solve.
    moved : float, Å
        Largest displacement of a site from where the solve started.
    unguided : bool
        Whether the potential had no minimum that would tell the basin, though one was looked for.
    """

    displacement: np.ndarray
    forces: np.ndarray
    measure: np.ndarray
    max_force: np.ndarray
    modes: SoftModes | None = None
    test_calls: int = 0
    moved: float = 0.0
    unguided: bool = False

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a store of kind "solution"."""
        own = {"displacement": self.displacement, "forces": self.forces}
        own |= {"history": self.max_force, "measure": self.measure, "moved": np.array(self.moved)}
        own["unguided"] = np.array(self.unguided)
        return own if self.modes is None else {**own, **self.modes.arrays()}

    def attributes(self, calls: int) -> dict[str, int]:
        """QM calls, those of the test apart, of all `calls` that a solve has made."""
        return {"qm_calls": calls - self.test_calls, "test_calls": self.test_calls}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Solution":
        """The inverse of `arrays`."""
        return cls(
            arrays["displacement"],
            arrays["forces"],
            arrays["measure"],
            arrays["history"],
            SoftModes.from_arrays(arrays),
            moved=float(arrays["moved"]),
            unguided=bool(arrays["unguided"]),
        )
