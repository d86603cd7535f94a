"""Radial functions g_k(r) of the ACE basis, the `ChebExpCos` family of the PACE .yace format.

With s = r / cutoff, c(t) = (1 + cos(pi t)) / 2 and Chebyshev polynomials T_k

    x(r) = 1 - 2 (exp(-decay s) - exp(-decay)) / (1 - exp(-decay))
    f(r) = c(s) c(t),   t = max(0, (r - cutoff + taper) / taper)
    g_1 = f,   g_k = f (1 - T_{k-1}(x)) / 2   for k > 1,   g_k = 0 for r >= cutoff.

These are the P_k of the paper's Appendix C; R_nl = g_n (identity `radcoefficients`).
"""

from dataclasses import dataclass

import numpy as np

from qmfront.models.compiled import compiled


@dataclass(frozen=True)
class Bond:
    """Radial functions of one ordered pair of species.

    centre, neighbour : int
        Positions of the two species in the sorted list of species.
    cutoff : float, Å
        rcut of the .yace format.
    decay : float
        lambda of the .yace format, > 0; the larger, the denser the functions at short range.
    taper : float, Å
        dcut of the .yace format, 0 < taper <= cutoff. With taper = cutoff the functions are C^3 at the
        cutoff, (cutoff - r)^4, and analytic inside; with a smaller one they are C^1 where the taper begins.
    n_radial : int
        Number of radial functions.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    centre: int
    neighbour: int
    cutoff: float
    decay: float
    taper: float
    n_radial: int

    def __post_init__(self) -> None:
        if not (self.cutoff > 0 and np.isfinite(self.cutoff)):
            raise ValueError(f"The cutoff is {self.cutoff} Å. Give a positive number.")
        if not 1e-3 <= self.decay <= 12:
            raise ValueError(
                f"The radial decay is {self.decay}. Choose it between 0.001 and 12 (usual: 1 to 6)."
            )
        if not 0 < self.taper <= self.cutoff:
            raise ValueError(
                f"The taper is {self.taper} Å with cutoff {self.cutoff} Å. Choose 0 < taper <= cutoff; "
                "taper = cutoff gives three continuous derivatives."
            )
        if self.n_radial < 1:
            raise ValueError(f"{self.n_radial} radial functions were asked for. At least one is needed.")

    def evaluate(self, distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """g_k(r) and dg_k/dr, each (n_radial, n), for distances (n,) in Å."""
        distances = np.ascontiguousarray(distances, float)
        return radial_functions(distances, self.cutoff, self.decay, self.taper, self.n_radial)


@compiled
def radial_functions(
    distances: np.ndarray, cutoff: float, decay: float, taper: float, n_radial: int
) -> tuple[np.ndarray, np.ndarray]:
    """g_k(r) and dg_k/dr, each (n_radial, n), of the module's formulas; 1 and 1/Å."""
    n = len(distances)
    values, slopes = np.zeros((n_radial, n)), np.zeros((n_radial, n))
    for j in range(n):
        r = distances[j]
        if r >= cutoff:
            continue
        f, df = _envelope(r, cutoff, taper)
        scale = 2.0 / (1.0 - np.exp(-decay))
        e = np.exp(-decay * r / cutoff)
        x, dx = 1.0 - scale * (e - np.exp(-decay)), scale * e * decay / cutoff
        values[0, j], slopes[0, j] = f, df
        t0, d0, t1, d1 = 1.0, 0.0, x, dx
        for k in range(1, n_radial):
            values[k, j] = 0.5 * f * (1.0 - t1)
            slopes[k, j] = 0.5 * (df * (1.0 - t1) - f * d1)
            t0, d0, t1, d1 = t1, d1, 2.0 * x * t1 - t0, 2.0 * (dx * t1 + x * d1) - d0
    return values, slopes


@compiled
def _envelope(r: float, cutoff: float, taper: float) -> tuple[float, float]:
    """f(r) and df/dr; cosines of half angles, so that nothing cancels at the cutoff."""
    a = 0.5 * np.pi / cutoff
    c, dc = np.cos(a * r), -a * np.sin(a * r)
    f, df = c * c, 2.0 * c * dc
    t = r - cutoff + taper
    if t > 0.0:
        b = 0.5 * np.pi / taper
        c, dc = np.cos(b * t), -b * np.sin(b * t)
        f, df = f * c * c, df * c * c + 2.0 * f * c * dc
    return f, df
