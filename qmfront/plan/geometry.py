"""The sites of a case before anything is solved, and how many atoms the QM model sees for an N_QM.

All counts are of sites that exist: the perfect crystal (or the user's file), cut as the case says. Which sites become
QM is not known yet: those nearest to the first region are taken, as if the error were the same in every direction.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from ase import Atoms
from scipy.spatial import cKDTree

from qmfront.config.defect import Crack, File, Point
from qmfront.config.stages import Embedding
from qmfront.config.study import Case
from qmfront.coupling.partition import BUFFER, QM
from qmfront.crystal.box import box_cells
from qmfront.crystal.cluster import Cluster, surrounded
from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.neighbours import separations
from qmfront.elasticity.defects import defect_without_field
from qmfront.elasticity.deformation import gradient_pairs
from qmfront.refine.domain import Domain
from qmfront.refine.next_partition import domain_of, first_region
from qmfront.refine.regions import PartitionSettings, regions_around

NO_SLIP = 0.2
"""r0; the strain around a Burgers vector shorter than this is none."""


@dataclass(frozen=True, eq=False)
class UndeformedDomain:
    """Where the regions of a case will grow.

    sites : Domain
        Not displaced.
    numbers : (n,) int
    r0 : float, Å
    region : (n,) int
        The first partition.
    faces : (n,) bool
        Sites beside a crack, whose residual is exact.
    lost : float
        Lattice sites without an atom: bonds that free sites miss over the bonds of a site. Of a file.
    is_local : bool
        Whether the strain falls faster than that of a dislocation: point defects, and columns of them in a file.
    """

    sites: Domain
    numbers: np.ndarray
    r0: float
    region: np.ndarray
    faces: np.ndarray
    lost: float = 0.0
    is_local: bool = False

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def dimension(self) -> int:
        """2 along a line, 3 in a box."""
        return int(self.sites.coordinates.shape[1])

    @property
    def n_qm(self) -> int:
        """Of the first partition."""
        return int(np.sum(self.region == QM))

    @property
    def n_buf(self) -> int:
        """Of the first partition."""
        return int(np.sum(self.region == BUFFER))

    @cached_property
    def distance(self) -> np.ndarray:
        """From the first QM region to every free site, ascending, Å: (n_free,)."""
        return np.sort(self._apart[self.sites.free])

    @cached_property
    def _apart(self) -> np.ndarray:
        distance, _ = cKDTree(self.sites.coordinates[self.region == QM]).query(self.sites.coordinates)
        return np.asarray(distance)

    def qm_sites(self, n_qm: int) -> np.ndarray:
        """The n_qm free sites nearest to the first region, (n,) bool; those at equal distance enter together."""
        end = self.distance[min(n_qm, len(self.distance)) - 1]
        return (self._apart <= end * (1 + 1e-9) + 1e-9) & self.sites.free

    def grown(self, n_qm: int, advance: float) -> int:
        """N_QM after the front has moved by `advance`, Å."""
        end = self.distance[min(n_qm, len(self.distance)) - 1] + advance
        return int(np.sum(self.distance <= end * (1 + 1e-9)))

    def advance(self, n_old: int, n_new: int) -> float:
        """How far the front moves, Å, when N_QM grows from n_old to n_new."""
        last = len(self.distance) - 1
        return float(self.distance[min(n_new - 1, last)] - self.distance[min(n_old - 1, last)])

    def seen(self, n_qm: int, embedding: Embedding, *, layer: float, width: float) -> int:
        """Atoms that the QM model sees: QM region, a layer (Å) around it, a buffer of a width (Å)."""
        if embedding.kind == "box":
            return self._in_box(n_qm, embedding, layer=layer, width=width)
        return self.around(n_qm, layer=layer, width=width)

    def around(self, n_qm: int, *, layer: float, width: float) -> int:
        """Sites within a width (Å) of the QM region and a layer (Å) around it, crack faces too if there is a layer."""
        inner = self.qm_sites(n_qm)
        if layer > 0:
            inner = (self._shell(inner, layer) & self.sites.free) | self.faces
        return int(self._shell(inner, width).sum())

    def nearest(self, count: int) -> Atoms:
        """About `count` atoms of the perfect crystal around the defect, as the QM model would see them."""
        order = np.argsort(self._apart, kind="stable")[:count]
        chosen = np.sort(order)
        sites = self.sites
        return Cluster(chosen, chosen).atoms(sites.positions, self.numbers, sites.cell, sites.pbc)

    def box(self, cells: int) -> Atoms:
        """A periodic box of cells^3 right-angled cells, as an empty cluster filled by the crystal of the domain."""
        edge, places = cells * self.sites.period, self.sites.coordinates
        low = places[self.region == QM].mean(axis=0) - edge / 2
        inside = np.all((places - low) / edge < 1 - 1e-6, axis=1)
        inside &= np.all(places - low > -1e-6, axis=1)
        return Atoms(self.numbers[inside], self.sites.positions[inside], cell=np.diag(edge), pbc=True)

    def refusal(self, n_qm: int, settings: PartitionSettings) -> str:
        """Why no partition with n_qm QM sites fits into the domain; empty if one does."""
        try:
            regions_around(self.qm_sites(n_qm), self.sites, settings=settings)
        except ValueError as error:
            return str(error)
        return ""

    def _in_box(self, n_qm: int, embedding: Embedding, *, layer: float, width: float) -> int:
        """Atoms of the periodic box that the QM model sees instead of a cluster."""
        period, edge = self.sites.period, np.diag(self.sites.cell)
        inner = self._shell(self.qm_sites(n_qm), layer) if layer > 0 else self.qm_sites(n_qm)
        places, whole = self.sites.coordinates[inner], np.rint(edge / period)
        cells = box_cells(places, period, width=width, minimum=embedding.minimum_cells, shape=embedding.shape)
        return round(len(self) * np.prod(np.minimum(cells, whole) * period / edge))

    def _shell(self, inner: np.ndarray, width: float) -> np.ndarray:
        return surrounded(inner, self.sites.positions, self.sites.cell, self.sites.pbc, width=width)


def undeformed_domain(
    crystal: Crystal, case: Case, settings: PartitionSettings, *, rim: float
) -> UndeformedDomain:
    """Sites and first partition of a case.

    Parameters
    ----------
    crystal : at rest, cubic axes
    rim : Å, see StructureFile

    Raises
    ------
    ValueError if the file of a case is not what it is said to be, or as first_region.
    """
    defect, seeds = defect_without_field(crystal, case.defect, case.domain, rim=rim)
    sites = domain_of(defect, np.zeros_like(defect.predictor))
    bonds = np.bincount(defect.stencil.first, minlength=defect.n_sites)
    whole = np.median(bonds[defect.free])
    faces = np.zeros(len(sites), bool)
    if isinstance(case.defect, Crack):
        x, y = sites.coordinates.T
        faces = (x < 0) & (np.abs(y) < case.estimate.face_layer + defect.r0) & sites.free
    is_local = isinstance(case.defect, Point)
    if isinstance(case.defect, File) and defect.dimension == 3:
        is_local = True
    elif isinstance(case.defect, File):
        is_local = _burgers(defect, ~defect.free & (bonds == whole)) < NO_SLIP
    return UndeformedDomain(
        sites=sites,
        numbers=defect.numbers,
        r0=defect.r0,
        region=first_region(defect, case.initial_region, settings, seeds=seeds),
        faces=faces,
        lost=float(np.maximum(whole - bonds[defect.free], 0).sum() / whole),
        is_local=is_local,
    )


def _burgers(defect: Defect, clamped: np.ndarray) -> float:
    """2 pi r |d - rho| / |rho| in r0, root mean square over bonds of clamped sites, their mean stretch taken off."""
    pairs = gradient_pairs(defect.stencil, defect.basis_index)
    pairs = pairs.chosen(clamped[pairs.first])
    if len(pairs) == 0:
        return np.inf
    now = separations(defect.body.reference, defect.cell, defect.pbc, pairs)
    length = np.linalg.norm(pairs.vector, axis=1)
    stretch = np.mean(np.einsum("pi,pi->p", now, pairs.vector) / length**2)
    radius = np.linalg.norm(defect.coordinates, axis=1)[pairs.first]
    strain = np.linalg.norm(now - stretch * pairs.vector, axis=1) / length
    return float(2 * np.pi / defect.r0 * np.sqrt(np.mean((radius * strain) ** 2)))
