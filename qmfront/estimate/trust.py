"""Whether an estimate is to be trusted, and if not why: everything that is known to make eta wrong, in words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from qmfront.coupling.core import LARGEST_ADVANCE_R0
from qmfront.coupling.solution import Solution

GLIDE = 0.02
"""An eigenvalue below it belongs to a mode, glide for one, along which no estimate certifies where the core is: an edge
dislocation in vanadium was 0.75 Å from its minimum with eta = 0.08 Å, on a shoulder of its energy 0.5 meV above it."""

UPPER = 2.5
"""Eigenvalues along the modes of a solve are upper bounds: at soft cores of W, Ni, Ta and Al they were 1.4 to 2.7 times
those of the QM model. A Lanczos run with mixed forces tells the eigenvalue itself."""

ALGEBRAIC = 0.5
"""Of eta; the estimate contains what a solve has left, and where that is most of it, says little about the models."""

ROUNDING = 1e-9
"""Å; no solve gets nearer."""

JUMP_R0 = 0.3
"""r0; a site that moves farther between two iterations has changed its place: so has the basin."""

POLYNOMIAL = 0.3
"""Of eta; so much of it may hang on the error of dW at the strains of the case."""

LARGE_R0 = 0.3
"""r0; where the correction moves a site farther, the estimate to first order is one of size only."""


SLOWEST = 0.3
"""Of p in eta ~ N_QM^-p between two iterations; the slowest of sound runs was 0.37, that of a crack. Where eta falls
slower, what it measures is not where the region grows."""

CHANGED = 2.0
"""A lowest eigenvalue that has changed by more is that of another core, or of another place along glide."""

GROWTH = 1.05
"""Of N_QM; over less, p says nothing."""


@dataclass(frozen=True)
class Attained:
    """Where an iteration has come to: eta (Å), with n_qm QM atoms, at a solution with a lowest eigenvalue, if known.

    tip_advance : float, Å
        How far the tip of a crack is ahead of that of its predictor; see `tip_advance`.
    """

    eta: float
    n_qm: int
    lowest_eigenvalue: float | None = None
    tip_advance: float = 0.0


@dataclass(frozen=True)
class Trust:
    """The verdict on one iteration.

    reasons : why the estimate is not trusted; none if it is
    notes : what it does not certify all the same
    settled : bool
        Whether more iterations would not change the verdict by themselves.
    lowest_eigenvalue : float
        Of H v = lambda H_FC v along the soft modes, mixed forces; NaN if they were not asked.
    """

    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    settled: bool
    lowest_eigenvalue: float

    @property
    def trusted(self) -> bool:
        """Whether nothing speaks against the estimate."""
        return not self.reasons

    @property
    def told(self) -> tuple[str, ...]:
        """Reasons, and notes after them."""
        return (*self.reasons, *self.notes)


def verdict_words(trusted: bool | None, told: Sequence[str]) -> str:
    """The verdict in a line: "trusted" or "not trusted: why", with the notes; "" where nobody judged.

    Parameters
    ----------
    trusted : bool or None
    told : reasons and notes
    """
    if trusted is None:
        return ""
    return ": ".join(["trusted" if trusted else "not trusted", *["; ".join(told)] * bool(told)])


def trust(
    solution: Solution,
    correction: np.ndarray,
    *,
    r0: float,
    attained: tuple[Attained | None, Attained],
    polynomial_error: float,
    proven: float = np.inf,
) -> Trust:
    """What speaks against the estimate of an iteration.

    Parameters
    ----------
    solution : Solution
    correction : (n, 3) float, Å
        What eta is the norm of.
    r0 : float, Å
    attained : (Attained or None, Attained)
        By the iteration before, if there was one, and by this one.
    polynomial_error : float
        Relative error of dW at strains of the case, times the part of eta that comes from it; NaN if it was not asked.
    proven : float
        Lowest eigenvalue of a Lanczos run with mixed forces, where there was one.
    """
    along_modes = np.nan if solution.modes is None else float(solution.modes.eigenvalues[0])
    lowest = along_modes if np.isinf(proven) else float(np.fmin(along_modes, proven))
    reasons, passing = _of_stability(along_modes, lowest, proven=bool(np.isfinite(proven))), []
    notes = ["the solution was not tested for a saddle"] if np.isnan(lowest) else []
    if solution.unguided:
        reasons.append(
            "the potential has no minimum of this defect, so that cores of lower energy were not looked for; eta holds "
            "for the core that was found. Give the fit more observations"
        )
    if abs(attained[1].tip_advance) > LARGEST_ADVANCE_R0 * r0:
        reasons.append(_tip_has_left(attained[1].tip_advance))
    # a Lanczos run finds softer modes at the same core: only tests of one kind tell whether it has changed
    before, now = attained[0], replace(attained[1], lowest_eigenvalue=along_modes)
    left = float(solution.measure[-1])
    if left > max(ALGEBRAIC * now.eta, ROUNDING):
        passing.append(
            f"{left / now.eta:.0%} of eta are what the solve has left, {left:.1e} Å: it stalled, or stopped too early; "
            "lower solve.algebraic_fraction"
        )
    if before is not None:
        passing += _since(before, now, solution.moved / r0)
    largest = float(np.linalg.norm(correction, axis=1).max())
    if not np.isfinite([now.eta, left, largest]).all():  # no comparison with NaN would say so
        reasons.append(
            f"the estimate is no number: eta = {now.eta:.3g} Å, a site would move by {largest:.3g} Å, and the solve "
            f"has left {left:.3g} Å; one of the models has failed at this structure. Give the fit more observations"
        )
    if largest > LARGE_R0 * r0:
        passing.append(
            f"the error is too large for a linear estimate: it would move a site by {largest:.3g} Å; more QM atoms help"
        )
    if polynomial_error > POLYNOMIAL:
        reasons.append(
            f"{polynomial_error:.0%} of eta hang on a difference of both models that homogeneous lattices contradict: "
            "give the fit more observations, or take estimate.residual: exact"
        )
    return Trust((*reasons, *passing), tuple(notes), not passing, lowest)


def _of_stability(along_modes: float, lowest: float, *, proven: bool) -> list[str]:
    """What the lowest eigenvalues, along the modes of the solve and of all tests, say against a solution.

    Parameters
    ----------
    along_modes, lowest : float
    proven : bool
        Whether a Lanczos run has told the lowest one.
    """
    if along_modes <= 0.0:
        return [
            f"saddle: the lowest eigenvalue is {lowest:.3f}, and the attempts to leave it ended on others"
        ]
    if lowest <= 0.0:
        theirs = "" if np.isnan(along_modes) else f" (theirs: {along_modes:.3f})"
        return [
            f"saddle: the lowest eigenvalue is {lowest:.3f}, along a mode that the tests of the solve had missed"
            f"{theirs} and that nothing has followed; another core lies beside this one"
        ]
    if lowest < (GLIDE if proven else UPPER * GLIDE):
        bound = "" if proven else "at most "
        return [
            "the position of the core along its softest mode, such as glide, is not certified: the lowest eigenvalue "
            f"is {bound}{lowest:.4f}, and neither model is sure of so soft a mode. Along it the error may exceed eta "
            "by far, at little cost in energy"
        ]
    return []


def _tip_has_left(advance: float) -> str:
    what, cure = ("has run", "lower") if advance > 0 else ("has closed", "raise")
    far = f"by {abs(advance):.1f} Å" if np.isfinite(advance) else "throughout"
    return (
        f"the crack {what} {far}: its tip is no longer where the clamp supposes it, of which eta knows nothing; "
        f"{cure} defect.load"
    )


def _since(before: Attained, now: Attained, moved_r0: float) -> list[str]:
    """What has happened since the iteration before that another one may settle."""
    told = []
    if moved_r0 > JUMP_R0:
        told.append(
            f"another basin than in the iteration before: a site has moved by {moved_r0:.2f} r0; the next iteration "
            "shows whether it stays"
        )
    known, lowest = before.lowest_eigenvalue, now.lowest_eigenvalue
    if known and lowest and (lowest * CHANGED < known or lowest > CHANGED * known):
        told.append(
            f"the core has changed: its lowest eigenvalue was {known:.4f} in the iteration before and is {lowest:.4f}"
        )
    if now.eta > before.eta:
        told.append(f"eta has not fallen: {before.eta:.2e} Å before, {now.eta:.2e} Å now, with more QM atoms")
    elif now.n_qm > GROWTH * before.n_qm and now.eta > before.eta * (before.n_qm / now.n_qm) ** SLOWEST:
        told.append(
            f"eta hardly falls: {before.eta:.2e} Å with {before.n_qm} QM atoms, {now.eta:.2e} Å with {now.n_qm}; what "
            "it measures is not where the region grows"
        )
    return told
