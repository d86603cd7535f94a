"""Observations at the strains that a defect has: stresses of the homogeneous lattice at sites of a predictor.

    sum_l | r_l^2 (P^QM(F_l) - P^MM(F_l)) |^2

Derivatives at the perfect lattice tell the stress to an order in strain; what they leave is of the next order, and is
largest where strains are. Here they are asked themselves, at sites spread over log r and angle. The factor r^2 makes an
error that falls as strain^2 count alike everywhere; in a norm of forces errors far away weigh more than their size.
# PAPER (4.5) has derivatives at the perfect lattice alone.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from ase.calculators.calculator import BaseCalculator

from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import Crystal
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.predictor_strains import polar, predictor_gradients, resting_stresses, spread_sites
from qmfront.models.ace.basis import Basis
from qmfront.storage import store
from qmfront.storage.store_layout import Declared
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


def observe_field(
    crystal: Crystal, calculator: BaseCalculator, defect: Defect, samples: int
) -> dict[str, np.ndarray]:
    """Arrays of a training store, see DECLARED.

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
    sites = spread_sites(defect, samples)
    gradients = predictor_gradients(defect)[sites]
    stresses, shifts = resting_stresses(crystal, calculator, gradients)
    return {
        "field_strain": gradients - np.eye(3),
        "field_distance": polar(defect)[1][sites],
        "field_stress": stresses,
        "field_shift": shifts,
    }


def field_strains(structure: str | None, samples: int) -> tuple[Defect, int] | None:
    """The argument strains of `training_arrays`: the defect of a structure store, and a number of sites."""
    return (Defect.from_arrays(store.load(structure, "structure")), samples) if structure else None


def targets(training: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The observation field_stress (rows,), eV: r^2 P, and zero forces (eV/Å) between sublattices at rest."""
    n_basis = training["field_shift"].shape[1]
    return {"field_stress": stress_targets(training["field_stress"], n_basis, _factors(training))}


def designs(training: Mapping[str, Any], bulk: Bulk, basis: Basis) -> dict[str, np.ndarray]:
    """The same rows for every basis function, name -> (rows, n_functions)."""
    gradients, shifts = training["field_strain"] + np.eye(3), training["field_shift"]
    rows = stress_designs(bulk.crystal, basis, gradients, shifts, _factors(training))
    return {"field_stress": rows}


def _factors(training: Mapping[str, Any]) -> np.ndarray:
    """(s,)."""
    return np.asarray(training["field_distance"]) ** POWER
