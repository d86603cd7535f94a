"""What the recipe robust asks about the crystal away from the perfect lattice, for the fit and to judge it.

| set | fitted to | cells |
| --- | --- | --- |
| distorted | yes | rattled, of small and of large strain |
| faults | yes | along the slip systems, every quarter of the path |
| close | yes | one atom near a neighbour |
| vacancy | yes | one atom missing, the others at rest and rattled |
| dumbbells | yes | one atom more, along [100], [110] and [111], pushed apart until no two atoms are close |
| unseen, strained | no | rattled, of small strain; of large strain |
| between | no | faults halfway between those above |
| holes | no | another vacancy, rattled |

The first five teach the potential what no derivative at the lattice says; on the others its weights are chosen and its
certificate rests.
"""

from collections.abc import Sequence

import numpy as np
from ase import Atom, Atoms
from ase.calculators.calculator import BaseCalculator

from qmfront.config.potential import Rattled, Robust
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.neighbours import pairs_within
from qmfront.crystal.slip import faults, slip_systems
from qmfront.training.observe.rattled import (
    PERIODIC,
    CellSet,
    ObservedCells,
    cubes_across,
    cubic_supercell,
    observe_cells,
    rattled_cells,
)

FITTED: tuple[CellSet, ...] = ("distorted", "faults", "close", "vacancy", "dumbbells")
UNSEEN: tuple[CellSet, ...] = ("unseen", "strained", "between", "holes")
LEAST_EDGE = 7.0
"""Å; of a cell with one vacancy, or one pair of close atoms."""
DUMBBELLS = ((1, 0, 0), (1, 1, 0), (1, 1, 1))
SPREAD = 0.8
"""Distance of the two atoms of a dumbbell before all are pushed apart, r0."""
APART = 0.95
"""Atoms that are closer push each other, r0."""
PUSHES = 20
"""Steps of that."""
OTHER_SEED = 1000
"""Added to the seed of the vacancies that are not fitted to."""


def cells_off_lattice(crystal: Crystal, settings: Robust) -> dict[CellSet, list[Atoms]]:
    """All cells by set; empty sets are left out.

    A vacancy or a dumbbell in a crystal of two species has no formation energy of its own, and is left out.
    """
    systems = slip_systems(crystal) if settings.faults else ()
    vacancy = settings.vacancy if len(crystal.species) == 1 else None
    sets: dict[CellSet, list[Atoms]] = {
        "distorted": [*rattled_cells(crystal, settings.cells), *rattled_cells(crystal, settings.strained)],
        "faults": [fault.atoms for fault in faults(crystal, systems)],
        "close": close_cells(crystal, settings.close),
        "vacancy": [] if vacancy is None else vacancies(crystal, vacancy),
        "dumbbells": dumbbells(crystal) if settings.dumbbells and len(crystal.species) == 1 else [],
        "unseen": rattled_cells(crystal, settings.unseen),
        "strained": rattled_cells(crystal, settings.unseen_strained),
        "between": [fault.atoms for fault in faults(crystal, systems, between=True)],
        "holes": [] if vacancy is None else vacancies(crystal, vacancy, other=True)[1:],
    }
    return {name: cells for name, cells in sets.items() if cells}


def observe_off_lattice(
    crystal: Crystal, calculator: BaseCalculator, settings: Robust
) -> dict[CellSet, ObservedCells]:
    """Energies and forces of all of them.

    Raises
    ------
    ValueError
        If the reference model refuses a cell.
    """
    advice = (
        "Lower amplitudes and strain of robust.cells and robust.strained, or leave the cell out (robust)."
    )
    return {
        name: observe_cells(crystal, calculator, cells, name, advice=advice)
        for name, cells in cells_off_lattice(crystal, settings).items()
    }


def close_cells(crystal: Crystal, distances: Sequence[float]) -> list[Atoms]:
    """Supercells in which one atom stands close to a neighbour, at distances in r0."""
    from ase.geometry import find_mic  # slow to import

    cells = []
    for distance in distances:
        cell = cubic_supercell(crystal, LEAST_EDGE)
        apart, length = find_mic(cell.positions[1:] - cell.positions[0], cell.cell, cell.pbc)
        nearest = int(np.argmin(length))
        towards = apart[nearest] / length[nearest]
        cell.positions[0] += towards * (length[nearest] - distance * crystal.nearest_neighbour_distance)
        cells.append(cell)
    return cells


def vacancies(crystal: Crystal, settings: Rattled, *, other: bool = False) -> list[Atoms]:
    """Supercells without one of their atoms: the others at rest, then rattled and strained.

    other : with other random numbers
    """
    whole, across = cubic_supercell(crystal, LEAST_EDGE), cubes_across(crystal, LEAST_EDGE)
    sampling = settings.model_copy(
        update={"repeat": (across,) * 3, "seed": settings.seed + (OTHER_SEED if other else 0)}
    )
    cells = [whole, *rattled_cells(crystal, sampling)]
    for cell in cells:
        del cell[0]
    return cells


def dumbbells(crystal: Crystal) -> list[Atoms]:
    """Supercells in which two atoms share a site, and all atoms were pushed apart as far as there is room.

    By the forces of soft spheres, no model: atoms closer than APART r0 move away from each other in small steps.
    """
    r0, cells = crystal.nearest_neighbour_distance, []
    for direction in DUMBBELLS:
        cell = cubic_supercell(crystal, LEAST_EDGE)
        half = SPREAD * r0 * np.array(direction) / (2 * np.linalg.norm(direction))
        cell.append(Atom(cell.numbers[0], cell.positions[0] - half))
        cell.positions[0] += half
        for _ in range(PUSHES):
            pairs = pairs_within(cell.positions, cell.cell.array, PERIODIC, APART * r0)
            length = np.linalg.norm(pairs.vector, axis=1)
            push = np.zeros((len(cell), 3))
            away = (0.25 * (APART * r0 - length) / length)[:, None] * pairs.vector
            np.add.at(push, pairs.second, away)
            np.add.at(push, pairs.first, -away)
            cell.positions += push / 2
        cell.positions = cell.positions.round(
            6
        )  # the same on every machine: positions are keys of the journal
        cells.append(cell)
    return cells
