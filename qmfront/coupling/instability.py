"""Where a load drives a core out of its valley: the load itself, how the model error shifts it, and the next valley.

Along a path of equilibria H du/dg = dF/dg. Where the lowest eigenvalue of H v = lambda H_FC v vanishes, the path turns
back (a fold), and near it lambda^2 is linear in the load. Forces r that a model lacks shift the load of the fold by

    dg = -(v . r) / (v . dF/dg),    v the soft mode there.
"""

import numpy as np
from scipy.spatial import cKDTree

from qmfront.crystal.defect import Defect

SAME_SITE_R0 = 1e-3
"""r0; a translated site that is nearer to a site is that site."""


def fold_load(loads: tuple[float, float], eigenvalues: tuple[float, float]) -> float:
    """The load at which lambda^2, linear in the load, vanishes; infinite if it does not fall.

        g* = g_2 + lambda_2^2 (g_2 - g_1) / (lambda_1^2 - lambda_2^2)

    Parameters
    ----------
    loads, eigenvalues : of two steps, the later one last
    """
    first, second = (value * abs(value) for value in eigenvalues)
    if not first > second:
        return np.inf if loads[1] > loads[0] else -np.inf
    return loads[1] + second * (loads[1] - loads[0]) / (first - second)


def load_shift(mode: np.ndarray, residual: np.ndarray, per_load: np.ndarray) -> float:
    """What forces that a model lacks do to the load of the fold.

    Parameters
    ----------
    mode : (n, 3) float
        The soft mode v.
    residual : (n, 3) float, eV/Å
        r = F^QM(u^H).
    per_load : (n, 3) float, eV/Å
        dF/dg at fixed u.
    """
    return -float(np.vdot(mode, residual) / np.vdot(mode, per_load))


def glide_vector(defect: Defect) -> np.ndarray:
    """The shortest lattice vector (3,), Å, within the plane {x2 = 0} and along +e1, up to a part along the line."""
    near = np.argsort(np.linalg.norm(defect.coordinates - defect.core[: defect.dimension], axis=1))
    site = near[0]
    row = (defect.basis_index == defect.basis_index[site]) & (
        np.abs(defect.sites[:, 1] - defect.sites[site, 1]) < SAME_SITE_R0 * defect.r0
    )
    ahead = np.flatnonzero(row & (defect.sites[:, 0] > defect.sites[site, 0] + SAME_SITE_R0 * defect.r0))
    if not len(ahead):
        raise ValueError("The domain holds no two equal rows in a plane: enlarge domain.radius_r0.")
    nearest = ahead[np.argmin(defect.sites[ahead, 0])]
    return defect.sites[nearest] - defect.sites[site]


def translated_sites(defect: Defect, shift: np.ndarray) -> np.ndarray:
    """The site (n,) int that a lattice vector shift (3,), Å, takes to each site; -1 where none of the domain is."""
    period = defect.cell[2, 2]
    places = defect.sites - shift
    places[:, 2] = np.mod(places[:, 2] + SAME_SITE_R0 * defect.r0, period) - SAME_SITE_R0 * defect.r0
    distance, found = cKDTree(defect.sites).query(places)
    return np.where(distance < SAME_SITE_R0 * defect.r0, found, -1)


def moved_on(defect: Defect, displacement: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """The corrector (n, 3), Å, of the same core a lattice vector further on.

        u'(l) = w(l) [(u0 + u)(l - s) - u0(l)] + (1 - w(l)) u(l),    w = 1 near the core, 0 at the clamp

    The field of a core is that of its neighbour in the next valley; what differs at the clamp fades in.

    Parameters
    ----------
    displacement : (n, 3) float, Å
    shift : (3,) float, Å
        A lattice vector.
    """
    origin = translated_sites(defect, shift)
    radius = np.linalg.norm(defect.coordinates - defect.core[: defect.dimension], axis=1)
    rim = np.linalg.norm(defect.coordinates[defect.free], axis=1).max()
    weight = np.clip(2.0 * (1.0 - radius / rim), 0.0, 1.0) * (origin >= 0) * defect.free
    there = (defect.predictor + displacement)[origin] - defect.predictor
    return weight[:, None] * there + (1.0 - weight[:, None]) * displacement
