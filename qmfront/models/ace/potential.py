"""A fitted linear ACE potential (C.2): site energy E0 + B . c, plus an optional short-range pair repulsion.

E = sum_i ( E0_i + B(i) . c ) + 1/2 sum_ij strength (radius / r_ij - 1)^4   for r_ij < radius
"""

from dataclasses import dataclass

import numpy as np

from qmfront.models.ace.basis import Basis


@dataclass(frozen=True)
class Repulsion:
    """Pair repulsion strength (radius / r - 1)^4 inside radius: C^3 at the radius, diverges at contact.

    strength : float, eV
    radius : float, Å
        Keep it below the shortest distances of the fit, so that it changes nothing there.
    """

    strength: float
    radius: float

    def __post_init__(self) -> None:
        if not (self.strength >= 0 and self.radius > 0):
            raise ValueError(
                f"Repulsion of {self.strength} eV inside {self.radius} Å: give a strength >= 0 and a radius > 0."
            )


@dataclass(frozen=True, eq=False)
class Potential:
    """Everything that defines the energy; compared by identity.

    basis : Basis
    coefficients : (n_B,) float, eV
    reference_energies : (n_species,) float, eV
        E0, the energy of an isolated atom of each species.
    minimum_distance : float, Å
        Two atoms closer than this are an error, not an extrapolation.
    repulsion : Repulsion or None
        The same for all pairs of species.

    Raises
    ------
    ValueError
        If lengths do not fit or a number is not finite.
    """

    basis: Basis
    coefficients: np.ndarray
    reference_energies: np.ndarray
    minimum_distance: float = 0.5  # ASSUME
    repulsion: Repulsion | None = None

    def __post_init__(self) -> None:
        n, n_species = len(self.basis), len(self.basis.species)
        if np.shape(self.coefficients) != (n,):
            raise ValueError(
                f"{np.shape(self.coefficients)} coefficients for {n} basis functions. Give one per function."
            )
        if np.shape(self.reference_energies) != (n_species,):
            raise ValueError(
                f"{np.shape(self.reference_energies)} reference energies for {n_species} species. Give one each."
            )
        if not (np.all(np.isfinite(self.coefficients)) and np.all(np.isfinite(self.reference_energies))):
            raise ValueError("Coefficients or reference energies are not finite. Repair the fit.")
        if not 0 < self.minimum_distance < self.basis.cutoff:
            raise ValueError(
                f"The minimum distance is {self.minimum_distance} Å. Choose it between 0 and the cutoff, "
                f"{self.basis.cutoff} Å."
            )
