"""The atoms of a solve: the sites with their predictor, as a whole or a cluster of them, displaced or perfect."""

from dataclasses import dataclass, field

import numpy as np
from ase import Atoms

from qmfront.crystal.atom_state import AtomState
from qmfront.crystal.box import BoxDomain
from qmfront.crystal.cluster import Cluster


@dataclass(frozen=True)
class Body:
    """What does not change during a solve.

    reference : (n, 3) float, Å
        l + u0, so that positions are reference + u, (2.1).
    numbers : (n,) int
    cell, pbc : (3, 3) float, Å, and (3,) bool
    lattice : (n, 3) float, Å
        The sites l of the perfect crystal.
    period : (3,) float, Å
        Edges of the right-angled cells of a periodic domain, infinite for others.
    state : AtomState
        Moments and whatever else goes with the atoms.
    """

    reference: np.ndarray
    numbers: np.ndarray
    cell: np.ndarray
    pbc: np.ndarray
    lattice: np.ndarray
    period: np.ndarray = field(default_factory=lambda: np.full(3, np.inf))
    state: AtomState = field(default_factory=AtomState)

    @property
    def domain(self) -> BoxDomain:
        """The periodic domain, for those that are boxes of right-angled cells."""
        return BoxDomain(self.period, np.diag(self.cell))

    @property
    def whole(self) -> Cluster:
        """All sites, all of them wanted."""
        return Cluster(np.arange(len(self.numbers)), np.arange(len(self.numbers)))

    def atoms(self, displacement: np.ndarray) -> Atoms:
        """All sites, displaced by u (n, 3) Å."""
        return self.cluster(self.whole, displacement)

    def cluster(self, cluster: Cluster, displacement: np.ndarray) -> Atoms:
        """The atoms of a cluster, displaced by u (n, 3) Å."""
        atoms = cluster.atoms(self.reference + displacement, self.numbers, self.cell, self.pbc)
        return self.state.put_on(atoms, cluster.sites)

    def boxed(self, sites: np.ndarray, positions: np.ndarray, cell: np.ndarray) -> Atoms:
        """Some sites (k,) int at positions (k, 3), Å, in a periodic box (3, 3), Å."""
        atoms = Atoms(numbers=self.numbers[sites], positions=positions, cell=cell, pbc=True)
        return self.state.put_on(atoms, sites)

    def perfect(self, cluster: Cluster) -> Atoms:
        """The same sites of the perfect crystal."""
        atoms = cluster.atoms(self.lattice, self.numbers, self.cell, self.pbc)
        return self.state.put_on(atoms, cluster.sites)
