"""How the QM model sees a part of the lattice: as a cluster with vacuum beside it.

An electronic-structure model feels the surface of a cluster far inside. What it says of the same cluster cut from the
perfect crystal, where every force should vanish, can be subtracted.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from qmfront.coupling.partition import Cluster

Forces = Callable[[Atoms], np.ndarray]


@dataclass(frozen=True)
class Body:
    """What does not change during a solve.

    reference : (n, 3) float, Å
        l + u0, so that positions are reference + u, (2.1).
    numbers : (n,) int
    cell, pbc : (3, 3) float, Å, and (3,) bool
    lattice : (n, 3) float, Å
        The sites l of the perfect crystal.
    """

    reference: np.ndarray
    numbers: np.ndarray
    cell: np.ndarray
    pbc: np.ndarray
    lattice: np.ndarray

    @property
    def whole(self) -> Cluster:
        """All sites, all of them wanted."""
        return Cluster(np.arange(len(self.numbers)), np.arange(len(self.numbers)))

    def atoms(self, displacement: np.ndarray) -> Atoms:
        """All sites, displaced by u (n, 3) Å."""
        return self.cluster(self.whole, displacement)

    def cluster(self, cluster: Cluster, displacement: np.ndarray) -> Atoms:
        """The atoms of a cluster, displaced by u (n, 3) Å."""
        return cluster.atoms(self.reference + displacement, self.numbers, self.cell, self.pbc)

    def perfect(self, cluster: Cluster) -> Atoms:
        """The same sites of the perfect crystal."""
        return cluster.atoms(self.lattice, self.numbers, self.cell, self.pbc)


@dataclass(frozen=True)
class Embedding:
    """Choices of the embedding.

    subtract_lattice : bool
        F(u) = F_C(l + u0 + u) - F_C(l) for every cluster C: one QM call more per cluster.
    """

    subtract_lattice: bool = False


VACUUM = Embedding()
"""A cluster with vacuum beside it: exact for a model of finite range in a buffer of that range."""


def embedded_forces(
    body: Body, cluster: Cluster, qm: Forces, embedding: Embedding = VACUUM
) -> Callable[[np.ndarray], np.ndarray]:
    """The map from u (n, 3), Å, to the QM forces on the wanted atoms of a cluster, (w, 3), eV/Å.

    Parameters
    ----------
    body : Body
    cluster : Cluster
    qm : Atoms -> (c, 3) eV/Å
        Called once per u, and once for the perfect crystal if that is subtracted.
    embedding : Embedding
    """
    offset: np.ndarray | float = 0.0
    if embedding.subtract_lattice:
        offset = qm(body.perfect(cluster))[cluster.wanted]

    def force(displacement: np.ndarray) -> np.ndarray:
        return qm(body.cluster(cluster, displacement))[cluster.wanted] - offset

    return force
