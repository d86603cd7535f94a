"""Marking by benefit per cost: sites whose residual does most work, for each atom that a QM call gets larger by.

    benefit  b_l = mean of F_j . phi_j over the sites j within SMOOTHED r0 of l,    sum_l F_l . phi_l = <F, H_FC^-1 F>
    cost     c_l = max(1, number of sites within R_buf of l that are neither QM nor in its geometric buffer)

Sites of the geometric buffer of largest b / c become QM in BATCHES batches; buffer and costs are counted again after
each of them. An alternative to the front of (4.2), which asks how large the error is, not where it comes from nor what
a site costs.
"""

import numpy as np
from scipy.spatial import cKDTree

from qmfront.coupling.partition import QM
from qmfront.crystal.columns import columns_of
from qmfront.refine.domain import Domain, shell_around
from qmfront.refine.regions import PartitionSettings, regions_around

BATCHES = 6
SMOOTHED = 1.2
"""r0; a site and its nearest neighbours: single sites follow the lattice more than the field."""


def benefit_regions(
    work_site: np.ndarray, region: np.ndarray, domain: Domain, *, r0: float, settings: PartitionSettings
) -> np.ndarray:
    """The next regions (n,) int, with minimum_growth more QM sites.

    # ASSUME distances within R_buf of a candidate are those of coordinates, without periodic images: they count atoms.

    Parameters
    ----------
    work_site : (n,) float, eV
        F_l . phi_l, the residual times its answer.
    region : (n,) int
        Old regions.
    domain : Domain
    r0 : float, Å
    settings : PartitionSettings

    Raises
    ------
    ValueError
        If the work is NaN or nowhere positive, if there are too few free sites, or as regions_around.
    """
    work_site = _checked(work_site, len(domain))
    in_qm, wanted = region == QM, int(np.ceil((1.0 + settings.refine.minimum_growth) * np.sum(region == QM)))
    wanted = max(wanted, np.sum(in_qm) + 1)
    if wanted > domain.free.sum():
        raise ValueError(
            f"{wanted} QM sites do not fit into {domain.free.sum()} free ones. Enlarge the domain or stop earlier."
        )
    tree, column = cKDTree(domain.coordinates), columns_of(domain.coordinates).column
    start, in_qm = in_qm.sum(), in_qm.copy()
    for goal in np.linspace(start, wanted, BATCHES + 1)[1:]:
        covered = shell_around(domain, in_qm, width=settings.buffer.width)
        candidates = np.flatnonzero(covered & domain.free & ~in_qm)
        places = domain.coordinates[candidates]
        near = tree.query_ball_point(places, SMOOTHED * r0)
        benefit = np.array([np.mean(work_site[sites]) for sites in near])
        reached = tree.query_ball_point(places, settings.buffer.width)
        cost = np.array([max(1, np.sum(~covered[sites])) for sites in reached])
        for site in candidates[np.argsort(-benefit / cost, kind="stable")]:
            if in_qm.sum() >= goal:
                break
            in_qm |= (column == column[site]) & domain.free  # atoms of one column enter together
    return regions_around(in_qm, domain, settings=settings)


def _checked(work_site: np.ndarray, n: int) -> np.ndarray:
    work_site = np.asarray(work_site, float)
    if work_site.shape != (n,):
        raise ValueError(f"Work {work_site.shape} for {n} sites: need one value per site.")
    if not np.all(np.isfinite(work_site)):
        raise ValueError("The work of the residual is NaN or infinite; check the residual forces.")
    if not np.any(work_site > 0):
        raise ValueError("The residual does no work anywhere: there is nothing to gain from more QM atoms.")
    return work_site
