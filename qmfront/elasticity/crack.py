"""Near-tip field of a mode I crack in an anisotropic medium, (B.5), and the Griffith load.

The crack is {x2 = 0, x1 < 0}; the field is that of Sih, Paris and Irwin, Int. J. Fract. Mech. 1, 189 (1965), as
matscipy evaluates it. Its two roots coincide in an isotropic medium, where the closed form takes over.
"""

from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from qmfront.elasticity.moduli import to_voigt

if TYPE_CHECKING:  # it imports matplotlib, half a second that defects without a crack do without
    from matscipy.fracture_mechanics.crack import RectilinearAnisotropicCrack

ISOTROPIC = 1e-6
"""Relative distance from isotropy below which the closed isotropic form is used: the anisotropic one divides by it."""
COUPLING_TOLERANCE = 1e-6
"""Largest compliance, relative, that may couple the plane to the anti-plane displacement."""


@dataclass(frozen=True, eq=False)
class CrackField:
    """u_lin of (B.5) in plane strain: a crack {x2 = 0, x1 < 0} with its front along x3, opened in mode I.

    moduli : (3, 3, 3, 3) float, eV/Å^3
        C_ijkl in the frame of the case.

    Raises ValueError if the plane normal to the front is no mirror plane, so that mode I would shear the front.
    """

    moduli: np.ndarray

    def __post_init__(self) -> None:
        compliance = np.linalg.inv(self._voigt)
        coupled = np.abs(compliance[np.ix_([0, 1, 2, 5], [3, 4])]).max()
        if coupled > COUPLING_TOLERANCE * np.abs(compliance).max():
            raise ValueError(
                f"The front couples in-plane and anti-plane strain (relative compliance "
                f"{coupled / np.abs(compliance).max():.1e}): a mode I field does not exist. Choose a front along a "
                "two-fold axis, such as [001] or [110] of a cubic crystal."
            )

    def displacement(self, points: np.ndarray, intensity: float) -> np.ndarray:
        """u_lin (n, 3), Å, at points (n, 2) or (n, 3), Å, for a stress intensity K_I in eV/Å^(5/2).

            u_i = K_I sqrt(2 r / pi) f_i(theta),    theta in (-pi, pi)

        Raises ValueError for points on the crack faces, where u is not unique.
        """
        radius, angle = _polar(points)
        if self._isotropic:
            from matscipy.fracture_mechanics.crack import (
                PLANE_STRAIN,
                isotropic_modeI_crack_tip_displacement_field,
            )

            u, v = isotropic_modeI_crack_tip_displacement_field(
                intensity, *self._shear_and_poisson, radius, angle, stress_state=PLANE_STRAIN
            )
        else:
            u, v = self._anisotropic.displacements(radius, angle, intensity)
        return np.column_stack([u, v, np.zeros_like(u)])

    def gradient(self, points: np.ndarray, intensity: float) -> np.ndarray:
        """du_i/dx_j (n, 3, 3) of `displacement`, which has no third component and does not change along the front."""
        radius, angle = _polar(points)
        found = np.zeros((len(radius), 3, 3))
        if self._isotropic:
            found[:, :2, :2] = self._isotropic_gradient(radius, angle, intensity)
        else:
            gradients = self._anisotropic.deformation_gradient(radius, angle, intensity)
            found[:, :2, :2] = gradients.transpose(0, 2, 1) - np.eye(2)  # matscipy has du_j/dx_i
        return found

    def griffith(self, surface_energy: float) -> float:
        """K_G (eV/Å^(5/2)) at which the energy release rate is twice the surface energy (eV/Å^2)."""
        if self._isotropic:
            shear, poisson = self._shear_and_poisson
            return sqrt(4.0 * surface_energy * shear / (1.0 - poisson))
        return float(self._anisotropic.k1g(surface_energy))

    @property
    def _voigt(self) -> np.ndarray:
        return to_voigt(np.asarray(self.moduli, float))

    @property
    def _isotropic(self) -> bool:
        c = self._voigt
        shear, poisson = self._shear_and_poisson
        first = 2 * shear * poisson / (1 - 2 * poisson)
        isotropic = np.zeros((6, 6))
        isotropic[:3, :3] = first
        isotropic[np.diag_indices(6)] += shear * np.array([2, 2, 2, 1, 1, 1])
        return bool(np.abs(c - isotropic).max() < ISOTROPIC * np.abs(c).max())

    @property
    def _shear_and_poisson(self) -> tuple[float, float]:
        """Shear modulus (eV/Å^3) and Poisson's ratio, Voigt averages."""
        c = self._voigt
        trace, shears = np.trace(c[:3, :3]), np.trace(c[3:, 3:])
        off = c[0, 1] + c[0, 2] + c[1, 2]
        bulk, shear = (trace + 2 * off) / 9, (trace - off + 3 * shears) / 15
        return float(shear), float((3 * bulk - 2 * shear) / (6 * bulk + 2 * shear))

    def _isotropic_gradient(self, radius: np.ndarray, angle: np.ndarray, intensity: float) -> np.ndarray:
        """u = R(r) f(t) with R ~ sqrt(r): du/dr = u / (2 r), du/dt by hand; (n, 2, 2)."""
        shear, poisson = self._shear_and_poisson
        scale, kappa = intensity / (2 * shear) / np.sqrt(2 * np.pi * radius), 3 - 4 * poisson
        c, s = np.cos(angle / 2), np.sin(angle / 2)
        value = np.array([c * (kappa - 1 + 2 * s**2), s * (kappa + 1 - 2 * c**2)])
        slope = np.array(
            [-s * (kappa - 1 + 2 * s**2) / 2 + 2 * s * c**2, c * (kappa + 1 - 2 * c**2) / 2 + 2 * c * s**2]
        )
        along, across = scale * value / 2, scale * slope  # du/dr, du/dt / r
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        return np.einsum("in,jn->nij", along, turn[0]) + np.einsum("in,jn->nij", across, turn[1])

    @cached_property
    def _anisotropic(self) -> "RectilinearAnisotropicCrack":
        from matscipy.fracture_mechanics.crack import RectilinearAnisotropicCrack

        s = np.linalg.inv(self._voigt)
        field = RectilinearAnisotropicCrack()
        pairs = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2), (0, 5), (1, 5), (2, 5), (5, 5))
        field.set_plane_strain(*(s[pair] for pair in pairs))
        return field


def _polar(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance (n,), Å, and angle (n,) in (-pi, pi) of points (n, 2) or (n, 3), none of them on the crack faces."""
    x1, x2 = np.asarray(points, float)[:, :2].T
    if np.any((x2 == 0) & (x1 <= 0)):
        raise ValueError(
            f"{np.sum((x2 == 0) & (x1 <= 0))} sites lie on the crack x2 = 0, x1 <= 0. Move the origin between "
            "two atomic planes (defect.tip_offset)."
        )
    return np.hypot(x1, x2), np.arctan2(x2, x1)
