"""The decomposition of the lattice into QM, buffer, MM and far field, and the clusters cut from it."""

from enum import IntEnum

import numpy as np

from qmfront.crystal.cluster import Cluster


class Region(IntEnum):
    """Where a site lies; regions (n,) int hold these values."""

    QM = 0
    BUFFER = 1
    MM = 2
    FAR_FIELD = 3


QM, BUFFER, MM, FAR_FIELD = Region

REGION_NAMES = ("QM", "buffer", "MM", "far field")


def qm_cluster(region: np.ndarray) -> Cluster:
    """QM and buffer sites; forces wanted on the QM sites, (2.11).

    Raises ValueError for an empty QM region.
    """
    sites = np.flatnonzero(region <= BUFFER)
    wanted = np.flatnonzero(region[sites] == QM)
    if len(wanted) == 0:
        raise ValueError("The QM region is empty. Enlarge initial_region.radius_r0.")
    return Cluster(sites, wanted)
