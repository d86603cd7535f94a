"""Which crystal the atoms of a file are, by the number and the directions of their neighbours.

Neighbours closer than 1.27 r0 are 12 in close packings, 14 in bcc (8 and 6), 6 in sc and 4 in diamond; of the 12 that
surround an atom of fcc all have an opposite one, of hcp half of them, and so have the next neighbours of diamond and
wurtzite. Two species make b2 of bcc, L1_2 of fcc, rocksalt of sc, zincblende of diamond. Most of the atoms decide, so
that defects, surfaces and strains of some percent do no harm.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from qmfront.config.material import Crystal
from qmfront.config.unit_cell import Structure
from qmfront.crystal.neighbours import Pairs, pairs_within

REACHES = (3.0, 4.0, 5.5, 7.5)
"""Å; the first within which most atoms have a neighbour is enough to find r0."""
NEAR, NEXT = 1.27, 1.75
"""r0; the two shells that are looked at."""
OPPOSITE = 0.25
"""r0; a neighbour this close to the inverse of another one is opposite to it."""
RARE = 0.1
"""Share of the atoms below which a species is no part of the crystal."""
LEAST = 0.3
"""Share of the atoms that have the neighbours of a crystal, below which it is none."""
SAMPLE = 300
"""Atoms whose directions are looked at."""
COUNTS: dict[int, tuple[str, str]] = {
    12: ("fcc", "hcp"),
    14: ("bcc", "bcc"),
    6: ("sc", "sc"),
    4: ("diamond", "wurtzite"),
}
"""Number of near neighbours: structure of one species whose shell is symmetric by inversion, and whose is not."""
OF_TWO: dict[str, Structure] = {
    "bcc": "b2",
    "fcc": "l1_2",
    "sc": "rocksalt",
    "diamond": "zincblende",
    "wurtzite": "wurtzite",
}
NEAREST = {"bcc": 8, "b2": 8}
"""Nearest neighbours where those within NEAR are more."""
EDGE: dict[str, float] = {
    "fcc": sqrt(2),
    "l1_2": sqrt(2),
    "bcc": 2 / sqrt(3),
    "b2": 2 / sqrt(3),
    "sc": 1.0,
    "rocksalt": 2.0,
    "diamond": 4 / sqrt(3),
    "zincblende": 4 / sqrt(3),
    "wurtzite": sqrt(8 / 3),
}
"""Lattice constant over r0; wurtzite at the ideal ratio."""


@dataclass(frozen=True)
class Recognised:
    """A crystal that atoms are made of.

    crystal : its settings, the lattice constant that of the atoms
    share : of the atoms, those that have its number of neighbours
    foreign : species of few atoms, which are none of the crystal
    """

    crystal: Crystal
    share: float
    foreign: tuple[str, ...]


def recognised(atoms: Atoms) -> Recognised | None:
    """The crystal of one or two species that most of the atoms are; None if it is none that has a name here.

    Parameters
    ----------
    atoms : Atoms
        With species; surfaces and defects may be among them.
    """
    host, foreign = _species(atoms)
    pairs = _neighbours(atoms)
    if pairs is None or len(host) > 2:
        return None
    near = pairs.distance < NEAR * pairs.r0
    count = np.bincount(pairs.all.first[near], minlength=len(atoms))
    own = np.isin(atoms.numbers, host)
    usual = int(np.bincount(count[own]).argmax())
    typical = own & (count == usual)
    share = float(typical.sum() / len(atoms))
    if usual not in COUNTS or share < LEAST:
        return None
    chosen = np.flatnonzero(typical)[:: max(1, int(typical.sum()) // SAMPLE)]
    shell = ~near if usual == 4 else near
    kind = COUNTS[usual][not _is_symmetric(pairs, chosen, shell)]
    structure: str | None = kind if len(host) == 1 else _ordered(kind, atoms, pairs, (typical, near))
    if structure is None or (structure == "wurtzite" and len(host) == 1):
        return None
    settings = _settings(structure, _formula(structure, atoms, host), pairs, (chosen, near))
    return Recognised(settings, share, foreign)


@dataclass(frozen=True)
class _Neighbours:
    """All pairs within NEXT; their distances, and the nearest-neighbour distance r0 of most atoms, Å."""

    all: Pairs
    distance: np.ndarray
    r0: float


def _species(atoms: Atoms) -> tuple[np.ndarray, tuple[str, ...]]:
    """Atomic numbers of the species of which there are many, and symbols of the others."""
    numbers, counts = np.unique(atoms.numbers, return_counts=True)
    is_rare = counts < RARE * len(atoms)
    return numbers[~is_rare], tuple(chemical_symbols[number] for number in numbers[is_rare])


def _neighbours(atoms: Atoms) -> _Neighbours | None:
    for reach in REACHES:
        pairs = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, reach)
        nearest = np.full(len(atoms), np.inf)
        np.minimum.at(nearest, pairs.first, np.linalg.norm(pairs.vector, axis=1))
        r0 = float(np.median(nearest))
        if np.isfinite(r0):
            found = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, NEXT * r0)
            return _Neighbours(found, np.linalg.norm(found.vector, axis=1), r0)
    return None


def _is_symmetric(pairs: _Neighbours, chosen: np.ndarray, shell: np.ndarray) -> bool:
    """Whether most vectors of a shell of some atoms have an opposite one in it."""
    opposite, whole = 0, 0
    for atom in chosen:
        vectors = _of(pairs, atom, shell)
        apart = np.linalg.norm(vectors[:, None] + vectors[None], axis=2).min(axis=1, initial=np.inf)
        opposite += int(np.sum(apart < OPPOSITE * pairs.r0))
        whole += len(vectors)
    return opposite > 0.75 * whole


def _of(pairs: _Neighbours, atom: int, shell: np.ndarray) -> np.ndarray:
    start, end = np.searchsorted(pairs.all.first, (atom, atom + 1))
    return pairs.all.vector[start:end][shell[start:end]]


def _ordered(
    kind: str, atoms: Atoms, pairs: _Neighbours, shell: tuple[np.ndarray, np.ndarray]
) -> Structure | None:
    """The ordered structure of two species on the sites of a structure of one; None if they are mixed otherwise."""
    typical, near = shell
    if kind not in OF_TWO:
        return None
    reach = near & (pairs.distance < 1.07 * pairs.r0) if kind == "bcc" else near
    unlike = atoms.numbers[pairs.all.first] != atoms.numbers[pairs.all.second]
    count = np.bincount(pairs.all.first[reach & unlike], minlength=len(atoms))
    of_all = np.bincount(pairs.all.first[reach], minlength=len(atoms))
    wanted = np.ones(len(atoms))
    if kind == "fcc":
        numbers, counts = np.unique(atoms.numbers[typical], return_counts=True)
        wanted = np.where(atoms.numbers == numbers[counts.argmax()], 1 / 3, 1.0)
    is_ordered = np.abs(count - wanted * of_all) < 0.5
    return OF_TWO[kind] if np.mean(is_ordered[typical]) > 0.75 else None


def _formula(structure: str, atoms: Atoms, host: np.ndarray) -> str:
    """Symbols in the order of the file; of L1_2 the one with most atoms first."""
    order = [number for number in dict.fromkeys(atoms.numbers.tolist()) if number in host]
    if structure == "l1_2":
        order.sort(key=lambda number: -int(np.sum(atoms.numbers == number)))
    return "".join(chemical_symbols[number] for number in order)


def _settings(
    structure: str, formula: str, pairs: _Neighbours, shell: tuple[np.ndarray, np.ndarray]
) -> Crystal:
    """Lattice constant, and the ratio of hcp, by the mean distances around some atoms (their median)."""
    chosen, near = shell
    if structure == "hcp":
        a, c = np.median([_hexagonal(_of(pairs, atom, near), pairs.r0) for atom in chosen], axis=0)
        return Crystal(
            structure="hcp", symbol=formula, lattice_constant_guess=float(a), ratio_guess=float(c / a)
        )
    lengths = [np.sort(np.linalg.norm(_of(pairs, atom, near), axis=1)) for atom in chosen]
    r0 = float(np.median([np.mean(each[: NEAREST.get(structure, len(each))]) for each in lengths]))
    return Crystal.model_validate(
        {"structure": structure, "symbol": formula, "lattice_constant_guess": EDGE[structure] * r0}
    )


def _hexagonal(vectors: np.ndarray, r0: float) -> tuple[float, float]:
    """a and c of the twelve neighbours of an atom of hcp: six with an opposite one in its plane, six beside it."""
    apart = np.linalg.norm(vectors[:, None] + vectors[None], axis=2).min(axis=1)
    in_plane = apart < OPPOSITE * r0
    a = float(np.linalg.norm(vectors[in_plane], axis=1).mean())
    beside = float(np.linalg.norm(vectors[~in_plane], axis=1).mean()) if not in_plane.all() else a
    return a, 2 * sqrt(max(beside**2 - a**2 / 3, 0.0))
