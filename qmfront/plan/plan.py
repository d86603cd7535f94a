"""The plan of a case: N_QM, QM calls, hours and memory to its end, before they are spent."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from qmfront.plan.case import PlannedCase
from qmfront.plan.decay import Decay, assumed_slope, decays
from qmfront.plan.finished import Finished
from qmfront.plan.iterations import Loop, energy_of, iterations_to_the_end
from qmfront.plan.jobs import Iteration, Job, Range
from qmfront.plan.preparation import preparation
from qmfront.plan.price import Price, look_seconds
from qmfront.plan.resources import resources_of


@dataclass(frozen=True)
class Scenario:
    """Totals of a way in which eta may fall.

    n_qm_for_tolerance : N_QM at which eta meets the tolerance
    iterations, n_qm, eta : how many, N_QM and eta (Å) of the last one
    reason : why it is the last one
    qm_calls, hours : of all iterations
    preparation_calls, preparation_hours : of what comes before them
    afterwards_calls, afterwards_hours : of what comes after them
    hours_left : of everything that is not finished
    memory : of the largest job, MB
    """

    n_qm_for_tolerance: float
    iterations: int
    n_qm: int
    eta: float | None
    reason: str
    qm_calls: int
    preparation_calls: int
    preparation_hours: float
    afterwards_calls: int
    afterwards_hours: float
    hours: float
    hours_left: float
    memory: float


@dataclass(frozen=True)
class Plan:
    """What a case will cost.

    calculator : dotted path of the QM model
    tolerance : Å
    finished : number of finished iterations
    sites : of the domain
    prior : where eta before the first iteration comes from, in words
    decay : eta(N)
    notes : what a look at the sizes shows, in words
    price : Price
    scenarios : totals
    preparation, iterations, afterwards : the jobs as expected
    """

    calculator: str
    tolerance: float
    finished: int
    sites: int
    prior: str
    decay: Range[Decay]
    notes: list[str]
    price: Price
    scenarios: Range[Scenario]
    preparation: list[Job]
    iterations: list[Iteration]
    afterwards: list[Job]

    def json(self) -> str:
        """The content of results/plan/{case}.json: each job with what it asks a cluster for."""
        content = {
            **asdict(self),
            "price": {**asdict(self.price.cost), "shape": self.price.shape},
            "preparation": [_with_resources(job) for job in self.preparation],
            "iterations": [_jobs_of(each) for each in self.iterations],
            "afterwards": [_with_resources(job) for job in self.afterwards],
        }
        return json.dumps(content, indent=2) + "\n"


def plan(planned: PlannedCase, finished: Finished) -> Plan:
    """The plan after some iterations."""
    case, n_sites = planned.case, len(planned.domain)
    look = look_seconds(planned.crystal, planned.reach)
    price = Price(planned.cost, n_sites, look=look).learnt(finished.iterations)
    loop = Loop(planned, price)
    before = preparation(planned, price, finished, cluster=loop.cluster(planned.domain.n_qm))
    slope, first = assumed_slope(planned.kind, planned.potential.order), planned.prior
    ways = decays(slope, finished.iterations, first)

    def way_to_the_end(decay: Decay) -> _Way:
        iterations, reason = iterations_to_the_end(loop, decay, finished.iterations)
        after = energy_of(loop, iterations, finished)
        return _Way(before, iterations, after, reason, decay.needed(case.adapt.tolerance))

    found = ways.map(way_to_the_end)
    return Plan(
        calculator=planned.calculator,
        tolerance=case.adapt.tolerance,
        finished=len(finished.iterations),
        sites=n_sites,
        prior=first.words,
        decay=ways,
        notes=_notes(planned),
        price=price,
        scenarios=found.map(_summed),
        preparation=before,
        iterations=found.expected.iterations,
        afterwards=found.expected.after,
    )


@dataclass(frozen=True)
class _Way:
    """All jobs of a way in which eta may fall; why it ends, and N_QM at which eta meets the tolerance."""

    before: list[Job]
    iterations: list[Iteration]
    after: list[Job]
    reason: str
    needed: float


def _summed(way: _Way) -> Scenario:
    """What is finished is not in the hours that are left."""
    rows = way.iterations
    every: Sequence[Job | Iteration] = [*way.before, *rows, *way.after]
    return Scenario(
        n_qm_for_tolerance=way.needed,
        iterations=len(rows),
        n_qm=rows[-1].n_qm if rows else 0,
        eta=rows[-1].eta if rows else None,
        reason=way.reason,
        qm_calls=sum(each.calls for each in rows),
        preparation_calls=sum(job.calls for job in way.before),
        preparation_hours=sum(job.seconds for job in way.before) / 3600,
        afterwards_calls=sum(job.calls for job in way.after),
        afterwards_hours=sum(job.seconds for job in way.after) / 3600,
        hours=sum(each.seconds for each in rows) / 3600,
        hours_left=sum(each.seconds for each in every if not each.finished) / 3600,
        memory=max((each.memory for each in every), default=0.0),
    )


def _notes(planned: PlannedCase) -> list[str]:
    """What a look at the sizes shows, in words."""
    if not planned.is_thin:
        return []
    cutoff = planned.potential.basis.cutoff
    needed = np.ceil(100 * cutoff / planned.domain.r0) / 100
    return [
        f"The first QM region ends {planned.radius:.1f} Å from the defect, less than the cut-off of the potential "
        f"({cutoff:g} Å): the forces on MM atoms beside it are made with the defect in sight, which the potential was "
        f"not fitted to. A first solve may not converge; initial_region.radius_r0 = {needed:g} is wide enough."
    ]


def _with_resources(job: Job) -> dict[str, object]:
    return {**asdict(job), "resources": asdict(resources_of(job.seconds, job.memory))}


def _jobs_of(each: Iteration) -> dict[str, object]:
    jobs = {"solve": each.solve_seconds, "adapt": each.adapt_seconds}
    resources = {name: asdict(resources_of(seconds, each.memory)) for name, seconds in jobs.items()}
    return {**asdict(each), "seconds": each.seconds, "resources": resources}
