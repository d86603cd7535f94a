"""What the reference model is asked for the fit of one potential, and the store that keeps what it says."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from ase.calculators.calculator import BaseCalculator

from qmfront.config.material import ForceConstantSteps, RelaxedSlab
from qmfront.config.potential import Training
from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import Crystal
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.internal import Shifts, relaxed_shifts
from qmfront.evaluate.scatter import in_turn
from qmfront.models.ace.basis import Basis
from qmfront.models.lattice_symmetry import crystal_operations
from qmfront.storage.layout import Declared
from qmfront.training.observe import noise, predictor_strains, rattled, slabs
from qmfront.training.observe.kinds import KIND, Kind, kinds_of, observe, observed_gradients
from qmfront.training.observe.lattice import Lattice
from qmfront.training.observe.noise import noise_of, order_of, other_lattice, other_steps
from qmfront.training.observe.off_lattice import FITTED, UNSEEN, observe_off_lattice
from qmfront.training.observe.predictor_strains import ObservedField, observe_field
from qmfront.training.observe.rattled import CellSet, ObservedCells, observe_rattled
from qmfront.training.observe.responses import BasisResponse, CalculatorResponse
from qmfront.training.observe.slabs import ObservedSlabs, observe_surfaces
from qmfront.training.observe.solutes import SOLUTES_FITTED, SOLUTES_UNSEEN, observe_solutes

logger = logging.getLogger(__name__)

DECLARED = {
    "shift_strain": Declared("shift_sample component component2", "f", "1", "deformation F - I of a shift"),
    "shift": Declared("shift_sample atom component", "f", "Å", "internal shifts of the QM model"),
    **rattled.DECLARED,
    **predictor_strains.DECLARED,
    **slabs.DECLARED,
    **noise.DECLARED,
}
"""Of all arrays of a training store but the rows of `kinds`."""
TAIL = 1e-3
"""Force constants that miss the moduli by this fraction end before the model does."""


class Observed(Protocol):
    """Observations of one sort: their store, their rows, and the same rows for every function of a basis."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a training store."""

    def targets(self, bulk: Bulk) -> dict[str, np.ndarray]:
        """Kind -> (rows,)."""

    def design(self, bulk: Bulk, basis: Basis) -> dict[str, np.ndarray]:
        """Kind -> (rows, n_functions)."""


@dataclass(frozen=True, eq=False)
class ObservedLattice:
    """Functionals of the perfect lattice, see `kinds`.

    rows : kind -> (rows,)
    shifts : Shifts or None
        Of the sublattices of the reference model where it was asked; None for a Bravais lattice.
    """

    rows: dict[str, np.ndarray]
    shifts: Shifts | None = None

    def arrays(self) -> dict[str, np.ndarray]:
        """See `Observed.arrays`."""
        if self.shifts is None:
            return dict(self.rows)
        return self.rows | {"shift_strain": self.shifts.gradients - np.eye(3), "shift": self.shifts.shifts}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "ObservedLattice":
        """The inverse of `arrays`."""
        rows = {name: arrays[name] for name in arrays if name in KIND and KIND[name].functional}
        if "shift" not in arrays:
            return cls(rows)
        return cls(rows, Shifts(np.eye(3) + arrays["shift_strain"], arrays["shift"]))

    def design(self, bulk: Bulk, basis: Basis, strain_step: float) -> dict[str, np.ndarray]:
        """See `Observed.design`; strain_step as when the reference model was asked."""
        response = BasisResponse(bulk.crystal, basis, shifts=self.shifts)
        return observe(response, [KIND[name] for name in self.rows], lattice_of(bulk, strain_step))


