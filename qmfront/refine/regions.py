"""New QM and buffer regions from the arriving time, Eq. (4.4)."""

from dataclasses import dataclass, field

import numpy as np

from qmfront.config.stages import Buffer, Coarsen, Embedding, Refine
from qmfront.coupling.partition import BUFFER, FAR_FIELD, MM, QM
from qmfront.crystal.box import BoxDomain, box_around
from qmfront.refine.domain import Domain, shell_around


class DomainExhaustedError(ValueError):
    """The QM region has grown as far as the domain allows."""


@dataclass(frozen=True)
class PartitionSettings:
    """How partitions are made: the sections refine, buffer and embedding of a case, and when sites leave.

    The buffer of `buffer.width` is always kept around the QM region, and that of the exact residual, residual_factor
    times as wide (3.2.2), may hold clamped sites but must not end beyond them. Where the QM model sees a periodic box,
    the buffer fills that box.
    """

    refine: Refine = field(default_factory=Refine)
    buffer: Buffer = field(default_factory=Buffer)
    embedding: Embedding = field(default_factory=Embedding)
    coarsen: Coarsen = field(default_factory=Coarsen)


def qm_threshold(
    arrival: np.ndarray, in_qm: np.ndarray, free: np.ndarray, *, settings: PartitionSettings
) -> float:
    """T at which the new QM region ends: T_new, later if the region would grow too little, earlier if too much.

        T_qm = max(min(T_new, T_M), T_m),  m = ceil(minimum_growth * N_QM) >= 1,  M = maximum_growth * N_QM

    with T_m that of the m-th free site in order of arrival.

    Parameters
    ----------
    arrival : (n,) float
        T at the sites, infinite where the front was not computed.
    in_qm, free : (n,) bool

    Returns
    -------
    float, infinite if the front has reached fewer than m sites.
    """
    # ASSUME the paper has no minimum growth; without one the loop can stall (+0 to +2 sites per iteration).
    needed = max(int(np.ceil(settings.refine.minimum_growth * in_qm.sum())), 1)
    times = np.sort(arrival[free & ~in_qm])
    if len(times) < needed:
        return np.inf
    # sites that are equal by symmetry arrive together: keep them together
    least, latest = times[needed - 1] * (1 + 1e-6), settings.refine.t_new
    # ASSUME the paper has no maximum growth; over the mean of few sites one step took 180 QM atoms to 778
    if settings.refine.maximum_growth is not None:
        most = int(settings.refine.maximum_growth * in_qm.sum())
        latest = min(latest, times[min(max(most, 1), len(times)) - 1] * (1 + 1e-6))
    return float(max(latest, least))


def marked_regions(
    arrival: np.ndarray, region: np.ndarray, domain: Domain, *, settings: PartitionSettings
) -> np.ndarray:
    """Update the regions from the arriving time at the sites.

        QM_new  = QM + {l : T(l) <= T_qm}                                              (4.4)
        BUF_new = {l : T_qm < T(l) <= T_qm + T_buf} + {l : dist(l, QM_new) <= R_buf}

    T_qm is T_new, unless the minimum growth asks for more (qm_threshold). Clamped sites are never marked.

    Parameters
    ----------
    arrival : (n,) float
    region : (n,) int
        Old regions: 0 QM, 1 buffer, 2 MM, 3 far field.

    Returns
    -------
    (n,) int

    Raises
    ------
    ValueError
        If the QM region is empty, if the front or the buffer reaches the clamp, if that of the exact residual ends
        beyond the clamped rim, or if no MM site is left.
    """
    in_qm = region == QM
    if not in_qm.any():
        raise ValueError("The QM region is empty: there is no interface to move. Start from initial_regions.")
    if np.isnan(arrival).any():
        raise ValueError(
            f"The arriving time is NaN at {np.isnan(arrival).sum()} sites; check speed and mesh."
        )
    end = qm_threshold(arrival, in_qm, domain.free, settings=settings)
    if not np.isfinite(end):
        raise DomainExhaustedError(
            f"The front cannot add {settings.refine.minimum_growth:.0%} to {in_qm.sum()} QM sites: only "
            f"{np.sum(np.isfinite(arrival) & domain.free & ~in_qm)} free sites are reached. The mesh is "
            f"too small (increase its margin) or the domain is used up (enlarge domain.radius_r0 or stop "
            f"earlier)."
        )
    front = in_qm | (arrival <= end)
    early = arrival <= end + settings.refine.t_buf
    return regions_around(front, domain, settings=settings, extra=early)


