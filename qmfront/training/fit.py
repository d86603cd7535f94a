"""The fit of a potential to observations of the reference model, and what it leaves of their difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from qmfront.config.potential import Basis as BasisSettings
from qmfront.config.potential import Fitting
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.internal import relaxed_shifts
from qmfront.elasticity.moduli import piola_stress
from qmfront.elasticity.strain_polynomial import StrainPolynomial, fit_strain_polynomial
from qmfront.models.ace.basis import Basis, build_basis
from qmfront.models.ace.calculator import ACE
from qmfront.models.ace.potential import Potential, Repulsion
from qmfront.storage.layout import Declared
from qmfront.training import defect_certificate
from qmfront.training.defect_certificate import DefectCertificate
from qmfront.training.observations import Observations
from qmfront.training.observe import noise
from qmfront.training.observe.kinds import FIRST_FREE_ORDER, KIND
from qmfront.training.observe.off_lattice import FITTED
from qmfront.training.observe.responses import BasisResponse
from qmfront.training.regression import regress, weighted_system
from qmfront.training.uncertainty import Uncertainty, uncertainty

SMALL = (16, 14, 10)
"""max_degree where none is given: 354 functions of one species."""
RADIAL_LAMBDA = 2.0
"""radial_lambda where none is given."""
ORDERS_OF_MISMATCH = {0: 2, 1: 2, 2: 2, 3: 1}
"""The difference of the two lattices is expanded in its first free order and the next one, if that is not the seventh:
48 more invariants would take more strain samples."""
MET = 1e-3
"""Largest relative error of the third derivative that leaves no difference of that order."""
LEAST_DISTANCE = 0.25
"""Smallest distance of atoms over the radius of the repulsion: closer ones are an error."""
DECLARED = {
    **defect_certificate.DECLARED,
    **noise.DECLARED,
    "order": Declared("", "i", "1", "matching order of the fit"),
    "cell_weight": Declared("", "f", "1", "weight of the cells away from the lattice"),
}
"""What a certificate has besides with the recipe robust."""
SURFACE_KINDS = ("surface_energy", "surface_forces")


@dataclass(frozen=True)
class Fit:
    """A fitted potential and its comparison with the reference model.

    potential : Potential
    mismatch : StrainPolynomial
        dW = W_cb^QM - W_cb^MM from the first order that was not matched.
    difference : (s, 3, 3) float, eV
        dP = P^QM_cb - P^MM_cb at the strain samples of the bulk, to which it was fitted.
    relative_error : kind of observation -> |A c - y| / |y|, for stress in eV
    uncertainty : Uncertainty
        Of the coefficients.
    lattice_only : Potential or None
        Fitted without the surfaces, where there are any: what they change.
    order : int
        The matching order.
    defects : DefectCertificate or None
        Of the recipe robust: simple defects beside those of the reference model.
    noise : kind -> number
        Of the derivatives that were observed at two steps.
    cell_weight : float
        Weight that was found for the cells away from the lattice; zero where there are none.
    """

    potential: Potential
    mismatch: StrainPolynomial
    difference: np.ndarray
    relative_error: dict[str, float]
    uncertainty: Uncertainty
    lattice_only: Potential | None = None
    order: int = 1
    defects: DefectCertificate | None = None
    noise: Mapping[str, float] = field(default_factory=dict)
    cell_weight: float = 0.0

    def arrays(self) -> dict[str, np.ndarray]:
        """What the certificate says of the recipe, see DECLARED; nothing for that of the paper."""
        if self.defects is None:
            return {}
        arrays = self.defects.arrays() | {f"noise_{name}": np.asarray(n) for name, n in self.noise.items()}
        return arrays | {"order": np.asarray(self.order), "cell_weight": np.asarray(self.cell_weight)}

    def declared(self) -> dict[str, Declared]:
        """Declarations of `arrays`."""
        return {name: DECLARED[name] for name in self.arrays()}


@dataclass(frozen=True)
class Rows:
    """Observations, and the same of every basis function: kind -> (rows,) and kind -> (rows, n_functions)."""

    targets: dict[str, np.ndarray]
    design: dict[str, np.ndarray]

    def without(self, *kinds: str) -> "Rows":
        """All but some kinds."""
        targets, design = (
            {name: rows for name, rows in part.items() if name not in kinds}
            for part in (self.targets, self.design)
        )
        return Rows(targets, design)

    def errors(self, coefficients: np.ndarray) -> dict[str, float]:
        """|A c - y| / |y| by kind; for stress in eV."""
        return {
            name: float(
                np.linalg.norm(self.design[name] @ coefficients - target) / KIND[name].size(self.targets)
            )
            for name, target in self.targets.items()
        }


def basis_functions(species: Sequence[str], settings: BasisSettings) -> Basis:
    """The basis functions that the section `basis` of a potential describes."""
    return build_basis(
        list(species),
        cutoff=settings.cutoff,
        max_degree=SMALL if settings.max_degree is None else settings.max_degree,
        l_weight=settings.angular_weight,
        decay=RADIAL_LAMBDA if settings.radial_lambda is None else settings.radial_lambda,
    )


def fit_potential(observations: Observations, bulk: Bulk, basis: Basis, settings: Fitting) -> Fit:
    """Regression of (2.12), (4.5), with the surfaces of section 4.3 if observed, and the expansion of what it leaves.

    Parameters
    ----------
    observations : Observations
    bulk : Bulk
        Its strain samples give the mismatch.
    basis : Basis
    settings : Fitting
        Matching order and strain step as of the observations.
    """
    return fit_rows(rows_of(observations, bulk, basis, settings), bulk, basis, settings)


def rows_of(observations: Observations, bulk: Bulk, basis: Basis, settings: Fitting) -> Rows:
    """All that is fitted to."""
    targets = dict(observations.lattice.rows)
    design = observations.lattice.design(bulk, basis, settings.strain_step)
    beside = [observations.off_lattice[name] for name in FITTED if name in observations.off_lattice]
    for part in (observations.cells, observations.field, observations.slabs, *beside):
        if part is not None:
            targets |= part.targets(bulk)
            design |= part.design(bulk, basis)
    return Rows(targets, design)


def fit_rows(
    rows: Rows,
    bulk: Bulk,
    basis: Basis,
    settings: Fitting,
    *,
    weights: Mapping[str, float] = MappingProxyType({}),
    repulsion: Repulsion | None = None,
) -> Fit:
    """The fit to rows at hand.

    Parameters
    ----------
    weights : kind -> weight
        In place of those of the settings.
    repulsion : Repulsion, optional
        Of the potential, taken off the rows already.
    """
    lattice_only = None
    if "surface_energy" in rows.targets:
        lattice_only = _regression(rows.without(*SURFACE_KINDS), basis, settings, weights)[0]
    potential, spread = _regression(rows, basis, settings, weights)
    if repulsion is not None:
        least = min(potential.minimum_distance, LEAST_DISTANCE * repulsion.radius)
        potential = replace(potential, minimum_distance=least, repulsion=repulsion)
    difference = bulk.stresses - _sampled_stresses(bulk, potential)
    order = settings.order
    if settings.matching is None and "fourth_derivative" in rows.targets:
        order = 2
    errors = rows.errors(potential.coefficients)
    first = FIRST_FREE_ORDER[order]
    past = first + ORDERS_OF_MISMATCH[order]
    if settings.recipe == "robust" and errors.get("third_derivative", 0.0) > MET:
        first = FIRST_FREE_ORDER[0]
    mismatch = fit_strain_polynomial(
        bulk.gradients,
        difference,
        orders=range(first, past),
        rotations=bulk.crystal.point_group(),
    )
    return Fit(potential, mismatch, difference, errors, spread, lattice_only, order)


def _sampled_stresses(bulk: Bulk, potential: Potential) -> np.ndarray:
    """dW_cb/dF (s, 3, 3), eV, of the potential at the strain samples, its own sublattices at rest."""
    if len(bulk.crystal.basis) == 1:
        response = BasisResponse(bulk.crystal, potential.basis)
        return np.array([response.stress(F) @ potential.coefficients for F in bulk.gradients])
    calculator = ACE(potential)
    shifts = relaxed_shifts(bulk.crystal, calculator, bulk.gradients, start=bulk.shifts).shifts
    stresses = [
        piola_stress(bulk.crystal, calculator, F, shift=s)
        for F, s in zip(bulk.gradients, shifts, strict=True)
    ]
    return bulk.crystal.volume * np.array(stresses)


def _regression(
    rows: Rows, basis: Basis, settings: Fitting, weights: Mapping[str, float]
) -> tuple[Potential, Uncertainty]:
    """The potential that fits the observations, and how sure it is."""
    matrix, right = weighted_system(rows.targets, rows.design, settings.weights, weights)
    found = regress(matrix, right, basis.smoothness, settings.regression)
    potential = Potential(basis, found.coefficients, np.zeros(len(basis.species)))
    return potential, uncertainty(matrix, right, found)


def fit_table(fit: Fit, surface_errors: Mapping[str, float]) -> str:
    """The fit quality as CSV: observation, relative_error."""
    values = {**fit.relative_error, **surface_errors}
    if fit.defects is not None:
        values |= fit.defects.table() | {f"noise_{name}": noise for name, noise in fit.noise.items()}
    rows = [f"{name},{value:.6e}" for name, value in values.items()]
    return "\n".join(["observation,relative_error", *rows, f"functions,{len(fit.potential.basis)}"]) + "\n"
