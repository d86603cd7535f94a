"""Observations of the crystal at finite distortion: energies and forces of rattled cells, stresses of strained ones.

Derivatives at the perfect lattice leave a fit free everywhere else. For tungsten it stays sane there; for the open
structure of silicon it does not, and lattices of a few per cent strain are unstable. A few hundredths of the weight of
the derivatives on distorted cells cure that without a change of the far field. Atoms put into some of the cells do the
same for the surroundings of an interstitial, where the potential meets coordinations that no displacement makes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from ase import Atom, Atoms
from ase.calculators.calculator import BaseCalculator
from scipy.spatial import cKDTree

from qmfront.config.potential import Rattled
from qmfront.crystal.lattice import Crystal
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.surface import energy_of
from qmfront.models.ace.basis import Basis
from qmfront.models.ace.design import design
from qmfront.storage.layout import Declared
from qmfront.training.observe.relaxed_stress import stress_designs, stress_targets
from qmfront.training.observe.responses import response_of_one_atom

CellSet = Literal[
    "rattled",
    "distorted",
    "faults",
    "close",
    "vacancy",
    "dumbbells",
    "swapped",
    "unseen",
    "strained",
    "between",
    "holes",
    "dilute",
    "solute_pairs",
    "solute_vacancy",
    "solute_close",
    "interstitial",
    "unseen_dilute",
    "unseen_interstitial",
]
"""rattled: those of the key of that name. All others are of the recipe robust, see `off_lattice` and `solutes`."""


def declared_cells(name: CellSet) -> dict[str, Declared]:
    """Declarations of a set of cells in a training store."""
    dims = ("cell", "cell_atom") if name == "rattled" else (f"{name}_cell", f"{name}_atom")
    cell, atom = dims
    return {
        f"{name}_energy": Declared(
            cell, "f", "eV", "energy of the cell minus that of as many atoms of the bulk"
        ),
        f"{name}_forces": Declared(f"{atom} component", "f", "eV/Å", "forces on the atoms, cell after cell"),
        f"{name}_positions": Declared(f"{atom} component", "f", "Å", f"atoms of the {name} cells"),
        f"{name}_numbers": Declared(atom, "i", "1", "atomic numbers"),
        f"{name}_count": Declared(cell, "i", "1", "atoms of the cell"),
        f"{name}_cell": Declared(f"{cell} vector component", "f", "Å", f"{name} cell, rows"),
    }


DECLARED = {key: declared for name in get_args(CellSet) for key, declared in declared_cells(name).items()}
PERIODIC = np.ones(3, bool)
TRIALS = 10000
"""Random places that are tried for an added atom."""


@dataclass(frozen=True, eq=False)
class ObservedCells:
    """What the reference model says about a set of cells: the kinds {name}_energy and {name}_forces.

    Those named rattled have the kind sampled_stress besides.

    cells : tuple of Atoms
    energy : (n,) float, eV
        Of the cell minus that of as many atoms of the bulk. Of cells that have not the composition of the bulk the
        differences count alone: a potential without energies of single atoms has no chemical potentials.
    forces : tuple of (atoms, 3) float, eV/Å
    name : which set
    """

    cells: tuple[Atoms, ...]
    energy: np.ndarray
    forces: tuple[np.ndarray, ...]
    name: CellSet = "rattled"

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a training store, see DECLARED."""
        arrays = {
            "energy": self.energy,
            "forces": np.concatenate(self.forces),
            "positions": np.concatenate([cell.positions for cell in self.cells]),
            "numbers": np.concatenate([cell.numbers for cell in self.cells]),
            "count": np.array([len(cell) for cell in self.cells]),
            "cell": np.array([cell.cell.array for cell in self.cells]),
        }
        return {f"{self.name}_{key}": array for key, array in arrays.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], name: CellSet = "rattled") -> "ObservedCells":
        """The inverse of `arrays`."""
        ends = np.cumsum(arrays[f"{name}_count"])[:-1]
        numbers, positions, forces = (
            np.split(arrays[f"{name}_{part}"], ends) for part in ("numbers", "positions", "forces")
        )
        pieces = zip(numbers, positions, arrays[f"{name}_cell"], strict=True)
        cells = tuple(Atoms(of, at, cell=cell, pbc=PERIODIC) for of, at, cell in pieces)
        return cls(cells, arrays[f"{name}_energy"], tuple(forces), name)

    def targets(self, bulk: Bulk) -> dict[str, np.ndarray]:
        """Observations, name -> (rows,).

        sampled_stress: dW_cb/dF (eV) of the strain samples of the bulk, and zero forces (eV/Å) between sublattices at
        rest.
        """
        targets = {
            f"{self.name}_energy": self._reference(bulk.crystal) @ self.energy,
            f"{self.name}_forces": np.concatenate(self.forces).ravel(),
        }
        if self.name == "rattled":
            targets["sampled_stress"] = stress_targets(bulk.stresses, len(bulk.crystal.basis))
        return targets

    def design(self, bulk: Bulk, basis: Basis) -> dict[str, np.ndarray]:
        """The same rows for every basis function, name -> (rows, n_functions)."""
        rows = self.design_of_cells(bulk.crystal, basis)
        if self.name == "rattled":
            rows["sampled_stress"] = stress_designs(bulk.crystal, basis, bulk.gradients, bulk.shifts)
        return rows

    def design_of_cells(self, crystal: Crystal, basis: Basis) -> dict[str, np.ndarray]:
        """Rows of energy and forces for every basis function."""
        whole = response_of_one_atom(crystal, basis)
        energy, forces = [], []
        for cell in self.cells:
            rows = design(cell.positions, cell.cell.array, PERIODIC, cell.numbers, basis)
            energy.append(rows.energy - len(cell) * whole)
            forces.append(rows.forces.reshape(len(basis), -1).T)
        energies = self._reference(crystal) @ np.array(energy)
        return {f"{self.name}_energy": energies, f"{self.name}_forces": np.concatenate(forces)}

    def _reference(self, crystal: Crystal) -> np.ndarray:
        """(n, n) that takes off the mean energy of the cells with one composition, where it is not that of the bulk."""
        species = np.unique(crystal.numbers)
        bulk = np.array([np.mean(crystal.numbers == number) for number in species])
        counts = np.array([[np.sum(cell.numbers == number) for number in species] for cell in self.cells])
        other = np.abs(counts - bulk * counts.sum(axis=1)[:, None]).max(axis=1) > 1e-9
        same = np.all(counts[:, None] == counts[None], axis=2) & other[:, None]
        return np.eye(len(counts)) - same / np.maximum(same.sum(axis=1), 1)[:, None]


