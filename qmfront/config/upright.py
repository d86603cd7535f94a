"""Right-angled cells of a lattice: what boxes are made of."""

from collections.abc import Iterator, Sequence
from itertools import permutations

import numpy as np

REACH = 3
RIGHT = 1e-5
"""Largest cosine of an angle that is taken for right."""
SAME = 1e-6
"""Relative; volumes that differ by less are the same."""


Rows = np.ndarray | Sequence[Sequence[float]]


def upright(vectors: Rows, lattice_points: Rows) -> np.ndarray | None:
    """Three perpendicular lattice vectors, in the coordinates of the conventional vectors (rows of (3, 3)), or None.

    The conventional cell itself if it is right-angled. Otherwise those of the smallest volume and right-handed, as many
    as can be along conventional vectors: a hexagonal cell becomes a1, a1 + 2 a2, c.
    """
    cell = np.asarray(vectors, float)
    unit = cell / np.linalg.norm(cell, axis=1)[:, None]
    if np.abs(unit @ unit.T - np.eye(3)).max() < RIGHT:
        return np.eye(3)
    found = list(_right_triples(cell, _coordinates(lattice_points)))
    if not found:
        return None
    least = min(volume for volume, _ in found)
    smallest = [chosen for volume, chosen in found if volume < least * (1 + SAME)]
    return max((_in_order(chosen, cell) for chosen in smallest), key=lambda chosen: _likeness(chosen, cell))


def _coordinates(lattice_points: Rows) -> np.ndarray:
    """One of every two opposite lattice vectors that are not too long, in conventional coordinates."""
    steps = np.arange(-REACH, REACH + 1)
    grid = np.array(np.meshgrid(steps, steps, steps, indexing="ij")).reshape(3, -1).T
    points = np.asarray(lattice_points, float)
    coordinates = ((points - points[0])[:, None] + grid).reshape(-1, 3)
    return coordinates[coordinates @ [1e6, 1e3, 1.0] > 1e-3]


def _right_triples(cell: np.ndarray, coordinates: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
    """Volumes, Å^3, and coordinates (3, 3) of perpendicular vectors; those that cannot be the smallest are left out."""
    coordinates = coordinates[np.argsort(np.linalg.norm(coordinates @ cell, axis=1), kind="stable")]
    lattice = coordinates @ cell
    length = np.linalg.norm(lattice, axis=1)
    right = np.abs(lattice @ lattice.T) < RIGHT * length[:, None] * length
    least = np.inf
    for one in range(len(length)):
        if length[one] ** 3 > least * (1 + SAME):  # it is the shortest of its three
            return
        others = np.flatnonzero(right[one])
        others = others[others > one]
        pairs = others[np.argwhere(np.triu(right[np.ix_(others, others)]))]
        volume = length[one] * length[pairs].prod(axis=1)
        least = min(least, float(volume.min(initial=np.inf)))
        for pair in np.flatnonzero(volume < least * (1 + SAME)):
            yield float(volume[pair]), coordinates[[one, *pairs[pair]]]


def _in_order(chosen: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Each vector beside the conventional one that it is nearest to, right-handed."""
    best = max(permutations(range(3)), key=lambda order: _likeness(chosen[list(order)], cell))
    ordered = chosen[list(best)]
    ordered = ordered * np.where(np.einsum("ij,ij->i", ordered @ cell, cell) < 0, -1, 1)[:, None]
    if np.linalg.det(ordered @ cell) * np.linalg.det(cell) < 0:
        ordered[2] = -ordered[2]
    return ordered


def _likeness(chosen: np.ndarray, cell: np.ndarray) -> float:
    """How much each vector is along the conventional one; the first counts more."""
    lattice = chosen @ cell
    cosine = np.abs(np.einsum("ij,ij->i", lattice, cell))
    cosine /= np.linalg.norm(lattice, axis=1) * np.linalg.norm(cell, axis=1)
    return float(np.round(cosine, 6) @ [1.1, 1.01, 1.0])
