"""How a crystal lies in a file: its axes and its strain, and whether there are several, from neighbours alone.

The neighbours of an atom are those of the perfect crystal under a rotation R and a scale s. Two of them give R; of all
pairs that might be two given ones, the pair is taken under which all neighbours fit best. Rotations of different atoms
are compared up to the symmetry of the crystal.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ase import Atoms

from qmfront.crystal.lattice import Crystal, coprime_integers
from qmfront.crystal.neighbours import Pairs, pairs_within

SHELLS_R0 = (1.35, 1.8)
"""r0; neighbours of the perfect crystal within the first distance are looked for, within the second if they are few."""
FEW = 8
LARGEST_SCALE = 1.25
"""Of a crystal in a file, or its inverse."""
KEPT = 0.8
"""Of the neighbours, those that fit best: beside a vacancy one is missing."""
FITS_R0 = 0.1
"""r0; root mean square distance of these from where the crystal has them, up to which the crystal is there."""
ALIKE = np.deg2rad(5.0)
"""Rotations that differ by less from that of a grain are of it."""
MEANS = 2
"""Times that the mean rotation of a grain is taken."""
SAMPLE = 80
"""Atoms whose neighbours are looked at."""
TRIALS = 2_000
"""Atoms times sublattices that they might be of, which are looked at."""
SECOND = 0.15
"""Share of the atoms of a grain that is no accident."""
LARGEST_INDEX = 12
"""Of directions of the crystal that the axes of a file are taken for."""
ALONG = np.deg2rad(0.3)
"""Largest angle between the two."""


@dataclass(frozen=True)
class Grain:
    """Atoms around which one crystal lies in one way.

    gradient : (3, 3) float
        Least-squares F of separations over vectors of the crystal in its own axes, d = F rho.
    share : float
        Of the atoms that were looked at and have the neighbours of the crystal.
    """

    gradient: np.ndarray
    share: float

    @property
    def frame(self) -> np.ndarray:
        """The rotation (3, 3) of F = R U; its rows are x, y, z of the file in axes of the crystal."""
        left, _, right = np.linalg.svd(self.gradient)
        return left @ right

    @property
    def scale(self) -> float:
        """Lattice constant in the file over that of the crystal."""
        return float(np.cbrt(np.linalg.det(self.gradient)))


def grains_of(atoms: Atoms, crystal: Crystal) -> list[Grain]:
    """The orientations of a crystal that a file has, the largest share first; empty if the crystal is nowhere.

    Parameters
    ----------
    atoms : Atoms
    crystal : Crystal
        In its own axes; its lattice constant may be off by LARGEST_SCALE.
    """
    left = _local_fits(atoms, crystal)
    whole = sum(len(fit.vectors) for fit in left)
    proper = [R for R in crystal.point_group() if np.linalg.det(R) > 0]
    grains = []
    while left:
        mean = min(left, key=lambda fit: fit.misfit).frame
        for _ in range(MEANS):
            alike = [_alike(fit.frame, mean, proper) for fit in left]
            is_member = [_angle(fit.frame @ R, mean) < ALIKE for fit, R in zip(left, alike, strict=True)]
            members = [(fit, R) for fit, R, is_in in zip(left, alike, is_member, strict=True) if is_in]
            one, _, other = np.linalg.svd(np.mean([fit.frame @ R for fit, R in members], axis=0))
            mean = one @ other
        ideal = np.concatenate([fit.ideal @ R for fit, R in members])
        now = np.concatenate([fit.vectors for fit, _ in members])
        gradient = np.linalg.lstsq(ideal, now, rcond=None)[0].T
        near = max(proper, key=lambda R: float(np.round(np.trace(gradient @ R), 6)))
        grains.append(Grain(gradient @ near, len(now) / whole))
        left = [fit for fit, is_in in zip(left, is_member, strict=True) if not is_in]
    return sorted(grains, key=lambda grain: -grain.share)


def only_grain(atoms: Atoms, crystal: Crystal, path: Path) -> Grain:
    """How the crystal lies in a file.

    Raises
    ------
    ValueError
        If it is nowhere in it, or lies in several ways.
    """
    grains = large_grains(atoms, crystal, path)
    if len(grains) > 1:
        raise ValueError(
            f"{path} has {described(grains, crystal)}: it has no single reference lattice. Several grains are "
            "understood in cells that repeat in all directions, of crystals with one atom per lattice point."
        )
    return grains[0]


def large_grains(atoms: Atoms, crystal: Crystal, path: Path) -> list[Grain]:
    """The grains with no small share of the atoms, at least one.

    Raises
    ------
    ValueError
        If the crystal is nowhere in the file.
    """
    grains = grains_of(atoms, crystal)
    if not grains:
        raise ValueError(
            f"The crystal ({' '.join(crystal.species)}, nearest neighbours {crystal.nearest_neighbour_distance:.2f} Å "
            f"apart) is nowhere in {path}: no atom has its neighbours, whichever way it is turned. Correct "
            "materials.*.crystal, or give the lattice constant of the file in defect.lattice_constant."
        )
    return [grain for grain in grains if grain is grains[0] or grain.share > SECOND]


def nearest_frame(grain: Grain, crystal: Crystal, frame: np.ndarray) -> tuple[Grain, float]:
    """The grain in the symmetric way of writing it that is nearest to a frame (3, 3), and the angle to it, radian."""
    proper = [R for R in crystal.point_group() if np.linalg.det(R) > 0]
    found = replace(grain, gradient=grain.gradient @ _alike(grain.frame, frame, proper))
    return found, _angle(found.frame, frame)


def described(grains: list[Grain], crystal: Crystal) -> str:
    """Several grains in words."""
    proper = [R for R in crystal.point_group() if np.linalg.det(R) > 0]
    one, other = grains[0].frame, grains[1].frame
    turn = one.T @ other @ _alike(one.T @ other, np.eye(3), proper)
    shares = " and ".join(f"{grain.share:.0%}" for grain in grains)
    angle = np.rad2deg(_angle(turn, np.eye(3)))
    return f"{len(grains)} grains, with {shares} of its atoms, turned by {angle:.1f}° against each other"


def exact_frame(grain: Grain, crystal: Crystal) -> np.ndarray:
    """The frame (3, 3) of a grain, its rows along directions of the crystal with small indices where they are nearly.

    The third row, along which the file is periodic, is along a lattice vector in any case.

    Raises
    ------
    ValueError
        If the third row is along none.
    """
    directions = [_indices(row, crystal) for row in grain.frame]
    found = [None if n is None else crystal.direction(n) for n in directions]
    line = found[2]
    if line is None:
        raise ValueError(
            "The line of the file, the axis along which it is periodic, is no direction of the crystal with small "
            f"indices, but {np.round(grain.frame[2], 3).tolist()} in axes of the crystal. Turn the structure."
        )
    e3 = line / np.linalg.norm(line)
    first = grain.frame[0] if found[0] is None or abs(found[0] @ e3) > 1e-9 else found[0]
    e1 = first - (first @ e3) * e3
    e1 /= np.linalg.norm(e1)
    return np.array([e1, np.cross(e3, e1), e3])


def line_period(crystal: Crystal, direction: np.ndarray) -> tuple[float, list[int]]:
    """Length (Å) of the shortest lattice vector along a direction (3,) of the crystal, and its indices."""
    steps = coprime_integers(direction @ np.linalg.inv(crystal.cell), "the line of the file")
    vector = steps @ crystal.cell
    indices = coprime_integers(vector @ np.linalg.inv(crystal.axes), "the line of the file")
    return float(np.linalg.norm(vector)), [int(n) for n in indices]


def _indices(row: np.ndarray, crystal: Crystal) -> np.ndarray | None:
    """The smallest integers (3,) of a direction of the crystal along a unit vector (3,), to ALONG; None without any."""
    wanted = row @ np.linalg.inv(crystal.axes / crystal.lattice_constant)
    for factor in range(1, LARGEST_INDEX + 1):
        integers = np.rint(factor * wanted / np.abs(wanted).max())
        along = crystal.direction(integers)
        if np.linalg.norm(np.cross(along, row)) < ALONG * np.linalg.norm(along):
            return integers
    return None


@dataclass(frozen=True)
class _Fit:
    """The neighbours of the crystal at an atom.

    frame : (3, 3) float
    misfit : float, r0
    ideal, vectors : (k, 3) float, Å
        Vectors of the crystal, and where they are in the file.
    """

    frame: np.ndarray
    misfit: float
    ideal: np.ndarray
    vectors: np.ndarray


def _local_fits(atoms: Atoms, crystal: Crystal) -> list[_Fit]:
    """Of some atoms, those that have the neighbours of the crystal."""
    r0 = crystal.nearest_neighbour_distance
    shells, reach = _shells(crystal)
    around = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, LARGEST_SCALE * reach)
    start = np.searchsorted(around.first, np.arange(len(atoms) + 1))
    rows = {number: np.flatnonzero(crystal.numbers == number) for number in np.unique(crystal.numbers)}
    known = np.flatnonzero(np.isin(atoms.numbers, crystal.numbers))
    count = min(SAMPLE, len(known), max(TRIALS // max(map(len, rows.values())), 12))
    fits: list[_Fit] = []
    for atom in known[np.linspace(0, len(known) - 1, count).astype(int)] if count else ():
        own = slice(start[atom], start[atom + 1])
        there = around.vector[own], atoms.numbers[around.second[own]]
        best: _Fit | None = None
        for row in rows[atoms.numbers[atom]]:
            shell = shells.first == row
            fit = _fit(shells.vector[shell], crystal.numbers[shells.second[shell]], there, r0)
            if fit is not None and (best is None or fit.misfit < best.misfit):
                best = fit
        if best is not None and best.misfit < FITS_R0:
            fits.append(best)
    return fits


def _shells(crystal: Crystal) -> tuple[Pairs, float]:
    """Neighbours of the atoms of the cell, and how far they are, Å."""
    r0, periodic = crystal.nearest_neighbour_distance, np.ones(3, bool)
    for reach in SHELLS_R0:
        found = pairs_within(crystal.basis, crystal.cell, periodic, reach * r0)
        if np.bincount(found.first, minlength=len(crystal.basis)).min() >= FEW:
            break
    return found, reach * r0


def _fit(
    ideal: np.ndarray, species: np.ndarray, there: tuple[np.ndarray, np.ndarray], r0: float
) -> _Fit | None:
    """Of one atom on one sublattice."""
    vectors, numbers = there
    order = np.argsort(np.linalg.norm(vectors, axis=1), kind="stable")[: len(ideal)]
    vectors, numbers = vectors[order], numbers[order]
    if len(vectors) < KEPT * len(ideal) or len(ideal) < 3:
        return None
    ordered = np.sort(np.linalg.norm(ideal, axis=1))[: len(vectors)]
    scale = float(np.median(np.linalg.norm(vectors, axis=1) / ordered))
    if not 1 / LARGEST_SCALE < scale < LARGEST_SCALE:
        return None
    frames = _candidates(ideal, species, (vectors / scale, numbers), r0)
    if len(frames) == 0:
        return None
    turned = np.einsum("cij,kj->cki", frames, ideal)
    apart = np.linalg.norm(turned[:, :, None] - vectors / scale, axis=3)
    apart[:, species[:, None] != numbers] = np.inf
    nearest = np.sort(apart.min(axis=2), axis=1)[:, : int(np.ceil(KEPT * len(ideal)))]
    misfit = np.sqrt(np.mean(nearest**2, axis=1)) / r0
    best = int(np.argmin(misfit))
    chosen = apart[best].argmin(axis=1)
    near = apart[best].min(axis=1) < 3 * FITS_R0 * r0
    if not np.isfinite(misfit[best]) or near.sum() < 3:
        return None
    return _Fit(frames[best], float(misfit[best]), ideal[near], vectors[chosen[near]])


def _candidates(
    ideal: np.ndarray, species: np.ndarray, there: tuple[np.ndarray, np.ndarray], r0: float
) -> np.ndarray:
    """Rotations (c, 3, 3) that take two vectors of the crystal into two of the file."""
    vectors, numbers = there
    length, long = np.linalg.norm(ideal, axis=1), np.linalg.norm(vectors, axis=1)
    one = int(np.argmin(length))
    cosine = np.abs(ideal @ ideal[one]) / (length * length[one])
    other = int(np.argmin(cosine + 0.2 * length / r0))
    first, second = (
        np.flatnonzero((np.abs(long - length[v]) < 0.25 * r0) & (numbers == species[v])) for v in (one, other)
    )
    pairs = np.array([(a, b) for a in first for b in second if a != b], int).reshape(-1, 2)
    angle = _angles(vectors[pairs[:, 0]], vectors[pairs[:, 1]])
    pairs = pairs[np.abs(angle - _angles(ideal[None, one], ideal[None, other])) < np.deg2rad(20)]
    triad = _triads(ideal[None, one], ideal[None, other])[0]
    return _triads(vectors[pairs[:, 0]], vectors[pairs[:, 1]]).transpose(0, 2, 1) @ triad


def _angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    cosine = np.einsum("pi,pi->p", a, b) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    return np.arccos(np.clip(cosine, -1, 1))


def _triads(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Orthonormal rows (p, 3, 3) made of two vectors, the plane of the first two theirs and their bisector kept."""
    a, b = (v / np.linalg.norm(v, axis=1)[:, None] for v in (a, b))
    middle, across = a + b, a - b
    middle = middle / np.linalg.norm(middle, axis=1)[:, None]
    across = across / np.linalg.norm(across, axis=1)[:, None]
    return np.stack([middle, across, np.cross(middle, across)], axis=1)


def _alike(frame: np.ndarray, other: np.ndarray, proper: list[np.ndarray]) -> np.ndarray:
    """The symmetry R that brings frame @ R nearest to another frame."""
    return max(proper, key=lambda R: float(np.trace(other.T @ frame @ R)))


def _angle(one: np.ndarray, other: np.ndarray) -> float:
    """Of the rotation between two frames, radian."""
    return float(np.arccos(np.clip((np.trace(other.T @ one) - 1) / 2, -1, 1)))
