"""What a call costs: seconds and memory against the number of atoms, from timings, for any number.

t(n) = t_0 + c n^p,    p the one of EXPONENTS that explains the timings best
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from qmfront.preflight.subject import Timing

EXPONENTS = (1.0, 1.5, 2.0, 2.5, 3.0)


@dataclass(frozen=True)
class Cost:
    """Of one call.

    base, factor, exponent : s; t(n) = base + factor n^exponent
    memory_base, memory_factor : MB; peak memory of the process, base + factor n
    largest : atoms of the largest call that was timed
    """

    base: float
    factor: float
    exponent: float
    memory_base: float
    memory_factor: float
    largest: int

    def seconds(self, n_atoms: float) -> float:
        """Wall seconds of a call of n_atoms."""
        return self.base + self.factor * float(n_atoms) ** self.exponent

    def memory(self, n_atoms: float) -> float:
        """Peak memory of the process, MB."""
        return self.memory_base + self.memory_factor * float(n_atoms)


def fitted_cost(timings: Sequence[Timing]) -> Cost:
    """Least squares of relative errors over the least time of every size; base and factor are not negative."""
    sizes = np.array(sorted({timing.n_atoms for timing in timings}), float)
    seconds = np.array([np.min([t.seconds for t in timings if t.n_atoms == n]) for n in sizes])
    seconds = np.maximum(seconds, 1e-9)
    memory = np.array([max(t.memory for t in timings if t.n_atoms <= n) for n in sizes])
    slope = max(np.polyfit(sizes, memory, 1)[0], 0.0) if len(sizes) > 1 else 0.0
    fits = [_fit(sizes, seconds, exponent) for exponent in (EXPONENTS if len(sizes) > 2 else (1.0,))]
    base, factor, exponent, _ = min(fits, key=lambda fit: fit[-1])
    return Cost(
        base=float(base),
        factor=float(factor),
        exponent=float(exponent),
        memory_base=float(memory[-1] - slope * sizes[-1]),
        memory_factor=float(slope),
        largest=int(sizes[-1]),
    )


def _fit(sizes: np.ndarray, seconds: np.ndarray, exponent: float) -> tuple[float, float, float, float]:
    """base, factor, exponent, residual; the larger half counts four times, since predictions are for larger calls."""
    weight = np.where(sizes >= np.median(sizes), 2.0, 1.0)
    columns = np.column_stack([np.ones_like(sizes), sizes**exponent]) / seconds[:, None]
    (base, factor), rest = nnls(weight[:, None] * columns, weight)
    return base, factor, exponent, rest
