"""Circular (spherical) QM regions: the first partition, and the isotropic baseline of the adaptive one."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from qmfront.coupling.partition import QM
from qmfront.refine.domain import Domain
from qmfront.refine.regions import DomainExhaustedError, PartitionSettings, regions_around


def circle_regions(
    domain: Domain, *, centre: np.ndarray, radius: float, settings: PartitionSettings
) -> np.ndarray:
    """Regions whose QM part is the free sites within radius of a centre.

    Parameters
    ----------
    centre : (d,) float, Å
        In the coordinates of the domain.
    radius : float, Å

    Returns
    -------
    (n,) int

    Raises
    ------
    ValueError
        If no site lies inside, or as regions_around.
    """
    distance = _distance(domain, centre)
    in_qm = distance <= radius * (1 + 1e-9)
    if not in_qm.any():
        raise ValueError(
            f"No site lies within {radius:g} Å of the centre {np.round(centre, 3)}: the QM region is empty. "
            f"The nearest site is {distance.min():.2f} Å away; increase the radius."
        )
    return regions_around(in_qm, domain, settings=settings)


def grown_circle(
    region: np.ndarray, domain: Domain, *, centre: np.ndarray, factor: float, settings: PartitionSettings
) -> np.ndarray:
    """The next circle about the same centre, with at least factor times as many QM sites.

    Sites at equal distance enter together.

    Parameters
    ----------
    region : (n,) int
        Old regions, of which only N_QM is used.
    factor : float
        Larger than one.
    """
    if not factor > 1:
        raise ValueError(f"The growth factor must be larger than 1 (got {factor:g}).")
    distance = np.sort(_distance(domain, centre)[domain.free])
    wanted = int(np.ceil(factor * np.sum(region == QM)))
    if wanted > len(distance):
        raise DomainExhaustedError(
            f"A circle of {wanted} QM sites does not fit into {len(distance)} free sites. Enlarge "
            f"domain.radius_r0 or stop earlier."
        )
    radius = distance[max(wanted, 1) - 1] * (1 + 1e-6)
    return circle_regions(domain, centre=centre, radius=radius, settings=settings)


@dataclass(frozen=True)
class Ball:
    """A disc or ball: centre (d,) in the coordinates of a domain and radius, Å."""

    centre: np.ndarray
    radius: float


def initial_regions(domain: Domain, circle: Ball, *, core: Ball, settings: PartitionSettings) -> np.ndarray:
    """The first partition: a circle that must contain the defect core.

    Parameters
    ----------
    circle : Ball
        The QM circle.
    core : Ball
        Every site in it must be QM: a fitted MM model is meaningless there.

    Raises
    ------
    ValueError
        If the QM region does not contain the core, or as circle_regions.
    """
    region = circle_regions(domain, centre=circle.centre, radius=circle.radius, settings=settings)
    distance = _distance(domain, core.centre)
    missing = (distance <= core.radius) & (region != QM)
    if missing.any() or region[np.argmin(distance)] != QM:
        offset = np.linalg.norm(np.asarray(core.centre, float) - np.asarray(circle.centre, float))
        raise ValueError(
            f"The initial QM region ({np.sum(region == QM)} sites, radius {circle.radius:g} Å) does not contain the "
            f"core: {max(missing.sum(), 1)} sites within {core.radius:g} Å of the core at "
            f"{np.round(core.centre, 2)} are outside, the centre is {offset:.1f} Å off. Move the centre or use a "
            f"radius of at least {offset + core.radius:.1f} Å."
        )
    return region


def seeded_regions(
    domain: Domain, seeds: np.ndarray, *, radius: float, settings: PartitionSettings
) -> np.ndarray:
    """Regions whose QM part are the sites within radius (Å) of a seed, seeds (n,) bool; errors as in regions_around."""
    distance, _ = cKDTree(domain.coordinates[seeds]).query(domain.coordinates)
    return regions_around(np.asarray(distance <= radius * (1 + 1e-9)), domain, settings=settings)


def _distance(domain: Domain, centre: np.ndarray) -> np.ndarray:
    centre = np.asarray(centre, float)
    if centre.shape != domain.coordinates.shape[1:]:
        raise ValueError(
            f"The centre has {centre.size} components in a {domain.coordinates.shape[1]}-dimensional domain."
        )
    return np.linalg.norm(domain.coordinates - centre, axis=1)
