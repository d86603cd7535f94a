"""What to do with the result of a case, in words that follow from its numbers."""

import numpy as np

from qmfront.analysis.rate import fit_slope
from qmfront.report.results import CaseResult

FEWEST = 4
"""Iterations from which a rate of convergence is told."""
LIMITS = {
    "iterations are done": "raise adapt.max_iterations",
    "reach the limit": "raise adapt.max_qm_atoms",
    "domain is used up": "enlarge the domain",
}
"""What a decision says where the loop ended before its tolerance, and what makes it go on."""
FACTOR = 10.0
"""How much smaller an error is asked about."""


def ended_early(case: CaseResult) -> list[str]:
    """What makes the loop of a case go on, if it ended before its tolerance."""
    return [cure for words, cure in LIMITS.items() if words in case.ended]


def next_steps(case: CaseResult) -> list[str]:
    """Sentences, the most important first."""
    found = []
    if case.verdict is False:
        found.append(
            "Do not rely on the error of this structure before you have settled what speaks against it (above)."
        )
    if case.verdict is None:
        found.append("Nobody judged this estimate: compute the case again with this version.")
    if cures := ended_early(case):
        found.append(f"The loop ended before its tolerance. To let it go on, {' and '.join(cures)}.")
    elif case.verdict:
        found.append(
            "The structure is as accurate as you asked: use it. OVITO and ASE open relaxed.extxyz; qmfront export "
            "lammps writes it for LAMMPS, potentials included."
        )
    if told := _farther(case):
        found.append(told)
    if case.error is None:
        found.append(
            "The error is an estimate, nobody has measured it. To see how good the estimate is for your model, compute "
            "the same defect once in a small domain with reference.compute: true."
        )
    return found


def _farther(case: CaseResult) -> str:
    """How many QM atoms a smaller error would take by the rate observed, if that is well known."""
    n, eta = case.table["n_qm"].to_numpy(float), case.table["eta"].to_numpy(float)
    if len(n) < FEWEST or len(np.unique(n)) < FEWEST or not np.all(eta > 0):
        return ""
    rate = fit_slope(n, eta)
    if rate.slope + rate.half_width >= 0:
        return ""
    wanted = eta[-1] / FACTOR
    needed = n[-1] * FACTOR ** (-1.0 / rate.slope)
    return (
        f"For an error of {wanted:.1e} Å, {FACTOR:g} times smaller, set adapt.tolerance to it. By the rate of these "
        f"iterations that takes about {needed:.2g} QM atoms."
    )