@dataclass(frozen=True, eq=False)
class Observations:
    """All that a potential is fitted to: the perfect lattice, and what there is beside it.

    off_lattice : name -> ObservedCells
        Of the recipe robust, see `off_lattice` and `solutes`.
    noise : kind -> number
        Of the derivatives, see `noise`; empty where they were observed once.
    """

    lattice: ObservedLattice
    cells: ObservedCells | None = None
    field: ObservedField | None = None
    slabs: ObservedSlabs | None = None
    off_lattice: Mapping[CellSet, ObservedCells] = dataclasses.field(default_factory=dict)
    noise: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a store of the open kind "training"."""
        parts = (self.lattice, self.cells, self.field, self.slabs, *self.off_lattice.values())
        arrays = {name: array for part in parts if part for name, array in part.arrays().items()}
        return arrays | {f"noise_{name}": np.asarray(value) for name, value in self.noise.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Observations":
        """The inverse of `arrays`."""
        return cls(
            ObservedLattice.from_arrays(arrays),
            ObservedCells.from_arrays(arrays) if "rattled_energy" in arrays else None,
            ObservedField.from_arrays(arrays) if "field_stress" in arrays else None,
            ObservedSlabs.from_arrays(arrays) if "surface_energy" in arrays else None,
            {
                name: ObservedCells.from_arrays(arrays, name)
                for name in (*FITTED, *UNSEEN, *SOLUTES_FITTED, *SOLUTES_UNSEEN)
                if f"{name}_energy" in arrays
            },
            {name: float(arrays[f"noise_{name}"]) for name in KIND if f"noise_{name}" in arrays},
        )

    def declared(self) -> dict[str, Declared]:
        """Declarations of `arrays`."""
        return {name: DECLARED[name] if name in DECLARED else KIND[name].declared for name in self.arrays()}


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


def observations_of(
    bulk: Bulk,
    calculator: BaseCalculator,
    settings: Training,
    force_constants: ForceConstantSteps,
    *,
    slab: RelaxedSlab | None = None,
    defect: Defect | None = None,
) -> Observations:
    """What the reference model says about the perfect lattice to a matching order, and about what is beside it.

    Parameters
    ----------
    bulk : Bulk
    calculator : ASE calculator
        The reference model.
    settings : Training
    force_constants : ForceConstantSteps
        As of the bulk: no QM call for those is made again.
    slab : RelaxedSlab
        How slabs come to rest, for surfaces.
    defect : Defect
        Straight, for strains of its predictor.
    """
    crystal, rattled_cells, slabs = bulk.crystal, settings.rattled, settings.surfaces
    observe_lattice = _doubted_lattice if settings.recipe == "robust" else _lattice
    lattice, noise = observe_lattice(bulk, calculator, settings, force_constants)
    beside: dict[CellSet, ObservedCells] = {}
    if settings.recipe == "robust":
        beside = observe_off_lattice(crystal, calculator, settings.robust)
        beside |= observe_solutes(crystal, calculator, settings)
    return Observations(
        lattice,
        None if rattled_cells is None else observe_rattled(crystal, calculator, rattled_cells),
        _field(crystal, calculator, defect, settings.field_samples),
        None if slabs is None else observe_surfaces(crystal, calculator, slabs, slab or RelaxedSlab()),
        beside,
        noise,
    )


def _lattice(
    bulk: Bulk, calculator: BaseCalculator, settings: Training, force_constants: ForceConstantSteps
) -> tuple[ObservedLattice, dict[str, float]]:
    """The perfect lattice to a matching order, each derivative at one step."""
    lattice = lattice_of(bulk, settings.strain_step)
    kinds, shifts = kinds_of(settings.order, lattice), None
    if lattice.has_basis:
        shifts = relaxed_shifts(bulk.crystal, in_turn(calculator), observed_gradients(kinds, lattice))
    response = CalculatorResponse(bulk.crystal, calculator, force_constants, shifts)
    return ObservedLattice(observe(response, kinds, lattice), shifts), {}


def _doubted_lattice(
    bulk: Bulk, calculator: BaseCalculator, settings: Training, force_constants: ForceConstantSteps
) -> tuple[ObservedLattice, dict[str, float]]:
    """The perfect lattice to the order that its noise allows, and the noise of each derivative."""
    lattice, crystal = lattice_of(bulk, settings.strain_step), bulk.crystal

    def observed(kinds: Sequence[Kind], model: BaseCalculator) -> tuple[ObservedLattice, dict[str, float]]:
        shifts = None
        if lattice.has_basis:
            gradients = [observed_gradients(kinds, each) for each in (lattice, other_lattice(lattice))]
            shifts = relaxed_shifts(crystal, in_turn(calculator), np.concatenate(gradients))
        responses = [
            CalculatorResponse(crystal, model, steps, shifts)
            for steps in (force_constants, other_steps(force_constants))
        ]
        rows = observe(responses[0], kinds, lattice)
        return ObservedLattice(rows, shifts), noise_of(rows, kinds, responses[1], lattice)

    first = kinds_of(settings.order, lattice)
    if settings.matching is not None:
        return observed(first, calculator)
    # The order follows from what is observed here: every job of a scattered stage needs true values.
    doubted = [kind for kind in first if kind.matching == 1]
    plain, noise = observed([kind for kind in first if kind not in doubted], calculator)
    third, found = observed(doubted, in_turn(calculator))
    rows, noise = joined(plain, third), noise | found
    further = [kind for kind in kinds_of(2, lattice) if kind not in first]
    derivatives = [kind for kind in further if not kind.functional or not kind.functional.supercells(lattice)]
    fourth = ObservedLattice({})
    if noise["third_derivative"] <= settings.robust.smooth:  # the next one has more
        fourth, found = observed(derivatives, in_turn(calculator))
        noise |= found
    order = order_of(noise, settings.robust)
    name = "fourth" if "fourth_derivative" in noise else "third"
    logger.info(
        "matching %d: %.1e of the %s derivative changes with the step, at most %.0e is allowed for matching 2",
        order,
        noise[f"{name}_derivative"],
        name,
        settings.robust.smooth,
    )
    if order == 1:
        return rows, noise
    supercells, found = observed([kind for kind in further if kind not in derivatives], calculator)
    return joined(rows, fourth, supercells), noise | found


def joined(*parts: ObservedLattice) -> ObservedLattice:
    """Rows and shifts of several observations of one lattice."""
    shifts = [part.shifts for part in parts if part.shifts is not None]
    return ObservedLattice(
        {name: rows for part in parts for name, rows in part.rows.items()},
        Shifts(
            np.concatenate([each.gradients for each in shifts]),
            np.concatenate([each.shifts for each in shifts]),
        )
        if shifts
        else None,
    )


def _field(
    crystal: Crystal, calculator: BaseCalculator, defect: Defect | None, samples: int
) -> ObservedField | None:
    if samples == 0:
        return None
    if defect is None:
        raise ValueError("field_samples observes strains of a predictor: the defect is missing.")
    return observe_field(crystal, calculator, defect, samples)
