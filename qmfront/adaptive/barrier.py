"""The barrier between two equilibria of a point defect, with an error bar.

    found = barrier(copper, potential, vacancy, beside, Box(cells=8), tolerance=5e-3)
    print(found.forward.value, found.forward.bar)

All states share one QM region, which holds what each of them needs. The path is found by the potential first, without a
QM call, and then relaxed with the mixed forces, once; the saddle and both ends are solved again whenever the region
grows. It grows where one of the three is wrong, until the bars of both barriers are below the tolerance.
"""

import logging
from dataclasses import dataclass

import numpy as np

from qmfront.adaptive.matching import FittedPotential, MeasuredMaterial
from qmfront.adaptive.problem import Problem, case_of, energy_of, moved, prepared
from qmfront.config.defect import Point
from qmfront.config.section import Section
from qmfront.coupling.anderson import NoEquilibriumError
from qmfront.coupling.band import Saddle, relaxed_band, saddle_from
from qmfront.coupling.curve import Curve, straight
from qmfront.coupling.mm_minimum import MMMinimum, minimum_from
from qmfront.coupling.partition import Region
from qmfront.coupling.solution import Solution
from qmfront.coupling.solve import SOFTEST, StartingPoint, solve
from qmfront.crystal.correspondence import in_order_of
from qmfront.elasticity.defects import defect_of
from qmfront.estimate.barrier import Barrier, Climb, Stationary, climb
from qmfront.estimate.energy import force_parts
from qmfront.estimate.estimator import site_estimator
from qmfront.estimate.residual import ResidualSettings, exact_core
from qmfront.refine.next_partition import SiteEstimates, next_partition
from qmfront.refine.regions import DomainExhaustedError

logger = logging.getLogger(__name__)

IMAGES = 5
"""Between the ends."""
MAX_FORCE = 0.1
"""eV/Å; across the path, largest force at which it is good enough for the search of the saddle."""
ACCURACY = 1e-2
"""Of the wanted bar; what the solve of the saddle may leave of the energy."""
APART = 0.5
"""Of the distance of images; those that are nearer to the saddle are left out of the path of the integral."""


@dataclass(frozen=True)
class Crossing:
    """Two equilibria, the saddle between them, and its energy over each.

    start, end : Problem
        The end has the atoms in the order of the start.
    region : (n,) int
        Of all states.
    solutions : Solution, twice
        The equilibria, each over its own sites.
    saddle : Saddle
        Over the sites of the start.
    forward, backward : Barrier
        From the start and from the end.
    qm_calls : int
        Of all iterations; `calls` says how they came about.
    reason : str
        Why the region grows no more.
    """

    start: Problem
    end: Problem
    region: np.ndarray
    solutions: tuple[Solution, Solution]
    saddle: Saddle
    forward: Barrier
    backward: Barrier
    qm_calls: int
    reason: str = ""

    @property
    def n_qm(self) -> int:
        """Number of QM atoms."""
        return int(np.sum(self.region == Region.QM))

    @property
    def bar(self) -> float:
        """The larger one of both barriers, eV."""
        return max(self.forward.bar, self.backward.bar)

    @property
    def shift(self) -> np.ndarray:
        """From the sites of the start to those of the end, (n, 3) Å."""
        return _shift(self.start, self.end)


