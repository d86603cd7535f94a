"""Two defects made of the same atoms: which atom of one is which of the other.

A vacancy that moves to the next site is the same box with another site left out: one atom has gone the other way.
"""

from dataclasses import replace

import numpy as np
from ase.geometry import find_mic
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from qmfront.crystal.defect import ADDED, Defect
from qmfront.crystal.neighbours import Pairs

SAME_SITE = 1e-3
"""Å; sites of two defects closer than this are the same."""
FORBIDDEN = 1e6
"""Å^2, more than any box; what it would cost to turn an atom into one of another element."""


def in_order_of(defect: Defect, other: Defect) -> Defect:
    """The other defect with its atoms in the order of the first, each in the image that is nearest to where it was.

    Atoms of sites that both have stay. The rest goes the shortest way: the sum of the squares of all distances is
    least, among atoms of one element.

    Parameters
    ----------
    defect, other : Defect
        In one domain, without a predictor.

    Raises
    ------
    ValueError
        If domains, numbers of atoms or elements differ.
    """
    if defect.cell.shape != other.cell.shape or np.abs(defect.cell - other.cell).max() > SAME_SITE:
        raise ValueError("The two defects are in domains of different size. Give both the same domain.")
    if not np.array_equal(np.sort(defect.numbers), np.sort(other.numbers)):
        raise ValueError(
            f"The defects have {defect.n_sites} and {other.n_sites} atoms, or other elements: no path leads from one "
            "to the other. Both must be made of the same atoms."
        )
    order = _partners(defect, other)
    place = np.argsort(order)
    moved = other.sites[order] - defect.sites
    nearest = find_mic(moved, defect.cell, defect.pbc)[0]
    first, second = place[other.stencil.first], place[other.stencil.second]
    sorting = np.argsort(first, kind="stable")
    return replace(
        other,
        sites=defect.sites + nearest,
        predictor=other.predictor[order],
        numbers=other.numbers[order],
        basis_index=other.basis_index[order],
        free=other.free[order],
        stencil=Pairs(first[sorting], second[sorting], other.stencil.vector[sorting]),
        core=defect.core + find_mic(other.core - defect.core, defect.cell, defect.pbc)[0],
    )


def same_atoms(defect: Defect, other: Defect) -> np.ndarray:
    """For every atom of the first that of the other at the same site, of the same element; -1 if none, (n,) int.

    Parameters
    ----------
    defect, other : Defect
        In one domain, without a predictor.
    """
    places, known = defect.sites.copy(), other.sites.copy()
    repeats = np.flatnonzero(defect.pbc)
    for sites in (places, known):
        sites[:, repeats] = np.mod(sites[:, repeats] + SAME_SITE, np.diag(defect.cell)[repeats])
    distance, site = map(np.asarray, cKDTree(known).query(places))
    stays = (distance < SAME_SITE) & (defect.numbers == other.numbers[site])
    stays &= (defect.basis_index == ADDED) == (other.basis_index[site] == ADDED)
    return np.where(stays, site, -1)


def _partners(defect: Defect, other: Defect) -> np.ndarray:
    """For every atom of the first its own in the other, (n,) int."""
    partners = same_atoms(defect, other)
    left, open_ = np.flatnonzero(partners < 0), np.setdiff1d(np.arange(other.n_sites), partners)
    apart = other.sites[open_][None] - defect.sites[left][:, None]
    squares = np.sum(find_mic(apart.reshape(-1, 3), defect.cell, defect.pbc)[0] ** 2, axis=1)
    squares = squares.reshape(len(left), len(open_))
    alike = defect.numbers[left][:, None] == other.numbers[open_][None]
    rows, columns = linear_sum_assignment(np.where(alike, squares, FORBIDDEN))
    partners[left[rows]] = open_[columns]
    return partners
