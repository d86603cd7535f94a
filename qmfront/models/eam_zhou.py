"""The analytic embedded-atom form of Zhou, Johnson and Wadley, smooth up to its C^3 cut-off."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers
from numba import njit

from qmfront.models.bonds import Bonds

PACKAGED = Path(__file__).parent / "data"
RADIAL = ("re", "fe", "alpha", "beta", "A", "B", "kappa", "lambda", "switch_start", "cutoff")
EMBEDDING = ("rhoe", "F0", "F2", "F3")


@dataclass(frozen=True)
class ZhouEAM:
    """One element in the Zhou form.

        f(r)   = fe g(beta, lambda) s(r),              g(a, k) = exp(-a (x - 1)) / (1 + (x - k)^20),
        phi(r) = [A g(alpha, kappa) - B g(beta, lambda)] s(r),                                x = r / re,
        F(rho) = F0 + F2 y^2 + F3 y^3,                                                y = rho / rhoe - 1,

    s the switch of degree 7 from 1 at `switch_start` to 0 at `cutoff` (C^3 at both ends, C^infinity elsewhere).
    An atom without neighbours keeps F(0).

    species : (1,) int
        Atomic number.
    radial, embedding_parameters : float arrays
        In the order of `RADIAL` (Å, 1, 1, 1, eV, eV, 1, 1, Å, Å) and `EMBEDDING` (1, eV, eV, eV).
    """

    species: np.ndarray
    radial: np.ndarray
    embedding_parameters: np.ndarray

    @cached_property
    def cutoff(self) -> float:
        """Interaction cut-off, Å."""
        return float(self.radial[RADIAL.index("cutoff")])

    def bond_terms(self, kind: np.ndarray, bonds: Bonds) -> np.ndarray:
        """Radial functions on the bonds; see `qmfront.models.eam.EAMModel`."""
        terms = np.empty((len(bonds), 6))
        _bond_terms(bonds.distance, self.radial, terms)
        return terms

    def embedding(self, kind: np.ndarray, density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """F(rho) in eV and F'(rho) in eV, (n,) each, for the densities (n,)."""
        rhoe, f0, f2, f3 = self.embedding_parameters
        y = density / rhoe - 1.0
        return f0 + y**2 * (f2 + y * f3), y * (2.0 * f2 + 3.0 * f3 * y) / rhoe


def packaged_potentials() -> list[str]:
    """Names of the analytic potentials that come with the package."""
    return sorted(path.stem for path in PACKAGED.glob("*.json"))


def packaged_zhou(name: str) -> ZhouEAM:
    """Read a packaged parameter set, for example "W_zhou"."""
    content = json.loads((PACKAGED / f"{name}.json").read_text(encoding="utf-8"))
    value = {key: float(entry["value"]) for key, entry in content["parameters"].items()}
    return ZhouEAM(
        species=np.array([atomic_numbers[content["element"]]]),
        radial=np.array([value[key] for key in RADIAL]),
        embedding_parameters=np.array([value[key] for key in EMBEDDING]),
    )


@njit(cache=True, inline="always")
def switch(r: float, start: float, end: float) -> tuple[float, float]:
    """s(r) and s'(r): 1 below start, 0 above end, between them 1 - t^4 (35 - 84 t + 70 t^2 - 20 t^3).

    t = (r - start) / (end - start); the first three derivatives vanish at both ends.
    """
    if r <= start:
        return 1.0, 0.0
    if r >= end:
        return 0.0, 0.0
    t = (r - start) / (end - start)
    value = 1.0 - t**4 * (35.0 + t * (-84.0 + t * (70.0 - 20.0 * t)))
    return value, -140.0 * (t * (1.0 - t)) ** 3 / (end - start)


@njit(cache=True, inline="always")
def _decay(x: float, rate: float, shift: float) -> tuple[float, float]:
    """g(rate, shift) and dg/dx."""
    t = x - shift
    t2 = t * t
    t4 = t2 * t2
    t16 = t4 * t4 * t4 * t4
    quotient = 1.0 / (1.0 + t16 * t4)
    value = np.exp(-rate * (x - 1.0)) * quotient
    return value, -value * (rate + 20.0 * t16 * t2 * t * quotient)


@njit(cache=True)
def _bond_terms(distance: np.ndarray, radial: np.ndarray, terms: np.ndarray) -> None:
    re, fe, alpha, beta, a, b, kappa, lam, start, end = radial
    for p in range(len(distance)):
        r = distance[p]
        s, ds = switch(r, start, end)
        attract, d_attract = _decay(r / re, beta, lam)
        repel, d_repel = _decay(r / re, alpha, kappa)
        phi, d_phi = a * repel - b * attract, (a * d_repel - b * d_attract) / re
        density, d_density = fe * attract, fe * d_attract / re
        terms[p, 0] = terms[p, 2] = density * s
        terms[p, 1] = terms[p, 3] = d_density * s + density * ds
        terms[p, 4] = phi * s
        terms[p, 5] = d_phi * s + phi * ds
