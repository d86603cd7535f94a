"""How well the polynomial dW speaks for the far field of a case, and what to do if it does not.

    dP(F) = P^QM_cb(F) - P^MM_cb(F) at F_l of the predictor,    each model with its sublattices at rest

The polynomial is fitted to random strains of one size and read off at smaller ones. Two homogeneous lattices at strains
that the case has tell how wrong that is. Where it is, the difference between truth and polynomial is measured on sites
spread evenly over log r and angle, interpolated, and added to the stress: a function of place, since the corrector
hardly changes a far-field strain, and the polynomial knows by how much.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase.calculators.calculator import BaseCalculator
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import Crystal
from qmfront.elasticity.moduli import cubic_moduli
from qmfront.elasticity.predictor_strains import (
    INNER_R0,
    polar,
    predictor_gradients,
    resting_stresses,
    spread_sites,
)
from qmfront.elasticity.strain_polynomial import StrainPolynomial

logger = logging.getLogger(__name__)

CLOSE = 0.2
"""Relative error up to which the polynomial is left alone: it changes eta by a few per cent."""
PROBES = 24
"""Sites at which the polynomial is doubted."""


@dataclass(frozen=True)
class FarField:
    """What the polynomial lacks.

    sites : (s,) int
        Where dP was measured; empty if the polynomial will do.
    lacking : (s, 3, 3) float, eV
        dP - dP_polynomial there, crystal axes.
    relative_error : float
        Of the polynomial, |r^p (dP - dP_polynomial)| / |r^p dP| over the probes; NaN without a far field.
    verdict : str
        In words.
    """

    sites: np.ndarray
    lacking: np.ndarray
    relative_error: float
    verdict: str

    def arrays(self) -> dict[str, Any]:
        """Arrays of a store of kind "far_field"."""
        return {"sites": self.sites, "lacking": self.lacking}

    def attrs(self) -> dict[str, Any]:
        """Attributes of that store."""
        error = None if np.isnan(self.relative_error) else self.relative_error
        return {"relative_error": error, "verdict": self.verdict}

    @classmethod
    def from_store(cls, arrays: Mapping[str, Any], attrs: Mapping[str, Any]) -> "FarField":
        """The inverse of `arrays` and `attrs`."""
        error = attrs["relative_error"]
        return cls(arrays["sites"], arrays["lacking"], np.nan if error is None else error, attrs["verdict"])

    def correction(self, defect: Defect, power: int) -> np.ndarray:
        """dP - dP_polynomial on all sites, (n, 3, 3) eV; zero within INNER_R0 and where nothing was measured.

        r^p times it is interpolated linearly over (log r, angle), p = `power` as in `far_field`.
        """
        field = np.zeros((defect.n_sites, 3, 3))
        if len(self.sites) == 0:
            return field
        place, radius = polar(defect)
        known = self.lacking.reshape(-1, 9) * radius[self.sites, None] ** power
        turned = [place[self.sites] + [0.0, turn] for turn in (-2 * np.pi, 0.0, 2 * np.pi)]
        points, values = np.concatenate(turned), np.tile(known, (3, 1))
        outside = np.flatnonzero(radius >= INNER_R0)
        found = LinearNDInterpolator(points, values)(place[outside])
        lost = np.isnan(found).any(axis=1)
        found[lost] = NearestNDInterpolator(points, values)(place[outside][lost])
        field[outside] = (found / radius[outside, None] ** power).reshape(-1, 3, 3)
        return field


def far_field(
    defect: Defect,
    crystal: Crystal,
    models: tuple[BaseCalculator, BaseCalculator],
    polynomial: StrainPolynomial,
    *,
    moduli: np.ndarray,
    samples: int,
) -> FarField:
    """Doubt the polynomial at strains of the predictor, and measure what it lacks if it is wrong.

    Parameters
    ----------
    defect : Defect
        Straight; a point defect has no far field, and its polynomial is left alone.
    crystal : Crystal
    models : (qm, mm)
        ASE calculators.
    polynomial : StrainPolynomial
    moduli : (3,) float, eV/Å^3
        C11, C12, C44 by which the models differ: told by the linear mismatch and taken off here; zero if it is not.
    samples : int
        Homogeneous lattices per model where the polynomial is wrong; 0 asks for none and believes the polynomial.
    """
    power = polynomial.decay
    if defect.dimension == 3 or samples == 0:
        return FarField(
            np.zeros(0, int), np.zeros((0, 3, 3)), np.nan, "The polynomial is believed, not asked."
        )
    gradient = predictor_gradients(defect)
    difference = crystal.volume * cubic_moduli(*moduli)

    def measured(sites: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        F = gradient[sites]
        strain = (F.swapaxes(1, 2) @ F - np.eye(3)) / 2
        known = F @ np.einsum("ijkl,nkl->nij", difference, strain)
        qm, mm = (resting_stresses(crystal, model, F)[0] for model in models)
        return qm - mm - known, polynomial.stress(F)

    radius = polar(defect)[1]
    probes = spread_sites(defect, PROBES)
    truth, told = measured(probes)
    scale = radius[probes, None, None] ** power
    error = float(np.linalg.norm(scale * (truth - told)) / np.linalg.norm(scale * truth))
    if error <= CLOSE:
        verdict = f"dW as a polynomial is {error:.0%} off at the strains of the far field: good enough."
        return FarField(np.zeros(0, int), np.zeros((0, 3, 3)), error, verdict)
    sites = spread_sites(defect, samples)
    truth, told = measured(sites)
    verdict = (
        f"dW as a polynomial is {error:.0%} off at the strains of the far field: the homogeneous lattices themselves "
        f"are asked, at the strains of {len(sites)} sites."
    )
    logger.info(verdict)
    return FarField(sites, truth - told, error, verdict)
