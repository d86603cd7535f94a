"""The first partition of a case and the next one: by the front, by benefit per cost, or by growing circles."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qmfront.config.stages import CORE_RADIUS_R0, InitialRegion
from qmfront.coupling.partition import Region
from qmfront.crystal.defect import Defect
from qmfront.refine.benefit import benefit_regions
from qmfront.refine.circle import Ball, grown_circle, initial_regions, seeded_regions
from qmfront.refine.decision import Decision
from qmfront.refine.domain import Domain
from qmfront.refine.fast_marching import Refinement, refine
from qmfront.refine.regions import DomainExhaustedError, PartitionSettings, regions_around

logger = logging.getLogger(__name__)

FIRST_RADII_R0 = (InitialRegion().radius_r0, 2.2, 1.5, CORE_RADIUS_R0)
"""r0; what iteration 0 tries where no region is asked for, until MM sites are left around the buffer."""

RUNS_AWAY = 0.7
"""Of the radius of the domain; a relaxed defect that reaches so far does not stop before the clamp."""

SHELL_R0 = {2: 1.2, 3: 0.0}
"""r0, by dimension; width of the shell of the first QM region around defective sites."""


@dataclass(frozen=True)
class SiteEstimates:
    """What the next partition is made from.

    eta : (n,) float, Å
        (4.1), asked by the front.
    work : (n,) float, eV
        F_l . phi_l, asked by benefit.
    """

    eta: np.ndarray
    work: np.ndarray


@dataclass(frozen=True)
class NextPartition:
    """Regions (n,) int, and the front that led to them if one was drawn."""

    region: np.ndarray
    front: Refinement | None = None

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a store of kind "partition"."""
        return {"region": self.region} if self.front is None else self.front.arrays()

    def attributes(self) -> dict[str, float]:
        """Attributes of that store."""
        return {} if self.front is None else {"threshold": float(self.front.threshold)}


def first_region(
    defect: Defect,
    initial: InitialRegion | None,
    settings: PartitionSettings,
    *,
    seeds: np.ndarray | None = None,
) -> np.ndarray:
    """Regions (n,) of iteration 0: a disc or ball that contains the core, and its buffer.

    Parameters
    ----------
    initial : InitialRegion or None
        None for the first of FIRST_RADII_R0 that fits into the domain: a supercell of 500 atoms is a domain as well.
    seeds : (n,) bool, optional
        All free sites within the radius of a seed are QM, whatever the centre.

    Raises
    ------
    ValueError
        As `initial_regions` and `regions_around`; of the smallest radius where none fits.
    """
    if initial is not None:
        return _first_region(defect, initial, settings, seeds)
    *wider, smallest = (InitialRegion(radius_r0=radius) for radius in FIRST_RADII_R0)
    for region in wider:
        try:
            return _first_region(defect, region, settings, seeds)
        except DomainExhaustedError:
            continue
    return _first_region(defect, smallest, settings, seeds)


def _first_region(
    defect: Defect, initial: InitialRegion, settings: PartitionSettings, seeds: np.ndarray | None
) -> np.ndarray:
    domain, radius = domain_of(defect, np.zeros_like(defect.predictor)), defect.r0 * initial.radius_r0
    if seeds is not None:
        return seeded_regions(domain, seeds, radius=radius, settings=settings)
    circle = Ball(centre_of(defect, initial.centre_r0), radius)
    core = Ball(defect.core[: defect.dimension], CORE_RADIUS_R0 * defect.r0)
    return initial_regions(domain, circle, core=core, settings=settings)


def region_of_start(
    defect: Defect,
    displacement: np.ndarray,
    defective: np.ndarray,
    settings: PartitionSettings,
    *,
    shell_r0: float | None,
) -> np.ndarray:
    """Regions (n,) of iteration 0: the defective sites of a relaxed structure, a shell, and their buffer.

    Around a crack tip, whose bonds stretch long before they break, the disc of `InitialRegion` is always QM, and around
    a core that no site betrays.

    Parameters
    ----------
    displacement : (n, 3) float, Å
    defective : (n,) bool
    shell_r0 : float, r0, or None
        Width of the shell; None for SHELL_R0 of the dimension.

    Raises
    ------
    DomainExhaustedError
        If the regions do not fit into the domain; says whether the defect runs to the rim or the domain is too small.
    """
    domain = domain_of(defect, displacement)
    width = SHELL_R0[defect.dimension] if shell_r0 is None else shell_r0
    seeds, radius = defective.copy(), width * defect.r0
    if np.isfinite(defect.crack_tip) or not seeds.any():
        away = np.linalg.norm(domain.coordinates - defect.core[: defect.dimension], axis=1)
        seeds |= defect.free & (away <= InitialRegion().radius_r0 * defect.r0 - radius)
    try:
        region = seeded_regions(domain, seeds, radius=radius, settings=settings)
    except DomainExhaustedError as error:
        raise DomainExhaustedError(_does_not_fit(defect, defective)) from error
    logger.info(
        "first QM region: %d sites, which are the %d defective ones of the start%s and a shell of %g r0; %d in the "
        "buffer",
        np.sum(region == Region.QM),
        np.sum(defective & defect.free),
        " and those around the core" if np.any(seeds & ~defective) else "",
        width,
        np.sum(region == Region.BUFFER),
    )
    return region


