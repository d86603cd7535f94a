"""Perfect crystals: primitive cell and basis, builders, point group, directions, nearest lattice vectors."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import gcd
from typing import Literal, get_args

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols
from ase.geometry import minkowski_reduce
from scipy.spatial import HalfspaceIntersection

from qmfront.config.material import Crystal as CrystalSettings
from qmfront.config.unit_cell import UnitCell
from qmfront.config.upright import upright

Structure = Literal["bcc", "fcc", "diamond", "sc", "b2", "rocksalt", "zincblende"]
CUBIC: tuple[str, ...] = get_args(Structure)
NAMES_OF_ASE = {"b2": "cesiumchloride"}

LARGEST_MILLER_INDEX = 200  # directions with larger integer coordinates are taken for irrational
RELATIVE_TOLERANCE = 1e-6  # geometric coincidence, in units of the nearest-neighbour distance


@dataclass(frozen=True, eq=False)
class Crystal:
    """A homogeneous crystal: the sites n @ cell + basis[s], n integer.

    cell : (3, 3) float, Å
        Rows are primitive lattice vectors.
    basis : (nb, 3) float, Å
        Cartesian positions of the atoms of one cell.
    numbers : (nb,) int
        Atomic numbers.
    conventional : (3, 3) int, optional
        Rows make of the cell vectors those that directions, planes and positions of a study refer to. Left out: the
        cubic cell, for crystals in cubic axes.
    """

    cell: np.ndarray
    basis: np.ndarray
    numbers: np.ndarray
    conventional: np.ndarray | None = None

    def __post_init__(self) -> None:
        if np.shape(self.cell) != (3, 3) or abs(np.linalg.det(self.cell)) < 1e-9:
            raise ValueError(f"cell must be three independent rows (3, 3) in Å, got {np.asarray(self.cell)}.")
        if np.shape(self.basis) != (len(self.numbers), 3):
            raise ValueError(
                f"basis has shape {np.shape(self.basis)} but there are {len(self.numbers)} atomic numbers; "
                "give one Cartesian row per atom."
            )

    @property
    def species(self) -> list[str]:
        """Chemical symbols, each once, by atomic number."""
        return [chemical_symbols[number] for number in np.unique(self.numbers)]

    @property
    def volume(self) -> float:
        """Volume of the primitive cell, Å^3."""
        return float(abs(np.linalg.det(self.cell)))

    @cached_property
    def nearest_neighbour_distance(self) -> float:
        """r0, the shortest distance between two sites, Å."""
        reduced, _ = minkowski_reduce(self.cell)
        shifts = _integers_within(1) @ reduced
        apart = (self.basis[:, None] - self.basis[None])[:, :, None] + shifts
        distance = np.linalg.norm(apart, axis=-1)
        return float(distance[distance > 1e-9].min())

    @cached_property
    def voronoi_vectors(self) -> np.ndarray:
        """(m, 3) lattice vectors whose bisectors carry the facets of the Wigner-Seitz cell, Å."""
        reduced, _ = minkowski_reduce(self.cell)
        candidates = _integers_within(2) @ reduced
        candidates = candidates[np.linalg.norm(candidates, axis=1) > 1e-9]
        touches = bisector_contacts(candidates)[1]
        return candidates[touches >= 3]

    def to_atoms(self) -> Atoms:
        """The primitive cell as periodic ASE atoms."""
        return Atoms(numbers=self.numbers, positions=self.basis, cell=self.cell, pbc=True)

    def strained(self, deformation: np.ndarray) -> "Crystal":
        """The crystal under the homogeneous deformation x -> F x, F (3, 3)."""
        F = np.asarray(deformation, float)
        return replace(self, cell=self.cell @ F.T, basis=self.basis @ F.T)

    def shifted(self, shifts: np.ndarray) -> "Crystal":
        """The crystal with the atoms of its cell moved by shifts (nb, 3), Å."""
        return replace(self, basis=self.basis + shifts)

    def rotated(self, frame: np.ndarray) -> "Crystal":
        """The crystal in the axes given by the rows of frame (3, 3): v_case = frame @ v_crystal."""
        return self.strained(frame)

    @property
    def cubic(self) -> np.ndarray:
        """Integers (3, 3) whose rows make the edges of the cubic cell of the cell vectors.

        Raises
        ------
        ValueError
            If the crystal is not cubic, or not in cubic axes.
        """
        inverse = np.linalg.inv(self.cell)
        edges = [
            length
            for length in np.linalg.norm(_integers_within(2) @ self.cell, axis=1)
            if length > 1e-9 and np.allclose(length * inverse, np.rint(length * inverse), atol=1e-6)
        ]
        if not edges:
            raise ValueError(
                f"No cubic cell with edges along the axes is made of the vectors {self.cell.tolist()} Å, and no "
                "conventional cell is named."
            )
        return np.rint(min(edges) * inverse).astype(int)

    @property
    def conventional_cell(self) -> np.ndarray:
        """Integers (3, 3): `conventional`, or the cubic cell where none is named."""
        return self.cubic if self.conventional is None else self.conventional

    @property
    def axes(self) -> np.ndarray:
        """The vectors (3, 3), Å, of the conventional cell, in rows."""
        return self.conventional_cell @ self.cell

    @property
    def lattice_constant(self) -> float:
        """Length of the first vector of the conventional cell, Å."""
        return float(np.linalg.norm(self.axes[0]))

    @property
    def upright(self) -> np.ndarray:
        """Integers (3, 3) whose rows make of the cell vectors the edges of the right-angled cell.

        The cubic cell of a cubic crystal; a1, a1 + 2 a2 and c of a hexagonal one.

        Raises
        ------
        ValueError
            If no three lattice vectors are perpendicular (monoclinic and triclinic crystals).
        """
        cell = self.conventional_cell
        found = upright(self.axes, _points_in(cell))
        if found is None:
            raise ValueError(
                "No three lattice vectors of the crystal are perpendicular, which periodic boxes are made of. "
                "Monoclinic and triclinic crystals have none."
            )
        return np.rint(found @ cell).astype(int)

    @property
    def supercell(self) -> np.ndarray:
        """Integers (3, 3) that make the cell which supercells repeat: `upright`, else the conventional cell."""
        try:
            return self.upright
        except ValueError:
            return self.conventional_cell

    def direction(self, indices: np.ndarray | Sequence[float]) -> np.ndarray:
        """u a1 + v a2 + w a3, in units of |a1|, of indices (..., 3) that refer to the conventional cell."""
        return np.asarray(indices, float) @ (self.axes / self.lattice_constant)

    def plane_normal(self, plane: np.ndarray | Sequence[float]) -> np.ndarray:
        """h b1 + k b2 + l b3, in units of 1 / |a1|, of Miller indices (3,) of the conventional cell."""
        return np.asarray(plane, float) @ np.linalg.inv(self.axes / self.lattice_constant).T

    def nearest_lattice_vectors(self, points: np.ndarray) -> np.ndarray:
        """Integer coordinates (p, 3) of the lattice vector nearest to each of points (p, 3), Å.

        Rounding in lattice coordinates, then steps across the facets of the Wigner-Seitz cell until
        the remainder lies inside it, which makes the answer exact for any choice of the cell.
        Opposite points get opposite coordinates, ties included.
        """
        points = np.asarray(points, float)
        sign = _orientation(points)[:, None]
        inverse = np.linalg.inv(self.cell)
        steps = self.voronoi_vectors
        integer_steps = np.rint(steps @ inverse).astype(np.int64)
        half = 0.5 * np.sum(steps**2, axis=1) * (1 + 1e-12)
        coordinates = np.rint(sign * points @ inverse).astype(np.int64)
        remainder = sign * points - coordinates @ self.cell
        inscribed = 0.25 * np.min(
            np.sum(steps**2, axis=1)
        )  # squared radius of the ball in the Wigner-Seitz cell
        active = np.flatnonzero(np.einsum("pi,pi->p", remainder, remainder) >= inscribed * (1 - 1e-9))
        while len(active):
            remainder = sign[active] * points[active] - coordinates[active] @ self.cell
            excess = remainder @ steps.T - half
            best = np.argmax(excess, axis=1)
            outside = excess[np.arange(len(active)), best] > 0
            active = active[outside]
            coordinates[active] += integer_steps[best[outside]]
        return sign.astype(np.int64) * coordinates

    def point_group(self) -> np.ndarray:
        """Orthogonal matrices (g, 3, 3) that map the crystal onto itself up to a translation.

        Proper and improper operations, R with x -> R x; 48 for the cubic crystals of one element.
        """
        reduced, _ = minkowski_reduce(self.cell)
        entries = np.array(list(itertools.product((-1, 0, 1), repeat=9))).reshape(-1, 3, 3)
        metric = reduced @ reduced.T
        mapped = entries @ metric @ entries.transpose(0, 2, 1)
        tolerance = RELATIVE_TOLERANCE * np.trace(metric)
        keep = np.abs(mapped - metric).max(axis=(1, 2)) < tolerance
        operations = (np.linalg.inv(reduced) @ entries[keep] @ reduced).transpose(0, 2, 1)
        return np.array([R for R in operations if self._maps_basis(R)])

    def _maps_basis(self, R: np.ndarray) -> bool:
        """True if some translation brings the rotated basis back onto the sites, species included."""
        rotated = self.basis @ R.T
        return any(
            self.contains(rotated + shift, self.numbers)
            for shift in self.basis[self.numbers == self.numbers[0]] - rotated[0]
        )

    def contains(self, points: np.ndarray, numbers: np.ndarray | None = None) -> bool:
        """True if each of points (p, 3) is a site, of the species numbers (p,) when they are given."""
        fractional = (np.asarray(points)[:, None] - self.basis) @ np.linalg.inv(self.cell)
        miss = np.linalg.norm((fractional - np.rint(fractional)) @ self.cell, axis=-1)
        hit = miss < RELATIVE_TOLERANCE * self.nearest_neighbour_distance * 10
        if numbers is not None:
            hit &= self.numbers == np.asarray(numbers)[:, None]
        return bool(np.all(hit.any(axis=1)))


def cubic_crystal(symbol: str, structure: Structure, a0: float) -> Crystal:
    """Primitive cell of a cubic element or binary compound in cubic axes.

    Parameters
    ----------
    symbol : str
        Chemical symbol; for "b2", "rocksalt" and "zincblende" two of them, such as NiAl.
    structure : "bcc", "fcc", "diamond", "sc", "b2", "rocksalt" or "zincblende"
    a0 : float, Å
        Cubic lattice constant.
    """
    from ase.build import bulk  # imports a third of ASE

    return crystal_from_atoms(bulk(symbol, NAMES_OF_ASE.get(structure, structure), a=a0))


def crystal_of(settings: CrystalSettings) -> Crystal:
    """The crystal that the section `crystal` of a material describes, before it comes to rest."""
    symbol, a0 = settings.symbol, settings.lattice_constant_guess
    if settings.structure in CUBIC and symbol and a0:
        return cubic_crystal(symbol, settings.structure, a0)  # type: ignore[arg-type]
    return crystal_of_cell(settings.cell)


def crystal_of_cell(cell: UnitCell) -> Crystal:
    """The crystal with a conventional cell, its primitive cell the reduced one."""
    vectors = np.array(cell.vectors)
    points = np.concatenate([np.array(cell.lattice_points)[1:], np.eye(3)])
    reduced = _lattice_basis(points) @ vectors
    if len(cell.lattice_points) > 1:
        reduced = minkowski_reduce(reduced)[0]
        reduced = reduced * np.sign(np.linalg.det(reduced))
    conventional = np.rint(vectors @ np.linalg.inv(reduced)).astype(int)
    numbers = np.array([atomic_numbers[symbol] for symbol in cell.symbols])
    places = np.array(cell.places) - cell.places[0]
    return Crystal(reduced, places @ vectors, numbers, conventional)


def crystal_from_atoms(atoms: Atoms) -> Crystal:
    """The crystal whose primitive cell is given as periodic ASE atoms."""
    return Crystal(cell=atoms.cell.array.copy(), basis=atoms.positions.copy(), numbers=atoms.numbers.copy())


def bisector_contacts(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cell {x : x.v <= |v|^2/2 for all v} and its contact with each bisector plane.

    Returns
    -------
    corners : (k, 3) float, Å
    contacts : (m,) int
        Number of corners on the bisector of each of vectors (m, 3): 0 none, 1 a corner, 2 an edge,
        3 or more a facet.
    """
    half = 0.5 * np.sum(vectors**2, axis=1)
    scale = np.sqrt(half.min())
    corners = HalfspaceIntersection(np.column_stack([vectors, -half]), np.zeros(3)).intersections
    corners = _distinct(corners, RELATIVE_TOLERANCE * scale)
    gap = (half - corners @ vectors.T) / np.linalg.norm(vectors, axis=1)
    return corners, np.sum(np.abs(gap) < 10 * RELATIVE_TOLERANCE * scale, axis=0)


