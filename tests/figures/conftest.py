from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import pytest

from qmfront.refine.circle import circle_regions
from qmfront.refine.domain import Domain
from qmfront.refine.fast_marching import Refinement, refine
from tests.partitions import changed, partition

mpl.use("Agg")

LATTICE = 3.165  # Å, bcc W
SPACING = LATTICE / np.sqrt(2)  # Å, smallest distance in the (001) projection


@dataclass(frozen=True)
class Study:
    """A bcc disc with a displacement like that of an edge dislocation, and some refinements of it."""

    domain: Domain
    eta_site: list[np.ndarray]
    regions: list[np.ndarray]
    refinement: Refinement  # the last one, from regions[-2] to regions[-1]

    @property
    def plane(self) -> np.ndarray:
        return self.domain.positions[:, :2]


@pytest.fixture(scope="session")
def study() -> Study:
    domain = _edge_disc(free=70.0, clamped=82.0)
    thresholds = partition(t_new=3.0, t_buf=3.0, width=7.0)
    regions = [circle_regions(domain, centre=np.zeros(2), radius=7.0, settings=thresholds)]
    etas, result = [], None
    for _ in range(3):
        etas.append(_estimator(domain, regions[-1]))
        result = refine(etas[-1], regions[-1], domain, settings=changed(thresholds, mesh=0.25))
        regions.append(result.region)
    return Study(domain, etas, regions, result)


def _edge_disc(*, free: float, clamped: float) -> Domain:
    m = np.arange(-30, 31) * LATTICE
    x, y = (c.ravel() for c in np.meshgrid(m, m, indexing="ij"))
    corner = np.column_stack([x, y, 0 * x])
    sites = np.vstack([corner, corner + LATTICE / 2]) + np.array([LATTICE / 4, LATTICE / 4, 0.0])
    radius = np.hypot(sites[:, 0], sites[:, 1])
    sites, radius = sites[radius < clamped], radius[radius < clamped]
    angle = np.arctan2(sites[:, 1], sites[:, 0]) % (2 * np.pi)
    shift = LATTICE * (angle / (2 * np.pi) + np.sin(2 * angle) / (8 * np.pi * 0.72))
    positions = sites + np.column_stack([shift, 0.1 * np.cos(2 * angle), 0 * shift])
    return Domain(
        sites[:, :2], positions, radius < free, np.diag([1, 1, LATTICE]), np.array([False, False, True])
    )


def _estimator(domain: Domain, region: np.ndarray) -> np.ndarray:
    x, y = domain.coordinates.T
    r, angle = np.hypot(x, y), np.arctan2(y, x)
    front = np.sqrt(np.sum(region == 0) / (2 * np.pi)) * LATTICE
    noise = np.exp(0.25 * np.random.default_rng(3).standard_normal(len(r)))
    return (
        1e-3 * noise * (np.exp(-(((r - front) / 5) ** 2)) * (1 + 0.8 * np.cos(2 * angle)) + 3 / (6 + r) ** 2)
    )
