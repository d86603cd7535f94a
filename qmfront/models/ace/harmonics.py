"""Real spherical harmonics with Y_00 = 1, and their gradients, by recursion without trigonometry.

With the Condon-Shortley complex harmonics Y_l^m (sqrt(4 pi) times the orthonormal ones)

    Y_l,0 = Y_l^0,   Y_l,m = sqrt2 (-1)^m Re Y_l^m,   Y_l,-m = sqrt2 (-1)^m Im Y_l^m   (m > 0),

written as polynomials of the unit vector (x, y, z): Y_l,m = q_lm(z) c_m(x, y), Y_l,-m = q_lm(z) s_m(x, y),
where c_m + i s_m = (x + i y)^m and q_lm is a multiple of the m-th derivative of the Legendre polynomial P_l.
(l, m) is stored at row l(l + 1) + m.
"""

import numpy as np

from qmfront.models.compiled import compiled


@compiled
def real_harmonics(vectors: np.ndarray, l_max: int) -> tuple[np.ndarray, np.ndarray]:
    """Y_lm(v/|v|) and its gradient with respect to v.

    Parameters
    ----------
    vectors : (n, 3) float, Å
        None of them zero.
    l_max : int

    Returns
    -------
    values : ((l_max + 1)^2, n) float
    gradients : ((l_max + 1)^2, n, 3) float, 1/Å
    """
    n = len(vectors)
    n_lm = (l_max + 1) ** 2
    values, gradients = np.zeros((n_lm, n)), np.zeros((n_lm, n, 3))
    q = np.zeros((l_max + 2, l_max + 2))
    norm = normalisation(l_max)
    cosines, sines = np.zeros(l_max + 2), np.zeros(l_max + 2)
    for j in range(n):
        r = np.sqrt(vectors[j, 0] ** 2 + vectors[j, 1] ** 2 + vectors[j, 2] ** 2)
        x, y, z = vectors[j, 0] / r, vectors[j, 1] / r, vectors[j, 2] / r
        _legendre_derivatives(z, l_max, q)
        cosines[0] = 1.0
        for m in range(1, l_max + 1):
            cosines[m] = x * cosines[m - 1] - y * sines[m - 1]
            sines[m] = x * sines[m - 1] + y * cosines[m - 1]
        for l in range(l_max + 1):
            for m in range(l + 1):
                a, da = norm[l, m] * q[l, m], norm[l, m] * q[l, m + 1]
                c, s = cosines[m], sines[m]
                dc, ds = (m * cosines[m - 1], m * sines[m - 1]) if m > 0 else (0.0, 0.0)
                plus, minus = l * (l + 1) + m, l * (l + 1) - m
                if m > 0:
                    values[minus, j] = a * s
                    _tangential(gradients[minus, j], a * ds, a * dc, da * s, x, y, z, r)
                values[plus, j] = a * c
                _tangential(gradients[plus, j], a * dc, -a * ds, da * c, x, y, z, r)
    return values, gradients


@compiled
def normalisation(l_max: int) -> np.ndarray:
    """sqrt((2l + 1)(2 - d_m0)(l - m)!/(l + m)!) at [l, m]: makes the mean of Y_lm^2 over the sphere one."""
    norm = np.zeros((l_max + 1, l_max + 1))
    for l in range(l_max + 1):
        ratio = 1.0
        for m in range(l + 1):
            if m > 0:
                ratio /= (l + m) * (l - m + 1)
            norm[l, m] = np.sqrt((2 * l + 1) * (2.0 if m > 0 else 1.0) * ratio)
    return norm


@compiled
def _legendre_derivatives(z: float, l_max: int, q: np.ndarray) -> None:
    """q[l, m] = m-th derivative of P_l at z, for m <= l + 1 (zero there)."""
    q[0, 0] = 1.0
    for l in range(1, l_max + 1):
        q[l, l] = (2 * l - 1) * q[l - 1, l - 1]
        q[l, l - 1] = z * q[l, l]
        for m in range(l - 1):
            q[l, m] = ((2 * l - 1) * z * q[l - 1, m] - (l + m - 1) * q[l - 2, m]) / (l - m)


@compiled
def _tangential(
    out: np.ndarray, dx: float, dy: float, dz: float, x: float, y: float, z: float, r: float
) -> None:
    """out = (1 - e e^T) d / r for the unit vector e = (x, y, z)."""
    radial = dx * x + dy * y + dz * z
    out[0], out[1], out[2] = (dx - radial * x) / r, (dy - radial * y) / r, (dz - radial * z) / r