def barrier(
    measured: MeasuredMaterial,
    potential: FittedPotential,
    ends: tuple[Point, Point],
    domain: Section,
    *,
    tolerance: float = 5e-3,
    **sections: Section,
) -> Crossing:
    """The barrier between two states of a point defect.

    Parameters
    ----------
    ends : Point, twice
        Of the same atoms, such as a vacancy and the same vacancy one site farther; each is relaxed.
    domain : Box
    tolerance : float, eV
        Of both bars; the largest number of QM atoms and of iterations are those of adapt=Adapt(...).
    sections : of a case, as for `adapt`

    Raises
    ------
    ValueError
        If the ends are not made of the same atoms.
    NoEquilibriumError, NoSaddleError
        If an end or the saddle does not come to rest.
    """
    case = case_of(ends[0], domain, None, sections)
    before = measured.tally.calls
    start, _, begun = prepared(measured, potential, case)
    other = in_order_of(start.hybrid.defect, defect_of(measured.bulk, ends[1], case.domain)[0])
    end = moved(start, potential, other)
    search = _Search(start, end, tolerance)
    begins = (_rest(start, potential) if begun is None else begun, _rest(end, potential))
    path = search.guessed(*begins)
    region = start.region_of(*path.nodes[[0, len(path.nodes) // 2, -1]])
    found = search.first(region, begins, path)
    for k in range(case.adapt.max_iterations):
        n_qm, bar = int(np.sum(region == Region.QM)), max(one.barrier.bar for one in found.climbs)
        logger.info("barrier, iteration %d: N_QM = %d, %s", k, n_qm, found)
        reason = ""
        if bar < tolerance:
            reason = f"the bar of {bar:.1e} eV is below the tolerance of {tolerance:g} eV"
        elif n_qm >= case.adapt.max_qm_atoms:
            reason = f"{n_qm} QM atoms reach the limit of {case.adapt.max_qm_atoms}"
        elif k + 1 == case.adapt.max_iterations:
            reason = f"{k + 1} iterations are done"
        else:
            try:
                region = search.grown(region, found)
            except DomainExhaustedError as error:
                reason = f"the domain is used up. {error}"
        if reason:
            break
        found = search.again(region, found)
    logger.info("barrier: %s", reason)
    forward, backward = (one.barrier for one in found.climbs)
    return Crossing(
        start,
        end,
        region,
        found.solutions,
        found.saddle,
        forward,
        backward,
        qm_calls=measured.tally.calls - before,
        reason=reason,
    )


def _rest(problem: Problem, potential: FittedPotential) -> MMMinimum:
    """Where the potential comes to rest, or the sites as they are."""
    nothing = np.zeros_like(problem.hybrid.defect.predictor)
    return minimum_from(
        problem.hybrid, energy_of(problem.hybrid, potential), problem.case.start, begin=nothing
    )


def _shift(start: Problem, end: Problem) -> np.ndarray:
    return end.hybrid.defect.body.reference - start.hybrid.defect.body.reference


@dataclass(frozen=True)
class _Found:
    """The states of one iteration; path over the sites of the start, its inner nodes those of the relaxed string."""

    solutions: tuple[Solution, Solution]
    saddle: Saddle
    path: Curve
    highest: float
    climbs: tuple[Climb, Climb]

    def __str__(self) -> str:
        forward, backward = (one.barrier for one in self.climbs)
        return (
            f"{forward.value:.4f} ± {forward.bar:.4f} eV, back {backward.value:.4f} ± {backward.bar:.4f} eV, lambda "
            f"{self.saddle.curvature:.2f}"
        )


@dataclass(frozen=True)
class _Search:
    """What all iterations share."""

    start: Problem
    end: Problem
    tolerance: float

    def guessed(self, begin: StartingPoint, end: StartingPoint) -> Curve:
        """The path of the potential between its own minima, or a straight line where it has none."""
        hybrid = self.start.hybrid
        line = straight(begin.displacement, end.displacement + _shift(self.start, self.end), IMAGES)
        try:
            force, body = hybrid.mm_forces(), hybrid.defect.body
            return relaxed_band(force, body, hybrid.riesz, line, max_force=MAX_FORCE).curve
        except (NoEquilibriumError, ValueError) as error:  # a model refuses atoms that are too close
            logger.info("the path begins as a straight line: %s", error)
            return line

    def first(self, region: np.ndarray, begins: tuple[StartingPoint, StartingPoint], path: Curve) -> _Found:
        """Both ends, the string between them and its highest point, all with the mixed forces."""
        solutions = self._solved(region, begins)
        nodes = path.nodes.copy()
        nodes[0], nodes[-1] = self._ends(solutions)
        hybrid = self.start.hybrid
        force, body = hybrid.forces(region), hybrid.defect.body
        band = relaxed_band(force, body, hybrid.riesz, Curve(nodes), max_force=MAX_FORCE)
        top = band.highest
        saddle = self._saddle(region, band.curve.at(top), band.curve.tangent(top))
        return self._climbed(region, solutions, saddle, band.curve, top)

    def again(self, region: np.ndarray, before: _Found) -> _Found:
        """The same states in another region."""
        solutions = self._solved(region, before.solutions)
        saddle = self._saddle(region, before.saddle.displacement, before.saddle.mode.softest)
        return self._climbed(region, solutions, saddle, before.path, before.highest)

    def grown(self, region: np.ndarray, found: _Found) -> np.ndarray:
        """The next region (n,) int: sites count by the largest estimate that one of the three states has of them.

        Raises DomainExhaustedError if it does not fit into the domain.
        """
        defect, (forward, backward) = self.start.hybrid.defect, found.climbs
        answers = (forward.start_phi, forward.saddle_phi, backward.start_phi)
        eta = np.max([site_estimator(phi, defect.stencil) for phi in answers], axis=0)
        at = found.saddle.displacement
        return next_partition(
            defect, SiteEstimates(eta, eta), region, at, settings=self.start.partition()
        ).region

    def _solved(
        self, region: np.ndarray, begins: tuple[StartingPoint, StartingPoint]
    ) -> tuple[Solution, Solution]:
        first, second = (
            solve(
                problem.hybrid,
                region,
                problem.difference.for_stop().forces,
                start=begin,
                settings=problem.case.solve,
            )
            for problem, begin in zip((self.start, self.end), begins, strict=True)
        )
        return first, second

    def _ends(self, solutions: tuple[Solution, Solution]) -> tuple[np.ndarray, np.ndarray]:
        """Over the sites of the start."""
        return solutions[0].displacement, solutions[1].displacement + _shift(self.start, self.end)

    def _saddle(self, region: np.ndarray, begin: np.ndarray, tangent: np.ndarray) -> Saddle:
        hybrid, settings = self.start.hybrid, self.start.case.solve
        accuracy = ACCURACY * self.tolerance
        return saddle_from(
            hybrid.forces(region), hybrid.riesz, begin, tangent, accuracy=accuracy, settings=settings
        )

    def _climbed(
        self,
        region: np.ndarray,
        solutions: tuple[Solution, Solution],
        saddle: Saddle,
        path: Curve,
        highest: float,
    ) -> _Found:
        """Both barriers, along the inner nodes of a path, with its highest point, and the states as they are now."""
        near, places = APART / (len(path.nodes) - 1), path.places[1:-1]
        inner, top = path.nodes[1:-1], saddle.displacement[None]
        before, after = inner[places < highest - near], inner[places > highest + near][::-1]
        begin, end = self._ends(solutions)
        core = self._core(region, (begin, saddle.displacement, end))
        shift = _shift(self.start, self.end)
        forward = Curve(np.concatenate([begin[None], before, top]))
        backward = Curve(np.concatenate([end[None], after, top]) - shift)
        climbs = (
            self._climb(self.start, region, core, forward, (solutions[0], saddle)),
            self._climb(self.end, region, core, backward, (solutions[1], saddle)),
        )
        return _Found(solutions, saddle, path, highest, climbs)

    def _core(self, region: np.ndarray, states: tuple[np.ndarray, ...]) -> np.ndarray:
        """Where forces are exact in one of some states over the sites of the start, (n,) bool."""
        settings, defect = self._settings, self.start.hybrid.defect
        return np.any([exact_core(u, defect, region, settings) for u in states], axis=0)

    def _climb(
        self,
        problem: Problem,
        region: np.ndarray,
        core: np.ndarray,
        curve: Curve,
        ends: tuple[Solution, Saddle],
    ) -> Climb:
        hybrid, (solution, saddle) = problem.hybrid, ends
        parts = force_parts(hybrid, region, problem.difference, core, self._settings.width)

        def of_minimum(forces: np.ndarray) -> np.ndarray:
            phi, modes = hybrid.riesz.solve(forces), solution.modes
            return phi if modes is None else modes.answer(phi, forces, least=SOFTEST)

        states = (Stationary(of_minimum), Stationary(saddle.answer_with(self.start.hybrid.riesz)))
        return climb(parts, core, curve, states, free=hybrid.defect.free, bar=self.tolerance)

    @property
    def _settings(self) -> ResidualSettings:
        case = self.start.case
        return ResidualSettings((), case.estimate, case.buffer)
