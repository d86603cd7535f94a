"""Sites that are no crystal any more: where the first QM region lies, found in a relaxed structure.

Three signs, all from the neighbours as they are labelled at the present positions: neighbours that are missing or too
many, separations that no deformation gradient explains, and a large strain. The last two find the same sites as
centrosymmetry does, and need nothing that depends on the lattice.
"""

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from qmfront.crystal.defect import ADDED, Defect
from qmfront.crystal.faces import uncut
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.neighbours import Pairs, separations
from qmfront.crystal.stencil import stencil
from qmfront.elasticity.deformation import deformation_gradients, gradient_pairs, non_affine

NON_AFFINE_R0 = 0.02
"""r0; a neighbour that is farther from where the deformation gradient of its site puts it is in a defect."""

NEAREST_R0 = 1.2
"""r0; neighbours of any sublattice that are as near must all be there."""

STRAIN = 0.05
"""A larger principal Green strain is beyond what a lattice is."""
FACE_R0, TIP_R0 = 4.0, 8.0
"""r0; sites nearer to a face and farther from the tip belong to a free surface, which the potential is fitted to."""
# ASSUME the layers of NiAl (110), which are buckled, are those of the crystal again 3.3 r0 below the face.


def defective_sites(defect: Defect, displacement: np.ndarray, crystal: Crystal) -> np.ndarray:
    """Free sites whose neighbourhood at u0 + u is not that of a strained crystal, or of another species, (n,) bool.

    Sites at the faces of a crack lack neighbours from the beginning, which is no sign of anything; nor is it, far from
    the tip, that layers below a face have moved against each other, as those of a free surface do.

    Parameters
    ----------
    displacement : (n, 3) float, Å
    crystal : Crystal
        At rest, in cubic axes.
    """
    neighbours = _relabelled(defect, displacement, crystal)
    pairs = gradient_pairs(neighbours, defect.basis_index)
    relabelled = replace(defect, stencil=pairs)
    gradient = deformation_gradients(relabelled, displacement)
    now = separations(defect.body.reference + displacement, defect.cell, defect.pbc, pairs)
    off = np.linalg.norm(non_affine(pairs, now, gradient, basis_index=defect.basis_index), axis=1)
    whole = _complete(neighbours, defect)
    largest = np.zeros(defect.n_sites)
    np.maximum.at(largest, pairs.first, off)
    strain = (gradient.transpose(0, 2, 1) @ gradient - np.eye(3)) / 2
    strained = np.abs(np.linalg.eigvalsh(strain)).max(axis=1) > STRAIN
    broken = ~whole & ~_incomplete_from_the_beginning(defect)
    marked = broken | (whole & ((largest > NON_AFFINE_R0 * defect.r0) | strained))
    marked &= ~_below_faces(defect)
    host = np.where(defect.basis_index == ADDED, defect.numbers, crystal.numbers[defect.basis_index])
    return (marked | (defect.numbers != host)) & defect.free


def _relabelled(defect: Defect, displacement: np.ndarray, crystal: Crystal) -> Pairs:
    """N(l) at the present positions; added atoms have none."""
    positions, parts = defect.body.reference + displacement, []
    for sites, frame in defect.parts:
        turned, basis = crystal.rotated(frame), defect.basis_index[sites]
        near = stencil(positions[sites], defect.cell, defect.pbc, turned, basis_index=basis)
        parts.append(Pairs(sites[near.first], sites[near.second], near.vector))
    found = Pairs(*(np.concatenate([getattr(p, n) for p in parts]) for n in ("first", "second", "vector")))
    return uncut(defect.sites, found, defect.crack_tip)


def _complete(neighbours: Pairs, defect: Defect) -> np.ndarray:
    """Sites with each vector of the usual stencil of their sublattice once, (n,) bool.

    What counts are the pairs that give F_l, and nearest neighbours: those of a vacancy in silicon are all of the other
    sublattice.
    """
    basis_index, pairs = defect.basis_index, gradient_pairs(neighbours, defect.basis_index)
    if np.array_equal(basis_index[pairs.first], basis_index[pairs.second]):
        near = np.linalg.norm(neighbours.vector, axis=1) < NEAREST_R0 * defect.r0
        same = basis_index[neighbours.first] == basis_index[neighbours.second]
        pairs = neighbours.chosen(same | near)
    count = np.bincount(pairs.first, minlength=len(basis_index))
    key = np.round(pairs.vector, 3) + 0.0
    _, label = np.unique(key, axis=0, return_inverse=True)
    distinct = np.unique(np.column_stack([pairs.first, label.ravel()]), axis=0)[:, 0]
    different = np.bincount(distinct, minlength=len(basis_index))
    usual = np.zeros(len(basis_index), int)
    for sublattice in np.unique(basis_index):
        own = basis_index == sublattice
        usual[own] = np.bincount(count[own]).argmax() if sublattice != ADDED else -1
    return (count == usual) & (different == usual)


def _incomplete_from_the_beginning(defect: Defect) -> np.ndarray:
    """Sites that lack neighbours in the predictor of a crack, (n,) bool; none of other defects."""
    if not np.isfinite(defect.crack_tip):
        return np.zeros(defect.n_sites, bool)
    return ~_complete(defect.stencil, defect)


def _below_faces(defect: Defect) -> np.ndarray:
    """Sites of the free surfaces of a crack, far from its tip, (n,) bool; none of other defects."""
    faces = defect.face_sites() if np.isfinite(defect.crack_tip) else np.zeros(defect.n_sites, bool)
    if not faces.any():
        return faces
    plane = defect.sites[:, :2]
    depth, _ = cKDTree(plane[faces]).query(plane)
    from_tip = np.linalg.norm(plane - [defect.crack_tip, 0.0], axis=1)
    return np.asarray((depth < FACE_R0 * defect.r0) & (from_tip > TIP_R0 * defect.r0))
