"""Radial functions of the bonds and their derivatives, (D.3), (D.4) and the density terms of (D.2).

    (c0 + c1 r + c2 r^2 + c3 r^3) exp(-k r) F(r),    F(r) = g(r) / (1 + exp((r - Rc) / l + 5))

with g = 1 up to Rc - l and (1 + cos(pi (r - Rc + l) / l)) / 2 from there to Rc.
"""

import numpy as np

from qmfront.models.bonds import Bonds
from qmfront.models.compiled import compiled
from qmfront.models.nrltb.parameters import N_CHANNELS, Parameters

SCREENING_SHIFT = 5.0  # L_c of the paper's appendix D


def radial_functions(parameters: Parameters, kind: np.ndarray, bonds: Bonds) -> tuple[np.ndarray, np.ndarray]:
    """Values and r-derivatives of all channels, each (p, 12), eV or 1 and eV/Å or 1/Å.

    kind : (n,) int
        Position of each atom's species in `parameters.species`.
    """
    values, slopes = np.empty((len(bonds), N_CHANNELS)), np.empty((len(bonds), N_CHANNELS))
    table = parameters.channels[kind[bonds.first], kind[bonds.second]]
    _radial(bonds.distance, table, parameters.cutoff, parameters.screening, values, slopes)
    return values, slopes


@compiled
def screening(r: float, cutoff: float, width: float) -> tuple[float, float]:
    """F(r) and dF/dr (1/Å)."""
    # PAPER (D.2): the paper prints F without g, which leaves a step of 0.0067 at the cutoff; g closes it.
    if r >= cutoff:
        return 0.0, 0.0
    grown = np.exp((r - cutoff) / width + SCREENING_SHIFT)
    value = 1.0 / (1.0 + grown)
    slope = -value * value * grown / width
    start = cutoff - width
    if r <= start:
        return value, slope
    angle = np.pi * (r - start) / width
    taper, taper_slope = 0.5 * (1.0 + np.cos(angle)), -0.5 * np.pi / width * np.sin(angle)
    return value * taper, slope * taper + value * taper_slope


@compiled
def _radial(
    distance: np.ndarray,
    table: np.ndarray,
    cutoff: float,
    width: float,
    values: np.ndarray,
    slopes: np.ndarray,
) -> None:
    for p in range(len(distance)):
        r = distance[p]
        f, df = screening(r, cutoff, width)
        for m in range(values.shape[1]):
            c0, c1, c2, c3, decay = table[p, m]
            polynomial = c0 + r * (c1 + r * (c2 + r * c3))
            gradient = c1 + r * (2.0 * c2 + r * 3.0 * c3)
            decayed = np.exp(-decay * r)
            values[p, m] = polynomial * decayed * f
            slopes[p, m] = decayed * ((gradient - decay * polynomial) * f + polynomial * df)
