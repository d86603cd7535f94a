"""Observations at the strains that a defect has: stresses of the homogeneous lattice at sites of a predictor.

    sum_l | r_l^2 (P^QM(F_l) - P^MM(F_l)) |^2

Derivatives at the perfect lattice give the stress to an order in strain; what they leave is of the next order, and is
largest where strains are. Here the stresses themselves are observed, at sites spread over log r and angle. The factor
r^2 makes an error that falls as strain^2 count alike everywhere; in a norm of forces errors far away weigh more than
their size.
# PAPER (4.5) has derivatives at the perfect lattice alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from ase.calculators.calculator import BaseCalculator

from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import Crystal
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.predictor_strains import (
    INNER_R0,
    core_distance,
    predictor_gradients,
    resting_stresses,
    spread_sites,
)
from qmfront.models.ace.basis import Basis
from qmfront.storage.layout import Declared
from qmfront.training.observe.relaxed_stress import stress_designs, stress_targets

DECLARED = {
    "field_strain": Declared(
        "field_site component component2", "f", "1", "F - I of the predictor in crystal axes"
    ),
    "field_distance": Declared("field_site", "f", "1", "distance from the core over r0"),
    "field_stress": Declared(
        "field_site component component2", "f", "eV", "dW_cb/dF of the QM model, shifts at rest"
    ),
    "field_shift": Declared("field_site atom component", "f", "Å", "internal shifts of the QM model"),
}
POWER = 2
"""Of r, by which stresses are multiplied."""


@dataclass(frozen=True, eq=False)
class ObservedField:
    """Stresses of the reference model at strains of a predictor: the kind field_stress.

    strain : (s, 3, 3) float
        F - I in crystal axes.
    distance : (s,) float
        From the core over r0.
    stress : (s, 3, 3) float, eV
        dW_cb/dF, the sublattices at rest.
    shift : (s, nb, 3) float, Å
        Where they rest.
    """

    strain: np.ndarray
    distance: np.ndarray
    stress: np.ndarray
    shift: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a training store, see DECLARED."""
        return {name: getattr(self, name.removeprefix("field_")) for name in DECLARED}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "ObservedField":
        """The inverse of `arrays`."""
        return cls(*(arrays[name] for name in DECLARED))

    def targets(self, bulk: Bulk) -> dict[str, np.ndarray]:
        """field_stress (rows,), eV: r^2 P, and zero forces (eV/Å) between sublattices at rest."""
        return {"field_stress": stress_targets(self.stress, len(bulk.crystal.basis), self._factors)}

    def design(self, bulk: Bulk, basis: Basis) -> dict[str, np.ndarray]:
        """The same rows for every basis function, name -> (rows, n_functions)."""
        gradients = self.strain + np.eye(3)
        rows = stress_designs(bulk.crystal, basis, gradients, self.shift, self._factors)
        return {"field_stress": rows}

    @property
    def _factors(self) -> np.ndarray:
        """r^POWER (s,)."""
        return self.distance**POWER


def observe_field(
    crystal: Crystal, calculator: BaseCalculator, defect: Defect, samples: int
) -> ObservedField:
    """Stresses at strains of a predictor.

    Parameters
    ----------
    crystal : Crystal
        At rest in the reference model.
    calculator : ASE calculator
        The reference model.
    defect : Defect
        Straight.
    samples : int
        Largest number of sites.
    """
    distance = core_distance(defect)
    sites = spread_sites(defect, distance, samples, inner=INNER_R0)
    gradients = predictor_gradients(defect)[sites]
    stresses, shifts = resting_stresses(crystal, calculator, gradients)
    return ObservedField(gradients - np.eye(3), distance[sites], stresses, shifts)
