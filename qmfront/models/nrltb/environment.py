"""On-site levels from the density that the neighbours make at each atom, (D.2).

rho_it = sum over neighbours j of species t of exp(-k_t r_ij) F(r_ij)
h_il   = a_l + sum_t (b_lt rho_it^(2/3) + c_lt rho_it^(4/3) + d_lt rho_it^2),    l = s, p
"""

from dataclasses import dataclass

import numpy as np

from qmfront.models.bonds import Bonds
from qmfront.models.nrltb.parameters import DENSITY, Parameters


@dataclass(frozen=True)
class Levels:
    """energy (n, 2), eV: s and p level; slope (n, 2, k), eV: their derivatives with respect to rho_it."""

    energy: np.ndarray
    slope: np.ndarray


def density(kind: np.ndarray, bonds: Bonds, values: np.ndarray, n_species: int) -> np.ndarray:
    """rho (n, k) from the radial functions (p, 12) of the bonds."""
    n = len(kind)
    at_first, at_second = values[:, DENSITY].T
    rho = np.bincount(bonds.first * n_species + kind[bonds.second], at_first, n * n_species)
    rho += np.bincount(bonds.second * n_species + kind[bonds.first], at_second, n * n_species)
    return rho.reshape(n, n_species)


def levels(parameters: Parameters, kind: np.ndarray, rho: np.ndarray) -> Levels:
    """On-site levels and slopes at the densities rho (n, k)."""
    b, c, d = np.moveaxis(parameters.environment[kind].transpose(0, 2, 1, 3), -1, 0)  # (n, 2, k) each
    rho = rho[:, None, :]
    root = np.cbrt(rho)
    # rho = 0 means no neighbours, hence no bond on which the infinite slope could act.
    inverse = np.divide(1.0, root, out=np.zeros_like(root), where=root > 0.0)
    energy = parameters.levels[kind] + np.sum(b * root**2 + c * root**4 + d * rho**2, axis=-1)
    slope = 2.0 / 3.0 * b * inverse + 4.0 / 3.0 * c * root + 2.0 * d * rho
    return Levels(energy, slope)


def bond_slope(
    kind: np.ndarray, bonds: Bonds, slopes: np.ndarray, charge: np.ndarray, on_site: Levels
) -> np.ndarray:
    """(p,) eV/Å: derivative of sum_il charge_il h_il with respect to the length of each bond.

    charge : (n, 2) float
        Weights of the levels (diagonal of the density matrix, summed over the p orbitals).
    slopes : (p, 12)
        r-derivatives of the radial functions.
    """
    pull = np.einsum("nl,nlk->nk", charge, on_site.slope)
    at_first, at_second = slopes[:, DENSITY].T
    return (
        pull[bonds.first, kind[bonds.second]] * at_first + pull[bonds.second, kind[bonds.first]] * at_second
    )
