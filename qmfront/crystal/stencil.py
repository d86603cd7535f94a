"""Nearest neighbours N(l) of (2.3) and slip-safe labels of neighbour pairs.

A label is the lattice vector nearest to a deformed separation. It names a pair by what the pair has become:
two atoms brought into registry by a slip of one Burgers vector are labelled like neighbours in the perfect
crystal, where their reference sites would be off by b.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from qmfront.crystal.lattice import Crystal, bisector_contacts
from qmfront.crystal.neighbours import Pairs, pairs_within

Contact = Literal["touching", "facet"]


@dataclass(frozen=True, eq=False)
class Labels:
    """Which vector of the perfect crystal each pair is.

    index : (p,) int
        Row of `vectors` for each pair.
    vectors : (m, 3) float, Å
        Distinct labels, n @ cell + basis[second] - basis[first].
    coordinates : (m, 3) int
        Their lattice coordinates n.
    first_basis, second_basis : (m,) int
        Rows of Crystal.basis that they join.
    """

    index: np.ndarray
    vectors: np.ndarray
    coordinates: np.ndarray
    first_basis: np.ndarray
    second_basis: np.ndarray

    @property
    def vector(self) -> np.ndarray:
        """The label of each pair, (p, 3), Å."""
        return self.vectors[self.index]


def stencil_vectors(crystal: Crystal, *, contact: Contact = "touching") -> list[np.ndarray]:
    """N(l) - l of (2.3) in the perfect crystal, for each basis atom.

        N(l) = {m != l : there is an a with |a - l| = |a - m| <= |a - k| for all sites k}

    m belongs to N(l) if its bisector plane touches the Voronoi cell of l.
    # ASSUME "touching" is (2.3) to the letter: contact at a corner or an edge counts (bcc 14, fcc 18,
    sc 26); "facet" asks for a common facet (bcc 14, fcc 12, sc 6). They agree for bcc.

    Returns
    -------
    list of (m, 3) float arrays, Å
        Sorted by length, closed under v -> -v over the crystal as a whole.
    """
    smallest = {"touching": 1, "facet": 3}[contact]
    stencils = []
    for centre in range(len(crystal.basis)):
        candidates = _sites_around(crystal, centre)
        _, contacts = bisector_contacts(candidates)
        chosen = candidates[contacts >= smallest]
        length = np.linalg.norm(chosen, axis=1)
        stencils.append(chosen[np.lexsort([*chosen.T, np.round(length, 6)])])
    return stencils


def label_pairs(pairs: Pairs, crystal: Crystal, *, basis_index: np.ndarray | None = None) -> Labels:
    """The vector of the perfect crystal nearest to each deformed separation.

    Parameters
    ----------
    pairs : Pairs
        Pairs of the deformed configuration.
    crystal : Crystal
        In the axes of the pairs.
    basis_index : (n,) int, optional
        Row of Crystal.basis of each atom; needed for crystals with a basis.

    Returns
    -------
    Labels
        label(m, l) = -label(l, m), also where two lattice vectors are equally near.

    Raises
    ------
    ValueError
        If the crystal has a basis and basis_index is missing.
    """
    first_basis, second_basis = _basis_of(pairs, crystal, basis_index)
    offset = crystal.basis[second_basis] - crystal.basis[first_basis]
    coordinates = crystal.nearest_lattice_vectors(pairs.vector - offset)
    nb, low = len(crystal.basis), coordinates.min(axis=0, initial=0)
    shape = (*(coordinates.max(axis=0, initial=0) - low + 1), nb, nb)
    key = np.ravel_multi_index((*(coordinates - low).T, first_basis, second_basis), shape)
    present = np.zeros(
        int(np.prod(shape)), bool
    )  # a table, since sorting millions of keys is 10 times slower
    present[key] = True
    distinct, index = np.flatnonzero(present), np.cumsum(present)[key] - 1
    *n, start, end = np.unravel_index(distinct, shape)
    n = np.column_stack(n) + low
    vectors = n @ crystal.cell + crystal.basis[end] - crystal.basis[start]
    return Labels(index=index, vectors=vectors, coordinates=n, first_basis=start, second_basis=end)


def stencil(
    positions: np.ndarray,
    cell: np.ndarray,
    pbc: np.ndarray,
    crystal: Crystal,
    *,
    basis_index: np.ndarray | None = None,
    contact: Contact = "touching",
) -> Pairs:
    """N(l) of (2.3) on a deformed configuration, across the slip cut.

    A pair belongs if its label is a stencil vector. In the homogeneous far field each site has exactly the
    neighbours of the perfect crystal; in the core it may have more or fewer. Both directions are
    present because labels are antisymmetric.

    Parameters
    ----------
    positions : (n, 3) float, Å
        y0 = l + u0(l).
    cell, pbc : (3, 3) float, Å, and (3,) bool
    crystal : Crystal
        In the axes of the positions.

    Returns
    -------
    Pairs
        With the label, a vector of the perfect crystal, as `vector`.
    """
    wanted = stencil_vectors(crystal, contact=contact)
    corners, _ = bisector_contacts(crystal.voronoi_vectors)
    # A separation farther from a stencil vector than the covering radius has another label.
    reach = max(np.linalg.norm(v, axis=1).max() for v in wanted) + np.linalg.norm(corners, axis=1).max()
    pairs = pairs_within(positions, cell, pbc, reach * (1 + 1e-9))
    labels = label_pairs(pairs, crystal, basis_index=basis_index)
    member = np.array(
        [
            np.linalg.norm(wanted[s] - v, axis=1).min() < 1e-6 * crystal.nearest_neighbour_distance
            for s, v in zip(labels.first_basis, labels.vectors, strict=True)
        ],
        dtype=bool,
    )
    keep = member[labels.index]
    return Pairs(pairs.first[keep], pairs.second[keep], labels.vector[keep])


def _sites_around(crystal: Crystal, centre: int) -> np.ndarray:
    """Vectors (k, 3), Å, from one basis atom to all sites that can touch its Voronoi cell."""
    corners, _ = bisector_contacts(crystal.voronoi_vectors)
    # No point of the crystal is farther from the nearest image of this atom than the covering radius.
    reach = 2 * np.linalg.norm(corners, axis=1).max() * (1 + 1e-6)
    span = reach + np.linalg.norm(crystal.basis - crystal.basis[centre], axis=1).max()
    count = np.ceil(span * np.linalg.norm(np.linalg.inv(crystal.cell), axis=0)).astype(int)
    grid = np.meshgrid(*(np.arange(-c, c + 1) for c in count), indexing="ij")
    lattice = np.stack([g.ravel() for g in grid], axis=1) @ crystal.cell
    vectors = (lattice[:, None] + crystal.basis - crystal.basis[centre]).reshape(-1, 3)
    distance = np.linalg.norm(vectors, axis=1)
    return vectors[(distance > 1e-9) & (distance <= reach)]


def _basis_of(
    pairs: Pairs, crystal: Crystal, basis_index: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    if basis_index is None:
        if len(crystal.basis) > 1:
            raise ValueError(
                f"The crystal has {len(crystal.basis)} atoms per cell: labels need basis_index, the row of "
                "Crystal.basis of each atom (Sites.basis_index)."
            )
        return np.zeros(len(pairs), int), np.zeros(len(pairs), int)
    return np.asarray(basis_index)[pairs.first], np.asarray(basis_index)[pairs.second]
