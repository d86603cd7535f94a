"""Cells with atoms of elements that the crystal does not have: what a potential learns about solutes.

| set | fitted to | cells |
| --- | --- | --- |
| dilute | yes | one solute on a site of each species in turn: all at rest, and rattled in strained cells |
| solute_pairs | yes | two solutes in the first neighbour shells: at rest, and rattled |
| solute_vacancy | yes | a solute beside a vacancy: at rest, and rattled |
| solute_close | yes | a solute near a neighbour, an atom of the crystal or another solute |
| interstitial | yes | a solute between the sites, atoms pushed apart: as it is, and rattled |
| unseen_dilute, unseen_interstitial | no | other cells with one solute, rattled |

The cells of the crystal alone are those of `off_lattice`, and know nothing of the solutes.
"""

from collections.abc import Iterator
from itertools import combinations_with_replacement

import numpy as np
from ase import Atom, Atoms
from ase.calculators.calculator import BaseCalculator
from ase.data import atomic_numbers, chemical_symbols, covalent_radii

from qmfront.config.potential import Matching, Rattled, Robust
from qmfront.crystal.lattice import Crystal
from qmfront.training.observe.off_lattice import LEAST_EDGE, close_cells, pushed_apart
from qmfront.training.observe.rattled import (
    CellSet,
    ObservedCells,
    cells_across,
    hole,
    observe_cells,
    rattled_cells,
    upright_supercell,
)

SOLUTES_FITTED: tuple[CellSet, ...] = (
    "dilute",
    "solute_pairs",
    "solute_vacancy",
    "solute_close",
    "interstitial",
)
SOLUTES_UNSEEN: tuple[CellSet, ...] = ("unseen_dilute", "unseen_interstitial")
SAME_SHELL = 1e-3
"""Å; neighbours whose distances differ by less are in one shell."""
HOLE_R0 = 0.5
"""r0; a random place for an interstitial is at least this far from all atoms, before they are pushed apart."""
RATTLED = 0.1
"""Å; of pairs and of solutes beside a vacancy, each of which has one rattled cell."""


def cells_with_solutes(crystal: Crystal, settings: Matching) -> dict[CellSet, list[Atoms]]:
    """All cells by set; empty sets are left out, as all are without solutes."""
    on_sites, between, robust = settings.solutes, settings.interstitial_solutes, settings.robust
    fitted, unseen = robust.solute_cells, robust.unseen_solutes
    sets: dict[CellSet, list[Atoms]] = {
        "dilute": [cell for one in on_sites for cell in _dilute(crystal, one, fitted, at_rest=True)],
        "solute_pairs": list(_pairs(crystal, on_sites, robust.solute_shells, fitted.seed)),
        "solute_vacancy": [cell for one in on_sites for cell in _beside_vacancy(crystal, one, fitted.seed)],
        "solute_close": list(_close(crystal, on_sites, robust)),
        "interstitial": [cell for one in between for cell in _interstitial(crystal, one, fitted)],
        "unseen_dilute": [cell for one in on_sites for cell in _dilute(crystal, one, unseen, at_rest=False)],
        "unseen_interstitial": [cell for one in between for cell in _interstitial(crystal, one, unseen)],
    }
    return {name: cells for name, cells in sets.items() if cells}


def observe_solutes(
    crystal: Crystal, calculator: BaseCalculator, settings: Matching
) -> dict[CellSet, ObservedCells]:
    """Energies and forces of all of them.

    Raises
    ------
    ValueError
        If the reference model refuses a cell, as one that does not know the element.
    """
    advice = (
        "Take an element that the model knows (potentials.*.solutes), or lower amplitudes and strain of "
        "robust.solute_cells."
    )
    return {
        name: observe_cells(crystal, calculator, cells, name, advice=advice)
        for name, cells in cells_with_solutes(crystal, settings).items()
    }


def _dilute(crystal: Crystal, symbol: str, settings: Rattled, *, at_rest: bool) -> list[Atoms]:
    """One solute on a site of each species of the crystal in turn."""
    found = []
    for own in np.unique(crystal.numbers):
        cells = [upright_supercell(crystal, LEAST_EDGE)] if at_rest else []
        for cell in [*cells, *_rattled(crystal, settings)]:
            cell.numbers[int(np.argmax(cell.numbers == own))] = atomic_numbers[symbol]
            found.append(cell)
    return found


def _pairs(crystal: Crystal, symbols: tuple[str, ...], shells: int, seed: int) -> Iterator[Atoms]:
    """Two solutes, one on the first site, the other in each of the first shells around it."""
    whole = upright_supercell(crystal, LEAST_EDGE)
    distance = whole.get_distances(0, range(len(whole)), mic=True)
    lengths = np.sort(distance[distance > SAME_SHELL])
    first = lengths[np.diff(lengths, prepend=0.0) > SAME_SHELL][:shells]
    for one, other in combinations_with_replacement(symbols, 2):
        for length in first:
            second = int(np.argmin(np.abs(distance - length)))
            for cell in _at_rest_and_rattled(crystal, seed):
                cell.numbers[[0, second]] = atomic_numbers[one], atomic_numbers[other]
                yield cell


def _beside_vacancy(crystal: Crystal, symbol: str, seed: int) -> Iterator[Atoms]:
    """A solute with a nearest neighbour that is missing."""
    for cell in _at_rest_and_rattled(crystal, seed):
        distance = upright_supercell(crystal, LEAST_EDGE).get_distances(0, range(len(cell)), mic=True)
        distance[0] = np.inf
        cell.numbers[0] = atomic_numbers[symbol]
        del cell[int(np.argmin(distance.round(3)))]
        yield cell


def _close(crystal: Crystal, symbols: tuple[str, ...], settings: Robust) -> Iterator[Atoms]:
    """The cells of the crystal with one atom close to a neighbour, where it is a solute, or both are."""
    for cell in close_cells(crystal, settings.close):
        apart = cell.get_distances(0, range(len(cell)), mic=True)
        apart[0] = np.inf
        second = int(np.argmin(apart))
        for number, one in enumerate(symbols):
            beside = [chemical_symbols[cell.numbers[second]]]
            for other in beside + list(symbols[number:]) * (settings.solute_shells > 0):
                found = cell.copy()
                found.numbers[[0, second]] = atomic_numbers[one], atomic_numbers[other]
                yield found


def _interstitial(crystal: Crystal, symbol: str, settings: Rattled) -> Iterator[Atoms]:
    """A solute at a random place between the sites of each rattled cell, as far from its neighbours as radii say."""
    generator, r0 = np.random.default_rng(settings.seed), crystal.nearest_neighbour_distance
    for cell in _rattled(crystal, settings):
        diameter = np.full(len(cell) + 1, r0)
        diameter[-1] *= covalent_radii[atomic_numbers[symbol]] / covalent_radii[cell.numbers].mean()
        cell.append(Atom(symbol, hole(cell, HOLE_R0 * r0, generator)))
        yield pushed_apart(cell, diameter)


def _at_rest_and_rattled(crystal: Crystal, seed: int) -> list[Atoms]:
    sampling = Rattled(count=1, amplitudes=(RATTLED, RATTLED), strain=0.0, seed=seed)
    return [upright_supercell(crystal, LEAST_EDGE), *_rattled(crystal, sampling)]


def _rattled(crystal: Crystal, settings: Rattled) -> list[Atoms]:
    """Rattled cells of the crystal with edges of at least LEAST_EDGE."""
    return rattled_cells(crystal, settings.model_copy(update={"repeat": cells_across(crystal, LEAST_EDGE)}))
