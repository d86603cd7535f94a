"""Training data of a potential, and the fit: observations of the homogeneous lattice, and of surfaces if wanted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase.calculators.calculator import BaseCalculator

from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.strain_polynomial import StrainPolynomial, fit_strain_polynomial
from qmfront.models.ace.basis import Basis
from qmfront.models.ace.potential import Potential
from qmfront.store_layout import Declared
from qmfront.training.observations import FIRST_FREE_ORDER, MATCHING, Lattice, observe
from qmfront.training.regression import Prior, RelevanceSettings, fit_coefficients, weighted_system
from qmfront.training.responses import BasisResponse, CalculatorResponse
from qmfront.training.surfaces import DECLARED as OF_SURFACES
from qmfront.training.surfaces import SurfaceData, SurfaceSampling, observe_surfaces

UNITS = {
    "energy": "eV",
    "stress": "eV",
    "force_constants": "eV/Å^2",
    "third_derivative": "eV",
    "fourth_derivative": "eV",
    "strained_force_constants": "eV/Å^2",
}
ORDERS_OF_MISMATCH = 2
"""The difference of the two lattices is expanded in its first free order and the next one."""


@dataclass(frozen=True)
class FitSettings:
    """How a potential is fitted.

    matching : 0, 1 or 2, see `observations.MATCHING`
    weights : observation -> W
    method : "ridge" or "ard"
    prior, relevance
        Of `regression`.
    """

    matching: int
    weights: dict[str, float]
    method: str
    prior: Prior
    relevance: RelevanceSettings

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "FitSettings":
        """From {matching, weights, regression} of a potential."""
        regression = config["regression"]
        return cls(
            config["matching"],
            config["weights"],
            regression["method"],
            Prior(**regression["prior"]),
            RelevanceSettings(**regression["ard"]),
        )


@dataclass(frozen=True)
class Fit:
    """A fitted potential and its comparison with the reference model.

    potential : Potential
    mismatch : StrainPolynomial
        dW = W_cb^QM - W_cb^MM from the first order that was not matched.
    relative_error : observation -> |A c - y| / |y|, for stress in eV
    lattice_only : Potential or None
        Fitted without the surfaces, where there are any: what they change.
    """

    potential: Potential
    mismatch: StrainPolynomial
    relative_error: dict[str, float]
    lattice_only: Potential | None = None


def training_arrays(
    bulk: Bulk,
    calculator: BaseCalculator,
    *,
    matching: int,
    strain_step: float,
    reach: float,
    surfaces: SurfaceSampling | None = None,
) -> dict[str, np.ndarray]:
    """Observations of the QM model that a matching order asks for, name -> (rows,), and those of surfaces."""
    response = CalculatorResponse(bulk.crystal, calculator, reach=reach)
    of_lattice = observe(response, MATCHING[matching], lattice_of(bulk, strain_step))
    if surfaces is None:
        return of_lattice
    return of_lattice | observe_surfaces(bulk.crystal, calculator, surfaces).arrays()


def declared_observations(names: list[str]) -> dict[str, Declared]:
    """Declarations of the arrays of a training store."""
    of_lattice = {
        name: Declared(f"{name}_row", "f", UNITS[name], f"observed {name.replace('_', ' ')}", "(4.5)")
        for name in names
        if name in UNITS
    }
    return of_lattice | {name: OF_SURFACES[name] for name in names if name in OF_SURFACES}


def lattice_of(bulk: Bulk, strain_step: float) -> Lattice:
    """The homogeneous lattice as the observations see it."""
    return Lattice(bulk.force_constants.vector, bulk.crystal.point_group(), strain_step)


def fit_potential(
    training: Mapping[str, Any], bulk: Bulk, basis: Basis, settings: FitSettings, *, strain_step: float
) -> Fit:
    """Regression of (2.12), (4.5), with the surfaces of section 4.3 if observed, and the expansion of what it leaves.

    Parameters
    ----------
    training : arrays of `training_arrays`
    bulk : Bulk
        Its strain samples give the mismatch.
    basis : Basis
    settings : FitSettings
    strain_step : float
        As in training_arrays.
    """
    response = BasisResponse(bulk.crystal, basis)
    targets = {name: training[name] for name in training if name in UNITS}
    design = observe(response, tuple(targets), lattice_of(bulk, strain_step))
    lattice_only = None
    if "surface_energy" in training:
        lattice_only = _regression(targets, design, basis, settings)
        surfaces = SurfaceData.from_arrays(training)
        targets |= surfaces.targets()
        design |= surfaces.design(basis, response.energy(np.eye(3)))
    potential = _regression(targets, design, basis, settings)
    samples = np.array([response.stress(gradient) @ potential.coefficients for gradient in bulk.gradients])
    first = FIRST_FREE_ORDER[settings.matching]
    mismatch = fit_strain_polynomial(
        bulk.gradients,
        bulk.stresses - samples,
        orders=range(first, first + ORDERS_OF_MISMATCH),
        rotations=bulk.crystal.point_group(),
    )
    return Fit(potential, mismatch, _errors(targets, design, potential.coefficients), lattice_only)


def _regression(
    targets: dict[str, np.ndarray], design: dict[str, np.ndarray], basis: Basis, settings: FitSettings
) -> Potential:
    """The potential that fits the observations."""
    rows, right = weighted_system(targets, design, settings.weights)
    coefficients = fit_coefficients(
        rows,
        right,
        basis.smoothness,
        method=settings.method,
        prior=settings.prior,
        relevance_settings=settings.relevance,
    )
    return Potential(basis, coefficients, np.zeros(len(basis.species)))


def fit_table(fit: Fit, surface_errors: Mapping[str, float]) -> str:
    """The fit quality as CSV: observation, relative_error."""
    rows = [f"{name},{value:.6e}" for name, value in (fit.relative_error | surface_errors).items()]
    return "\n".join(["observation,relative_error", *rows, f"functions,{len(fit.potential.basis)}"]) + "\n"


def _errors(
    targets: dict[str, np.ndarray], design: dict[str, Any], coefficients: np.ndarray
) -> dict[str, float]:
    return {
        name: float(np.linalg.norm(design[name] @ coefficients - target) / _size(name, target))
        for name, target in targets.items()
    }


def _size(name: str, target: np.ndarray) -> float:
    return 1.0 if name == "stress" else float(np.linalg.norm(target))
