"""How the estimate falls with the QM region: eta(N) = eta_0 (N / N_0)^slope, assumed first, then learnt.

Before an iteration has run nothing is known of a case but its kind: the slope is that of theory and of our own
studies, and eta_0 is a range (`prior`). Finished iterations take the place of both, as far as they determine them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qmfront.plan.finished import FinishedIteration
from qmfront.plan.jobs import Range
from qmfront.plan.prior import Prior

SLOPES = {
    ("dislocation", 0): -0.6,
    ("dislocation", 1): -1.0,
    ("dislocation", 2): -2.0,
    ("crack", 0): -0.5,
    ("crack", 1): -0.5,
    ("crack", 2): -0.6,
    ("point", 0): -1.5,
    ("point", 1): -1.5,
    ("point", 2): -1.5,
}
"""By kind of defect and matching order. Dislocations and cracks: measured (README); point defects: the paper's."""
SLOPE_OF_FILE = -1.0
# ASSUME nobody knows what is in a file: as a dislocation.
SLOPE_SPREAD = 0.5
"""Standard deviation of a slope around the assumed one."""
SCATTER = 0.15
"""Standard deviation of log eta around a straight line; of the studies of the README."""
CONFIDENCE = 1.645
"""Standard deviations to either side: nine times out of ten."""
STEEPEST, FLATTEST = -4.0, -0.2


@dataclass(frozen=True)
class Decay:
    """eta(N) = eta (N / n)^slope.

    n, eta : where it is anchored, 1 and Å
    slope : < 0
    known : number of finished iterations behind it
    """

    n: float
    eta: float
    slope: float
    known: int

    def at(self, n_qm: float) -> float:
        """eta, Å."""
        return float(self.eta * (n_qm / self.n) ** self.slope)

    def needed(self, tolerance: float) -> float:
        """N_QM at which eta is the tolerance, Å."""
        return float(self.n * (tolerance / self.eta) ** (1 / self.slope))


def assumed_slope(kind: str, matching: int) -> float:
    """The slope of a kind of defect with a potential of this matching order."""
    return SLOPES.get((kind, matching), SLOPE_OF_FILE)


def decays(slope: float, finished: Sequence[FinishedIteration], first: Prior) -> Range[Decay]:
    """The least, the expected and the largest eta(N).

    The slope is normally distributed around the assumed one, log eta around a line; with m finished iterations

        slope = (slope_0 / s^2 + sum dx dy / r^2) / (1 / s^2 + sum dx^2 / r^2),    x = log N, y = log eta

    and the line ends in the last of them.

    Parameters
    ----------
    slope : assumed
    first : replaced by the iterations as soon as one is finished
    """
    if not finished:
        return Range(*first.eta).map(lambda eta: Decay(first.n, eta, slope, 0))
    n = np.array([each.n_qm for each in finished], float)
    eta = np.array([each.eta for each in finished], float)
    x, y = np.log(n) - np.log(n).mean(), np.log(eta) - np.log(eta).mean()
    weight = 1 / SLOPE_SPREAD**2 + x @ x / SCATTER**2
    mean = (slope / SLOPE_SPREAD**2 + x @ y / SCATTER**2) / weight
    margin = CONFIDENCE / np.sqrt(weight)
    slopes = Range(mean - margin, mean, mean + margin)
    return slopes.map(
        lambda slope: Decay(float(n[-1]), float(eta[-1]), float(np.clip(slope, STEEPEST, FLATTEST)), len(n))
    )