def coprime_integers(direction: np.ndarray, name: str) -> np.ndarray:
    """The shortest integer vector parallel to direction (3,)."""
    direction = np.asarray(direction, float)
    scaled = direction / np.abs(direction).max()
    for factor in range(1, LARGEST_MILLER_INDEX + 1):
        integers = np.rint(factor * scaled)
        if np.abs(factor * scaled - integers).max() < 1e-7 * factor:
            return integers.astype(int) // gcd(*integers.astype(int).tolist())
    raise ValueError(
        f"{name}: no lattice direction with indices up to {LARGEST_MILLER_INDEX} is parallel to it "
        f"(lattice coordinates {np.round(scaled, 6)}). Give integer Miller indices."
    )


def _distinct(points: np.ndarray, tolerance: float) -> np.ndarray:
    """One representative of each cluster of coinciding points."""
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1) < tolerance
    return points[np.argmax(apart, axis=1) == np.arange(len(points))]


def _points_in(conventional: np.ndarray) -> np.ndarray:
    """Lattice points (p, 3) of a cell whose vectors are integers (3, 3) of the primitive ones, in its coordinates."""
    reach = int(np.abs(conventional).sum(axis=0).max())
    coordinates = _integers_within(reach) @ np.linalg.inv(conventional)
    inside = np.all((coordinates > -1e-9) & (coordinates < 1 - 1e-9), axis=1)
    points = coordinates[inside]
    return points[np.argsort(np.linalg.norm(points, axis=1), kind="stable")]


