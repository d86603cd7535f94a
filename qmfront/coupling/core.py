import numpy as np

from qmfront.crystal.defect import Defect
from qmfront.elasticity.deformation import deformation_gradients


def core_position(displacement: np.ndarray, defect: Defect) -> np.ndarray:
    """Centre of the strongly strained sites, weighted by |E|^4 with E the Green strain, (3,) Å.

    Sites whose neighbours are not those of the perfect crystal have no strain: the core of a point defect lies between
    those around it. Where no site is strained it is the centre of the defect.

    # ASSUME any definition that moves with the core serves; this one needs no analysis of the structure.
    """
    gradient = deformation_gradients(defect, displacement)
    strain = (gradient.transpose(0, 2, 1) @ gradient - np.eye(3)) / 2
    weight = np.einsum("nij,nij->n", strain, strain) ** 2 * defect.free
    if not weight.any():
        return defect.core
    return weight @ (defect.body.reference + displacement) / weight.sum()


def glide_position(displacement: np.ndarray, defect: Defect, burgers: np.ndarray) -> float:
    """x1 (Å) at which half of the slip across the glide plane {x2 = 0} is done, between rows by interpolation.

        delta(x1) = (u_above - u_below) . b / |b|^2,    u = u0 + u_bar of the rows beside the plane

    Half way between its values at both ends of the domain: a homogeneous shear shifts all of them alike.

    Parameters
    ----------
    displacement : (n, 3) float, Å
        Corrector; positions are l + u0 + u.
    burgers : (3,) float, Å
        In the frame of the case.
    """
    share = (defect.predictor + displacement) @ burgers / (burgers @ burgers)
    height = defect.sites[:, 1]
    rows = []
    for side in (height > 0, height < 0):
        level = np.abs(height[side]).min()
        layer = np.flatnonzero(side & (np.abs(np.abs(height) - level) < LEVEL_R0 * defect.r0))
        x1, first = np.unique(np.round(defect.sites[layer, 0], 6), return_index=True)
        rows.append((x1, share[layer][first]))
    (x1, above), below = rows
    inner = (x1 >= below[0].min()) & (x1 <= below[0].max())
    x1, slip = x1[inner], above[inner] - np.interp(x1[inner], *below)
    done = (slip - slip[0]) / (slip[-1] - slip[0])
    crossings = np.flatnonzero((done[:-1] < HALF) & (done[1:] >= HALF))
    if not len(crossings):
        raise ValueError("The slip across the glide plane never reaches half of the Burgers vector.")
    i = crossings[len(crossings) // 2]
    return float(x1[i] + (HALF - done[i]) / (done[i + 1] - done[i]) * (x1[i + 1] - x1[i]))


HALF = 0.5
"""Of the slip from one end of the domain to the other."""
LEVEL_R0 = 1e-3
"""r0; rows whose heights differ by less lie in one layer."""

BROKEN = 0.5
"""Opening, in units of the spacing of the two planes, at which they are parted."""


LARGEST_ADVANCE_R0 = 5.0
"""r0; a tip farther than this from that of the predictor has left the field that the clamp belongs to."""


def tip_position(displacement: np.ndarray, defect: Defect) -> float:
    """x1 (Å) at which the planes beside the crack plane are BROKEN apart, between atoms by interpolation.

    -inf for a crack that has closed, +inf for one that has run through the body.

    Parameters
    ----------
    displacement : (n, 3) float, Å
        Corrector; positions are l + u0 + u.
    """
    x1, opening, spacing = opening_profile(displacement, defect)
    parted = opening > BROKEN * spacing
    if parted.all() or not parted.any():
        return np.inf if parted.all() else -np.inf
    last = np.flatnonzero(parted)[-1]
    if last == len(x1) - 1:
        return np.inf
    excess = opening[last : last + 2] - BROKEN * spacing
    return float(x1[last] + (x1[last + 1] - x1[last]) * excess[0] / (excess[0] - excess[1]))


def tip_advance(displacement: np.ndarray, defect: Defect) -> float:
    """How far the tip of a crack is ahead of that of its predictor, Å, at u (n, 3) Å; 0 for other defects.

    -inf for a crack that has closed, +inf for one that has run through the body.
    """
    return tip_position(displacement, defect) - defect.crack_tip if np.isfinite(defect.crack_tip) else 0.0


def opening_profile(displacement: np.ndarray, defect: Defect) -> tuple[np.ndarray, np.ndarray, float]:
    """Opening of the two planes beside the crack plane.

    Returns
    -------
    x1 : (m,) float, Å
        Ascending; in the reference lattice.
    opening : (m,) float, Å
        Increase of the distance of the two planes along x2.
    spacing : float, Å
        Their distance in the perfect crystal.
    """
    height = defect.sites[:, 1]
    upper, lower = height[height > 0].min(), height[height < 0].max()
    shift = (defect.predictor + displacement)[:, 1]
    rows = []
    for level in (lower, upper):
        row = np.flatnonzero(np.abs(height - level) < 1e-6 * defect.r0)
        x1, first = np.unique(np.round(defect.sites[row, 0], 6), return_index=True)
        rows.append((x1, shift[row][first]))
    (x1, down), above = rows
    return x1, np.interp(x1, *above) - down, float(upper - lower)
