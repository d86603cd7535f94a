"""Free surfaces of a model: energy per area, relaxation of the first layer, phonons, from slabs.

gamma = (E_slab - n W_cb) / (2 A)
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator
from ase.optimize import LBFGS

from qmfront.config.material import SurfaceSlab
from qmfront.config.section import Plane
from qmfront.crystal.slab import Slab, flat_slab
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.surface_phonons import slab_phonons

MAX_STEPS = 500
"""Steps of the relaxation; a flat slab takes about 30."""
COLLAPSED = 0.3
"""Relative change of the first spacing beyond which a slab has lost its face."""


@dataclass(frozen=True)
class Surface:
    """A relaxed surface and the slab that it was measured on.

    plane : (3,) int
        Normal in cubic axes.
    energy, energy_unrelaxed : float, eV/Å^2
        Per area of one face.
    relaxation : float
        Change of the first interlayer spacing relative to the bulk; negative inwards. Mean of both faces.
    slab : Slab
        Relaxed.
    path : (w,) float, 1/Å
        Wave numbers along the first reciprocal vector of the surface cell.
    omega2 : (w, 3 n) float, eV/Å^2
        Eigenvalues of the slab's dynamical matrix without masses, see `slab_phonons`.
    """

    plane: np.ndarray
    energy: float
    energy_unrelaxed: float
    relaxation: float
    slab: Slab
    path: np.ndarray
    omega2: np.ndarray

    def arrays(self) -> dict[str, np.ndarray | float]:
        """Arrays of a store of kind "surface"."""
        return {
            "plane": self.plane,
            "energy": self.energy,
            "energy_unrelaxed": self.energy_unrelaxed,
            "relaxation": self.relaxation,
            "cell": self.slab.cell,
            "positions": self.slab.positions,
            "numbers": self.slab.numbers,
            "path": self.path,
            "omega2": self.omega2,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Surface":
        """The inverse of `arrays`."""
        slab = Slab(arrays["cell"], arrays["positions"], arrays["numbers"])
        numbers = (float(arrays[name]) for name in ("energy", "energy_unrelaxed", "relaxation"))
        energy, unrelaxed, relaxation = numbers
        return cls(
            plane=arrays["plane"],
            energy=energy,
            energy_unrelaxed=unrelaxed,
            relaxation=relaxation,
            slab=slab,
            path=arrays["path"],
            omega2=arrays["omega2"],
        )


def surface_of(
    bulk: Bulk,
    calculator: BaseCalculator,
    plane: Plane,
    settings: SurfaceSlab,
    *,
    displacement: float,
) -> Surface:
    """Relax a slab and compare its energy with that of the same model's bulk.

    Parameters
    ----------
    bulk : Bulk
        Its crystal must be at rest in this model.
    calculator : ASE calculator
        Energy and forces; the free energy, where it has one, is what its forces belong to.
    plane : (3,) int
        Normal in cubic axes.
    settings : SurfaceSlab
    displacement : float, Å
        Step of the central differences of the phonons.

    Raises
    ------
    RuntimeError
        If the slab does not come to rest or collapses.
    """
    flat = flat_slab(bulk.crystal, plane, layers=settings.layers, vacuum=settings.vacuum)
    relaxed = relaxed_slab(flat, calculator, max_force=settings.max_force)
    whole = energy_of(bulk.crystal.to_atoms(), calculator)
    energy = excess_energy(relaxed, calculator, whole) / (2 * relaxed.area)
    relaxation = first_layer_relaxation(flat, relaxed)
    if abs(relaxation) > COLLAPSED:
        raise RuntimeError(
            f"The {tuple(plane)} slab collapsed: its first spacing changed by {100 * relaxation:.0f} %. "
            "The model has no such surface; fit it to surfaces, or choose another plane."
        )
    path, omega2 = slab_phonons(relaxed, calculator, cells=settings.phonon_cells, step=displacement)
    unrelaxed = unrelaxed_energy(bulk, calculator, plane, settings)
    return Surface(np.array(plane, int), energy, unrelaxed, relaxation, relaxed, path, omega2)


def unrelaxed_energy(bulk: Bulk, calculator: BaseCalculator, plane: Plane, settings: SurfaceSlab) -> float:
    """Energy per area (eV/Å^2) of the flat surface, defined even for a model whose surface collapses."""
    flat = flat_slab(bulk.crystal, plane, layers=settings.layers, vacuum=settings.vacuum)
    whole = energy_of(bulk.crystal.to_atoms(), calculator)
    return excess_energy(flat, calculator, whole) / (2 * flat.area)


def relaxed_slab(slab: Slab, calculator: BaseCalculator, *, max_force: float) -> Slab:
    """The slab with its atoms at rest, cell kept.

    Raises
    ------
    RuntimeError
        If a force (eV/Å) above max_force is left.
    """
    atoms = slab.to_atoms()
    atoms.calc = calculator
    quiet = LBFGS(atoms, logfile=None)  # type: ignore[arg-type]
    converged = quiet.run(fmax=max_force, steps=MAX_STEPS)
    if not converged:
        left = np.linalg.norm(atoms.get_forces(), axis=1).max()
        raise RuntimeError(
            f"A slab of {len(atoms)} atoms keeps a force of {left:.1e} eV/Å after {MAX_STEPS} steps "
            f"(max_force = {max_force:g}). Raise max_force if the forces are noisy; else the surface is unstable."
        )
    return slab.moved(atoms.positions - slab.positions)


def excess_energy(slab: Slab, calculator: BaseCalculator, whole: float) -> float:
    """E_slab - n W_cb, eV, with W_cb = whole the energy of one atom of the bulk."""
    return energy_of(slab.to_atoms(), calculator) - len(slab.numbers) * whole


def first_layer_relaxation(flat: Slab, relaxed: Slab) -> float:
    """Change of the first interlayer spacing relative to the bulk, mean of both faces; one atom per layer."""
    before, after = (np.diff(slab.positions[:, 2]) for slab in (flat, relaxed))
    return float(0.5 * (after[0] / before[0] + after[-1] / before[-1]) - 1.0)


def energy_of(atoms: Atoms, calculator: BaseCalculator) -> float:
    """The energy that the calculator's forces belong to, eV: its free energy if it has one."""
    atoms.calc = calculator
    has_free_energy = "free_energy" in getattr(calculator, "implemented_properties", ())
    return float(atoms.get_potential_energy(force_consistent=has_free_energy))
