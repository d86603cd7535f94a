"""Two-centre blocks of s and p orbitals (Slater and Koster, Phys. Rev. 94, 1498 (1954)) and their gradients.

For a bond from i to j with direction c and integrals V,

    <s|s> = ss,  <s|p_b> = c_b sp,  <p_a|s> = -c_a ps,  <p_a|p_b> = c_a c_b (pp_sigma - pp_pi) + delta_ab pp_pi,

the orbital of i on the left, in the order s, px, py, pz; ps is the integral sp of the turned bond.
"""

import numpy as np

from qmfront.models.bonds import Bonds
from qmfront.models.compiled import compiled
from qmfront.models.nrltb.parameters import ORBITALS


def blocks(bonds: Bonds, integrals: np.ndarray) -> np.ndarray:
    """(p, 4, 4), in the unit of the integrals (p, 5) ss, sp, ps, pp_sigma, pp_pi."""
    out = np.empty((len(bonds), ORBITALS, ORBITALS))
    _blocks(bonds.vector, bonds.distance, integrals, out)
    return out


def block_gradient(
    bonds: Bonds, integrals: np.ndarray, slopes: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """(p, 3): derivative of sum_ab weights[p, a, b] block[p, a, b] with respect to the vector of each bond.

    integrals, slopes : (p, 5)
        The integrals and their r-derivatives.
    weights : (p, 4, 4)
    """
    out = np.empty((len(bonds), 3))
    _block_gradient(bonds.vector, bonds.distance, integrals, slopes, weights, out)
    return out


@compiled
def _blocks(vector: np.ndarray, distance: np.ndarray, integrals: np.ndarray, out: np.ndarray) -> None:
    for p in range(len(distance)):
        ss, sp, ps, sigma, pi = integrals[p]
        c = vector[p] / distance[p]
        out[p, 0, 0] = ss
        for a in range(3):
            out[p, 0, a + 1] = c[a] * sp
            out[p, a + 1, 0] = -c[a] * ps
            for b in range(3):
                out[p, a + 1, b + 1] = c[a] * c[b] * (sigma - pi)
            out[p, a + 1, a + 1] += pi


@compiled
def _block_gradient(
    vector: np.ndarray, distance: np.ndarray, integrals: np.ndarray, slopes: np.ndarray, weights: np.ndarray,
    out: np.ndarray,
) -> None:  # fmt: skip
    turn = np.empty(3)
    for p in range(len(distance)):
        c, w = vector[p] / distance[p], weights[p]
        along_s, along_p, along_pp, trace = 0.0, 0.0, 0.0, 0.0
        for a in range(3):
            along_s += w[0, a + 1] * c[a]
            along_p += w[a + 1, 0] * c[a]
            trace += w[a + 1, a + 1]
            for b in range(3):
                along_pp += w[a + 1, b + 1] * c[a] * c[b]
        dss, dsp, dps, dsigma, dpi = slopes[p]
        radial = w[0, 0] * dss + along_s * dsp - along_p * dps + along_pp * (dsigma - dpi) + trace * dpi
        sp, ps, excess = integrals[p, 1], integrals[p, 2], integrals[p, 3] - integrals[p, 4]
        for a in range(3):  # derivative with respect to c, still with its component along c
            turn[a] = sp * w[0, a + 1] - ps * w[a + 1, 0]
            for b in range(3):
                turn[a] += excess * (w[a + 1, b + 1] + w[b + 1, a + 1]) * c[b]
        along = turn[0] * c[0] + turn[1] * c[1] + turn[2] * c[2]
        for a in range(3):
            out[p, a] = radial * c[a] + (turn[a] - along * c[a]) / distance[p]