def _lattice_basis(points: np.ndarray) -> np.ndarray:
    """Three vectors (3, 3) that generate the same lattice as points (p, 3) with rational coordinates."""
    order = next(n for n in range(1, 1000) if np.abs(n * points - np.rint(n * points)).max() < 1e-6 * n)
    rows = [[int(x) for x in row] for row in np.rint(order * points)]
    chosen = []
    for column in range(3):  # Gauss with Euclid's division: rows stay integer and keep their lattice
        while True:
            rows.sort(key=lambda row: (row[column] == 0, abs(row[column])))
            first, *others = rows
            if all(row[column] == 0 for row in others):
                break
            rows = [first] + [
                [x - row[column] // first[column] * y for x, y in zip(row, first, strict=True)]
                for row in others
            ]
        chosen.append(first)
        rows = [row for row in others if any(row)]
    return np.array(chosen, float) / order


def _integers_within(reach: int) -> np.ndarray:
    """All integer triples with entries in -reach..reach, (k, 3)."""
    line = np.arange(-reach, reach + 1)
    return np.array(list(itertools.product(line, line, line)))


def _orientation(points: np.ndarray) -> np.ndarray:
    """+1 or -1 for each point (p, 3), opposite for opposite points."""
    dominant = np.take_along_axis(points, np.argmax(np.abs(points), axis=1)[:, None], axis=1)[:, 0]
    return np.where(dominant < 0, -1.0, 1.0)
