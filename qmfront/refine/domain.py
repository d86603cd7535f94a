"""Geometry that the regions live in: sites, deformed positions, clamp and periodicity."""

from dataclasses import dataclass, field

import numpy as np

from qmfront.crystal.cluster import surrounded


@dataclass(frozen=True)
class Domain:
    """What Algorithm 2 needs to know about the sites.

    coordinates : (n, d) float, Å
        Where the front moves: in-plane components of the sites for a straight defect (d = 2), else d = 3.
    positions : (n, 3) float, Å
        Deformed positions y = l + u0 + u, for the geometric buffer.
    free : (n,) bool
        False for clamped (far-field) sites.
    cell : (3, 3) float, Å
        Rows are the cell vectors; only rows of periodic directions matter.
    pbc : (3,) bool
    period : (3,) float, Å
        Edges of the right-angled cells of a periodic domain, infinite for others.
    """

    coordinates: np.ndarray
    positions: np.ndarray
    free: np.ndarray
    cell: np.ndarray
    pbc: np.ndarray
    period: np.ndarray = field(default_factory=lambda: np.full(3, np.inf))

    def __post_init__(self) -> None:
        n = len(self.coordinates)
        if np.ndim(self.coordinates) != 2 or np.shape(self.coordinates)[1] not in (2, 3):
            raise ValueError(f"Coordinates must be (n, 2) or (n, 3), got {np.shape(self.coordinates)}.")
        if np.shape(self.positions) != (n, 3) or np.shape(self.free) != (n,):
            raise ValueError(
                f"{n} coordinates, but positions {np.shape(self.positions)} and free {np.shape(self.free)}: "
                f"need ({n}, 3) and ({n},)."
            )
        if not (np.isfinite(self.coordinates).all() and np.isfinite(self.positions).all()):
            raise ValueError(
                "Coordinates or positions are NaN or infinite; the solve before must have failed."
            )

    def __len__(self) -> int:
        return len(self.coordinates)


def shell_around(domain: Domain, chosen: np.ndarray, *, width: float) -> np.ndarray:
    """Sites within width of a chosen site, periodic images included, the chosen ones among them.

    Parameters
    ----------
    chosen : (n,) bool
    width : float, Å
        Distances are between deformed positions.

    Returns
    -------
    (n,) bool
    """
    return surrounded(chosen, domain.positions, domain.cell, domain.pbc, width=width)
