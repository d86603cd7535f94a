"""What every model refuses before it computes: positions, cells and overlaps that make no sense."""

import numpy as np

from qmfront.models.bonds import Bonds


def checked_structure(
    positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions (n, 3) and cell (3, 3) in Å and pbc (3,) as arrays of float, float and bool.

    Raises ValueError without atoms, for positions that are not finite, and for periodic cell vectors that depend on
    each other.
    """
    positions, cell = np.asarray(positions, float), np.asarray(cell, float)
    pbc = np.asarray(pbc, bool)
    if len(positions) == 0:
        raise ValueError("There are no atoms. Give at least one.")
    bad = np.flatnonzero(~np.isfinite(positions).all(axis=1))
    if len(bad):
        raise ValueError(
            f"{len(bad)} of {len(positions)} atoms have positions that are not finite (first: atom {bad[0]}, "
            f"{positions[bad[0]]}). The step before this call diverged or read bad data; look there."
        )
    periodic = cell[pbc]
    if not np.isfinite(periodic).all() or np.linalg.matrix_rank(periodic) < len(periodic):
        raise ValueError(
            f"The cell vectors of the periodic directions (pbc = {pbc.tolist()}) are not independent: "
            f"{periodic.tolist()} Å. Set the cell, or pbc=False."
        )
    return positions, cell, pbc


def refuse_overlap(bonds: Bonds, minimum_distance: float, *, advice: str) -> None:
    """Raises ValueError if two atoms are closer than minimum_distance, Å; advice ends its message."""
    if len(bonds) == 0:
        return
    worst = int(np.argmin(bonds.distance))
    if bonds.distance[worst] < minimum_distance:
        raise ValueError(
            f"Atoms {bonds.first[worst]} and {bonds.second[worst]} are {bonds.distance[worst]:.4f} Å apart (minimum "
            f"{minimum_distance} Å; {np.sum(bonds.distance < minimum_distance)} such pairs). Remove the overlap, "
            f"{advice}."
        )
