"""Where a crystal parts along a plane: between which of the layers that its period of lattice planes holds.

A Bravais crystal has one place, between two lattice planes. A crystal with a basis has layers between them, and may
part in every gap: {111} of diamond has a wide one (shuffle, one bond per atom) and a narrow one (glide, three bonds).
"""

from dataclasses import dataclass

import numpy as np

from qmfront.crystal.lattice import Crystal, coprime_integers

BUCKLED_R0 = 0.1
"""r0; heights that differ by less are those of one layer."""
SAME = 1e-6
"""Relative; gaps that differ by less are equally wide."""


@dataclass(frozen=True)
class Termination:
    """A gap between two layers, in which a plane may cut the crystal.

    lower, upper : float
        Heights of the layers below and above, from the first atom on, over the distance of lattice planes;
        0 <= lower < 1, lower < upper <= lower + 1.
    """

    lower: float
    upper: float

    @property
    def middle(self) -> float:
        """Height of the cut, at least 0 and below 1.5."""
        return 0.5 * (self.lower + self.upper)

    @property
    def width(self) -> float:
        """Of the gap, at most 1."""
        return self.upper - self.lower

    def holds(self, height: float) -> bool:
        """Whether a height, which the crystal repeats with the period 1, lies in the gap."""
        return (height - self.lower) % 1.0 <= self.width

    def __str__(self) -> str:
        return f"between layers at {self.lower:.3g} and {self.upper:.3g} of the period"


def terminations(crystal: Crystal, normal: np.ndarray) -> tuple[Termination, ...]:
    """All gaps, the widest first; those of one width in ascending order.

    Parameters
    ----------
    crystal : Crystal
    normal : (3,) float
        Of a lattice plane, in the axes of the crystal; only its direction matters.
    """
    unit = np.asarray(normal, float) / np.linalg.norm(normal)
    spacing = lattice_plane_spacing(crystal, unit)
    height = ((crystal.basis - crystal.basis[0]) @ unit / spacing) % 1.0
    height = np.unique(np.round(np.where(height > 1 - SAME, 0.0, height), 9))
    width = np.diff(np.append(height, height[0] + 1.0))
    least = min(BUCKLED_R0 * crystal.nearest_neighbour_distance / spacing, width.max() * (1 - SAME))
    found = [Termination(float(h), float(h + w)) for h, w in zip(height, width, strict=True) if w >= least]
    return tuple(sorted(found, key=lambda cut: (-round(cut.width, 6), cut.lower)))


def termination_at(found: tuple[Termination, ...], height: float) -> Termination:
    """The one whose gap holds a height over the period.

    Raises
    ------
    ValueError
        If none does: the height is that of a layer.
    """
    for cut in found:
        if cut.holds(height):
            return cut
    raise ValueError(
        f"termination = {height:g} lies inside a layer; the plane may cut the crystal "
        f"{', or '.join(map(str, found))}. Give a height in one of these gaps."
    )


def lattice_plane_spacing(crystal: Crystal, unit: np.ndarray) -> float:
    """Distance between neighbouring lattice planes normal to a unit vector (3,), Å.

    Raises
    ------
    ValueError
        If it is the normal of no lattice plane.
    """
    heights = crystal.cell @ unit
    steps = coprime_integers(heights, "plane_normal")
    used = np.argmax(np.abs(steps))
    return float(abs(heights[used] / steps[used]))