def regions_around(
    in_qm: np.ndarray, domain: Domain, *, settings: PartitionSettings, extra: np.ndarray | None = None
) -> np.ndarray:
    """Regions with a given QM part, its geometric buffer, and extra buffer sites.

    Parameters
    ----------
    in_qm : (n,) bool
    extra : (n,) bool, optional
        Sites that join the buffer whatever their distance.

    Returns
    -------
    (n,) int
        0 QM, 1 buffer, 2 MM, 3 far field.

    Raises
    ------
    ValueError
        As marked_regions.
    """
    if not in_qm.any():
        raise ValueError("The QM region is empty. Increase its radius or check its centre.")
    _refuse_clamped(in_qm, domain, "The QM region")
    # PAPER (4.4) the threshold T_buf alone gives a buffer of about one shell, too thin for the forces in QM
    buffer = shell_around(domain, in_qm, width=settings.buffer.width)
    buffer = buffer if extra is None else buffer | extra
    if settings.embedding.kind == "box":
        buffer = buffer | _box(in_qm, domain, settings)
    _refuse_clamped(buffer, domain, f"The buffer of R_buf = {settings.buffer.width:g} Å")
    _refuse_beyond_rim(in_qm, domain, settings.buffer.residual_factor * settings.buffer.width)
    region = np.full(len(domain), MM)
    region[buffer] = BUFFER
    region[in_qm] = QM
    region[~domain.free] = FAR_FIELD
    if settings.embedding.kind != "box":  # a box may be the whole domain
        _refuse_without_mm(region)
    return region


def _box(in_qm: np.ndarray, domain: Domain, settings: PartitionSettings) -> np.ndarray:
    """Sites of the periodic box of the QM model, Figure 15."""
    if domain.coordinates.shape[1] != 3 or not np.isfinite(domain.period).all():
        raise ValueError(
            "embedding.kind: box needs a domain that is periodic in all directions and right-angled along x, y and z. "
            "Take cluster for straight defects and for other cells."
        )
    return box_around(
        in_qm,
        domain.coordinates,
        BoxDomain(domain.period, np.diag(domain.cell)),
        width=settings.buffer.width,
        minimum_cells=settings.embedding.minimum_cells,
        shape=settings.embedding.shape,
    )


def _refuse_clamped(chosen: np.ndarray, domain: Domain, what: str) -> None:
    touched = chosen & ~domain.free
    if touched.any():
        reach = np.linalg.norm(domain.coordinates[touched], axis=1).min()
        raise DomainExhaustedError(
            f"{what} touches the clamp: it contains {touched.sum()} clamped sites, the first at {reach:.1f} "
            f"Å from the origin. Enlarge domain.radius_r0 or stop earlier."
        )


def _refuse_beyond_rim(in_qm: np.ndarray, domain: Domain, width: float) -> None:
    """The buffer of the exact residual may hold clamped sites, but must not end where there are none any more."""
    if domain.free.all():
        return
    radius = np.linalg.norm(domain.coordinates, axis=1)
    if radius[in_qm].max() + width > radius.max():
        raise DomainExhaustedError(
            f"The buffer of the exact residual, {width:g} Å wide around QM sites at {radius[in_qm].max():.1f} Å, ends "
            f"beyond the clamped rim at {radius.max():.1f} Å. Enlarge domain.radius_r0 or stop earlier."
        )


def _refuse_without_mm(region: np.ndarray) -> None:
    if not np.any(region == MM):
        raise DomainExhaustedError(
            f"No MM site is left: {np.sum(region == QM)} QM and {np.sum(region == BUFFER)} buffer sites fill "
            f"the domain. Enlarge it (domain.radius_r0, domain.cells or the file) or stop earlier."
        )
