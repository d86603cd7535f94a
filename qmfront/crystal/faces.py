"""Crack faces: which pairs of sites a crack cuts, and which sites lie at its faces.

A crack {x2 = 0, x1 < tip} separates the sites on its two sides: they are not neighbours, whatever their distance.
"""

import numpy as np

from qmfront.crystal.neighbours import Pairs

NO_CRACK = -np.inf
"""Tip of a body without crack faces."""


def crossing(sites: np.ndarray, pairs: Pairs, tip: float) -> np.ndarray:
    """Pairs whose connecting line in the reference plane passes through the crack, (p,) bool.

    Parameters
    ----------
    sites : (n, 3) float, Å
        In the frame of the case; none on the crack.
    pairs : Pairs
        Images along x3 do not matter.
    tip : float, Å
        x1 at which the crack ends, NO_CRACK for none.
    """
    cut = np.zeros(len(pairs), bool)
    above = sites[:, 1] > 0
    apart = np.flatnonzero(above[pairs.first] != above[pairs.second])
    if not np.isfinite(tip) or len(apart) == 0:
        return cut
    a, b = sites[pairs.first[apart]], sites[pairs.second[apart]]
    share = a[:, 1] / (a[:, 1] - b[:, 1])
    cut[apart] = a[:, 0] + share * (b[:, 0] - a[:, 0]) < tip
    return cut


def uncut(sites: np.ndarray, pairs: Pairs, tip: float) -> Pairs:
    """The pairs that the crack leaves."""
    return pairs.chosen(~crossing(sites, pairs, tip))


def face_sites(sites: np.ndarray, pairs: Pairs, tip: float) -> np.ndarray:
    """Sites that lose a pair to the crack, (n,) bool."""
    lost = np.zeros(len(sites), bool)
    cut = crossing(sites, pairs, tip)
    lost[pairs.first[cut]] = True
    lost[pairs.second[cut]] = True
    return lost
