"""An iteration in words; apart from the decision, which solves reach: an edit of the estimator must not solve again."""

from qmfront.estimate.numbers import IterationNumbers
from qmfront.estimate.trust import verdict_words
from qmfront.refine.decision import Decision


def report(case: str, made: Decision, numbers: IterationNumbers) -> str:
    """One line on an iteration for people who watch: sizes, estimate, QM calls, what comes next, and the verdict."""
    sizes = f"N_QM = {numbers.n_qm}, eta = {numbers.eta:.3e} Å, {numbers.qm_calls} QM calls"
    next_step = f"stops: {made.reason}" if made.stop else "goes on"
    trust = numbers.trust
    verdict = verdict_words(trust.trusted, trust.told).replace("not trusted", "NOT TRUSTED")
    return f"{case}, iteration {made.k}: {sizes}; {next_step}; {verdict}"
