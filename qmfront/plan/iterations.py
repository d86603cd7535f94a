"""The iterations of a case one by one: those that are finished, and those to come until it stops."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from qmfront.plan.case import PlannedCase
from qmfront.plan.decay import Decay
from qmfront.plan.finished import Finished, FinishedIteration
from qmfront.plan.jobs import Iteration, Job
from qmfront.plan.price import JOB_SECONDS, Price
from qmfront.preflight.recommendation import WARM_SOLVE
from qmfront.refine.decision import decision

FIRST_SOLVE = {"dislocation": 18, "crack": 27, "point": 10, "file": 15}
"""QM calls of a first solve: measured on W, vacancies (6, 7) and a di-interstitial (13); for a file one in between."""
FIRST_DESCENT = 44
"""QM calls of a first solve that goes downhill before root finding: silicon (README)."""
FRONT_SPEED = {"dislocation": 1.6, "crack": 0.7, "point": 1.0, "file": 1.0}
"""Å per unit of T at the edge of the QM region, over the mean speed; measured on figures 4, 6, assumed for others."""
WARM_LOOKS = 3
"""Looks of a solve at the model error: at its start and about twice at its end; after every call of the first one where
the start is the perfect lattice."""
ENERGY_CALLS = 16
"""Of `work_energy`."""
SPEED_OVER_MAXIMUM = 0.3
"""The same where the speed is over its maximum: silicon, figure 9."""


@dataclass(frozen=True, eq=False)
class Loop:
    """What the iterations of a case are predicted from.

    planned : PlannedCase
    price : what finished iterations paid, or what the preflight says
    """

    planned: PlannedCase
    price: Price

    @property
    def calls_per_cluster(self) -> int:
        """One, two where the forces of the perfect crystal are subtracted."""
        return 2 if self.planned.case.embedding.subtract_lattice else 1

    @property
    def correction_steps(self) -> int:
        """Force calls of the Hessian correction, of the QM model or of the potential alone."""
        estimate = self.planned.case.estimate
        return estimate.hessian.steps + 1 if estimate.norm == "hessian" else 0

    @property
    def correction_calls(self) -> int:
        """QM calls of the Hessian correction in every iteration."""
        is_mixed = self.planned.case.estimate.hessian.model == "mixed"
        return self.calls_per_cluster * self.correction_steps if is_mixed else 0

    @property
    def layer(self) -> float:
        """Å; see `exact_core`."""
        return self.planned.case.estimate.layer_r0 * self.planned.domain.r0

    def cluster(self, n_qm: int) -> int:
        """Atoms of QM region and buffer."""
        case = self.planned.case
        return self.planned.domain.seen(n_qm, case.embedding, layer=0.0, width=case.buffer.width)

    def exact_cluster(self, n_qm: int, *, layer: float) -> int:
        """Atoms of QM region, a layer (Å) and the wide buffer."""
        case = self.planned.case
        width = case.buffer.residual_factor * case.buffer.width
        return self.planned.domain.seen(n_qm, case.embedding, layer=layer, width=width)

    def residual_clusters(self, n_qm: int) -> list[int]:
        """Atoms of each cluster of a residual."""
        domain, names = self.planned.domain, self.planned.case.residuals
        layers = {"paper": self.planned.case.buffer.width}
        if self.layer > 0 or domain.faces.any():
            layers["cauchy_born"] = self.layer
        found = [self.exact_cluster(n_qm, layer=layers[name]) for name in names if name in layers]
        return found + [len(domain)] * ("exact" in names)

    def next(self, n_qm: int, finished: Sequence[FinishedIteration]) -> int:
        """N_QM of the next iteration."""
        refine, domain = self.planned.case.refine, self.planned.domain
        sizes = [each.n_qm for each in finished]
        if refine.method == "circle":
            return int(np.ceil(refine.circle.growth * n_qm))
        if refine.method == "benefit":
            return self._least(n_qm)
        if len(sizes) > 1:
            if all(new <= self._least(old) for old, new in pairwise(sizes)):
                return self._least(n_qm)  # the front has never taken more than the minimum growth
            advance = float(np.mean([domain.advance(old, new) for old, new in pairwise(sizes)]))
        else:
            by_mean = FRONT_SPEED[self.planned.kind]
            advance = refine.t_new * (by_mean if refine.normalisation == "mean" else SPEED_OVER_MAXIMUM)
        return max(domain.grown(n_qm, advance), self._least(n_qm))

    def _least(self, n_qm: int) -> int:
        """N_QM after the minimum growth."""
        return n_qm + max(int(np.ceil(self.planned.case.refine.minimum_growth * n_qm)), 1)

    def done(self, each: FinishedIteration) -> Iteration:
        """A finished iteration, with the starts of its jobs."""
        return Iteration(
            k=each.k,
            n_qm=each.n_qm,
            cluster=each.cluster,
            eta=each.eta,
            calls=each.calls,
            solve_seconds=JOB_SECONDS + each.solve_seconds,
            adapt_seconds=JOB_SECONDS + each.residual_seconds + each.rest_seconds,
            memory=self.price.memory(max([each.cluster, *self.residual_clusters(each.n_qm)])),
            finished=True,
        )

    def predicted(self, k: int, n_qm: int, eta: float, finished: Sequence[FinishedIteration]) -> Iteration:
        """An iteration to come."""
        cluster = round(self._widening(finished) * self.cluster(n_qm))
        calls = self._solve_calls(k, finished)
        each_look = k == 0 and self.planned.domain.is_local
        looks = 0 if self.planned.is_matched else calls + 1 if each_look else WARM_LOOKS
        residual = self.residual_clusters(n_qm)
        estimate_and_front = 2 * (self.price.job(0, 0) - JOB_SECONDS)
        correction = self.price.correction(self.correction_steps, self.correction_calls, cluster)
        return Iteration(
            k=k,
            n_qm=n_qm,
            cluster=cluster,
            eta=eta,
            calls=calls + self.calls_per_cluster * len(residual) + self.correction_calls,
            solve_seconds=self.price.job(calls, cluster, looks=looks),
            adapt_seconds=self._surcharge(finished) * self._residual_seconds(n_qm, looks=1)
            + estimate_and_front
            + correction,
            memory=self.price.memory(max([cluster, *residual])),
        )

    def _residual_seconds(self, n_qm: int, *, looks: int) -> float:
        calls = sum(self.price.call(atoms) for atoms in self.residual_clusters(n_qm))
        return self.price.job(0, 0, looks=looks) + self.calls_per_cluster * calls

    def _solve_calls(self, k: int, finished: Sequence[FinishedIteration]) -> int:
        later = [each.qm_calls for each in finished[1:]]
        if k == 0:
            downhill = self.planned.case.solve.descent_force is not None
            return FIRST_DESCENT if downhill else FIRST_SOLVE[self.planned.kind]
        return round(float(np.mean(later))) if later else WARM_SOLVE + self.calls_per_cluster - 1

    def _surcharge(self, finished: Sequence[FinishedIteration]) -> float:
        """Seconds of finished residuals over those that the price predicts for them; one without any."""
        if not finished:
            return 1.0
        ratios = [
            (each.residual_seconds + JOB_SECONDS) / self._residual_seconds(each.n_qm, looks=0)
            for each in finished
        ]
        return float(np.exp(np.mean(np.log(ratios))))

    def _widening(self, finished: Sequence[FinishedIteration]) -> float:
        """Atoms of the last cluster over those that its N_QM predicts; one without any."""
        return finished[-1].cluster / self.cluster(finished[-1].n_qm) if finished else 1.0


def iterations_to_the_end(
    loop: Loop, decay: Decay, finished: Sequence[FinishedIteration]
) -> tuple[list[Iteration], str]:
    """All iterations, and why the last one is the last.

    Parameters
    ----------
    decay : eta(N)
    """
    planned = loop.planned
    found = [loop.done(each) for each in finished]
    while True:
        if found:
            last = found[-1]
            made = decision(last.eta, last.n_qm, last.k, planned.case.adapt)
            if made.stop:
                return found, made.reason
        n_qm = loop.next(found[-1].n_qm, finished) if found else planned.domain.n_qm
        if refusal := planned.domain.refusal(n_qm, planned.partition):
            return found, f"{n_qm} QM atoms do not fit: {refusal}"
        found.append(loop.predicted(len(found), n_qm, decay.at(n_qm), finished))


def energy_of(loop: Loop, iterations: Sequence[Iteration], finished: Finished) -> list[Job]:
    """The energy of the last iteration; none if the case does not compute it."""
    if not (iterations and loop.planned.case.energy.compute):
        return []
    atoms = loop.exact_cluster(iterations[-1].n_qm, layer=loop.layer)
    calls = ENERGY_CALLS * loop.calls_per_cluster
    is_done = finished.energy and all(each.finished for each in iterations)
    return [
        Job("energy", calls, atoms, loop.price.job(calls, atoms), loop.price.memory(atoms), finished=is_done)
    ]
