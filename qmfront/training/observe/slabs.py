"""Observations of free surfaces: excess energies and forces of flat, strained and rattled slabs (section 4.3).

    E_slab - n W_cb   one row per slab,      F   three rows per atom

for n periods of the crystal, parted where its relaxed surface is cheapest. Energies
are counted from the bulk of the same model, so that they do not depend on how well W_cb(I) is matched. Both
kinds of rows are weighted by the importance of their slab.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from ase.calculators.calculator import BaseCalculator

from qmfront.config.material import RelaxedSlab
from qmfront.config.potential import FlatSlabs, RattledSlabs, Surfaces
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.slab import Slab
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.surface import cleavages, energy_of, excess_energy
from qmfront.evaluate.scatter import in_turn
from qmfront.models.ace.basis import Basis
from qmfront.models.ace.design import design
from qmfront.storage.layout import Declared
from qmfront.training.observe.responses import response_of_one_atom

DECLARED = {
    "surface_energy": Declared(
        "slab", "f", "eV", "energy of the slab minus that of as many atoms of the bulk"
    ),
    "surface_forces": Declared("slab_atom component", "f", "eV/Å", "forces on the atoms of all slabs"),
    "surface_positions": Declared("slab_atom component", "f", "Å", "atoms of all slabs, one after the other"),
    "surface_numbers": Declared("slab_atom", "i", "1", "atomic numbers in all slabs"),
    "surface_cell": Declared("slab vector component", "f", "Å", "cell of the slab, rows"),
    "surface_atoms": Declared("slab", "i", "1", "number of atoms of the slab"),
    "surface_importance": Declared("slab", "f", "1", "factor of the slab's squared errors in the loss"),
}
PERIODIC = np.array([True, True, False])


@dataclass(frozen=True, eq=False)
class ObservedSlabs:
    """What the reference model says about slabs: the kinds surface_energy and surface_forces.

    slabs : tuple of Slab
    importance : (s,) float
    energy : (s,) float, eV
        E_slab - n W_cb.
    forces : tuple of (n, 3) float, eV/Å
    """

    slabs: tuple[Slab, ...]
    importance: np.ndarray
    energy: np.ndarray
    forces: tuple[np.ndarray, ...]

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a training store, see DECLARED."""
        return {
            "surface_energy": self.energy,
            "surface_forces": np.concatenate(self.forces),
            "surface_positions": np.concatenate([slab.positions for slab in self.slabs]),
            "surface_numbers": np.concatenate([slab.numbers for slab in self.slabs]),
            "surface_cell": np.array([slab.cell for slab in self.slabs]),
            "surface_atoms": np.array([len(slab.numbers) for slab in self.slabs]),
            "surface_importance": self.importance,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "ObservedSlabs":
        """The inverse of `arrays`."""
        ends = np.cumsum(arrays["surface_atoms"])[:-1]
        positions, numbers, forces = (
            np.split(arrays[f"surface_{name}"], ends) for name in ("positions", "numbers", "forces")
        )
        slabs = tuple(map(Slab, arrays["surface_cell"], positions, numbers))
        return cls(slabs, arrays["surface_importance"], arrays["surface_energy"], tuple(forces))

    def targets(self, bulk: Bulk) -> dict[str, np.ndarray]:
        """Weighted observations, name -> (rows,)."""
        root = np.sqrt(self.importance)
        forces = [factor * force.ravel() for factor, force in zip(root, self.forces, strict=True)]
        return {"surface_energy": root * self.energy, "surface_forces": np.concatenate(forces)}

    def design(self, bulk: Bulk, basis: Basis) -> dict[str, np.ndarray]:
        """The same rows for every basis function, name -> (rows, n_functions)."""
        whole = response_of_one_atom(bulk.crystal, basis)
        energy, forces = [], []
        for slab, factor in zip(self.slabs, np.sqrt(self.importance), strict=True):
            rows = design(slab.positions, slab.cell, PERIODIC, slab.numbers, basis)
            energy.append(factor * (rows.energy - len(slab.numbers) * whole))
            forces.append(factor * rows.forces.reshape(len(basis), -1).T)
        return {"surface_energy": np.array(energy), "surface_forces": np.concatenate(forces)}


def observe_surfaces(
    crystal: Crystal, calculator: BaseCalculator, surfaces: Surfaces, slab: RelaxedSlab
) -> ObservedSlabs:
    """Energies and forces of all slabs of all planes.

    Parameters
    ----------
    crystal : Crystal
        At rest in the reference model.
    calculator : ASE calculator
        The reference model.
    surfaces : Surfaces
        Which slabs.
    slab : RelaxedSlab
        Their vacuum, and where the relaxation of the first one ends.
    """
    slabs, importance = [], []
    for place, plane in enumerate(surfaces.planes):
        generator = np.random.default_rng([surfaces.seed, place])
        best, *_ = cleavages(
            crystal,
            in_turn(calculator),
            plane,
            slab,
            layers=surfaces.layers,
            termination=surfaces.termination,
        )
        flat, relaxed = best.flat, best.at_rest
        others = [
            *strained_slabs(relaxed, generator, surfaces.flat),
            *rattled_slabs(relaxed, generator, surfaces.rattled),
        ]
        slabs += [relaxed, flat, *others]
        importance += [surfaces.face_weight] * 2 + [1.0] * len(others)
    per_atom = energy_of(crystal.to_atoms(), calculator) / len(crystal.numbers)
    energy = np.array([excess_energy(slab, calculator, per_atom) for slab in slabs])
    forces = tuple(np.array(calculator.get_forces(slab.to_atoms())) for slab in slabs)
    return ObservedSlabs(tuple(slabs), np.array(importance), energy, forces)


def strained_slabs(slab: Slab, generator: np.random.Generator, settings: FlatSlabs) -> Iterator[Slab]:
    """Slabs of one surface cell, atoms shifted, strained in plane and along the normal."""
    for _ in range(settings.count):
        random = generator.uniform(-settings.strain, settings.strain, (3, 3))
        symmetric = 0.5 * (random + random.T)
        symmetric[2, :2] = symmetric[:2, 2] = 0.0  # the shifts of the layers shear already
        moved = slab.moved(generator.uniform(-settings.shift, settings.shift, slab.positions.shape))
        yield moved.strained(np.eye(3) + symmetric)


def rattled_slabs(slab: Slab, generator: np.random.Generator, settings: RattledSlabs) -> Iterator[Slab]:
    """Repeated slabs with random displacements of every atom."""
    large = slab.repeated(*settings.repeat)
    for amplitude in np.linspace(*settings.amplitudes, settings.count):
        yield large.moved(amplitude * generator.normal(size=large.positions.shape))
