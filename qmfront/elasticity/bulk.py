"""What the reference model says about the perfect crystal: lattice constant, moduli, force constants, strains."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from ase.calculators.calculator import BaseCalculator

from qmfront.config.material import Probe
from qmfront.crystal.lattice import Crystal
from qmfront.elasticity.internal import internal_forces, relaxed_shifts
from qmfront.elasticity.moduli import elastic_moduli, lattice_constant, piola_stress, sampled_moduli
from qmfront.elasticity.strain_polynomial import sample_strains
from qmfront.models.force_constant_set import ForceConstants
from qmfront.models.force_constants import force_constants

FORCE_AT_REST = 1e-6
"""eV/Å; larger forces inside the cell at zero stress mean internal coordinates that symmetry does not fix."""


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

    def arrays(self) -> dict[str, np.ndarray | float | None]:
        """Arrays of a store of kind "bulk"."""
        constants = self.force_constants
        return {
            "lattice_constant": cubic_lattice_constant(self.crystal),
            "r0": self.crystal.nearest_neighbour_distance,
            "cell": self.crystal.cell,
            "basis": self.crystal.basis,
            "numbers": self.crystal.numbers,
            "moduli": self.moduli,
            "fc_first": constants.basis_first,
            "fc_second": constants.basis_second,
            "fc_vector": constants.vector,
            "fc_matrix": constants.matrix,
            "strain": self.gradients - np.eye(3),
            "strain_stress": self.stresses / self.crystal.volume,
            "strain_shift": self.shifts,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Bulk":
        """The inverse of `arrays`."""
        crystal = Crystal(arrays["cell"], arrays["basis"], arrays["numbers"])
        constants = ForceConstants(
            arrays["fc_first"], arrays["fc_second"], arrays["fc_vector"], arrays["fc_matrix"]
        )
        gradients = np.eye(3) + arrays["strain"]
        stresses = arrays["strain_stress"] * crystal.volume
        return cls(crystal, arrays["moduli"], constants, gradients, stresses, arrays.get("strain_shift"))


def bulk_of(guess: Crystal, calculator: BaseCalculator, probe: Probe) -> Bulk:
    """Relax the lattice constant and measure moduli, force constants and stresses of strained lattices.

    Parameters
    ----------
    guess : Crystal
        Cubic, at a lattice constant near equilibrium.
    calculator : ASE calculator
        Energy, forces and stress.

    Raises
    ------
    RuntimeError
        If the crystal is not at rest at zero stress: cubic crystals with free internal coordinates are not handled.
    """
    crystal = lattice_constant(guess, calculator)
    unrest = np.abs(internal_forces(crystal, calculator)).max()
    if unrest > FORCE_AT_REST:
        raise RuntimeError(
            f"A force of {unrest:.1e} eV/Å is left inside the cell at zero stress. Only crystals whose internal "
            "coordinates are fixed by symmetry are handled (diamond); relax the basis of the crystal otherwise."
        )
    samples, steps, constants = probe.stress_samples, probe.moduli, probe.force_constants
    gradients = sample_strains(samples.count, samples.amplitude, np.random.default_rng(samples.seed))
    shifts = relaxed_shifts(crystal, calculator, gradients, tolerance=steps.rest_force).shifts
    stresses = [
        crystal.volume * piola_stress(crystal, calculator, g, shift=s if len(s) > 1 else None)
        for g, s in zip(gradients, shifts, strict=True)
    ]
    if steps.step is None:
        moduli = sampled_moduli(gradients, np.array(stresses), crystal)
    else:
        moduli = elastic_moduli(crystal, calculator, step=steps.step, rest_force=steps.rest_force)
    return Bulk(
        crystal=crystal,
        moduli=moduli,
        force_constants=force_constants(
            crystal.to_atoms(),
            calculator,
            reach=constants.reach,
            step=constants.displacement,
            transform=crystal.cubic if constants.supercell == "cubic" else None,
        ),
        gradients=gradients,
        stresses=np.array(stresses),
        shifts=shifts,
    )


def cubic_lattice_constant(crystal: Crystal) -> float:
    """Edge of the cubic cell, Å: the shortest lattice vector along a cubic axis."""
    inverse = np.linalg.inv(crystal.cell)
    integers = np.array(np.meshgrid(*[[-2, -1, 0, 1, 2]] * 3)).reshape(3, -1).T @ crystal.cell
    along = integers[(np.abs(integers[:, 1:]).max(axis=1) < 1e-9) & (integers[:, 0] > 1e-9), 0]
    if len(along) == 0:
        raise ValueError(
            f"No lattice vector along the first cubic axis; cell {inverse.tolist()} is not cubic."
        )
    return float(along.min())
