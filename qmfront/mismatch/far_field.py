"""Whether the polynomial dW speaks for the strains of a case, and a better one if it does not.

    dP(F) = P^QM_cb(F) - P^MM_cb(F) at F_l of the sites,    each model with its sublattices at rest

The polynomial of the certificate is fitted to random strains of one size, from the first order that the fit matches on.
Derivatives that are noise were not matched, and a dissociated core has strains that its predictor has not. So a few
homogeneous lattices at strains that the case has tell how wrong the polynomial is. Where it is, more are asked, and a
polynomial of all orders from 2 on is fitted to what they say, each weighted by r^2, r its distance to the core: in the
far field dP is small and counts as much. Every second lattice is held out from a trial fit, which says how good it is.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from ase.calculators.calculator import BaseCalculator
from scipy.spatial import cKDTree

from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import Crystal
from qmfront.elasticity.defective_sites import defective_sites
from qmfront.elasticity.deformation import deformation_gradients
from qmfront.elasticity.predictor_strains import resting_stresses, spread_sites
from qmfront.elasticity.strain_polynomial import StrainPolynomial, fit_strain_polynomial
from qmfront.storage.layout import Attributes

logger = logging.getLogger(__name__)

CLOSE = 0.2
"""Relative error up to which the polynomial of the certificate is left alone: it changes eta by a few per cent."""

PROBES = 24
"""Sites at which that polynomial is doubted."""

ORDERS = (2, 3, 4, 5)
"""Orders in strain of the better polynomial."""

SHELL_R0 = 1.3
"""r0; nearer to a defective site no strain of a homogeneous lattice describes a site."""

DISTANCE_POWER = 2
"""Of the distance in the weight of a lattice: dP of a fit that matches one order falls as r^-2 about a line."""


@dataclass(frozen=True)
class FarField:
    """What homogeneous lattices at the strains of a case say.

    polynomial : StrainPolynomial or None
        In place of that of the certificate; None if that one will do.
    relative_error : float
        Of the polynomial of the certificate, |r^2 (dP - dP_polynomial)| / |r^2 dP| over the probes; NaN if not asked.
    held_out_error : float
        The same of the better one, over lattices that it was not fitted to; NaN without one.
    verdict : str
        In words.
    """

    polynomial: StrainPolynomial | None
    relative_error: float
    held_out_error: float
    verdict: str

    @property
    def error(self) -> float:
        """Relative error of the polynomial that is taken; NaN if it was not asked."""
        return self.relative_error if self.polynomial is None else self.held_out_error

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a store of kind "far_field"."""
        found = self.polynomial
        if found is None:
            return {"exponents": np.zeros((0, 6), int), "coefficients": np.zeros(0)}
        return {"exponents": found.exponents, "coefficients": found.coefficients}

    def attrs(self) -> Attributes:
        """Attributes of that store."""
        numbers = {"relative_error": self.relative_error, "held_out_error": self.held_out_error}
        return {name: None if np.isnan(value) else value for name, value in numbers.items()} | {
            "verdict": self.verdict
        }

    @classmethod
    def from_store(cls, arrays: Mapping[str, np.ndarray], attrs: Attributes) -> "FarField":
        """The inverse of `arrays` and `attrs`."""
        found = StrainPolynomial(arrays["exponents"], arrays["coefficients"])
        before, left = (
            np.nan if attrs[name] is None else float(attrs[name])
            for name in ("relative_error", "held_out_error")
        )
        return cls(found if len(found.coefficients) else None, before, left, attrs["verdict"])


@dataclass(frozen=True)
class FieldStrains:
    """Strains that a case has, in its structure relaxed with the potential, or in its predictor.

    gradients : (s, 3, 3) float
        F of some sites spread over distance and angle, in crystal axes.
    distance : (s,) float, r0
        To the nearest defective site, or to the core where none is defective.
    """

    gradients: np.ndarray
    distance: np.ndarray

    def first(self, count: int) -> "FieldStrains":
        """The first `count` of them, which are spread as well."""
        return FieldStrains(self.gradients[:count], self.distance[:count])

    def __len__(self) -> int:
        return len(self.gradients)


