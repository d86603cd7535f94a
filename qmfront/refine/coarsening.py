"""Sites that the QM region gives up: the front moves back where both models agree.

On QM sites the forces of both models are known. A site l that becomes MM adds its difference to the residual, and
nothing else changes: the force of a site comes from one model, and the sites that stay keep their buffer. So the
estimate without a set S of sites is known before they leave, at no QM call:

    g_l = F^QM_l - F^MM_l,    eta(S) = || D (phi + H^-1 1_S g) ||

with H^-1 that of the estimator. The front of (4.2) runs inwards with the speed 1 / |g| (over its mean). T is negative
there, and (4.4) holds with a negative T_new: QM_new = {l : T(l) <= T_new}. T_new is the lowest one whose estimate stays
below a fraction of the tolerance.
# PAPER the paper's QM region only grows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from qmfront.config.stages import Estimate
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import QM
from qmfront.coupling.solution import Solution
from qmfront.crystal.neighbours import Pairs
from qmfront.estimate.estimator import estimator
from qmfront.estimate.hessian_correction import answer_of
from qmfront.refine.arrival import arrival_time, level_set
from qmfront.refine.domain import Domain
from qmfront.refine.grid import covering
from qmfront.refine.regions import PartitionSettings, regions_around
from qmfront.refine.speed import nodal_speed

TOGETHER = 1e-6
"""Relative difference of arrival times up to which sites leave together: they are equal by symmetry."""


@dataclass(frozen=True)
class KnownError:
    """What is known of the error of a solution, and of what sites would add to it.

    phi : (n, 3) float, Å
        The error as the estimator has it, eta = ||D phi||.
    loss : (n, 3) float, eV/Å
        g = F^QM - F^MM on QM sites, zero elsewhere.
    answer : F (n, 3) eV/Å -> H^-1 F (n, 3) Å
        Of the estimator, without a QM call.
    stencil : Pairs
    """

    phi: np.ndarray
    loss: np.ndarray
    answer: Callable[[np.ndarray], np.ndarray]
    stencil: Pairs

    def without(self, leaving: np.ndarray) -> float:
        """eta (Å) if some sites (n,) bool became MM."""
        if not leaving.any():
            return estimator(self.phi, self.stencil)
        more = self.answer(np.where(leaving[:, None], self.loss, 0.0))
        return estimator(self.phi + more, self.stencil)


def known_error(
    hybrid: Hybrid, region: np.ndarray, solution: Solution, phi: np.ndarray, settings: Estimate
) -> KnownError:
    """What a solution and its estimate tell.

    Parameters
    ----------
    region : (n,) int
    solution : Solution
        Its mixed forces are those of the QM model on QM sites.
    phi : (n, 3) float, Å
        Of the estimate.
    settings : Estimate
    """
    loss = np.where((region == QM)[:, None], solution.forces - hybrid.mm_forces()(solution.displacement), 0.0)
    return KnownError(phi, loss, answer_of(hybrid, solution, settings), hybrid.defect.stencil)


@dataclass(frozen=True)
class Coarsening:
    """What the QM region gives up.

    region : (n,) int
        The new regions.
    removed : (n,) bool
        Sites that were QM and are not any more.
    arrival_site : (n,) float
        T, negative on QM sites: minus the time after which the retreating front has reached them; zero elsewhere.
    threshold : float
        T_new; zero if nothing leaves.
    eta : float, Å
        The estimate of the new partition, before it is solved.
    """

    region: np.ndarray
    removed: np.ndarray
    arrival_site: np.ndarray
    threshold: float
    eta: float


def coarsened(
    region: np.ndarray,
    domain: Domain,
    known: KnownError,
    *,
    kept: np.ndarray,
    tolerance: float,
    settings: PartitionSettings,
) -> Coarsening:
    """The QM region without the sites that a tolerance does not need.

    Nothing leaves if the estimate is above the fraction of the tolerance already, or if fewer sites than the least loss
    would leave. Between that fraction and the tolerance, where a region grows, neither happens: no site flickers.

    Parameters
    ----------
    region : (n,) int
    domain : Domain
    known : KnownError
    kept : (n,) bool
        Sites that stay QM whatever their forces say, such as the core.
    tolerance : float, Å
    settings : PartitionSettings
        Its section coarsen, the mesh, and the buffer of the new region.

    Raises
    ------
    ValueError
        If the QM region is empty, if all of it might leave, or if shapes do not fit.
    """
    region, kept = np.asarray(region), np.asarray(kept, bool)
    _check(region, known, kept, domain)
    in_qm, target = region == QM, settings.coarsen.fraction * tolerance
    time = _retreat(in_qm, domain, np.linalg.norm(known.loss, axis=1), mesh=settings.refine.mesh)
    may_leave = in_qm & ~kept

    def leaving(end: float) -> np.ndarray:
        return may_leave & (time <= end)

    ends = np.unique(time[may_leave]) * (1.0 + TOGETHER)
    low, high, eta = 0, len(ends), known.without(np.zeros(len(region), bool))
    if eta > target:
        high = 0
    while low < high:
        middle = (low + high + 1) // 2
        found = known.without(leaving(ends[middle - 1]))
        if found <= target:
            low, eta = middle, found
        else:
            high = middle - 1
    removed = leaving(ends[low - 1]) if low else np.zeros(len(region), bool)
    arrival = np.where(in_qm, -time, 0.0)
    if removed.sum() < max(settings.coarsen.least * in_qm.sum(), 1):
        nothing = np.zeros(len(region), bool)
        return Coarsening(region, nothing, arrival, 0.0, known.without(nothing))
    new = regions_around(in_qm & ~removed, domain, settings=settings)
    return Coarsening(new, removed, arrival, -float(ends[low - 1]), eta)


def _retreat(in_qm: np.ndarray, domain: Domain, loss: np.ndarray, *, mesh: float) -> np.ndarray:
    """Time after which the front has come to the QM sites from outside, (n,), infinite elsewhere.

        |grad T| = |g| / mean |g|

    Parameters
    ----------
    loss : (n,) float, eV/Å
        |g|.
    mesh : float, Å
    """
    own = domain.coordinates[in_qm]
    away, _ = cKDTree(domain.coordinates[~in_qm]).query(own)
    grid = covering(
        own, spacing=mesh, margin=float(np.max(away))
    )  # holds the contour, half way to other sites
    phi = level_set(grid, domain.coordinates, in_qm)
    slowness = nodal_speed(grid, own, loss[in_qm]) if loss[in_qm].any() else np.ones(grid.shape)
    # the march of (4.2) goes outwards from phi <= 0, so that the region that is left is the outside of -phi
    time = arrival_time(-phi, 1.0 / slowness, spacing=grid.spacing)
    found = np.full(len(domain), np.inf)
    found[in_qm] = grid.at(time, own)
    return found


def _check(region: np.ndarray, known: KnownError, kept: np.ndarray, domain: Domain) -> None:
    shape, n = (len(domain), 3), len(domain)
    if known.phi.shape != shape or known.loss.shape != shape or region.shape != (n,) or kept.shape != (n,):
        raise ValueError(
            f"Error {known.phi.shape}, forces {known.loss.shape}, regions {region.shape} and kept sites {kept.shape} "
            f"do not fit {n} sites."
        )
    if not np.any(kept & (region == QM)):
        raise ValueError(
            f"None of the {np.sum(region == QM)} QM sites is kept: all of them might leave. Name the sites of the core."
        )
