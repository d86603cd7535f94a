"""Algorithm 2, "Mark and refine": from the local estimator to the next QM and buffer regions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from qmfront.coupling.partition import BUFFER, QM
from qmfront.refine.arrival import arrival_time, earliest_at_boundary, level_set
from qmfront.refine.domain import Domain
from qmfront.refine.grid import Grid, covering
from qmfront.refine.regions import PartitionSettings, marked_regions, qm_threshold
from qmfront.refine.speed import nodal_speed


@dataclass(frozen=True)
class Refinement:
    """Result of Algorithm 2.

    region : (n,) int
        New regions: 0 QM, 1 buffer, 2 MM, 3 far field.
    grid : Grid
    speed : grid.shape float, Å per unit of T
        G of (4.3).
    level_set : grid.shape float
        -1 in the old QM region, +1 outside.
    arrival : grid.shape float
        T of (4.2); zero in the old QM region.
    arrival_site : (n,) float
        T at the sites, infinite outside the mesh.
    threshold : float
        T up to which sites became QM: T_new, or more if the minimum growth asked for it.
    """

    region: np.ndarray
    grid: Grid
    speed: np.ndarray
    level_set: np.ndarray
    arrival: np.ndarray
    arrival_site: np.ndarray
    threshold: float

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a store of kind "partition"; the mesh of a point defect, as large as all else, is left out."""
        if self.grid.dimension == 3:
            return {"region": self.region, "arrival_site": self.arrival_site}
        x, y = self.grid.axes()
        return {
            "region": self.region,
            "speed": self.speed,
            "arrival": self.arrival,
            "level_set": self.level_set,
            "grid_x": x,
            "grid_y": y,
            "arrival_site": self.arrival_site,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], *, threshold: float) -> "Refinement":
        """The inverse of `arrays` in the plane."""
        return cls(
            region=arrays["region"],
            grid=Grid.of_axes((arrays["grid_x"], arrays["grid_y"])),
            speed=arrays["speed"],
            level_set=arrays["level_set"],
            arrival=arrays["arrival"],
            arrival_site=arrays["arrival_site"],
            threshold=threshold,
        )


def refine(
    eta_site: np.ndarray,
    region: np.ndarray,
    domain: Domain,
    *,
    settings: PartitionSettings,
    margin: float | None = None,
) -> Refinement:
    """One step of "Mark and refine" (Algorithm 2) in two or three dimensions.

    Parameters
    ----------
    eta_site : (n,) float, Å
        Local estimator (4.1); only the values on QM and buffer sites are used.
    region : (n,) int
        Old regions.
    domain : Domain
    settings : PartitionSettings
    margin : float, Å, optional
        Mesh beyond QM + BUF; left out, it is enlarged until the front stays inside.

    Raises
    ------
    ValueError
        If a region is empty, the estimator is unusable, the front or buffer reaches the clamp, or the mesh is
        too small.
    """
    eta_site, region = np.asarray(eta_site, float), np.asarray(region)
    _check(eta_site, region, domain)
    grid, speed, phi, time = _front(eta_site, region, domain, settings, margin)
    at_sites = _at_sites(grid, time, region, domain)
    new = marked_regions(at_sites, region, domain, settings=settings)
    threshold = qm_threshold(at_sites, region == QM, domain.free, settings=settings)
    return Refinement(new, grid, speed, phi, time, at_sites, threshold)


def _front(
    eta_site: np.ndarray,
    region: np.ndarray,
    domain: Domain,
    settings: PartitionSettings,
    fixed: float | None,
) -> tuple[Grid, np.ndarray, np.ndarray, np.ndarray]:
    """Grid, speed, level set and arriving time on a mesh large enough for the front of (4.4)."""
    chosen, known = settings.refine, np.isin(region, (QM, BUFFER))
    margin = chosen.t_new + chosen.t_buf if fixed is None else fixed
    # a 3D march is limited to the band that (4.4) looks at; if it is too narrow, march through
    limit = chosen.t_new + chosen.t_buf if domain.coordinates.shape[1] == 3 else None
    while True:
        grid = covering(domain.coordinates[known], spacing=chosen.mesh, margin=margin)
        speed = nodal_speed(
            grid, domain.coordinates[known], eta_site[known], normalisation=chosen.normalisation
        )
        phi = level_set(grid, domain.coordinates, region == QM)
        time = arrival_time(phi, speed, spacing=grid.spacing, limit=limit)
        at_sites = _at_sites(grid, time, region, domain)
        end = qm_threshold(at_sites, region == QM, domain.free, settings=settings) + chosen.t_buf
        if limit is not None and end > limit:
            limit = None
            continue
        if end < earliest_at_boundary(time) or grid.contains(domain.coordinates).all():
            return grid, speed, phi, time
        if fixed is not None:
            raise ValueError(
                f"The mesh is too small: the front is at its boundary at T = "
                f"{earliest_at_boundary(time):.2f}, before T_new + T_buf = {end:.2f} "
                f"(margin {margin:g} Å). Increase the margin or leave it unset."
            )
        margin *= 2


def _at_sites(grid: Grid, time: np.ndarray, region: np.ndarray, domain: Domain) -> np.ndarray:
    """T interpolated to the sites; exactly zero in the old QM region."""
    return np.where(region == QM, 0.0, grid.at(time, domain.coordinates))


def _check(eta_site: np.ndarray, region: np.ndarray, domain: Domain) -> None:
    n = len(domain)
    if eta_site.shape != (n,) or region.shape != (n,):
        raise ValueError(f"Estimator {eta_site.shape} and region {region.shape} do not fit {n} sites.")
    if not np.any(region == QM):
        raise ValueError("The QM region is empty: there is no interface to move. Start from initial_regions.")