def field_strains(
    defect: Defect, displacement: np.ndarray, crystal: Crystal, *, samples: int
) -> FieldStrains:
    """Strains at most `samples` sites of a structure have, beyond SHELL_R0 of its defective sites.

    Parameters
    ----------
    displacement : (n, 3) float, Å
        Zero for the predictor.
    crystal : Crystal
        At rest, in cubic axes.
    """
    defective = defective_sites(defect, displacement, crystal)
    core = defect.coordinates[defective] if defective.any() else defect.core[None, : defect.dimension]
    distance = np.asarray(cKDTree(core).query(defect.coordinates)[0]) / defect.r0
    sites = spread_sites(defect, distance, samples, inner=SHELL_R0)
    frames = defect.site_frames
    gradient = frames.swapaxes(1, 2) @ deformation_gradients(defect, displacement) @ frames
    return FieldStrains(gradient[sites], distance[sites])


def far_field(
    strains: FieldStrains,
    crystal: Crystal,
    models: tuple[BaseCalculator, BaseCalculator],
    polynomial: StrainPolynomial,
    *,
    moduli: np.ndarray,
) -> FarField:
    """Doubt the polynomial at strains of the case, and fit a better one if it is wrong there.

    Parameters
    ----------
    strains : FieldStrains
        The first PROBES of them doubt the polynomial, the others are asked where it is wrong; none believes it.
    crystal : Crystal
    models : (qm, mm)
        ASE calculators.
    polynomial : StrainPolynomial
    moduli : (3, 3, 3, 3) float, eV/Å^3
        By which the models differ: told by the linear mismatch and taken off here; zero if it is not.
    """
    if not len(strains):
        return FarField(None, np.nan, np.nan, "The polynomial is believed, not asked.")
    difference = crystal.volume * moduli

    def measured(asked: FieldStrains) -> np.ndarray:
        F = asked.gradients
        strain = (F.swapaxes(1, 2) @ F - np.eye(3)) / 2
        known = F @ np.einsum("ijkl,nkl->nij", difference, strain)
        qm, mm = (resting_stresses(crystal, model, F)[0] for model in models)
        return qm - mm - known

    probes = strains.first(PROBES)
    error = _error(probes, measured(probes), polynomial)
    told = f"dW as a polynomial is {error:.0%} off at the strains of the case"
    if error <= CLOSE:
        return FarField(None, error, np.nan, f"{told}: good enough.")
    if len(strains) <= PROBES:
        return FarField(None, error, np.nan, f"{told}, which has too few sites for a better one.")
    truth, rotations = measured(strains), crystal.point_group()
    fitted, held_out = np.arange(len(strains)) % 2 == 0, np.arange(len(strains)) % 2 == 1
    trial = _fit(strains, truth, fitted, rotations)
    rest = FieldStrains(strains.gradients[held_out], strains.distance[held_out])
    left = _error(rest, truth[held_out], trial)
    verdict = (
        f"{told}. A better one, fitted to {len(strains)} homogeneous lattices at these strains, is {left:.0%} off "
        "where it was not fitted."
    )
    logger.info(verdict)
    better = _fit(strains, truth, np.ones(len(strains), bool), rotations)
    return FarField(better if left < error else None, error, left, verdict)


def _fit(
    strains: FieldStrains, stresses: np.ndarray, chosen: np.ndarray, rotations: np.ndarray
) -> StrainPolynomial:
    return fit_strain_polynomial(
        strains.gradients[chosen],
        stresses[chosen],
        orders=ORDERS,
        rotations=rotations,
        weights=strains.distance[chosen] ** DISTANCE_POWER,
    )


def _error(strains: FieldStrains, truth: np.ndarray, polynomial: StrainPolynomial) -> float:
    """Relative error of a polynomial, every site weighted as in the fit."""
    weight = strains.distance[:, None, None] ** DISTANCE_POWER
    told = polynomial.stress(strains.gradients)
    return float(np.linalg.norm(weight * (truth - told)) / np.linalg.norm(weight * truth))
