"""The adaptive loop as code (Algorithm 1), on the functions that the rules of the workflow call.

    tungsten = measure(crystal, qm)
    potential = fit(tungsten)
    for step in adapt(tungsten, potential, dislocation, disc, tolerance=1e-3): ...

Every QM call goes through a journal, so that a second run asks for none of them again. What a study sets in YAML is set
here with the same typed sections.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import count

import numpy as np

from qmfront.adaptive.matching import FittedPotential, MeasuredMaterial
from qmfront.adaptive.problem import Problem, case_of, prepared
from qmfront.adaptive.step import Step
from qmfront.config.section import Section
from qmfront.config.stages import Coarsen
from qmfront.coupling.partition import Region
from qmfront.coupling.solution import Solution
from qmfront.coupling.solve import StartingPoint, solve
from qmfront.coupling.stability import proof
from qmfront.crystal.defect import Defect
from qmfront.estimate.exact_layer import LayeredSettings
from qmfront.estimate.iteration import estimated_iteration, judged
from qmfront.estimate.numbers import iteration_numbers
from qmfront.estimate.residual import ResidualSettings
from qmfront.estimate.trust import Attained
from qmfront.preflight.embedding import warnings_of_solution
from qmfront.refine.coarsening import Coarsening, coarsened, known_error
from qmfront.refine.decision import decision
from qmfront.refine.next_partition import SiteEstimates, advanced, domain_of
from qmfront.refine.report import report
from qmfront.storage.timing import Seconds

logger = logging.getLogger(__name__)


def adapt(
    measured: MeasuredMaterial,
    potential: FittedPotential,
    defect: Section,
    domain: Section | None = None,
    *,
    tolerance: float | None = None,
    start: Step | None = None,
    **sections: Section,
) -> Iterator[Step]:
    """Algorithm 1: solve, estimate, refine, until the estimate is below the tolerance.

    Parameters
    ----------
    defect : Dislocation, Crack, Point or File
    domain : Disc or Box, optional
    tolerance : float, Å, optional
        Of eta; shorthand for adapt=Adapt(tolerance=...).
    start : Step, optional
        Of the same defect without solutes, in a domain as high or lower: the first solve starts from its solution,
        relaxed with the potential, and its QM atoms are QM. Left out, the minimum of the potential.
    sections : of a case, such as buffer=Buffer(width=12.0) or refine=Refine(t_new=2.0); coarsen=Coarsen() lets sites
        that the tolerance does not need leave the QM region at the end, once

    Yields
    ------
    Step
        After each estimate, the last one included.
    """
    coarsen, sections = coarsen_of(sections)
    case = case_of(defect, domain, tolerance, sections)
    problem, region, begun = prepared(measured, potential, case, start)
    yield from iterations(problem, region, begun, coarsen=coarsen)


def coarsen_of(sections: dict[str, Section]) -> tuple[Coarsen | None, dict[str, Section]]:
    """The section coarsen, which is no section of a case yet, and the others."""
    coarsen = sections.get("coarsen")
    if coarsen is not None and not isinstance(coarsen, Coarsen):
        raise TypeError(f"coarsen is a {type(coarsen).__name__}; give it as coarsen=Coarsen(...).")
    return coarsen, {name: section for name, section in sections.items() if name != "coarsen"}


def iterations(
    problem: Problem, region: np.ndarray, begun: StartingPoint | None, *, coarsen: Coarsen | None = None
) -> Iterator[Step]:
    """The iterations of Algorithm 1, from regions (n,) int and a displacement on.

    Parameters
    ----------
    coarsen : Coarsen, optional
        Once the estimate is below the tolerance, sites that it does not need leave the QM region, and one more solve
        follows. They leave once, so that N_QM does not oscillate; left out, none leave.
    """
    measured, case, hybrid, difference = problem.measured, problem.case, problem.hybrid, problem.difference
    partition = problem.partition(coarsen)
    residual = ResidualSettings((case.estimate.residual,), case.estimate, case.buffer)
    layer, before = None, None
    for k in count():
        calls = measured.tally.calls
        solution = solve(hybrid, region, difference.for_stop().forces, start=begun, settings=case.solve)
        calls = measured.tally.calls - calls - solution.test_calls
        _warn_of_tables(measured, hybrid.defect, solution)
        settings = LayeredSettings(residual, layer)
        found = estimated_iteration(
            hybrid, region, solution, difference, settings=settings, seconds=Seconds()
        )
        algebraic = solution.measure[-1]
        verdict = partial(judged, found, hybrid, region, solution, before)
        numbers = iteration_numbers(
            found.estimates, region, case.estimate, verdict(), algebraic=algebraic, qm_calls=calls
        )
        made, partition_of_next = advanced(
            decision(numbers.eta, numbers.n_qm, k, case.adapt, settled=numbers.trust.settled),
            hybrid.defect,
            SiteEstimates(found.estimates.marking_site, found.estimates.work_site),
            region,
            solution.displacement,
            partition,
        )
        next_region = partition_of_next.region
        step = Step(k, hybrid, region, solution, found, numbers, made.reason, difference, case)
        fewer = None
        if coarsen is not None and made.stop and numbers.eta < case.adapt.tolerance:
            fewer, coarsen = sites_given_up(problem, step, coarsen), None
            if fewer.removed.any():
                made, next_region = made.resumed(f"{fewer.removed.sum()} sites leave"), fewer.region
        if made.stop and case.adapt.prove:
            last = proof(hybrid, region, solution.displacement)
            numbers = replace(numbers, trust=verdict(proven=last.eigenvalue), proof_calls=last.calls)
        logger.info("%s", report(case.title, made, numbers))
        yield replace(step, numbers=numbers, reason=made.reason)
        if made.stop:
            return
        begun, layer, region = solution, found.layer, next_region
        shrunk = fewer is not None and fewer.removed.any()
        before = None if shrunk else Attained(numbers.eta, numbers.n_qm, numbers.trust.lowest_eigenvalue)


def sites_given_up(problem: Problem, step: Step, coarsen: Coarsen) -> Coarsening:
    """Sites of a step that the tolerance of its case does not need; defective ones and their shell stay."""
    hybrid, u = step.hybrid, step.solution.displacement
    known = known_error(hybrid, step.region, step.solution, step.estimated.estimates.phi, step.case.estimate)
    kept = problem.region_of(u) == Region.QM
    return coarsened(
        step.region,
        domain_of(hybrid.defect, u),
        known,
        kept=kept,
        tolerance=step.case.adapt.tolerance,
        settings=problem.partition(coarsen),
    )


def _warn_of_tables(measured: MeasuredMaterial, defect: Defect, solution: Solution) -> None:
    """Where the tables of an EAM do not resolve what a solution asks of them."""
    atoms = defect.body.atoms(solution.displacement)
    for warning in warnings_of_solution(measured.spec, atoms, defect.free):
        logger.warning("%s", warning)