def united_region(
    defect: Defect,
    displacement: np.ndarray,
    region: np.ndarray,
    other: np.ndarray,
    settings: PartitionSettings,
) -> np.ndarray:
    """Regions (n,) int whose QM part is that of two others, such as where a start is defective and that of a host.

    Parameters
    ----------
    displacement : (n, 3) float, Å
    region, other : (n,) int

    Raises
    ------
    DomainExhaustedError
        If they do not fit into the domain.
    """
    in_qm = (region == Region.QM) | (other == Region.QM)
    return regions_around(in_qm, domain_of(defect, displacement), settings=settings)


def _does_not_fit(defect: Defect, defective: np.ndarray) -> str:
    """Why the first QM region and its buffer reach the clamp: the defect runs there, or the domain is small."""
    away = np.linalg.norm(defect.coordinates - defect.core[: defect.dimension], axis=1)
    reach, rim = (float(away[chosen].max()) / defect.r0 for chosen in (defective, defect.free))
    told = (
        f"Relaxed with the potential, the defect has {defective.sum()} defective sites, the farthest {reach:.1f} r0 "
        f"from the core, and the free sites end at {rim:.1f} r0: there is no room for a QM region around them and its "
        "buffer. "
    )
    if reach > RUNS_AWAY * rim:
        return told + (
            "It runs to the rim, as a dislocation does that a crack emits or that its load drives: lower the load, or "
            "say what is to be QM (initial_region), if only the core is of interest."
        )
    return (
        told
        + "Enlarge the domain (domain.radius_r0 or domain.cells), or take a thinner buffer (buffer.width)."
    )


def next_partition(
    defect: Defect,
    estimate: SiteEstimates,
    region: np.ndarray,
    displacement: np.ndarray,
    *,
    settings: PartitionSettings,
) -> NextPartition:
    """The next partition.

    Parameters
    ----------
    region : (n,) int
    displacement : (n, 3) float, Å
    settings : PartitionSettings
    """
    domain = domain_of(defect, displacement)
    if settings.refine.method == "circle":
        circle = settings.refine.circle
        centre = centre_of(defect, circle.centre_r0)
        return NextPartition(
            grown_circle(region, domain, centre=centre, factor=circle.growth, settings=settings)
        )
    if settings.refine.method == "benefit":
        return NextPartition(benefit_regions(estimate.work, region, domain, r0=defect.r0, settings=settings))
    found = refine(estimate.eta, region, domain, settings=settings)
    return NextPartition(found.region, found)


def advanced(
    made: Decision,
    defect: Defect,
    estimate: SiteEstimates,
    region: np.ndarray,
    displacement: np.ndarray,
    settings: PartitionSettings,
) -> tuple[Decision, NextPartition]:
    """The decision, and `next_partition`; where that does not fit into the domain, the decision to stop.

    The partition of a loop that stops stays.
    """
    if made.stop:
        return made, NextPartition(region)
    try:
        return made, next_partition(defect, estimate, region, displacement, settings=settings)
    except DomainExhaustedError as error:
        return made.ended(error), NextPartition(region)


def centre_of(defect: Defect, offset_r0: Sequence[float]) -> np.ndarray:
    """Centre of a disc or ball from its offset (r0) to the core, (dimension,) Å; components left out are 0."""
    offset = np.zeros(defect.dimension)
    offset[: len(offset_r0)] = offset_r0
    return defect.core[: defect.dimension] + defect.r0 * offset


def domain_of(defect: Defect, displacement: np.ndarray) -> Domain:
    """What Algorithm 2 sees of a defect: coordinates in the plane or in space, and deformed positions."""
    positions = defect.body.reference + displacement
    return Domain(defect.coordinates, positions, defect.free, defect.cell, defect.pbc, defect.period)
