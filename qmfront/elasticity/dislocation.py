"""Far-field predictor of a straight dislocation, (B.2)-(B.4), for edge, screw and mixed character.

xi shifts the lower side of the cut by the in-plane Burgers vector, so that u0 = u_lin o xi^-1 brings the two
sides of the cut into registry to all orders in 1/r, not to leading order only.
"""

import numpy as np
from scipy.special import expit

from qmfront.elasticity.stroh import DislocationField, angle_from_cut

CORE_RADIUS_PER_BURGERS = 3.0  # default r_hat / |b1|
SMALLEST_CORE_RADIUS_PER_BURGERS = 2.25  # xi is increasing along x1, with slope 0.11 at least (measured)
LARGEST_ITERATION = 100


def dislocation_predictor(
    sites: np.ndarray, field: DislocationField, *, core_radius: float | None = None
) -> np.ndarray:
    """u0 of (B.2), a dislocation along x3 through the origin.

        u0(x) = u_lin(xi^-1(x))

    Parameters
    ----------
    sites : (n, 3) float, Å
        In the frame of the case; none on {x2 = 0, x1 >= 0}.
    field : DislocationField
        Its Burgers vector must lie in the cut plane, b2 = 0.
    core_radius : float, Å, optional
        r_hat of (B.4); 3 |b1| if left out. # ASSUME the paper gives no value.

    Returns
    -------
    (n, 3) float, Å
    """
    sites = np.asarray(sites, float)
    _refuse_normal_component(field.burgers)
    b1 = float(field.burgers[0])
    radius = CORE_RADIUS_PER_BURGERS * abs(b1) if core_radius is None else core_radius
    return field.displacement(inverse_core_map(sites, b1, core_radius=radius))


def core_map(points: np.ndarray, b1: float, *, core_radius: float) -> np.ndarray:
    """xi of (B.4), (n, 2), Å: x - b12 / (2 pi) * eta(|x| / r_hat) * arg(x), with b12 = (b1, 0)."""
    points = np.asarray(points, float)[:, :2]
    x1, x2 = points.T
    return np.column_stack([x1 - _shift(x1, x2, b1, core_radius)[0], x2])


def inverse_core_map(points: np.ndarray, b1: float, *, core_radius: float) -> np.ndarray:
    """xi^-1 of (B.4) at points (n, 2) or (n, 3), Å; (n, 2).

    xi keeps x2 and is increasing in x1, so the inverse is one scalar root per point: Newton's
    method, replaced by bisection where it leaves the bracket [x1 - |b1|, x1 + |b1|].

    Raises
    ------
    ValueError
        If core_radius < 2.25 |b1| (xi is not one-to-one), or a point lies on the cut.
    RuntimeError
        If the iteration does not reach 1e-13 relative.
    """
    points = np.asarray(points, float)[:, :2]
    if b1 == 0:
        return points.copy()
    if core_radius < SMALLEST_CORE_RADIUS_PER_BURGERS * abs(b1):
        raise ValueError(
            f"core_radius {core_radius:.3f} Å is below {SMALLEST_CORE_RADIUS_PER_BURGERS} |b1| = "
            f"{SMALLEST_CORE_RADIUS_PER_BURGERS * abs(b1):.3f} Å, where the core map folds. Increase it."
        )
    target, x2 = points.T
    if np.any((x2 == 0) & (target >= 0)):
        raise ValueError("Sites lie on the cut x2 = 0, x1 >= 0. Move the origin between two atomic planes.")
    low, high = target - abs(b1), target + abs(b1)
    high = np.where(x2 == 0, np.minimum(high, 0.0), high)
    x1 = np.clip(target + _shift(target, x2, b1, core_radius)[0], low, high)
    for _ in range(LARGEST_ITERATION):
        shift, slope = _shift(x1, x2, b1, core_radius)
        excess = x1 - shift - target
        high, low = np.where(excess > 0, x1, high), np.where(excess > 0, low, x1)
        step = x1 - excess / (1 - slope)
        step = np.where((step < low) | (step > high), 0.5 * (low + high), step)
        change, x1 = np.abs(step - x1), step
        if np.all(change <= 1e-13 * (core_radius + np.abs(x1))):
            return np.column_stack([x1, x2])
    raise RuntimeError(
        f"The inverse of the core map did not converge in {LARGEST_ITERATION} iterations "
        f"(last change {change.max():.1e} Å). Increase core_radius, now {core_radius:.3f} Å."
    )


def smooth_step(s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """eta of (B.4) and its derivative: infinitely smooth, 0 for s <= 0, 1 for s >= 1.

    # ASSUME eta(s) = f(s) / (f(s) + f(1 - s)) with f(s) = exp(-1/s); its largest slope is 2.
    """
    inside = (s > 1e-3) & (s < 1 - 1e-3)  # outside, eta differs from 0 or 1 by less than 1e-400
    t = np.where(inside, s, 0.5)
    eta = expit(1 / (1 - t) - 1 / t)
    slope = eta * (1 - eta) * (1 / (1 - t) ** 2 + 1 / t**2)
    return np.where(inside, eta, np.where(s < 0.5, 0.0, 1.0)), np.where(inside, slope, 0.0)


def _shift(x1: np.ndarray, x2: np.ndarray, b1: float, core_radius: float) -> tuple[np.ndarray, np.ndarray]:
    """b1 / (2 pi) * eta * arg and its derivative with respect to x1, each (n,)."""
    radius = np.hypot(x1, x2)
    eta, slope = smooth_step(radius / core_radius)
    angle = angle_from_cut(x1, x2)
    safe = np.where(radius > 0, radius, 1.0)
    change = slope * x1 / (safe * core_radius) * angle - eta * x2 / safe**2
    return b1 / (2 * np.pi) * eta * angle, b1 / (2 * np.pi) * change


def _refuse_normal_component(burgers: np.ndarray) -> None:
    if abs(burgers[1]) > 1e-9 * np.linalg.norm(burgers):
        raise ValueError(
            f"The Burgers vector {burgers} Å has a component {burgers[1]:.3g} Å normal to the cut plane. "
            "Choose the plane_normal perpendicular to the line and to the Burgers vector."
        )
