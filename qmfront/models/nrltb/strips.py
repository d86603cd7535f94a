"""Cutting atoms into strips across a free direction, so that only neighbouring strips share matrix elements."""

from dataclasses import dataclass

import numpy as np

from qmfront.models.nrltb.parameters import ORBITALS

MIN_STRIPS = 3  # with fewer, dense matrices are as small


class NoStripsError(ValueError):
    """The atoms have no direction in which they can be cut into enough strips."""


@dataclass(frozen=True)
class Strips:
    """s strips of n atoms.

    order : (n,) int
        Atoms strip after strip, within each along it.
    starts : (s + 1,) int
        Where in `order` each strip begins; the last is n.
    """

    order: np.ndarray
    starts: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """(s,) int, orbitals of each strip."""
        return ORBITALS * np.diff(self.starts)


def cut_strips(positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, reach: float) -> Strips:
    """Strips at least `reach` (Å) wide, across the principal axis of the atoms for which they hold fewest each.

    Parameters
    ----------
    positions : (n, 3) float, Å
    cell : (3, 3) float, Å
        Rows are the cell vectors; only rows of periodic directions matter.
    pbc : (3,) bool

    Raises
    ------
    NoStripsError
        If every direction is periodic, or the atoms reach less than three strips far.
    """
    pbc = np.asarray(pbc, bool)
    if pbc.all():
        raise NoStripsError(
            "All three directions are periodic, so there is none to cut strips across. Use solver='dense'."
        )
    along = (positions - positions.mean(axis=0)) @ _free_axes(positions, cell[pbc]).T
    cuts = [_cut(along[:, axis], np.delete(along, axis, axis=1), reach) for axis in range(along.shape[1])]
    usable = [strips for strips in cuts if len(strips.sizes) >= MIN_STRIPS]
    if not usable:
        extent = np.ptp(along, axis=0).max()
        raise NoStripsError(
            f"The atoms extend {extent:.1f} Å at most in their free directions, which is "
            f"{max(len(strips.sizes) for strips in cuts)} strips of {reach:.2f} Å; {MIN_STRIPS} are needed. "
            "Use solver='dense'."
        )
    return min(usable, key=lambda strips: np.sum(strips.sizes.astype(float) ** 3))


def _free_axes(positions: np.ndarray, periodic: np.ndarray) -> np.ndarray:
    """(d, 3) principal axes of the positions among the directions normal to the periodic vectors, longest first."""
    normal = np.eye(3) if len(periodic) == 0 else np.linalg.svd(periodic)[2][len(periodic) :]
    _, axes = np.linalg.eigh(np.cov(normal @ positions.T, bias=True).reshape(len(normal), len(normal)))
    return axes.T[::-1] @ normal


def _cut(x: np.ndarray, across: np.ndarray, reach: float) -> Strips:
    """Strips of equal width in x (n,), each sorted by the first column of `across` (n, d)."""
    extent = np.ptp(x)
    count = max(int(extent / reach), 1)
    strip = np.minimum((count * (x - x.min()) / max(extent, reach)).astype(int), count - 1)
    order = np.lexsort((across[:, 0] if across.size else x, strip))
    # A strip without atoms is left out: what lies on both sides of it is too far apart to meet.
    starts = np.unique(np.searchsorted(strip[order], np.arange(count)))
    return Strips(order, np.append(starts, len(x)))
