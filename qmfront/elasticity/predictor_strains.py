"""Strains that the predictor of a straight defect has, and stresses of homogeneous lattices there."""

import numpy as np
from ase.calculators.calculator import BaseCalculator

from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import Crystal
from qmfront.elasticity.deformation import deformation_gradients, gradient_pairs
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


def spread_sites(defect: Defect, distance: np.ndarray, count: int, *, inner: float) -> np.ndarray:
    """At most `count` free sites, each far from those before it in log distance and direction.

    Parameters
    ----------
    distance : (n,) float, r0
        To what is not to be sampled.
    inner : float, r0
        No site is nearer.
    """
    candidates = np.flatnonzero(defect.free & (distance >= inner) & _complete(defect))
    away = defect.coordinates - defect.core[: defect.dimension]
    direction = away / np.maximum(np.linalg.norm(away, axis=1), 1e-9 * defect.r0)[:, None]
    place = np.column_stack([np.log(np.maximum(distance, 1e-9)), direction])[candidates]
    chosen = [int(np.argmax(place[:, 0]))] if len(candidates) and count else []
    nearest = np.full(len(candidates), np.inf)
    while len(chosen) < min(count, len(candidates)):
        nearest = np.minimum(nearest, np.linalg.norm(place - place[chosen[-1]], axis=1))
        if nearest.max() <= 0.0:  # the rest are images along the line
            break
        chosen.append(int(nearest.argmax()))
    return candidates[chosen]


def core_distance(defect: Defect) -> np.ndarray:
    """Distance to the core, (n,) r0."""
    away = defect.coordinates - defect.core[: defect.dimension]
    return np.maximum(np.linalg.norm(away, axis=1) / defect.r0, 1e-9)


def _complete(defect: Defect) -> np.ndarray:
    """Sites with as many neighbours as most have: others have no strain."""
    count = np.bincount(gradient_pairs(defect.stencil, defect.basis_index).first, minlength=defect.n_sites)
    return count == np.bincount(count[defect.free]).argmax()


def predictor_gradients(defect: Defect) -> np.ndarray:
    """F of the predictor in crystal axes, (n, 3, 3)."""
    gradient = deformation_gradients(defect, np.zeros_like(defect.predictor))
    return defect.frame.T @ gradient @ defect.frame
