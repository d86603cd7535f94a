"""The sites of a case before anything is solved, and how many atoms the QM model sees for an N_QM.

All counts are of sites that exist: the perfect crystal (or the user's file), cut as the case says. Which sites become
QM is not known yet: those nearest to the first region are taken, as if the error were the same in every direction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from scipy.spatial import cKDTree

from qmfront.coupling.partition import QM
from qmfront.crystal.box import Shape, box_cells
from qmfront.crystal.cluster import Cluster, surrounded
from qmfront.crystal.defect import Defect
from qmfront.crystal.disc import default_origin, disc, straight_line_cell
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.neighbours import separations
from qmfront.crystal.point_defect import PointDefect, point_defect
from qmfront.crystal.structure_file import StructureFile, defect_of_file
from qmfront.elasticity.deformation import one_sublattice
from qmfront.refine.domain import Domain
from qmfront.refine.next_partition import domain_of
from qmfront.refine.regions import Thresholds, regions_around

NO_SLIP = 0.2
"""r0; the strain around a Burgers vector shorter than this is none."""


@dataclass(frozen=True, eq=False)
class Ground:
    """Where the regions of a case will grow.

    domain : Domain
        Sites, not displaced.
    numbers : (n,) int
    r0 : float, Å
    first : (n,) bool
        The first QM region.
    faces : (n,) bool
        Sites beside a crack, whose residual is exact.
    lost : float
        Lattice sites without an atom: bonds that free sites miss over the bonds of a site. Of a file.
    is_local : bool
        Whether the strain falls faster than that of a dislocation: point defects, and columns of them in a file.
    """

    domain: Domain
    numbers: np.ndarray
    r0: float
    first: np.ndarray
    faces: np.ndarray
    lost: float = 0.0
    is_local: bool = False

    @property
    def dimension(self) -> int:
        """2 along a line, 3 in a box."""
        return self.domain.coordinates.shape[1]

    @cached_property
    def distance(self) -> np.ndarray:
        """From the first QM region to every free site, ascending, Å: (n_free,)."""
        return np.sort(self._apart[self.domain.free])

    @cached_property
    def _apart(self) -> np.ndarray:
        return cKDTree(self.domain.coordinates[self.first]).query(self.domain.coordinates)[0]

    def region(self, n_qm: int) -> np.ndarray:
        """The n_qm free sites nearest to the first region, (n,) bool; those at equal distance enter together."""
        end = self.distance[min(n_qm, len(self.distance)) - 1]
        return (self._apart <= end * (1 + 1e-9) + 1e-9) & self.domain.free

    def grown(self, n_qm: int, advance: float) -> int:
        """N_QM after the front has moved by `advance`, Å."""
        end = self.distance[min(n_qm, len(self.distance)) - 1] + advance
        return int(np.sum(self.distance <= end * (1 + 1e-9)))

    def advance(self, n_old: int, n_new: int) -> float:
        """How far the front moves, Å, when N_QM grows from n_old to n_new."""
        last = len(self.distance) - 1
        return float(self.distance[min(n_new - 1, last)] - self.distance[min(n_old - 1, last)])

    def around(self, n_qm: int, *, layer: float, width: float) -> int:
        """Sites within a width (Å) of the QM region and a layer (Å) around it, crack faces too if there is a layer."""
        inner = self.region(n_qm)
        if layer > 0:
            inner = (self._shell(inner, layer) & self.domain.free) | self.faces
        return int(self._shell(inner, width).sum())

    def nearest(self, count: int) -> Atoms:
        """About `count` atoms of the perfect crystal around the defect, as the QM model would see them."""
        order = np.argsort(self._apart, kind="stable")[:count]
        sites = np.sort(order)
        return Cluster(sites, sites).atoms(
            self.domain.positions, self.numbers, self.domain.cell, self.domain.pbc
        )

    def box(self, cells: int) -> Atoms:
        """A periodic box of cells^3 cubic cells, as an empty cluster filled by the crystal of the domain."""
        edge = cells * self.domain.period
        low = self.domain.coordinates[self.first].mean(axis=0) - edge / 2
        inside = np.all((self.domain.coordinates - low) / edge < 1 - 1e-6, axis=1)
        inside &= np.all(self.domain.coordinates - low > -1e-6, axis=1)
        return Atoms(self.numbers[inside], self.domain.positions[inside], cell=edge * np.eye(3), pbc=True)

    def refused(self, n_qm: int, thresholds: Thresholds) -> str:
        """Why no partition with n_qm QM sites fits into the domain; empty if one does."""
        try:
            regions_around(self.region(n_qm), self.domain, thresholds=thresholds)
        except ValueError as error:
            return str(error)
        return ""

    def boxed(
        self, n_qm: int, *, layer: float, width: float, minimum_cells: int, shape: Shape = "cube"
    ) -> int:
        """Atoms of the periodic box that the QM model sees instead of a cluster."""
        period, edge = self.domain.period, float(self.domain.cell[0, 0])
        inner = self._shell(self.region(n_qm), layer) if layer > 0 else self.region(n_qm)
        places, whole = self.domain.coordinates[inner], round(edge / period)
        cells = box_cells(places, period, width=width, minimum=minimum_cells, shape=shape)
        return round(len(self.domain) * np.prod(np.minimum(cells, whole) * period / edge))

    def _shell(self, inner: np.ndarray, width: float) -> np.ndarray:
        return surrounded(inner, self.domain.positions, self.domain.cell, self.domain.pbc, width=width)


def ground_of(crystal: Crystal, edge: float, case: Mapping[str, Any], *, rim: float) -> Ground:
    """The ground of a case.

    Parameters
    ----------
    crystal : at rest, cubic axes
    edge : lattice constant, Å
    case : {defect, domain, initial_region, estimate}, plain values
    rim : Å, see StructureFile

    Raises
    ------
    ValueError if the file of a case is not what it is said to be.
    """
    defect, initial = case["defect"], case["initial_region"]
    seeds = None
    if defect["kind"] == "point":
        made = point_defect(
            crystal,
            edge,
            PointDefect(defect["position"], defect["removed"], defect["added"], case["domain"]["cells"]),
        )
    elif defect["kind"] == "file":
        names = StructureFile.__dataclass_fields__
        chosen = {name: value for name, value in {**defect, **_size(case["domain"])}.items() if name in names}
        chosen |= {"file": Path(defect["file"]), "axes": np.array(defect["axes"]), "rim": rim}
        made, seeds = defect_of_file(crystal, edge, StructureFile(**chosen))
    else:
        return _straight(crystal, defect, case)
    return _of_defect(made, seeds, initial)


def first_partition(ground: Ground, thresholds: Thresholds) -> tuple[int, int]:
    """N_QM and the number of buffer sites of iteration 0; ValueError as regions_around."""
    region = regions_around(ground.first, ground.domain, thresholds=thresholds)
    return int(np.sum(region == QM)), int(np.sum(region == QM + 1))


def _size(domain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in domain.items() if name != "kind"}


def _of_defect(made: Defect, seeds: np.ndarray | None, initial: Mapping[str, Any]) -> Ground:
    domain, radius = domain_of(made, np.zeros_like(made.predictor)), initial["radius_r0"] * made.r0
    if seeds is None:
        centre = _padded(initial["centre_r0"], made.dimension) * made.r0 + made.core[: made.dimension]
        apart = np.linalg.norm(domain.coordinates - centre, axis=1)
    else:
        apart = cKDTree(domain.coordinates[seeds]).query(domain.coordinates)[0]
    first = (apart <= radius * (1 + 1e-9)) & domain.free
    bonds = np.bincount(made.stencil.first, minlength=made.n_sites)
    whole = np.median(bonds[made.free])
    lost = np.maximum(whole - bonds[made.free], 0).sum() / whole
    local = made.dimension == 3 or _burgers(made, ~made.free & (bonds == whole)) < NO_SLIP
    return Ground(domain, made.numbers, made.r0, first, np.zeros(len(domain), bool), float(lost), local)


def _burgers(made: Defect, clamped: np.ndarray) -> float:
    """2 pi r |d - rho| / |rho| in r0, root mean square over bonds of clamped sites, their mean stretch taken off."""
    pairs = one_sublattice(made.stencil, made.basis_index)
    pairs = pairs.chosen(clamped[pairs.first])
    if len(pairs) == 0:
        return np.inf
    now = separations(made.body.reference, made.cell, made.pbc, pairs)
    length = np.linalg.norm(pairs.vector, axis=1)
    stretch = np.mean(np.einsum("pi,pi->p", now, pairs.vector) / length**2)
    radius = np.linalg.norm(made.coordinates, axis=1)[pairs.first]
    strain = np.linalg.norm(now - stretch * pairs.vector, axis=1) / length
    return float(2 * np.pi / made.r0 * np.sqrt(np.mean((radius * strain) ** 2)))


def _straight(crystal: Crystal, defect: Mapping[str, Any], case: Mapping[str, Any]) -> Ground:
    """A disc without its predictor, which needs the moduli: their measurement is part of what is planned."""
    is_crack, r0, size = defect["kind"] == "crack", crystal.nearest_neighbour_distance, case["domain"]
    line_cell = straight_line_cell(crystal, defect["front" if is_crack else "line"], defect["plane"])
    offset = np.asarray(defect["tip_offset" if is_crack else "core_offset"], float)
    sites = disc(
        line_cell,
        size["radius_r0"] * r0,
        clamp_width=size["clamp_width"],
        origin=default_origin(line_cell) + offset,
    )
    plane = sites.positions[:, :2]
    domain = Domain(plane, sites.positions, sites.free, sites.cell, sites.pbc)
    initial = case["initial_region"]
    apart = np.linalg.norm(plane - _padded(initial["centre_r0"], 2) * r0, axis=1)
    first = (apart <= initial["radius_r0"] * r0 * (1 + 1e-9)) & sites.free
    layer = case["estimate"]["face_layer"] + r0
    faces = is_crack & (plane[:, 0] < 0) & (np.abs(plane[:, 1]) < layer) & sites.free
    return Ground(domain, sites.numbers, r0, first, faces)


def _padded(offset: Any, dimension: int) -> np.ndarray:
    padded = np.zeros(dimension)
    padded[: len(offset)] = offset
    return padded
