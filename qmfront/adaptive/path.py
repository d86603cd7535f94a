"""Defects that move: a path of loads, each step of which starts from the last one and keeps its error bar.

    for step in follow(tungsten, potential, edge, disc, path=LoadPath(end=0.05, step=0.005, smallest_step=2e-4)): ...

A step solves, estimates and refines at its load as `adapt` does, and then lets sites go that the tolerance does not
need: the QM region follows the core. Near the load at which the core leaves its valley steps shrink; the jump itself is
bracketed by two loads that differ by the smallest step.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms

from qmfront.adaptive.loop import coarsen_of, iterations, sites_given_up
from qmfront.adaptive.matching import FittedPotential, MeasuredMaterial
from qmfront.adaptive.problem import Problem, case_of, operators_of, prepared
from qmfront.adaptive.step import Step
from qmfront.config.defect import Dislocation
from qmfront.config.section import Section
from qmfront.config.stages import Coarsen, LoadPath
from qmfront.coupling.anderson import NoEquilibriumError
from qmfront.coupling.core import glide_position
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.instability import fold_load, glide_vector, load_shift, moved_on
from qmfront.coupling.partition import Region
from qmfront.crystal.defect import Defect, at_rest
from qmfront.elasticity.defective_sites import defective_sites
from qmfront.elasticity.loading import Loading, loading_of, shear_stress
from qmfront.evaluate.journaled import Journaled
from qmfront.mismatch.linear import linear_mismatch
from qmfront.refine.next_partition import united_region

logger = logging.getLogger(__name__)

TOWARDS_FOLD = 0.6
"""Of the way to the load at which the eigenvalue will vanish; a step goes no farther."""
LOAD_DIFFERENCE = 1e-4
"""Change of the load in the difference that gives dF/dload."""
ROUNDING = 1e-9
"""Relative, of steps of the load."""


@dataclass(frozen=True)
class PathStep:
    """A defect at rest under one load of a path.

    load : float
        Shear strain.
    position : float, Å
        x1 of the core.
    step : Step
        The last iteration at this load: regions, solution, estimate.
    added, removed : int
        Sites that have become QM since the load before, and that have left.
    qm_calls : int
        All QM calls at this load, of solves, tests and estimates; those of loads that were tried and given up are in
        `lost_calls`.
    jumped : bool
        Whether the core has left its valley since the load before.
    load_shift : float
        By how much the model error shifts the load at which the core leaves its valley, to first order; see
        `coupling.instability`. NaN without soft modes.
    stress : float, eV/Å^3
        Of the perfect crystal in the homogeneous shear, by the QM model.
    """

    load: float
    position: float
    step: Step
    added: int
    removed: int
    qm_calls: int
    lost_calls: int
    jumped: bool
    load_shift: float
    stress: float

    @property
    def n_qm(self) -> int:
        """Number of QM atoms."""
        return self.step.n_qm

    @property
    def eta(self) -> float:
        """Estimated error ||D (u - u_bar)||, Å."""
        return self.step.eta

    @property
    def lowest_eigenvalue(self) -> float:
        """Of H v = lambda H_FC v, along soft modes."""
        return self.step.trust.lowest_eigenvalue

    def atoms(self) -> Atoms:
        """As `Step.atoms`, with the load in `info`."""
        atoms = self.step.atoms()
        atoms.info |= {"load": self.load, "position": self.position}
        return atoms


def follow(
    measured: MeasuredMaterial,
    potential: FittedPotential,
    defect: Section,
    domain: Section | None = None,
    *,
    path: LoadPath,
    **sections: Section,
) -> Iterator[PathStep]:
    """A dislocation along a path of loads, every step with its error bar.

    Parameters
    ----------
    defect : Dislocation
        Driven along e1 by a shear of the whole domain, its clamp included.
    domain : Disc, optional
    path : LoadPath
    sections : of a case, as for `adapt`; adapt=Adapt(tolerance=...) is the error bar that every step keeps.
        coarsen=Coarsen(...) says when sites leave.

    Yields
    ------
    PathStep
        After each load, the first one included.

    Raises
    ------
    ValueError
        For another defect, or a residual that knows no load.
    DomainExhaustedError
        If the QM region and its buffer come to the clamp.
    RuntimeError
        If a core that has left its valley comes to rest nowhere.
    """
    coarsen, sections = coarsen_of(sections)
    case = case_of(defect, domain, None, sections)
    if case.estimate.residual == "paper":
        raise ValueError("estimate.residual: paper knows no load. Take cauchy_born or exact.")
    if not isinstance(case.defect, Dislocation):
        raise ValueError(
            f"defect: a {case.defect.kind} is not followed along a path of loads; dislocations are. Call adapt at each "
            "load, with start=step of the load before."
        )
    begun_calls = measured.tally.calls
    problem, region, begun = prepared(measured, potential, case)
    loading = loading_of(measured.bulk, problem.case.defect, problem.hybrid.defect)
    *_, step = iterations(problem, region, begun)
    # the first solution alone is proven: later ones start from a neighbour of known modes
    settings = problem.case.adapt.model_copy(update={"prove": False})
    problem = replace(problem, case=problem.case.model_copy(update={"adapt": settings}))
    tracker = _Tracker(measured, potential, loading, path, coarsen or Coarsen())
    state = tracker.first(problem, step)
    yield tracker.row(state, None, measured.tally.calls - begun_calls, 0)
    size, jumps, lost = path.step, 0, 0
    direction = np.sign(path.end - loading.initial)
    while direction * (path.end - state.load) > ROUNDING * path.step and jumps < path.jumps:
        size = max(min(size, tracker.room(state)), path.smallest_step)
        size = min(size, abs(path.end - state.load))
        calls = measured.tally.calls
        found = tracker.tried(state, state.load + direction * size)
        if found is None or found.jumped:
            if size > path.smallest_step * (1.0 + ROUNDING):
                lost += measured.tally.calls - calls
                size = max(size / 2.0, path.smallest_step)
                continue
            found = tracker.in_next_valley(state, state.load + direction * size) if found is None else found
            found = tracker.settled(found)
            jumps += 1
        yield tracker.row(found, state, measured.tally.calls - calls, lost)
        state, lost = found, 0
        size = path.step if found.jumped else min(size * 2.0, path.step)


@dataclass(frozen=True)
class _State:
    """A defect at rest under a load.

    problem : Problem
        With the predictor of the load.
    region : (n,) int
        With which the next load begins: that of the step without the sites that leave.
    slope : (n, 3) float, Å, or None
        du/dload since the load before; None where that was in another valley.
    before : (load, lowest eigenvalue) or None
        Of the load before, in the same valley.
    jumped : bool
        Whether the load before was in another valley.
    """

    problem: Problem
    load: float
    step: Step
    position: float
    region: np.ndarray
    slope: np.ndarray | None = None
    before: tuple[float, float] | None = None
    jumped: bool = False

    @property
    def displacement(self) -> np.ndarray:
        return self.step.solution.displacement


@dataclass(frozen=True)
class _Tracker:
    """What all loads of a path share."""

    measured: MeasuredMaterial
    potential: FittedPotential
    loading: Loading
    path: LoadPath
    coarsen: Coarsen

    def first(self, problem: Problem, step: Step) -> _State:
        """The state that a path begins with."""
        region = sites_given_up(problem, step, self.coarsen).region
        return _State(
            problem,
            self.loading.initial,
            step,
            self.position(step.solution.displacement, step.defect),
            region,
        )

    def position(self, displacement: np.ndarray, defect: Defect) -> float:
        """x1 of the core, Å."""
        return glide_position(displacement, defect, self.loading.burgers)

    def room(self, state: _State) -> float:
        """How far (of the load) a step may go: not near the load at which the eigenvalue vanishes."""
        if state.before is None:
            return np.inf
        now = (state.load, state.step.trust.lowest_eigenvalue)
        fold = fold_load((state.before[0], now[0]), (state.before[1], now[1]))
        return TOWARDS_FOLD * abs(fold - state.load)

    def tried(self, state: _State, load: float) -> _State | None:
        """The state at another load, from an extrapolated start; None if nothing comes to rest there."""
        change = load - state.load
        u = state.displacement if state.slope is None else state.displacement + change * state.slope
        return self._solved(state, load, u, state.region)

    def in_next_valley(self, state: _State, load: float) -> _State:
        """The state with its core one valley further on, where the load drives it."""
        defect = state.problem.hybrid.defect
        # more shear drives a core along +e1: Peach and Koehler, with the sign of b of (B.3)
        shift = np.sign(load - state.load) * glide_vector(defect)
        found = self._solved(state, load, moved_on(defect, state.displacement, shift), state.region)
        if found is None or not found.jumped:
            raise RuntimeError(
                f"Between the loads {state.load:g} and {load:g} the defect leaves its valley, and comes to rest neither"
                " there nor in the next one. Take a larger domain or a smaller path.smallest_step."
            )
        return found

    def settled(self, state: _State) -> _State:
        """The same atoms after a jump, with their neighbours found again, and operators made for these."""
        problem, u = state.problem, state.displacement
        hybrid, bulk = problem.hybrid, self.measured.bulk
        defect = replace(at_rest(hybrid.defect, u, bulk.crystal), core=np.array([state.position, 0.0, 0.0]))
        operators = operators_of(self.measured, self.potential, defect, problem.case)
        hybrid = replace(hybrid, defect=defect, operators=operators)
        solution = replace(state.step.solution, displacement=np.zeros_like(u), modes=None)
        step = replace(state.step, hybrid=hybrid, solution=solution)
        return replace(
            state, problem=self._problem(problem, hybrid, defect), step=step, jumped=True, before=None
        )

    def _solved(self, state: _State, load: float, start: np.ndarray, region: np.ndarray) -> _State | None:
        change = load - state.load
        hybrid = state.problem.hybrid
        defect = self.loading.changed(hybrid.defect, change)
        problem = self._problem(state.problem, replace(hybrid, defect=defect), defect)
        # sites join with their shell once they are defective, and leave once they are out of it: they do not flicker
        defective = defective_sites(defect, start, self.measured.bulk.crystal)
        joining = problem.region_of(start) if np.any(region[defective] != Region.QM) else region
        region = united_region(defect, start, joining, region, problem.partition(self.coarsen))
        try:
            *_, step = iterations(problem, region, replace(state.step.solution, displacement=start))
        except NoEquilibriumError as error:
            logger.info("nothing comes to rest at the load %g: %s", load, error)
            return None
        position = self.position(step.solution.displacement, defect)
        moved = abs(position - state.position) > self.path.jump_r0 * defect.r0
        slope = None if moved else (step.solution.displacement - state.displacement) / change
        before = None if moved else (state.load, state.step.trust.lowest_eigenvalue)
        left = sites_given_up(problem, step, self.coarsen).region
        return _State(problem, load, step, position, left, slope, before, moved)

    def _problem(self, problem: Problem, hybrid: Hybrid, defect: Defect) -> Problem:
        linear = linear_mismatch(self.measured.bulk, self.potential.certificate).assembled(defect)
        difference = replace(problem.difference, defect=defect, linear=linear)
        return replace(problem, hybrid=hybrid, difference=difference)

    def row(self, state: _State, before: _State | None, calls: int, lost: int) -> PathStep:
        """What is told of a state."""
        was = np.zeros(len(state.region), bool) if before is None else before.step.region == Region.QM
        now = state.step.region == Region.QM
        return PathStep(
            load=state.load,
            position=state.position,
            step=state.step,
            added=int(np.sum(now & ~was)),
            removed=int(np.sum(was & ~now)),
            qm_calls=calls,
            lost_calls=lost,
            jumped=state.jumped,
            load_shift=self._shift(state),
            stress=self._stress(state),
        )

    def _shift(self, state: _State) -> float:
        modes, step = state.step.solution.modes, state.step
        if modes is None:
            return np.nan
        body, u, change = step.defect.body, state.displacement, LOAD_DIFFERENCE
        mm = step.hybrid.models.mm
        there = self.loading.changed(step.defect, change).body
        per_load = (mm(there.atoms(u)) - mm(body.atoms(u))) / change
        residual = step.estimated.residuals[step.case.estimate.residual]
        per_load = np.where(step.defect.free[:, None], per_load, 0.0)
        return load_shift(modes.softest, residual, per_load)

    def _stress(self, state: _State) -> float:
        measured = self.measured
        model = Journaled(measured.spec, measured.journal, measured.tally)
        return shear_stress(self.loading, state.step.defect, measured.bulk.crystal, model, state.load)