def rattled_cells(crystal: Crystal, settings: Rattled) -> list[Atoms]:
    """Strained supercells with normally distributed displacements of every atom, and atoms added to some of them.

    Raises
    ------
    ValueError
        If an added atom finds no place.
    """
    whole = _upright_cells(crystal, settings.repeat)
    generator = np.random.default_rng(settings.seed)
    distance = settings.distance_r0 * crystal.nearest_neighbour_distance
    cells = []
    for number, amplitude in enumerate(np.linspace(*settings.amplitudes, settings.count)):
        random = generator.uniform(-settings.strain, settings.strain, (3, 3))
        cell = whole.copy()
        cell.set_cell(whole.cell.array @ (np.eye(3) + (random + random.T) / 2), scale_atoms=True)
        cell.positions += amplitude * generator.normal(size=cell.positions.shape)
        for _ in range(number % (settings.interstitials + 1)):
            cell.append(Atom(crystal.numbers[0], hole(cell, distance, generator)))
        cells.append(cell)
    return cells


def hole(cell: Atoms, distance: float, generator: np.random.Generator) -> np.ndarray:
    """A random place at least a distance (Å) from all atoms of a periodic cell, (3,) Å."""
    images = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3) @ cell.cell.array
    tree = cKDTree((cell.get_positions(wrap=True) + images[:, None]).reshape(-1, 3))
    places = generator.uniform(size=(TRIALS, 3)) @ cell.cell.array
    wide = np.flatnonzero(tree.query(places)[0] >= distance)
    if len(wide) == 0:
        raise ValueError(
            f"No hole of a rattled cell is {distance:.2f} Å from all atoms ({TRIALS} places tried). Lower "
            "rattled.distance_r0, or add no interstitials."
        )
    return places[wide[0]]


def observe_rattled(
    crystal: Crystal, calculator: BaseCalculator, *settings: Rattled, name: CellSet = "rattled"
) -> ObservedCells:
    """Energies and forces of rattled cells.

    Parameters
    ----------
    crystal : Crystal
        At rest in the reference model.
    calculator : ASE calculator
        The reference model.
    settings : Rattled
        One or several sorts of cells.
    name : what the set is called in stores

    Raises
    ------
    ValueError
        If the model refuses a cell.
    """
    cells = [cell for sampling in settings for cell in rattled_cells(crystal, sampling)]
    amplitudes = np.concatenate([np.linspace(*each.amplitudes, each.count) for each in settings])
    words = [f"Rattled cell {n} (amplitude {a:.3f} Å)" for n, a in enumerate(amplitudes)]
    return observe_cells(crystal, calculator, cells, name, words=words, advice="Lower rattled.amplitudes.")


def observe_cells(
    crystal: Crystal,
    calculator: BaseCalculator,
    cells: Sequence[Atoms],
    name: CellSet,
    *,
    words: Sequence[str] = (),
    advice: str = "",
) -> ObservedCells:
    """Energies and forces of any periodic cells.

    Parameters
    ----------
    words : what each cell is, for errors
    advice : what to do if one is refused

    Raises
    ------
    ValueError
        If the model refuses a cell.
    """
    whole = energy_of(crystal.to_atoms(), calculator) / len(crystal.basis)
    energy, forces = [], []
    for number, cell in enumerate(cells):
        try:
            forces.append(np.array(calculator.get_forces(cell)))
            energy.append(energy_of(cell, calculator) - len(cell) * whole)
        except ValueError as error:
            what = words[number] if words else f"Cell {number} of the {name} ones"
            raise ValueError(f"{what} is refused by the reference model: {error} {advice}") from error
    return ObservedCells(tuple(cells), np.array(energy), tuple(forces), name)


def upright_supercell(crystal: Crystal, least_edge: float) -> Atoms:
    """The smallest box of right-angled cells (cubic ones in a cubic crystal) with edges at least so long, Å."""
    return _upright_cells(crystal, cells_across(crystal, least_edge))


def cells_across(crystal: Crystal, least_edge: float) -> tuple[int, int, int]:
    """Right-angled cells in a row along each edge that are at least so long, Å."""
    edges = np.linalg.norm(crystal.supercell @ crystal.cell, axis=1)
    first, second, third = np.ceil(least_edge / edges - 1e-9).astype(int).tolist()
    return first, second, third


def _upright_cells(crystal: Crystal, repeat: tuple[int, int, int]) -> Atoms:
    """The right-angled cell of the crystal, repeated."""
    from ase.build import make_supercell  # slow to import

    return make_supercell(crystal.to_atoms(), crystal.supercell, wrap=True).repeat(repeat)
