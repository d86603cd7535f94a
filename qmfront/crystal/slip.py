"""Slip systems of crystals, and periodic cells with one plane across which the crystal has slipped.

The cell has two lattice vectors of the plane, and as third one n layers along the normal plus the slip t b: every cell
holds one fault, no surface, and as many atoms as layers (times those of the primitive cell).

    gamma(t) = (E(t) - E(0)) / |a_1 x a_2|
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from ase import Atoms

from qmfront.crystal.lattice import Crystal

HEIGHT = 12.0
"""Å; least distance between two faults."""
SAME = 1e-6
"""Relative; lengths that differ by less are the same."""
WHOLE = (0.25, 0.5, 0.75, 1.0)
"""t of a path that ends in a stable fault."""
HALF = (0.25, 0.5)
"""t of a path that ends in the perfect crystal: slips of t and 1 - t have the same energy, on bcc {112} nearly."""
Cut = Literal["wide", "narrow"]
CUBIC_GROUPS, HEXAGONAL_GROUP = (24, 48), 24
"""Orders of the point groups of the crystals in the table."""
HCP_ATOM = ((1 / 3, 2 / 3, 0.5), (2 / 3, 1 / 3, 0.5))


@dataclass(frozen=True)
class SlipSystem:
    """A plane, and a path along which the crystal above it slips.

    name : in words
    plane : Miller indices
    path : whole slip b, in coordinates of the vectors of the conventional cell
    cut : between the layers of the plane that are far apart, or close together
    shifts : t at which the path is sampled for a fit
    """

    name: str
    plane: tuple[int, int, int]
    path: tuple[float, float, float]
    cut: Cut = "wide"
    shifts: tuple[float, ...] = WHOLE

    @property
    def between(self) -> tuple[float, ...]:
        """t halfway between those, which no fit sees."""
        return tuple(float(t) for t in np.arange(0.125, max(self.shifts), 0.25))


THIRD, SIXTH = 1 / 3, 1 / 6
SYSTEMS: dict[str, tuple[SlipSystem, ...]] = {
    "fcc": (SlipSystem("{111}<112>", (1, 1, 1), (SIXTH, SIXTH, -THIRD)),),
    "bcc": (
        SlipSystem("{110}<111>", (1, 1, 0), (-0.5, 0.5, 0.5), shifts=HALF),
        SlipSystem("{112}<111>", (1, 1, 2), (0.5, 0.5, -0.5), shifts=HALF),
    ),
    "sc": (SlipSystem("{100}<010>", (1, 0, 0), (0.0, 1.0, 0.0), shifts=HALF),),
    "diamond": (
        SlipSystem("{111}<112> glide", (1, 1, 1), (SIXTH, SIXTH, -THIRD), cut="narrow"),
        SlipSystem("{111}<110> shuffle", (1, 1, 1), (0.5, -0.5, 0.0), shifts=HALF),
    ),
    "rocksalt": (SlipSystem("{110}<110>", (1, 1, 0), (0.5, -0.5, 0.0), shifts=HALF),),
    "b2": (SlipSystem("{110}<001>", (1, 1, 0), (0.0, 0.0, 1.0), shifts=HALF),),
    "hcp": (
        SlipSystem("basal <1-100>", (0, 0, 1), (1 / 3, -1 / 3, 0.0)),
        SlipSystem("prismatic <11-20>", (0, 1, 0), (1.0, 0.0, 0.0), shifts=HALF),
    ),
}


@dataclass(frozen=True)
class Fault:
    """A cell with a fault.

    system : SlipSystem
    shift : t
    atoms : Atoms
        Periodic.
    area : float, Å^2
        Of the fault.
    """

    system: SlipSystem
    shift: float
    atoms: Atoms
    area: float


def slip_systems(crystal: Crystal) -> tuple[SlipSystem, ...]:
    """Those in the table; none for another crystal."""
    return SYSTEMS.get(structure_of(crystal), ())


def structure_of(crystal: Crystal) -> str:
    """fcc, bcc, sc, diamond (zincblende too), rocksalt, b2, hcp, or an empty text for another crystal."""
    if _is_hcp(crystal):
        return "hcp"
    vectors = _lattice_vectors(crystal)
    if len(crystal.point_group()) not in CUBIC_GROUPS:
        return ""
    lengths = np.linalg.norm(vectors, axis=1)
    lattice = {12: "fcc", 8: "bcc", 6: "sc"}.get(int(np.sum(lengths < lengths.min() * (1 + SAME))), "")
    if len(crystal.basis) == 1:
        return lattice
    if len(crystal.basis) == 2:
        apart = np.linalg.norm(
            np.vstack([vectors, np.zeros(3)]) + crystal.basis[1] - crystal.basis[0], axis=1
        )
        nearest = int(np.sum(apart < apart.min() * (1 + SAME)))  # of the other sublattice
        return {("fcc", 4): "diamond", ("fcc", 6): "rocksalt", ("sc", 8): "b2"}.get((lattice, nearest), "")
    return ""


def faults(crystal: Crystal, systems: Sequence[SlipSystem], *, between: bool = False) -> list[Fault]:
    """Cells along all paths, those that a fit sees or those between."""
    return [
        fault(crystal, system, t)
        for system in systems
        for t in (system.between if between else system.shifts)
    ]


def fault(crystal: Crystal, system: SlipSystem, shift: float) -> Fault:
    """The crystal above one plane in every cell moved by a part of the path.

    Of the two senses of the path, the one that keeps atoms farther apart: only that leads to a stable fault.
    """
    path = crystal.lattice_constant * crystal.direction(np.array(system.path))
    cell, basis = _stacked(crystal, system)
    nearest = [_nearest(cell, basis, crystal, sign * path) for sign in (1.0, -1.0)]
    path = path if nearest[0] >= nearest[1] * (1 - SAME) else -path
    return _cell(cell, basis, crystal, system, shift, path)


def _cell(
    cell: np.ndarray,
    basis: np.ndarray,
    crystal: Crystal,
    system: SlipSystem,
    shift: float,
    path: np.ndarray,
) -> Fault:
    layers = _layers(cell)
    positions = np.concatenate([basis + k * cell[2] for k in range(layers)])
    numbers = np.tile(crystal.numbers, layers)
    whole = np.array([cell[0], cell[1], layers * cell[2] + shift * path])
    area = float(np.linalg.norm(np.cross(cell[0], cell[1])))
    atoms = Atoms(numbers, positions, cell=_upright(whole), pbc=True)
    return Fault(system, shift, atoms, area)


def _upright(cell: np.ndarray) -> np.ndarray:
    """The same lattice with the third vector as near to the normal as lattice vectors of the plane make it."""
    flat = cell[:2]
    rounded = np.rint(np.linalg.lstsq(flat.T, cell[2], rcond=None)[0])
    return np.array([cell[0], cell[1], cell[2] - rounded @ flat])


def _layers(cell: np.ndarray) -> int:
    """Number of lattice planes in a cell of the least height."""
    normal = np.cross(cell[0], cell[1])
    return int(np.ceil(HEIGHT / abs(cell[2] @ normal / np.linalg.norm(normal)) - SAME))


def _nearest(cell: np.ndarray, basis: np.ndarray, crystal: Crystal, path: np.ndarray) -> float:
    """The shortest distance on the way, Å."""
    system = SlipSystem("", (0, 0, 1), (0.0, 0.0, 0.0))
    halfway, end = (_cell(cell, basis, crystal, system, t, path).atoms for t in (0.5, 1.0))
    return min(
        Crystal(each.cell.array, each.positions, each.numbers).nearest_neighbour_distance
        for each in (halfway, end)
    )


def _stacked(crystal: Crystal, system: SlipSystem) -> tuple[np.ndarray, np.ndarray]:
    """A primitive cell (3, 3) with two vectors in the plane, and its atoms (nb, 3) between two cuts, Å."""
    vectors = _lattice_vectors(crystal)
    vectors = vectors[np.argsort(np.linalg.norm(vectors, axis=1), kind="stable")]
    normal = crystal.plane_normal(np.array(system.plane))
    normal = normal / np.linalg.norm(normal)
    height = vectors @ normal
    flat = vectors[np.abs(height) < SAME * np.abs(height).max()]
    first, second = min(
        ((a, b) for a, b in combinations(flat[:12], 2) if np.linalg.norm(np.cross(a, b)) > SAME),
        key=lambda pair: (round(float(np.linalg.norm(np.cross(*pair))), 6), -abs(_angle(*pair))),
    )
    if np.cross(first, second) @ normal < 0:
        first, second = second, first
    above = vectors[height > SAME * np.abs(height).max()]
    spacing = float((above @ normal).min())
    third = above[np.abs(above @ normal - spacing) < SAME * spacing][0]
    cell = np.array([first, second, third])
    level = (crystal.basis @ normal) % spacing
    level[level > spacing * (1 - SAME)] = 0.0
    gaps = np.diff(np.append(np.sort(level), level.min() + spacing))
    chosen = int(gaps.argmax() if system.cut == "wide" else gaps.argmin())
    cut = np.sort(level)[chosen] + gaps[chosen] / 2
    steps = np.ceil((cut - crystal.basis @ normal) / spacing)  # every atom into (cut, cut + spacing)
    return cell, crystal.basis + steps[:, None] * third


def _angle(a: np.ndarray, b: np.ndarray) -> float:
    """sin of the angle between two vectors."""
    return float(np.linalg.norm(np.cross(a, b)) / np.linalg.norm(a) / np.linalg.norm(b))


def _is_hcp(crystal: Crystal) -> bool:
    """Two atoms of one species at a hexagonal lattice point, one a third of the way along a1 + 2 a2 and half of c."""
    if len(crystal.basis) != 2 or len(crystal.species) != 1 or crystal.conventional is None:
        return False
    if (
        not np.array_equal(crystal.conventional, np.eye(3, dtype=int))
        or len(crystal.point_group()) != HEXAGONAL_GROUP
    ):
        return False
    apart = (crystal.basis[1] - crystal.basis[0]) @ np.linalg.inv(crystal.cell)
    return any(np.abs(apart - at - np.rint(apart - at)).max() < SAME for at in HCP_ATOM)


def _lattice_vectors(crystal: Crystal) -> np.ndarray:
    """(v, 3) lattice vectors around the origin, which is left out, Å."""
    integers = np.array(np.meshgrid(*[np.arange(-4, 5)] * 3, indexing="ij")).reshape(3, -1).T
    return integers[np.any(integers, axis=1)] @ crystal.cell
