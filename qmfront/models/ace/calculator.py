"""A fitted ACE potential as an ASE calculator."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from qmfront.models.ace.evaluate import PairList, checked_positions, evaluate_pairs, pair_list
from qmfront.models.ace.io import load_potential, save_potential
from qmfront.models.ace.potential import Potential


class ACE(Calculator):
    """ASE calculator: energy, free_energy (the same), energies, forces, stress.

    Any cell, small multi-image ones included; any periodicity or none.

    Parameters
    ----------
    potential : Potential
        From a fit; `ACE.load` reads one from a file.
    skin : float, Å
        Neighbours are searched again when an atom has moved by skin/2; 0 searches at every call. Results agree to
        rounding.

    Attributes
    ----------
    cutoff : float, Å
        Interaction cut-off.
    force_range : float, Å
        2 cutoff: the force on an atom depends on no atom farther away.
    """

    implemented_properties = ["energy", "free_energy", "energies", "forces", "stress"]  # noqa: RUF012 (ASE's name)

    def __init__(self, potential: Potential, *, skin: float = 0.4) -> None:
        super().__init__()
        if not isinstance(potential, Potential):
            raise ValueError(
                f"ACE takes a Potential, not {type(potential).__name__}. Use ACE.load(path) for a file."
            )
        if not skin >= 0.0:
            raise ValueError(f"skin = {skin} Å is negative. Give 0 or more.")
        self.potential = potential
        self.cutoff = float(potential.basis.cutoff)
        self.force_range = 2.0 * self.cutoff
        self.skin = skin
        self._list: PairList | None = None

    @classmethod
    def load(cls, path: str | Path, *, skin: float = 0.4) -> "ACE":
        """The calculator of a potential.json; errors as in `load_potential`."""
        return cls(load_potential(path), skin=skin)

    def save(self, path: str | Path, *, metadata: Mapping[str, Any] | None = None) -> None:
        """Write the potential; see `save_potential`."""
        save_potential(self.potential, path, metadata=metadata)

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """Fill `results`; called by ASE. Errors as in `energy_forces`."""
        super().calculate(atoms, properties, system_changes)
        atoms = self.atoms
        positions, cell, pbc = checked_positions(atoms.positions), atoms.cell.array, atoms.pbc
        species = self.potential.basis.species_of(atoms.numbers)
        if self._list is None or not self._list.covers(positions, cell, pbc, self.cutoff):
            self._list = pair_list(positions, cell, pbc, self.cutoff + self.skin)
        moved = positions - self._list.positions
        result = evaluate_pairs(self.potential, self._list.pairs, species, moved=moved)
        self.results = {
            "energy": result.energy,
            "free_energy": result.energy,
            "energies": result.energies,
            "forces": result.forces,
        }
        volume = abs(np.linalg.det(cell))
        if volume > 0.0:
            self.results["stress"] = full_3x3_to_voigt_6_stress(result.virial / volume)
        elif properties and "stress" in properties:
            raise PropertyNotImplementedError(
                "Stress needs a cell with a volume. Set three cell vectors, or do not ask for stress."
            )
