"""A reference model of tungsten that knows tantalum: W everywhere, and a pair energy of Ta with all atoms near it."""

import numpy as np
from ase.calculators.calculator import Calculator, all_changes

from qmfront.crystal.neighbours import pairs_within
from qmfront.models.eam import EAM

TANTALUM, TUNGSTEN = 73, 74


class Tantalum(Calculator):
    """E = E_W(all atoms) + sum over pairs with n = 1 or 2 atoms of Ta of n s (1 - r/R)^4,  r < R."""

    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012 (ASE's name)

    def __init__(self, strength: float = 40.0, radius: float = 4.0) -> None:
        super().__init__()
        self.host, self.strength, self.radius = EAM("W_zhou"), strength, radius
        self.force_range = self.host.force_range

    def calculate(self, atoms=None, properties=None, system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        plain = atoms.copy()
        plain.numbers[:] = TUNGSTEN
        plain.calc = self.host
        pairs = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, self.radius)
        is_solute = atoms.numbers == TANTALUM
        count = is_solute[pairs.first] + is_solute[pairs.second].astype(float)
        length = np.linalg.norm(pairs.vector, axis=1)
        inside = 1.0 - length / self.radius
        energy = plain.get_potential_energy() + 0.5 * self.strength * np.sum(count * inside**4)
        slope = 4.0 * self.strength * count * inside**3 / (self.radius * length)
        forces = np.array(plain.get_forces())
        np.add.at(forces, pairs.first, -0.5 * slope[:, None] * pairs.vector)
        np.add.at(forces, pairs.second, 0.5 * slope[:, None] * pairs.vector)
        self.results = {"energy": energy, "free_energy": energy, "forces": forces}
        if not is_solute.any() and np.all(atoms.pbc):
            self.results["stress"] = plain.get_stress()
