"""What the reference model says about the perfect crystal: lattice constant, moduli, force constants, strains."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from ase.calculators.calculator import BaseCalculator

from qmfront.config.material import ModuliSteps, Probe
from qmfront.crystal.lattice import Crystal
from qmfront.elasticity.internal import relaxed_shifts
from qmfront.elasticity.moduli import elastic_moduli, piola_stress, sampled_moduli
from qmfront.elasticity.rest_state import rest_state
from qmfront.elasticity.strain_polynomial import sample_strains
from qmfront.models.force_constant_set import ForceConstants
from qmfront.models.force_constants import force_constants


@dataclass(frozen=True)
class Bulk:
    """Homogeneous lattice of the reference model, in crystal axes.

    crystal : Crystal
        At zero stress.
    moduli : (3, 3, 3, 3) float, eV/Å^3
    force_constants : ForceConstants
    gradients : (s, 3, 3) float
        Deformation gradients of the strain samples.
    stresses : (s, 3, 3) float, eV
        dW_cb/dF at the samples, energy per primitive cell, the sublattices at rest.
    shifts : (s, nb, 3) float, Å
        Internal shifts of the sublattices at the samples; zero for a Bravais lattice, None if not known.
    """

    crystal: Crystal
    moduli: np.ndarray
    force_constants: ForceConstants
    gradients: np.ndarray
    stresses: np.ndarray
    shifts: np.ndarray | None = None

    def arrays(self) -> dict[str, np.ndarray | float]:
        """Arrays of a store of kind "bulk"."""
        constants = self.force_constants
        shifts = {} if self.shifts is None else {"strain_shift": self.shifts}
        return {
            "lattice_constant": self.crystal.lattice_constant,
            "r0": self.crystal.nearest_neighbour_distance,
            "cell": self.crystal.cell,
            "conventional": self.crystal.conventional_cell,
            "basis": self.crystal.basis,
            "numbers": self.crystal.numbers,
            "moduli": self.moduli,
            "fc_first": constants.basis_first,
            "fc_second": constants.basis_second,
            "fc_vector": constants.vector,
            "fc_matrix": constants.matrix,
            "strain": self.gradients - np.eye(3),
            "strain_stress": self.stresses / self.crystal.volume,
            **shifts,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Bulk":
        """The inverse of `arrays`."""
        crystal = Crystal(arrays["cell"], arrays["basis"], arrays["numbers"], arrays.get("conventional"))
        constants = ForceConstants(
            arrays["fc_first"], arrays["fc_second"], arrays["fc_vector"], arrays["fc_matrix"]
        )
        gradients = np.eye(3) + arrays["strain"]
        stresses = arrays["strain_stress"] * crystal.volume
        return cls(crystal, arrays["moduli"], constants, gradients, stresses, arrays.get("strain_shift"))


def bulk_of(guess: Crystal, calculator: BaseCalculator, probe: Probe) -> Bulk:
    """Bring the crystal to rest and measure moduli, force constants and stresses of strained lattices.

    Parameters
    ----------
    guess : Crystal
        Near equilibrium.
    calculator : ASE calculator
        Energy, forces and stress.

    Raises
    ------
    RuntimeError
        If the crystal does not come to rest.
    """
    samples, steps, constants = probe.stress_samples, probe.moduli, probe.force_constants
    crystal = rest_state(guess, calculator, rest_force=steps.rest_force)
    gradients = sample_strains(samples.count, samples.amplitude, np.random.default_rng(samples.seed))
    shifts = relaxed_shifts(crystal, calculator, gradients, tolerance=steps.rest_force).shifts
    stresses = [
        crystal.volume * piola_stress(crystal, calculator, g, shift=s if len(s) > 1 else None)
        for g, s in zip(gradients, shifts, strict=True)
    ]
    return Bulk(
        crystal=crystal,
        moduli=_moduli(crystal, calculator, steps, gradients, np.array(stresses)),
        force_constants=force_constants(
            crystal.to_atoms(),
            calculator,
            reach=constants.reach,
            step=constants.displacement,
            transform=crystal.supercell if constants.supercell == "cubic" else None,
        ),
        gradients=gradients,
        stresses=np.array(stresses),
        shifts=shifts,
    )


def _moduli(
    crystal: Crystal,
    calculator: BaseCalculator,
    steps: ModuliSteps,
    gradients: np.ndarray,
    stresses: np.ndarray,
) -> np.ndarray:
    """By differences; from the strain samples where no step is given."""
    if steps.step is None:
        return sampled_moduli(gradients, stresses, crystal)
    return elastic_moduli(crystal, calculator, step=steps.step, rest_force=steps.rest_force)
