"""Strains that the predictor of a straight defect has, and stresses of homogeneous lattices there."""

import numpy as np
from ase.calculators.calculator import BaseCalculator

from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import Crystal
from qmfront.elasticity.deformation import deformation_gradients, one_sublattice
from qmfront.elasticity.internal import relaxed_shifts
from qmfront.elasticity.moduli import piola_stress

INNER_R0 = 4.0
"""r0; closer to the core no strain of a homogeneous lattice describes a site."""


def resting_stresses(
    crystal: Crystal, calculator: BaseCalculator, gradients: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """dW_cb/dF (g, 3, 3), eV, of one model, its sublattices at rest, and their shifts (g, nb, 3), Å."""
    shifts = relaxed_shifts(crystal, calculator, gradients).shifts
    stresses = [
        piola_stress(crystal, calculator, F, shift=s if len(s) > 1 else None)
        for F, s in zip(gradients, shifts, strict=True)
    ]
    return crystal.volume * np.array(stresses), shifts


def spread_sites(defect: Defect, count: int) -> np.ndarray:
    """At most `count` free sites beyond INNER_R0, each far from the others in log r and angle."""
    place, radius = polar(defect)
    candidates = np.flatnonzero(defect.free & (radius >= INNER_R0) & _complete(defect))
    circle = np.column_stack([place[:, 0], np.cos(place[:, 1]), np.sin(place[:, 1])])[candidates]
    chosen = [int(np.argmax(circle[:, 0]))] if len(candidates) else []
    nearest = np.full(len(candidates), np.inf)
    while len(chosen) < min(count, len(candidates)):
        nearest = np.minimum(nearest, np.linalg.norm(circle - circle[chosen[-1]], axis=1))
        if nearest.max() <= 0.0:  # the rest are images along the line
            break
        chosen.append(int(nearest.argmax()))
    return candidates[chosen]


def polar(defect: Defect) -> tuple[np.ndarray, np.ndarray]:
    """(log r, angle) about the core (n, 2), and r in r0 (n,)."""
    plane = (defect.sites - defect.core)[:, :2] / defect.r0
    radius = np.maximum(np.linalg.norm(plane, axis=1), 1e-9)
    return np.column_stack([np.log(radius), np.arctan2(plane[:, 1], plane[:, 0])]), radius


def _complete(defect: Defect) -> np.ndarray:
    """Sites with as many neighbours as most have: others have no strain."""
    count = np.bincount(one_sublattice(defect.stencil, defect.basis_index).first, minlength=defect.n_sites)
    return count == np.bincount(count[defect.free]).argmax()


def predictor_gradients(defect: Defect) -> np.ndarray:
    """F of the predictor in crystal axes, (n, 3, 3)."""
    gradient = deformation_gradients(defect, np.zeros_like(defect.predictor))
    return defect.frame.T @ gradient @ defect.frame
