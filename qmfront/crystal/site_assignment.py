"""Atoms of a file against the perfect crystal: axes, scale, sublattices, missing neighbours, strain."""

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from qmfront.crystal.lattice import Crystal
from qmfront.crystal.neighbours import Pairs, pairs_within, separations
from qmfront.crystal.stencil import stencil_vectors

NEAR_R0 = 1.35
"""Neighbours that tell the sublattice of an atom lie within this distance (r0)."""
STRAINED_R0 = 0.08
"""r0; a neighbour that is farther than this from where the crystal has it is in a core."""
CORE = 0.8
"""Of the largest such distance; sites that reach so much are the core."""
MOST_FOREIGN = 0.1
"""Share of the atoms that may be solutes."""


def frame_of(axes: np.ndarray, crystal: Crystal) -> np.ndarray:
    """The frame (3, 3) whose rows are the normalised directions axes (3, 3) of a crystal along x, y, z.

    Raises ValueError unless they are perpendicular and right-handed.
    """
    frame = crystal.direction(axes)
    length = np.linalg.norm(frame, axis=1)
    if not np.all(length > 0):
        raise ValueError(f"axes {np.asarray(axes).tolist()}: a direction is zero.")
    frame = frame / length[:, None]
    if np.abs(frame @ frame.T - np.eye(3)).max() > 1e-9 or np.linalg.det(frame) < 0:
        raise ValueError(
            f"axes {np.asarray(axes).tolist()} are not perpendicular and right-handed. Give the crystal directions "
            "along x, y and z of the file, such as [[1, 0, 0], [0, 1, 0], [0, 0, 1]]."
        )
    return frame


def scaled(atoms: Atoms, lattice_constant: float, of_file: float | None) -> Atoms:
    """The atoms with the lattice constant of the file turned into this one, Å; arrays (n, 3) of sites too."""
    if of_file is None:
        return atoms
    factor = lattice_constant / of_file
    other = atoms.copy()
    for name, values in other.arrays.items():
        if values.dtype.kind == "f" and values.shape == (len(atoms), 3) and name not in ("forces", "momenta"):
            other.arrays[name] = values * factor
    other.cell = atoms.cell.array * factor
    return other


def sublattices(atoms: Atoms, crystal: Crystal) -> np.ndarray:
    """Row of Crystal.basis (n,) that every atom is: by species, and where that leaves a choice, by its neighbours.

    An atom is on the sublattice whose nearest neighbours lie closest to its own. Solutes may be on any.

    Raises ValueError as `refuse_foreign`.
    """
    refuse_foreign(atoms, crystal)
    possible = (crystal.numbers[:, None] == atoms.numbers) | is_foreign(atoms.numbers, crystal)
    if np.all(possible.sum(axis=0) == 1):
        return possible.argmax(axis=0)
    reach = NEAR_R0 * crystal.nearest_neighbour_distance
    pairs = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, reach)
    misfit = np.stack([_misfit(atoms, pairs, crystal, row, reach) for row in range(len(crystal.basis))])
    misfit[~possible] = np.inf
    return misfit.argmin(axis=0)


def _misfit(atoms: Atoms, pairs: Pairs, crystal: Crystal, row: int, reach: float) -> np.ndarray:
    """Squared distances of the neighbours of every atom to the nearest ones of sublattice `row`, summed, (n,) Å^2."""
    ideal = pairs_within(crystal.basis, crystal.cell, np.ones(3, bool), reach)
    vectors = ideal.vector[ideal.first == row]
    apart = np.linalg.norm(pairs.vector[:, None] - vectors[None], axis=2).min(axis=1)
    return np.bincount(pairs.first, apart**2, len(atoms))


def is_foreign(numbers: np.ndarray, crystal: Crystal) -> np.ndarray:
    """Atoms (n,) bool of elements that the crystal does not have."""
    return ~np.isin(numbers, crystal.numbers)


def refuse_foreign(atoms: Atoms, crystal: Crystal) -> None:
    """Raise ValueError if more atoms than solutes would be are of elements that the crystal does not have."""
    foreign = atoms.numbers[is_foreign(atoms.numbers, crystal)]
    if len(foreign) > MOST_FOREIGN * len(atoms):
        symbols = " and ".join(chemical_symbols[number] for number in np.unique(foreign))
        raise ValueError(
            f"{len(foreign)} of the {len(atoms)} atoms of the file are {symbols}, which the crystal "
            f"({', '.join(crystal.species)}) does not have, and solutes are few. Correct the file, defect.types where "
            "it numbers its elements, or materials.*.crystal."
        )


def incomplete_sites(neighbours: Pairs, basis_index: np.ndarray) -> np.ndarray:
    """Sites (n,) bool with fewer or more neighbours than most of their sublattice."""
    count = np.bincount(neighbours.first, minlength=len(basis_index))
    usual = np.array([np.bincount(count[basis_index == b]).argmax() for b in range(basis_index.max() + 1)])
    return count != usual[basis_index]


def missing_sites(
    atoms: Atoms, neighbours: Pairs, crystal: Crystal, basis_index: np.ndarray, around: np.ndarray
) -> np.ndarray:
    """Where the neighbours that the sites `around` (n,) bool lack would be, (m, 3) Å."""
    wanted = stencil_vectors(crystal)
    start = np.searchsorted(neighbours.first, np.arange(len(atoms) + 1))
    found = [np.zeros((0, 3))]
    for site in np.flatnonzero(around):
        present = neighbours.vector[start[site] : start[site + 1]]
        vectors = wanted[basis_index[site]]
        apart = np.linalg.norm(vectors[:, None] - present[None], axis=2).min(axis=1, initial=np.inf)
        found.append(atoms.positions[site] + vectors[apart > 1e-6 * crystal.nearest_neighbour_distance])
    return np.concatenate(found)


def largest_misfits(atoms: Atoms, neighbours: Pairs) -> np.ndarray:
    """How far the neighbours of every atom are from where the crystal has them, the farthest, (n,) Å."""
    now = separations(atoms.positions, atoms.cell.array, atoms.pbc, neighbours)
    off = np.zeros(len(atoms))
    np.maximum.at(off, neighbours.first, np.linalg.norm(now - neighbours.vector, axis=1))
    return off


def most_strained(misfits: np.ndarray, free: np.ndarray, r0: float) -> np.ndarray:
    """Free atoms (n,) bool whose neighbours are farthest from where the crystal has them, if any are far."""
    off = np.where(free, misfits, 0.0)
    return off > max(CORE * off.max(), STRAINED_R0 * r0)


def far_gradient(atoms: Atoms, neighbours: Pairs, far: np.ndarray, basis_index: np.ndarray) -> np.ndarray:
    """Deformation gradient F (3, 3) of all pairs within one sublattice that start at far sites (n,) bool.

    F minimises sum |d - F rho|^2 over separations d and labels rho; the identity if there are no such pairs.
    """
    same = basis_index[neighbours.first] == basis_index[neighbours.second]
    chosen = neighbours.chosen(far[neighbours.first] & same)
    if len(chosen) == 0:
        return np.eye(3)
    now = separations(atoms.positions, atoms.cell.array, atoms.pbc, chosen)
    return (now.T @ chosen.vector) @ np.linalg.inv(chosen.vector.T @ chosen.vector)
