"""The page of a plan, as Markdown: what a user reads before paying."""

from qmfront.plan.jobs import Iteration, Job
from qmfront.plan.plan import Plan, Scenario
from qmfront.preflight.page import table_of

SCENARIOS = (
    "eta",
    "iterations",
    "last N_QM",
    "eta there, Å",
    "QM calls",
    "hours",
    "memory, MB",
    "ends because",
)
JOBS = ("job", "state", "N_QM", "atoms seen", "eta, Å", "QM calls", "time")


def page(case: str, plan: Plan) -> str:
    """Markdown of a plan.

    Parameters
    ----------
    case : its name
    """
    found = plan.scenarios
    parts = [
        f"# Plan of {case}: {plan.calculator}",
        _expected(plan),
        table_of(
            SCENARIOS,
            [
                _scenario("from the least value", found.low),
                _scenario("as expected", found.expected),
                _scenario("from the largest value", found.high),
            ],
        ),
        "## Jobs, as expected",
        table_of(
            JOBS,
            [*map(_job, plan.preparation), *map(_iteration, plan.iterations), *map(_job, plan.afterwards)],
        ),
        _assumptions(plan),
        *plan.notes,
    ]
    return "\n\n".join(parts) + "\n"


def summary(case: str, plan: Plan) -> str:
    """One line for terminals and logs."""
    expected = plan.scenarios.expected
    least, most = _least_and_most(plan)
    return (
        f"{case}: {plan.finished} iterations are finished; left: {time_of(3600 * expected.hours_left)} "
        f"({least} to {most}), to N_QM {expected.n_qm}; {expected.reason}"
    )


def _expected(plan: Plan) -> str:
    found = plan.scenarios.expected
    least, most = _least_and_most(plan)
    return (
        f"Tolerance {plan.tolerance:g} Å, {plan.sites} sites. Expected: {time_of(3600 * found.preparation_hours)} and "
        f"{found.preparation_calls} QM calls before the first iteration, {time_of(3600 * found.hours)} and "
        f"{found.qm_calls} QM calls in {found.iterations} iterations, of which {plan.finished} are finished; "
        f"{_afterwards(found)}{time_of(3600 * found.hours_left)} are left in all, between {least} and {most} as far as "
        f"eta is known. Then: {found.reason}."
    )


def _afterwards(found: Scenario) -> str:
    if not found.afterwards_calls:
        return ""
    return f"{time_of(3600 * found.afterwards_hours)} and {found.afterwards_calls} QM calls after them; "


def _least_and_most(plan: Plan) -> tuple[str, str]:
    """Time that is left, of all scenarios."""
    found = plan.scenarios
    hours = [scenario.hours_left for scenario in (found.low, found.expected, found.high)]
    return time_of(3600 * min(hours)), time_of(3600 * max(hours))


def _assumptions(plan: Plan) -> str:
    low, expected, high = plan.decay.low, plan.decay.expected, plan.decay.high
    cost, shape = plan.price.cost, plan.price.shape
    if plan.finished:
        basis = (
            f"Of eta {plan.finished} finished iterations are known; beyond them it falls as N_QM to the power "
            f"of {expected.slope:.2f} ({low.slope:.2f} to {high.slope:.2f}). QM calls and seconds are those "
            "of the finished iterations, continued."
        )
    else:
        basis = (
            f"Nothing is known of this case yet: eta at {expected.n:.0f} QM atoms is taken to be {low.eta:.2g}, "
            f"{expected.eta:.2g} or {high.eta:.2g} Å ({plan.prior}), and to fall as N_QM to "
            f"the power of {expected.slope:g} (theory). Plan again after an iteration or two."
        )
    return (
        f"{basis} A call of n atoms takes t(n) = {shape * cost.base:.2g} s + {shape * cost.factor:.2g} s "
        f"n^{cost.exponent:g}, from calls of up to {cost.largest} atoms; beyond, it is extrapolated."
    )


def _scenario(words: str, found: Scenario) -> tuple[str, ...]:
    return (
        words,
        str(found.iterations),
        str(found.n_qm),
        "-" if found.eta is None else f"{found.eta:.1e}",
        str(found.qm_calls),
        f"{found.hours:.2g}",
        f"{found.memory:.0f}",
        f"{found.reason}; eta meets the tolerance at {found.n_qm_for_tolerance:.3g} QM atoms",
    )


def _job(job: Job) -> tuple[str, ...]:
    return job.stage, _state(job), "", str(job.atoms or ""), "", str(job.calls), time_of(job.seconds)


def _iteration(each: Iteration) -> tuple[str, ...]:
    return (
        f"iteration {each.k}",
        _state(each),
        str(each.n_qm),
        str(each.cluster),
        f"{each.eta:.1e}",
        str(each.calls),
        time_of(each.seconds),
    )


def _state(each: Job | Iteration) -> str:
    return "finished" if each.finished else "to come"


def time_of(seconds: float) -> str:
    """In seconds, minutes or hours."""
    if seconds < 90:
        return f"{seconds:.2g} s"
    if seconds < 5400:
        return f"{seconds / 60:.2g} min"
    return f"{seconds / 3600:.2g} h" if seconds < 99 * 3600 else f"{seconds / 3600:.0f} h"
