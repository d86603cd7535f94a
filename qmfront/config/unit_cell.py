"""The conventional cell of a crystal, as checks know it before anything is computed: by name, or from a file.

Coordinates are those of its vectors: directions and positions [u, v, w] stand for u a1 + v a2 + w a3, planes (h, k, l)
have the normal h b1 + k b2 + l b3 with b_i . a_j = delta_ij. In cubic crystals both are the cubic axes.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from math import gcd, sqrt
from re import findall
from typing import Literal

from qmfront.config.section import Vector

Structure = Literal[
    "bcc", "fcc", "diamond", "sc", "hcp", "b2", "l1_2", "rocksalt", "zincblende", "wurtzite", "file"
]
HEXAGONAL = ("hcp", "wurtzite")
IDEAL_RATIO = sqrt(8 / 3)
"""c / a of hexagonal packings of spheres."""
Atom = tuple[int, Vector]
FACES: tuple[Vector, ...] = ((0.0, 0.0, 0.0), (0.5, 0.5, 0.0), (0.5, 0.0, 0.5), (0.0, 0.5, 0.5))
CORNER: tuple[Vector, ...] = FACES[:1]
LATTICE_POINTS: dict[str, tuple[Vector, ...]] = (
    {
        "bcc": ((0.0, 0.0, 0.0), (0.5, 0.5, 0.5)),
        "sc": CORNER,
        "b2": CORNER,
        "l1_2": CORNER,
    }
    | dict.fromkeys(("fcc", "diamond", "rocksalt", "zincblende"), FACES)
    | dict.fromkeys(HEXAGONAL, CORNER)
)
"""Lattice points of the conventional cell."""
ATOMS: dict[str, tuple[Atom, ...]] = {
    "diamond": ((0, (0.0, 0.0, 0.0)), (0, (0.25, 0.25, 0.25))),
    "zincblende": ((0, (0.0, 0.0, 0.0)), (1, (0.25, 0.25, 0.25))),
    "b2": ((0, (0.0, 0.0, 0.0)), (1, (0.5, 0.5, 0.5))),
    "l1_2": ((0, (0.5, 0.5, 0.0)), (0, (0.5, 0.0, 0.5)), (0, (0.0, 0.5, 0.5)), (1, (0.0, 0.0, 0.0))),
    "rocksalt": ((0, (0.0, 0.0, 0.0)), (1, (0.5, 0.0, 0.0))),
    "hcp": ((0, (0.0, 0.0, 0.0)), (0, (1 / 3, 2 / 3, 0.5))),
    "wurtzite": (
        (0, (0.0, 0.0, 0.0)),
        (0, (1 / 3, 2 / 3, 0.5)),
        (1, (0.0, 0.0, 0.375)),
        (1, (1 / 3, 2 / 3, 0.875)),
    ),
} | dict.fromkeys(("bcc", "fcc", "sc"), ((0, (0.0, 0.0, 0.0)),))
"""Species and place of the atoms at a lattice point."""
SPECIES = {name: 1 + max(species for species, _ in atoms) for name, atoms in ATOMS.items()}
CENTRING = 120
"""Coordinates of lattice points are multiples of one over this: halves, thirds, and those of larger cells in files."""
UNIT_VECTORS: tuple[Vector, ...] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
ON_LATTICE = 1e-6
"""a0"""


@dataclass(frozen=True)
class UnitCell:
    """A conventional cell.

    vectors : three vectors, Å
    lattice_points : the lattice translations in it, coordinates of the vectors
    symbols, places : of the atoms at one lattice point
    """

    vectors: tuple[Vector, Vector, Vector]
    lattice_points: tuple[Vector, ...]
    symbols: tuple[str, ...]
    places: tuple[Vector, ...]

    def vector(self, coordinates: Vector) -> Vector:
        """u a1 + v a2 + w a3, Å."""
        return _combined(coordinates, self.vectors)

    def normal(self, plane: Vector) -> Vector:
        """h b1 + k b2 + l b3, 1/Å."""
        a, b, c = self.vectors
        volume = _dot(a, _cross(b, c))
        x, y, z = _combined(plane, (_cross(b, c), _cross(c, a), _cross(a, b)))
        return x / volume, y / volume, z / volume

    def length(self, coordinates: Vector) -> float:
        """|u a1 + v a2 + w a3|, Å."""
        return _norm(self.vector(coordinates))

    def distance(self, one: Vector, other: Vector) -> float:
        """Between two positions, Å."""
        return self.length(_difference(one, other))

    @property
    def a0(self) -> float:
        """Length of the first vector, Å."""
        return _norm(self.vectors[0])

    @property
    def volume(self) -> float:
        """Å^3"""
        a, b, c = self.vectors
        return abs(_dot(a, _cross(b, c)))

    @cached_property
    def sites(self) -> tuple[tuple[str, Vector], ...]:
        """Symbol and place of all atoms of the cell, the first one at the origin."""
        origin = self.places[0]
        return tuple(
            (symbol, _sum(_difference(place, origin), point))
            for symbol, place in zip(self.symbols, self.places, strict=True)
            for point in self.lattice_points
        )

    @cached_property
    def nearest_neighbour(self) -> float:
        """r0, Å."""
        places = [place for _, place in self.sites]
        apart = [
            self.length(_sum(_difference(one, other), (float(i), float(j), float(k))))
            for one in places[:: len(self.lattice_points)]
            for other in places
            for i, j, k in product((-2, -1, 0, 1, 2), repeat=3)
        ]
        return min(length for length in apart if length > 1e-3)

    def origin_of(self, species: str) -> Vector | None:
        """Place of the first site of an element relative to that of the first atom; None if it has none."""
        return next((place for symbol, place in self.sites if symbol == species), None)

    def nearest_site(self, position: Vector, species: str | None = None) -> tuple[str, Vector]:
        """Symbol and place of the site nearest to a position, which is relative to a site of an element."""
        origin = (self.origin_of(species) if species else None) or (0.0, 0.0, 0.0)
        found = [
            (symbol, _difference(self._image(place, _sum(position, origin)), origin))
            for symbol, place in self.sites
        ]
        return min(found, key=lambda site: self.distance(site[1], position))

    def layers(self, plane: Vector) -> tuple[float, ...]:
        """Heights of atoms along the normal of (h, k, l), from the first one on, over the distance of lattice planes.

        Each once, ascending, at least 0 and below 1.
        """
        h, k, l = plane

        def height(place: Vector) -> float:
            return h * place[0] + k * place[1] + l * place[2]

        steps = [round(CENTRING * height(point)) for point in (*self.lattice_points, *UNIT_VECTORS)]
        period = gcd(*steps) / CENTRING
        found = sorted(round(height(place) / period % 1.0, 6) % 1.0 for _, place in self.sites)
        return tuple(dict.fromkeys(found))

    def is_lattice_vector(self, vector: Vector) -> bool:
        """Whether a vector maps the crystal onto itself."""
        images = [self._image(point, vector) for point in self.lattice_points]
        return min(self.distance(image, vector) for image in images) < ON_LATTICE * self.a0

    def _image(self, point: Vector, near: Vector) -> Vector:
        """The image of a point under whole cells that is nearest to another one."""
        u, v, w = (p + round(q - p) for p, q in zip(point, near, strict=True))
        around = [(u + i, v + j, w + k) for i, j, k in product((0, -1, 1), repeat=3)]
        return min(around, key=lambda image: self.distance(image, near))

    @property
    def is_hexagonal(self) -> bool:
        """Whether a1 and a2 are of one length, at 120 degrees, and perpendicular to a3: four indices have a meaning."""
        a, b, c = self.vectors
        skew = (_dot(b, b) - _dot(a, a), _dot(a, b) + _dot(a, a) / 2, _dot(a, c), _dot(b, c))
        return max(map(abs, skew)) < ON_LATTICE * self.a0**2

    @property
    def is_upright(self) -> bool:
        """Whether lattice vectors make a right-angled box: all but monoclinic and triclinic crystals."""
        return self._box is not None

    @property
    def box_edges(self) -> Vector:
        """Edges of that box, Å; the first vector three times where there is none."""
        return self._box or (self.a0, self.a0, self.a0)

    @cached_property
    def _box(self) -> Vector | None:
        a, b, c = self.vectors
        if max(abs(_dot(a, b)), abs(_dot(b, c)), abs(_dot(c, a))) < ON_LATTICE * self.a0**2:
            return _norm(a), _norm(b), _norm(c)
        from qmfront.config.upright import upright  # brings NumPy

        found = upright(self.vectors, self.lattice_points)
        if found is None:
            return None
        u, v, w = (self.length((float(x), float(y), float(z))) for x, y, z in found)
        return u, v, w


@lru_cache(maxsize=64)
def named_cell(structure: str, symbol: str, a0: float, ratio: float | None) -> UnitCell:
    """The cell of a crystal that has a name.

    Parameters
    ----------
    a0 : float, Å
    ratio : c / a of hexagonal crystals; the ideal one if left out
    """
    elements, atoms = findall(r"[A-Z][a-z]?", symbol), ATOMS[structure]
    if structure in HEXAGONAL:
        c = a0 * (IDEAL_RATIO if ratio is None else ratio)
        vectors = ((a0, 0.0, 0.0), (-a0 / 2, a0 * sqrt(3) / 2, 0.0), (0.0, 0.0, c))
    else:
        vectors = ((a0, 0.0, 0.0), (0.0, a0, 0.0), (0.0, 0.0, a0))
    return UnitCell(
        vectors,
        LATTICE_POINTS[structure],
        tuple(elements[species] for species, _ in atoms),
        tuple(place for _, place in atoms),
    )


def _combined(factors: Vector, vectors: tuple[Vector, Vector, Vector]) -> Vector:
    u, v, w = factors
    a, b, c = vectors
    return (
        u * a[0] + v * b[0] + w * c[0],
        u * a[1] + v * b[1] + w * c[1],
        u * a[2] + v * b[2] + w * c[2],
    )


def _cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _norm(a: Vector) -> float:
    return sqrt(_dot(a, a))


def _sum(a: Vector, b: Vector) -> Vector:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def _difference(a: Vector, b: Vector) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]
