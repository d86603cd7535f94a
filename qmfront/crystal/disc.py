"""Sites around a straight defect: the frame of the line, its period, and a disc with a clamped rim.

The sites are those of the perfect crystal, in the frame of the case (CONVENTIONS): e3 is the line, e2 the
normal of the cut plane, e1 = e2 x e3. One lattice period along e3 represents the projected lattice of (B.1); several
make room for what does not repeat with the lattice, such as a solute.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from qmfront.crystal.lattice import Crystal, coprime_integers
from qmfront.crystal.termination import Termination, lattice_plane_spacing


@dataclass(frozen=True, eq=False)
class LineCell:
    """A crystal seen along a line.

    frame : (3, 3) float
        Rows e1, e2, e3 in crystal axes, a proper rotation.
    period : float, Å
        Shortest lattice period along e3.
    crystal : Crystal
        The crystal in the axes of the frame; stencils and labels refer to it.
    """

    frame: np.ndarray
    period: float
    crystal: Crystal


@dataclass(frozen=True, eq=False)
class Sites:
    """Reference sites of a case, one per atom.

    positions : (n, 3) float, Å
    free : (n,) bool
        False for the clamped rim.
    basis_index : (n,) int
        Row of Crystal.basis that each site is an image of.
    numbers : (n,) int
        Atomic numbers.
    cell : (3, 3) float, Å
    pbc : (3,) bool
    """

    positions: np.ndarray
    free: np.ndarray
    basis_index: np.ndarray
    numbers: np.ndarray
    cell: np.ndarray
    pbc: np.ndarray

    def __len__(self) -> int:
        return len(self.positions)

    def to_atoms(self, displacement: np.ndarray | float = 0.0) -> Atoms:
        """ASE atoms at positions + displacement (n, 3), Å."""
        return Atoms(
            numbers=self.numbers, positions=self.positions + displacement, cell=self.cell, pbc=self.pbc
        )


def straight_line_cell(
    crystal: Crystal, line: Sequence[int] | np.ndarray, plane_normal: Sequence[int] | np.ndarray
) -> LineCell:
    """The frame and the period of a straight line in a crystal.

    Parameters
    ----------
    crystal : Crystal
    line, plane_normal : (3,) int
        Direction of the line and Miller indices of the cut plane, both of the conventional cell; e1 = e2 x e3.

    Raises
    ------
    ValueError
        If the two are not perpendicular, or no lattice vector lies along the line.
    """
    line, plane_normal = np.asarray(line, float), np.asarray(plane_normal, float)
    if not np.linalg.norm(line) * np.linalg.norm(plane_normal) > 0:
        raise ValueError(f"line {line} and plane_normal {plane_normal} must not vanish.")
    along, normal = crystal.direction(line), crystal.plane_normal(plane_normal)
    e3, e2 = along / np.linalg.norm(along), normal / np.linalg.norm(normal)
    if abs(e2 @ e3) > 1e-9:
        raise ValueError(
            f"line {line} does not lie in the plane of normal {plane_normal} (cosine {e2 @ e3:.3g}); "
            "choose a normal perpendicular to the line."
        )
    frame = np.array([np.cross(e2, e3), e2, e3])
    steps = coprime_integers(e3 @ np.linalg.inv(crystal.cell), f"line {line}")
    period = float(np.linalg.norm(steps @ crystal.cell))
    return LineCell(frame=frame, period=period, crystal=crystal.rotated(frame))


def disc(
    line_cell: LineCell,
    radius: float,
    *,
    clamp_width: float,
    origin: np.ndarray | None = None,
    periods: int = 1,
) -> Sites:
    """All sites within radius of the line x1 = x2 = 0 (free) and within radius + clamp_width (clamped).

    Parameters
    ----------
    line_cell : LineCell
    radius, clamp_width : float, Å
        Distances in the (x1, x2) plane; sites closer than radius are free.
    origin : (2,) float, Å, optional
        In-plane position of the defect in the crystal whose basis atom 0 is at its own position;
        default_origin(line_cell) if left out.
    periods : height along e3 in periods of the lattice

    Raises
    ------
    ValueError
        If the radius is not positive, clamp_width negative, or the cut {x2 = 0, x1 > 0} meets a site.
    """
    if radius <= 0 or clamp_width < 0:
        raise ValueError(f"radius {radius} Å must be positive and clamp_width {clamp_width} Å not negative.")
    crystal, reach = line_cell.crystal, radius + clamp_width
    origin = default_origin(line_cell) if origin is None else np.asarray(origin, float)
    inplane = projected_lattice(line_cell)
    start = crystal.basis - np.append(origin, 0.0)
    rows = np.linalg.inv(inplane[:, :2])
    span = reach + np.linalg.norm(start[:, :2], axis=1).max()
    count = np.ceil(span * np.linalg.norm(rows, axis=0)).astype(int) + 1
    n, m = np.meshgrid(*(np.arange(-c, c + 1) for c in count), indexing="ij")
    lattice = np.column_stack([n.ravel(), m.ravel()]) @ inplane
    positions = (lattice[:, None] + start).reshape(-1, 3)
    basis_index = np.tile(np.arange(len(start)), len(lattice))
    positions[:, 2] = _wrapped(positions[:, 2], line_cell.period)
    heights = line_cell.period * np.arange(periods)[:, None, None] * np.array([0.0, 0.0, 1.0])
    positions, basis_index = (positions + heights).reshape(-1, 3), np.tile(basis_index, periods)
    distance = np.linalg.norm(positions[:, :2], axis=1)
    keep = np.flatnonzero(distance < reach)
    keep = keep[np.lexsort(np.round(positions[keep].T, 6))]
    _refuse_sites_on_cut(positions[keep], crystal.nearest_neighbour_distance)
    return Sites(
        positions=positions[keep],
        free=distance[keep] < radius,
        basis_index=basis_index[keep],
        numbers=crystal.numbers[basis_index[keep]],
        cell=np.diag([2 * reach, 2 * reach, periods * line_cell.period]),
        pbc=np.array([False, False, True]),
    )


def projected_lattice(line_cell: LineCell) -> np.ndarray:
    """Two lattice vectors (2, 3), Å, that generate the lattice together with the period along e3.

    Their first two components generate the projected lattice of (B.1).
    """
    cell = line_cell.crystal.cell
    steps = np.rint(np.array([0.0, 0.0, line_cell.period]) @ np.linalg.inv(cell)).astype(int)
    first, second = _completed(steps)[1:] @ cell
    while True:  # Lagrange reduction, so that a disc needs few candidates
        if np.linalg.norm(first[:2]) > np.linalg.norm(second[:2]):
            first, second = second, first
        shift = np.rint(first[:2] @ second[:2] / (first[:2] @ first[:2]))
        if shift == 0:
            return np.array([first, second])
        second = second - shift * first


def plane_spacing(line_cell: LineCell) -> float:
    """Distance between neighbouring lattice planes normal to e2, Å.

    Raises
    ------
    ValueError
        If the plane is not a lattice plane.
    """
    return lattice_plane_spacing(line_cell.crystal, np.array([0.0, 1.0, 0.0]))


def row_distance(line_cell: LineCell) -> float:
    """Distance along e1 of equal rows in a plane normal to e2, Å: area per row over the spacing of the planes."""
    area = abs(np.linalg.det(projected_lattice(line_cell)[:, :2]))
    return float(area / plane_spacing(line_cell))


def default_origin(line_cell: LineCell, cut: Termination | None = None) -> np.ndarray:
    """In-plane position (2,), Å, of a defect whose cut {x2 = 0} meets no site.

    # ASSUME (B.3) leaves the core position open. x2 is the middle of the widest gap between atomic planes
    normal to e2, or of the gap of a termination; x1 the middle between two rows of the planes on either side, the one
    farthest from any site.
    """
    spacing, basis = plane_spacing(line_cell), line_cell.crystal.basis[:, 1]
    if cut is None:
        planes = np.sort(np.mod(basis + 1e-9, spacing) - 1e-9)
        gaps = np.diff(np.append(planes, planes[0] + spacing))
        widest = np.flatnonzero(gaps > gaps.max() - 1e-6)[0]
        half, height = 0.5 * gaps[widest], planes[widest] + 0.5 * gaps[widest]
    else:
        half, height = 0.5 * cut.width * spacing, basis[0] + cut.middle * spacing
    points = _projected_sites(line_cell, height)
    near = points[np.abs(points[:, 1] - height) < half + 1e-6, 0]
    row_period = line_cell.crystal.volume / line_cell.period / spacing
    rows = np.unique(np.round(np.mod(near + 1e-7, row_period) - 1e-7, 6))
    middles = rows + 0.5 * np.diff(np.append(rows, rows[0] + row_period))
    clear = np.array([np.linalg.norm(points - [x1, height], axis=1).min() for x1 in middles])
    return np.array([middles[np.flatnonzero(clear > clear.max() - 1e-5)[0]], height])


def _projected_sites(line_cell: LineCell, height: float) -> np.ndarray:
    """In-plane coordinates (k, 2) of the sites around (0, height), several rows each way."""
    inplane, basis = projected_lattice(line_cell)[:, :2], line_cell.crystal.basis[:, :2]
    reach = 3 * np.linalg.norm(inplane, axis=1).max() + np.linalg.norm(basis, axis=1).max()
    count = np.ceil((reach + abs(height)) * np.linalg.norm(np.linalg.inv(inplane), axis=0)).astype(int)
    n, m = np.meshgrid(*(np.arange(-c, c + 1) for c in count), indexing="ij")
    return (np.column_stack([n.ravel(), m.ravel()]) @ inplane + basis[:, None]).reshape(-1, 2)


def _refuse_sites_on_cut(positions: np.ndarray, r0: float) -> None:
    on_cut = (np.abs(positions[:, 1]) < 1e-6 * r0) & (positions[:, 0] > -1e-6 * r0)
    if on_cut.any():
        raise ValueError(
            f"{on_cut.sum()} sites lie on the cut x2 = 0, x1 > 0, the first at "
            f"x1 = {positions[on_cut][0, 0]:.3f} Å. "
            "Move the origin between two atomic planes (leave it out for the default)."
        )


def _wrapped(x3: np.ndarray, period: float) -> np.ndarray:
    """x3 moved into [0, period), values within rounding of the period to zero."""
    return np.maximum(np.mod(x3 + 1e-9 * period, period) - 1e-9 * period, 0.0)


def _completed(first: np.ndarray) -> np.ndarray:
    """A unimodular integer matrix (3, 3) whose first row is the coprime vector first."""
    row, columns = [int(x) for x in first], np.eye(3, dtype=int)
    while sum(x != 0 for x in row) > 1:  # Euclid by column operations: first @ columns = row
        small = min((abs(x), i) for i, x in enumerate(row) if x)[1]
        for i in range(3):
            if i != small:
                factor = row[i] // row[small]
                row[i] -= factor * row[small]
                columns[:, i] -= factor * columns[:, small]
    pivot = next(i for i, x in enumerate(row) if x)
    order = [pivot] + [i for i in range(3) if i != pivot]
    columns = columns[:, order]
    columns[:, 0] *= row[pivot]
    return np.rint(np.linalg.inv(columns)).astype(int)
