"""Hybrid forces (2.11): QM on the QM region, computed in QM + buffer; MM everywhere else."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from qmfront.coupling.partition import FAR_FIELD, QM, Cluster, qm_cluster

Forces = Callable[[Atoms], np.ndarray]


@dataclass(frozen=True)
class Body:
    """What does not change during a solve.

    reference : (n, 3) float, Å
        l + u0, so that positions are reference + u, (2.1).
    numbers : (n,) int
    cell, pbc : (3, 3) float, Å, and (3,) bool
    """

    reference: np.ndarray
    numbers: np.ndarray
    cell: np.ndarray
    pbc: np.ndarray

    def atoms(self, displacement: np.ndarray) -> Atoms:
        """All sites, displaced by u (n, 3) Å."""
        whole = Cluster(np.arange(len(self.numbers)), np.arange(len(self.numbers)))
        return whole.atoms(self.reference + displacement, self.numbers, self.cell, self.pbc)

    def cluster(self, cluster: Cluster, displacement: np.ndarray) -> Atoms:
        """The atoms of a cluster, displaced by u (n, 3) Å."""
        return cluster.atoms(self.reference + displacement, self.numbers, self.cell, self.pbc)


def hybrid_forces(
    body: Body, region: np.ndarray, *, qm: Forces, mm: Forces
) -> Callable[[np.ndarray], np.ndarray]:
    """The map u -> F^H(u), Eq. (2.11), zero on the far field.

    Parameters
    ----------
    body : Body
    region : (n,) int
        0 QM, 1 buffer, 2 MM, 3 far field.
    qm : Atoms -> (c, 3) eV/Å
        Called once per u with the QM + buffer cluster.
    mm : Atoms -> (n, 3) eV/Å
        Called once per u with all sites.
    """
    cluster = qm_cluster(region)
    clamped = region == FAR_FIELD
    inside = region == QM

    def force(displacement: np.ndarray) -> np.ndarray:
        forces = mm(body.atoms(displacement)).copy()
        forces[inside] = qm(body.cluster(cluster, displacement))[cluster.wanted]
        forces[clamped] = 0.0
        return forces

    return force


def model_forces(body: Body, free: np.ndarray, model: Forces) -> Callable[[np.ndarray], np.ndarray]:
    """The map u -> F(u) of one model on all sites, (2.7), zero where not free (n,) bool."""

    def force(displacement: np.ndarray) -> np.ndarray:
        return np.where(free[:, None], model(body.atoms(displacement)), 0.0)

    return force
