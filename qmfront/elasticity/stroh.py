"""Linear elastic field of a straight dislocation in a general anisotropic medium, (B.3).

Integral form of Stroh's sextic formalism. With n = (cos t, sin t, 0), m = (-sin t, cos t, 0) and

    Q_ik = C_ijkl n_j n_l,   R_ik = C_ijkl n_j m_l,   T_ik = C_ijkl m_j m_l,

displacement u and stress function phi, w = (u, phi), obey (1/r) dw/dt = N(t) dw/dr with

    N = [[-T^-1 R^T, T^-1], [R T^-1 R^T - Q, -R T^-1]].

The field of a line defect is w = a ln r + c(t), c' = N(t) a, with a constant 6-vector a. Over one turn u must
grow by b and phi by zero (no line force): 2 pi M a = (b, 0), M the mean of N over a turn. Since M^2 = -1,
a = -M (b, 0) / (2 pi). No eigenvectors enter, so nothing degenerates where roots p of the sextic coincide:
the isotropic limit is an ordinary case. N(t) is analytic and pi-periodic, so its Fourier series converges
geometrically and all integrals are exact to rounding.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

SMALLEST_IMAGINARY_ROOT = 1e-3  # |Im p| below this means moduli that are (almost) not elliptic
SERIES_TOLERANCE = 1e-13  # relative; of the mean of N(t) and of the last Fourier coefficients of N(t) a
LARGEST_SERIES = 8192  # sampling points in [0, pi)


@dataclass(frozen=True, eq=False)
class DislocationField:
    """u_lin of (B.3): a dislocation along x3 through the origin, cut {x2 = 0, x1 > 0}.

    moduli : (3, 3, 3, 3) float
        Elastic moduli C_ijkl in the frame of the case, any unit.
    burgers : (3,) float, Å
        Burgers vector b in that frame; u(x+) - u(x-) = -b, x+ above the cut.

    Raises ValueError for moduli without the symmetries of C_ijkl or without ellipticity (Im p = 0).
    """

    moduli: np.ndarray
    burgers: np.ndarray

    def __post_init__(self) -> None:
        _check_symmetry(np.asarray(self.moduli, float))
        roots = sextic_roots(self.moduli)
        if np.abs(roots.imag).min() < SMALLEST_IMAGINARY_ROOT:
            raise ValueError(
                f"Roots of the sextic must not be real: smallest |Im p| = {np.abs(roots.imag).min():.2e}. "
                "The moduli are not elliptic; check that the crystal is stable and the units are consistent."
            )

    def displacement(self, points: np.ndarray) -> np.ndarray:
        """u_lin (n, 3), Å, at points (n, 2) or (n, 3), Å; the angle runs over (0, 2 pi).

        Defined up to a translation, fixed by zero mean of the angular part and ln(r / 1 Å).
        """
        x, y = np.asarray(points, float)[:, 0], np.asarray(points, float)[:, 1]
        radius, angle = np.hypot(x, y), angle_from_cut(x, y)
        _refuse_core(radius)
        frequency, cosine, sine = self._series
        wave = np.multiply.outer(angle, frequency)
        # c(t) integrates the series of c'(t) term by term; the mean of c' is b / (2 pi).
        angular = np.sin(wave) @ (cosine / frequency[:, None]) - np.cos(wave) @ (sine / frequency[:, None])
        turn = np.multiply.outer(angle / (2 * np.pi) - 0.5, self.burgers)
        return np.multiply.outer(np.log(radius), self.amplitude[:3]) + turn + angular

    def gradient(self, points: np.ndarray) -> np.ndarray:
        """du_i/dx_j (n, 3, 3) at points (n, 2) or (n, 3), Å; continuous across the cut, of order b/r."""
        x, y = np.asarray(points, float)[:, 0], np.asarray(points, float)[:, 1]
        radius = np.hypot(x, y)
        _refuse_core(radius)
        angle = np.arctan2(y, x)
        normal, tangent = _directions(angle)
        tangential = (sextic_matrix(self.moduli, angle) @ self.amplitude)[:, :3]
        radial = np.broadcast_to(self.amplitude[:3], tangential.shape)
        outer = radial[:, :, None] * normal[:, None, :] + tangential[:, :, None] * tangent[:, None, :]
        return outer / radius[:, None, None]

    @cached_property
    def amplitude(self) -> np.ndarray:
        """a (6,) of w = a ln r + c(t): Å in the first three, modulus times Å in the last three entries."""
        sources = np.concatenate([self.burgers, np.zeros(3)])
        return -self._mean @ sources / (2 * np.pi)

    @cached_property
    def _mean(self) -> np.ndarray:
        """M (6, 6), the mean of N(t); the trapezoidal rule is spectral for a periodic analytic function."""
        count, previous = 32, np.full((6, 6), np.inf)
        while count <= LARGEST_SERIES:
            mean = sextic_matrix(self.moduli, np.pi * np.arange(count) / count).mean(axis=0)
            if np.all(np.abs(mean - previous) <= SERIES_TOLERANCE * _block_scale(mean)):
                return mean
            count, previous = 2 * count, mean
        raise RuntimeError(_unresolved(count))

    @cached_property
    def _series(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Frequencies (k,) and coefficients (k, 3) of cos and sin in c'(t) without its mean."""
        count = 32
        while count <= LARGEST_SERIES:
            angle = np.pi * np.arange(count) / count
            samples = (sextic_matrix(self.moduli, angle) @ self.amplitude)[:, :3]
            coefficients = np.fft.rfft(samples, axis=0)[: count // 2] * (2 / count)
            size = np.abs(coefficients).max(axis=1)
            kept = np.flatnonzero(size > SERIES_TOLERANCE * np.abs(samples).max())
            if kept.max(initial=0) < count // 4:
                used = np.arange(1, max(kept.max(initial=1), 1) + 1)
                return 2.0 * used, coefficients[used].real, -coefficients[used].imag
            count *= 2
        raise RuntimeError(_unresolved(count))


def sextic_matrix(moduli: np.ndarray, angle: np.ndarray | float) -> np.ndarray:
    """Stroh's matrix N(t), (..., 6, 6), for directions at angle (...,) to e1 in the (x1, x2) plane."""
    n, m = _directions(np.asarray(angle, float))
    Q = np.einsum("ijkl,...j,...l->...ik", moduli, n, n)
    R = np.einsum("ijkl,...j,...l->...ik", moduli, n, m)
    T = np.einsum("ijkl,...j,...l->...ik", moduli, m, m)
    inverse = np.linalg.inv(T)
    coupling = inverse @ np.swapaxes(R, -1, -2)
    upper = np.concatenate([-coupling, inverse], axis=-1)
    lower = np.concatenate([R @ coupling - Q, -R @ inverse], axis=-1)
    return np.concatenate([upper, lower], axis=-2)


def sextic_roots(moduli: np.ndarray) -> np.ndarray:
    """The six roots p (6,) complex of det(Q + p (R + R^T) + p^2 T) = 0, in conjugate pairs."""
    return np.linalg.eigvals(sextic_matrix(np.asarray(moduli, float), 0.0))


def angle_from_cut(x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
    """arg of (B.4): the angle from e1 in (0, 2 pi), discontinuous across {x2 = 0, x1 > 0}."""
    angle = np.arctan2(x2, x1)
    return np.where(angle < 0, angle + 2 * np.pi, angle)


def _directions(angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    c, s, zero = np.cos(angle), np.sin(angle), np.zeros_like(angle)
    return np.stack([c, s, zero], axis=-1), np.stack([-s, c, zero], axis=-1)


def _block_scale(mean: np.ndarray) -> np.ndarray:
    """Magnitude of each 3 x 3 block, spread over its entries: the blocks have different units."""
    blocks = np.abs(mean).reshape(2, 3, 2, 3).max(axis=(1, 3))
    compliance, stiffness = blocks[0, 1], blocks[1, 0]
    scale = np.array([[1.0, compliance], [stiffness, 1.0]])
    return np.kron(scale, np.ones((3, 3)))


def _check_symmetry(moduli: np.ndarray) -> None:
    if moduli.shape != (3, 3, 3, 3):
        raise ValueError(f"moduli must have shape (3, 3, 3, 3), got {moduli.shape}.")
    scale = np.abs(moduli).max()
    for name, other in (
        ("minor ij", moduli.transpose(1, 0, 2, 3)),
        ("minor kl", moduli.transpose(0, 1, 3, 2)),
        ("major", moduli.transpose(2, 3, 0, 1)),
    ):
        error = np.abs(moduli - other).max() / scale
        if not error < 1e-6:
            raise ValueError(
                f"moduli violate the {name} symmetry by {error:.1e} relative; take them at zero stress "
                "(lattice_constant, then elastic_moduli)."
            )


def _refuse_core(radius: np.ndarray) -> None:
    if not np.all(radius > 0):
        raise ValueError(
            f"{np.sum(~(radius > 0))} points lie on the dislocation line, where the field is infinite. "
            "Move the origin off the lattice sites."
        )


def _unresolved(count: int) -> str:
    return (
        f"The angular functions of the elastic field are not resolved by {count // 2} points; the moduli are "
        "close to losing ellipticity. Check their stability."
    )
