"""Assembly of the operators of a case on its predictor."""

import numpy as np
import scipy.sparse as sparse

from qmfront.crystal.defect import Defect
from qmfront.crystal.faces import uncut
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.neighbours import Pairs, pairs_in_tiles, pairs_within
from qmfront.crystal.stencil import label_pairs
from qmfront.elasticity.bulk import Bulk
from qmfront.estimate.force_constant_operator import (
    force_constant_operator,
    linear_forces,
    pair_matrices,
    stacked,
)
from qmfront.estimate.laplacian import graph_laplacian, laplacian_scale, largest_nearest_distance
from qmfront.estimate.operators import Operators
from qmfront.estimate.point_operator import point_operator
from qmfront.models.force_constant_set import ForceConstants

LABEL_MARGIN = 0.5
"""Å; pairs of the predictor up to this much longer than the reach are labelled, so that stretched ones count."""
NEAR_R0 = 1.5
"""Every site has a neighbour within this distance (r0)."""
TILE = 8000
"""Sites whose pairs are held in memory at once."""


def assemble(defect: Defect, bulk: Bulk, *, reach: float, decay: float, cutoff_r0: float) -> Operators:
    """Assemble all operators on the predictor of a case.

    Parameters
    ----------
    defect : Defect
    bulk : Bulk
    reach : float, Å
        Range of the force constants.
    decay, cutoff_r0 : float
        A and r_cut / y_nn of (3.2).
    """
    n, positions = defect.n_sites, defect.body.reference
    constants = bulk.force_constants.rotated(defect.frame)
    nearest = largest_nearest_distance(
        pairs_within(positions, defect.cell, defect.pbc, NEAR_R0 * defect.r0), n
    )
    bonds = pairs_within(positions, defect.cell, defect.pbc, cutoff_r0 * nearest)
    mu = laplacian_scale(constants, nearest=nearest, decay=decay, cutoff=cutoff_r0 * nearest)
    crystal = bulk.crystal.rotated(defect.frame)
    if defect.dimension == 3:  # without u0 there are no linear forces
        operator = point_operator(defect, crystal, constants, reach)
        linear = np.zeros_like(defect.predictor)
    else:
        operator, linear = _force_constants(defect, crystal, constants, reach)
    return Operators(
        force_constants=operator,
        laplacian=graph_laplacian(
            uncut(defect.sites, bonds, defect.crack_tip), n, mu=mu, nearest=nearest, decay=decay
        ),
        linear_predictor=linear,
        mu=mu,
        nearest=nearest,
    )


def _force_constants(
    defect: Defect, crystal: Crystal, constants: ForceConstants, reach: float
) -> tuple[sparse.bsr_matrix, np.ndarray]:
    """H_FC and the linearised forces at the predictor, tile by tile."""
    n, linear, rows = defect.n_sites, np.zeros_like(defect.predictor), []
    for tile, pairs in pairs_in_tiles(
        defect.body.reference, defect.cell, defect.pbc, reach + LABEL_MARGIN, tile=TILE
    ):
        pairs = uncut(defect.sites, pairs, defect.crack_tip)
        labels = label_pairs(pairs, crystal, basis_index=defect.basis_index)
        ends = np.stack([labels.first_basis, labels.second_basis], axis=1)
        matrices = pair_matrices(labels.vectors, constants, ends=ends)[labels.index]
        labelled = Pairs(pairs.first, pairs.second, labels.vector)
        linear[tile] = linear_forces(labelled, matrices, pairs.vector, n)[tile]
        rows.append(force_constant_operator(labelled, matrices, n))
    return stacked(rows), linear
