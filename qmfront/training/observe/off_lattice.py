"""What the recipe robust asks about the crystal away from the perfect lattice, for the fit and to judge it.

| set | fitted to | cells |
| --- | --- | --- |
| distorted | yes | rattled, of small and of large strain |
| faults | yes | along the slip systems, every quarter of the path |
| close | yes | one atom near a neighbour |
| vacancy | yes | one atom missing, the others at rest and rattled |
| swapped | yes | of compounds: two neighbours that change places, and antisites, at rest and rattled |
| dumbbells | yes | one atom more, along [100], [110] and [111], pushed apart until no two atoms are close |
| unseen, strained | no | rattled, of small strain; of large strain |
| between | no | faults halfway between those above |
| holes | no | another vacancy, rattled |

The fitted ones teach the potential what no derivative at the lattice says; on the others its weights are chosen and its
certificate rests.
"""

from collections.abc import Sequence
from itertools import permutations

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
    cells_across,
    observe_cells,
    rattled_cells,
    upright_supercell,
)

FITTED: tuple[CellSet, ...] = ("distorted", "faults", "close", "vacancy", "dumbbells", "swapped")
UNSEEN: tuple[CellSet, ...] = ("unseen", "strained", "between", "holes")
LEAST_EDGE = 7.0
"""Å; of a cell with one vacancy, or one pair of close atoms."""
DUMBBELLS = ((1, 0, 0), (1, 1, 0), (1, 1, 1))
SPREAD = 0.8
"""Distance of the two atoms of a dumbbell before all are pushed apart, r0."""
APART = 0.95
"""Atoms that are closer push each other, over their diameter."""
PUSHES = 20
"""Steps of that."""
OTHER_SEED = 1000
"""Added to the seed of the vacancies that are not fitted to."""


def cells_off_lattice(crystal: Crystal, settings: Robust) -> dict[CellSet, list[Atoms]]:
    """All cells by set; empty sets are left out.

    Crystals of several species have a vacancy and an antisite of each; the robust recipe has no key of its own for
    swapped cells, which come with the vacancies. Their interstitials are left to `cells.interstitials`.
    """
    systems = slip_systems(crystal) if settings.faults else ()
    vacancy, alone = settings.vacancy, len(crystal.species) == 1
    sets: dict[CellSet, list[Atoms]] = {
        "distorted": [*rattled_cells(crystal, settings.cells), *rattled_cells(crystal, settings.strained)],
        "faults": [fault.atoms for fault in faults(crystal, systems)],
        "close": close_cells(crystal, settings.close),
        "vacancy": [] if vacancy is None else vacancies(crystal, vacancy),
        "dumbbells": dumbbells(crystal) if settings.dumbbells and alone else [],
        "swapped": [] if vacancy is None or alone else swapped_cells(crystal, vacancy),
        "unseen": rattled_cells(crystal, settings.unseen),
        "strained": rattled_cells(crystal, settings.unseen_strained),
        "between": [fault.atoms for fault in faults(crystal, systems, between=True)],
        "holes": [] if vacancy is None else vacancies(crystal, vacancy, other=True),
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
        cell = upright_supercell(crystal, LEAST_EDGE)
        apart, length = find_mic(cell.positions[1:] - cell.positions[0], cell.cell, cell.pbc)
        nearest = int(np.argmin(length))
        towards = apart[nearest] / length[nearest]
        cell.positions[0] += towards * (length[nearest] - distance * crystal.nearest_neighbour_distance)
        cells.append(cell)
    return cells


def vacancies(crystal: Crystal, settings: Rattled, *, other: bool = False) -> list[Atoms]:
    """Supercells without one of their atoms, of each species in turn: the others at rest, then rattled and strained.

    other : with other random numbers, and none at rest
    """
    cells = []
    for number in np.unique(crystal.numbers):
        for cell in _around_defects(crystal, settings, other=other):
            del cell[int(np.argmax(cell.numbers == number))]
            cells.append(cell)
    return cells


def swapped_cells(crystal: Crystal, settings: Rattled) -> list[Atoms]:
    """Supercells of a compound with two unlike neighbours exchanged, and with an antisite of each sort."""
    cells = _around_defects(crystal, settings)
    for cell in cells:
        first, second = _unlike_neighbours(cell)
        cell.numbers[[first, second]] = cell.numbers[[second, first]]
    for own, other in permutations(np.unique(crystal.numbers), 2):
        for cell in _around_defects(crystal, settings):
            cell.numbers[int(np.argmax(cell.numbers == own))] = other
            cells.append(cell)
    return cells


def _around_defects(crystal: Crystal, settings: Rattled, *, other: bool = False) -> list[Atoms]:
    """Supercells for a point defect: at rest (not with other random numbers), then rattled and strained."""
    sampling = settings.model_copy(
        update={
            "repeat": cells_across(crystal, LEAST_EDGE),
            "seed": settings.seed + (OTHER_SEED if other else 0),
        }
    )
    at_rest = [] if other else [upright_supercell(crystal, LEAST_EDGE)]
    return [*at_rest, *rattled_cells(crystal, sampling)]


def _unlike_neighbours(cell: Atoms) -> tuple[int, int]:
    """The first atom and the nearest one of another species."""
    apart = cell.get_distances(0, range(len(cell)), mic=True)
    apart[cell.numbers == cell.numbers[0]] = np.inf
    return 0, int(np.argmin(apart.round(3)))


def dumbbells(crystal: Crystal) -> list[Atoms]:
    """Supercells in which two atoms share a site, and all atoms were pushed apart as far as there is room.

    By the forces of soft spheres, no model.
    """
    r0, cells = crystal.nearest_neighbour_distance, []
    for direction in DUMBBELLS:
        cell = upright_supercell(crystal, LEAST_EDGE)
        half = SPREAD * r0 * np.array(direction) / (2 * np.linalg.norm(direction))
        cell.append(Atom(cell.numbers[0], cell.positions[0] - half))
        cell.positions[0] += half
        cells.append(pushed_apart(cell, np.full(len(cell), r0)))
    return cells


def pushed_apart(cell: Atoms, diameter: np.ndarray) -> Atoms:
    """The cell after its atoms, soft spheres of diameters (n,) Å, moved away from each other in small steps.

    Two atoms push each other while they are nearer than APART of the mean of their diameters.
    """
    moved = cell.copy()
    for _ in range(PUSHES):
        pairs = pairs_within(moved.positions, moved.cell.array, PERIODIC, APART * diameter.max())
        reach = APART * (diameter[pairs.first] + diameter[pairs.second]) / 2
        length = np.linalg.norm(pairs.vector, axis=1)
        push = np.zeros((len(moved), 3))
        away = (0.25 * np.maximum(reach - length, 0.0) / length)[:, None] * pairs.vector
        np.add.at(push, pairs.second, away)
        np.add.at(push, pairs.first, -away)
        moved.positions += push / 2
    moved.positions = moved.positions.round(6)  # the same on every machine: positions are keys of the journal
    return moved
