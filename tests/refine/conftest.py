import numpy as np
import pytest

from qmfront.refine.domain import Domain

LATTICE = 3.165  # Å, bcc W


@pytest.fixture(scope="session")
def disc() -> Domain:
    """One period of a bcc cylinder along [001], 60 Å free radius, off the sites, slightly rattled."""
    m = np.arange(-26, 27) * LATTICE
    x, y = (c.ravel() for c in np.meshgrid(m, m, indexing="ij"))
    corner = np.column_stack([x, y, 0 * x])
    sites = np.vstack([corner, corner + LATTICE / 2]) + np.array([0.7, 0.4, 0.0])
    radius = np.hypot(sites[:, 0], sites[:, 1])
    sites, radius = sites[radius < 72], radius[radius < 72]
    positions = sites + np.random.default_rng(7).normal(0, 0.03, sites.shape)
    return Domain(
        sites[:, :2], positions, radius < 60, np.diag([1.0, 1.0, LATTICE]), np.array([False, False, True])
    )


@pytest.fixture(scope="session")
def ball() -> Domain:
    """A bcc crystal of 12 periodic cells per direction, no clamp, centred at the origin."""
    m = (np.arange(12) - 6) * LATTICE
    corner = np.stack(np.meshgrid(m, m, m, indexing="ij"), axis=-1).reshape(-1, 3)
    sites = np.vstack([corner, corner + LATTICE / 2])
    return Domain(sites, sites.copy(), np.ones(len(sites), bool), 12 * LATTICE * np.eye(3), np.ones(3, bool))
