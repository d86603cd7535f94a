"""Training data of a potential, and the fit: observations of the homogeneous lattice, and of surfaces if wanted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase.calculators.calculator import BaseCalculator

from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.internal import Shifts, relaxed_shifts
from qmfront.elasticity.moduli import piola_stress
from qmfront.elasticity.strain_polynomial import StrainPolynomial, fit_strain_polynomial
from qmfront.evaluate.share import in_turn
from qmfront.models.ace.basis import Basis
from qmfront.models.ace.calculator import ACE
from qmfront.models.ace.potential import Potential
from qmfront.models.lattice_symmetry import crystal_operations
from qmfront.storage.store_layout import Declared
from qmfront.training.observe import predictor_strains as field
from qmfront.training.observe import rattled
from qmfront.training.observe.lattice import FIRST_FREE_ORDER, Lattice, names_of, observe, observed_gradients
from qmfront.training.observe.responses import BasisResponse, CalculatorResponse
from qmfront.training.observe.slabs import DECLARED as OF_SURFACES
from qmfront.training.observe.slabs import SurfaceData, SurfaceSampling, observe_surfaces
from qmfront.training.regression import (
    Prior,
    RelevanceSettings,
    observation_size,
    regress,
    weighted_system,
)
from qmfront.training.uncertainty import Uncertainty, uncertainty

UNITS = {
    "energy": "eV",
    "stress": "eV",
    "force_constants": "eV/Å^2",
    "second_derivative": "eV",
    "third_derivative": "eV",
    "fourth_derivative": "eV",
    "strained_force_constants": "eV/Å^2",
    "fifth_derivative": "eV",
    "twice_strained_force_constants": "eV/Å^2",
    "internal_first_derivative": "eV/Å",
    "internal_second_derivative": "eV/Å",
    "internal_third_derivative": "eV/Å",
    "internal_fourth_derivative": "eV/Å",
}
OF_SHIFTS = {
    "shift_strain": Declared("shift_sample component component2", "f", "1", "deformation F - I of a shift"),
    "shift": Declared("shift_sample atom component", "f", "Å", "internal shifts of the QM model"),
}
TAIL = 1e-3
"""Force constants that miss the moduli by this fraction end before the model does."""
ORDERS_OF_MISMATCH = {0: 2, 1: 2, 2: 2, 3: 1}
"""The difference of the two lattices is expanded in its first free order and the next one, if that is not the seventh:
48 more invariants would take more strain samples."""


@dataclass(frozen=True)
class FitSettings:
    """How a potential is fitted.

    matching : 0 to 3, see `observations.MATCHING`
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
    difference : (s, 3, 3) float, eV
        dP = P^QM_cb - P^MM_cb at the strain samples of the bulk, to which it was fitted.
    relative_error : observation -> |A c - y| / |y|, for stress in eV
    uncertainty : Uncertainty
        Of the coefficients.
    lattice_only : Potential or None
        Fitted without the surfaces, where there are any: what they change.
    """

    potential: Potential
    mismatch: StrainPolynomial
    difference: np.ndarray
    relative_error: dict[str, float]
    uncertainty: Uncertainty
    lattice_only: Potential | None = None


def training_arrays(
    bulk: Bulk,
    calculator: BaseCalculator,
    *,
    matching: int,
    strain_step: float,
    reach: float,
    step: float = 1e-3,
    cubic: bool = False,
    surfaces: SurfaceSampling | None = None,
    rattles: rattled.RattledSampling | None = None,
    strains: tuple[Defect, int] | None = None,
) -> dict[str, np.ndarray]:
    """Observations of the QM model that a matching order asks for, name -> (rows,), and those beside the lattice.

    For a crystal with a basis also the internal shifts at which they are taken. Reach, step (Å) and cubic are those of
    the force constants; those of the bulk ask the model nothing again. strains: a defect, and how many of its sites
    tell at which strains stresses are observed.
    """
    lattice = lattice_of(bulk, strain_step)
    names = names_of(matching, lattice)
    shifts, of_shifts = None, {}
    if lattice.permutations is not None:
        shifts = relaxed_shifts(bulk.crystal, in_turn(calculator), observed_gradients(names, lattice))
        of_shifts = {"shift_strain": shifts.gradients - np.eye(3), "shift": shifts.shifts}
    response = CalculatorResponse(
        bulk.crystal, calculator, reach=reach, step=step, shifts=shifts, cubic=cubic
    )
    found = observe(response, names, lattice) | of_shifts
    if rattles is not None:
        found |= rattled.observe_rattled(bulk.crystal, calculator, rattles)
    if strains is not None:
        found |= field.observe_field(bulk.crystal, calculator, *strains)
    if surfaces is not None:
        found |= observe_surfaces(bulk.crystal, calculator, surfaces).arrays()
    return found


def declared_observations(names: list[str]) -> dict[str, Declared]:
    """Declarations of the arrays of a training store."""
    of_lattice = {
        name: Declared(f"{name}_row", "f", UNITS[name], f"observed {name.replace('_', ' ')}", "(4.5)")
        for name in names
        if name in UNITS
    }
    others = OF_SHIFTS | OF_SURFACES | rattled.DECLARED | field.DECLARED
    return of_lattice | {name: others[name] for name in names if name in others}


def lattice_of(bulk: Bulk, strain_step: float) -> Lattice:
    """The homogeneous lattice as the observations see it."""
    constants = bulk.force_constants
    tail = bool(np.abs(constants.moduli(bulk.crystal.volume) - bulk.moduli).max() > TAIL * bulk.moduli.max())
    if constants.n_basis == 1:
        return Lattice(constants.vector, bulk.crystal.point_group(), strain_step, tail=tail)
    operations = crystal_operations(bulk.crystal.to_atoms())
    return Lattice(
        constants.vector,
        np.array([operation.rotation for operation in operations]),
        strain_step,
        ends=np.stack([constants.basis_first, constants.basis_second], axis=1),
        permutations=np.array([operation.permutation for operation in operations]),
        tail=tail,
    )


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
    shifts = Shifts(np.eye(3) + training["shift_strain"], training["shift"]) if "shift" in training else None
    response = BasisResponse(bulk.crystal, basis, shifts=shifts)
    targets = {name: training[name] for name in training if name in UNITS}
    design = observe(response, tuple(targets), lattice_of(bulk, strain_step))
    if "rattled_energy" in training:
        targets |= rattled.targets(training, bulk)
        design |= rattled.designs(training, bulk, basis)
    if "field_stress" in training:
        targets |= field.targets(training)
        design |= field.designs(training, bulk, basis)
    lattice_only = None
    if "surface_energy" in training:
        lattice_only = _regression(targets, design, basis, settings)[0]
        surfaces = SurfaceData.from_arrays(training)
        targets |= surfaces.targets()
        design |= surfaces.design(basis, response.energy(np.eye(3)))
    potential, spread = _regression(targets, design, basis, settings)
    difference = bulk.stresses - _sampled_stresses(bulk, response, potential)
    first = FIRST_FREE_ORDER[settings.matching]
    mismatch = fit_strain_polynomial(
        bulk.gradients,
        difference,
        orders=range(first, first + ORDERS_OF_MISMATCH[settings.matching]),
        rotations=bulk.crystal.point_group(),
    )
    errors = _errors(targets, design, potential.coefficients)
    return Fit(potential, mismatch, difference, errors, spread, lattice_only)


def _sampled_stresses(bulk: Bulk, response: BasisResponse, potential: Potential) -> np.ndarray:
    """dW_cb/dF (s, 3, 3), eV, of the potential at the strain samples, its own sublattices at rest."""
    if len(bulk.crystal.basis) == 1:
        return np.array([response.stress(F) @ potential.coefficients for F in bulk.gradients])
    calculator = ACE(potential)
    shifts = relaxed_shifts(bulk.crystal, calculator, bulk.gradients, start=bulk.shifts).shifts
    stresses = [
        piola_stress(bulk.crystal, calculator, F, shift=s)
        for F, s in zip(bulk.gradients, shifts, strict=True)
    ]
    return bulk.crystal.volume * np.array(stresses)


def _regression(
    targets: dict[str, np.ndarray], design: dict[str, np.ndarray], basis: Basis, settings: FitSettings
) -> tuple[Potential, Uncertainty]:
    """The potential that fits the observations, and how sure it is."""
    rows, right = weighted_system(targets, design, settings.weights)
    found = regress(
        rows,
        right,
        basis.smoothness,
        method=settings.method,
        prior=settings.prior,
        relevance_settings=settings.relevance,
    )
    potential = Potential(basis, found.coefficients, np.zeros(len(basis.species)))
    return potential, uncertainty(rows, right, found)


def fit_table(fit: Fit, surface_errors: Mapping[str, float]) -> str:
    """The fit quality as CSV: observation, relative_error."""
    rows = [f"{name},{value:.6e}" for name, value in (fit.relative_error | surface_errors).items()]
    return "\n".join(["observation,relative_error", *rows, f"functions,{len(fit.potential.basis)}"]) + "\n"


def _errors(
    targets: dict[str, np.ndarray], design: dict[str, Any], coefficients: np.ndarray
) -> dict[str, float]:
    return {
        name: float(np.linalg.norm(design[name] @ coefficients - target) / observation_size(name, targets))
        for name, target in targets.items()
    }
