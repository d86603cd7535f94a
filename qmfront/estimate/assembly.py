"""Assembly of the operators of a case on its predictor."""

import numpy as np

from qmfront.crystal.defect import Defect
from qmfront.crystal.neighbours import Pairs, pairs_within
from qmfront.crystal.stencil import label_pairs
from qmfront.elasticity.bulk import Bulk
from qmfront.estimate.force_constant_operator import force_constant_operator, linear_forces, pair_matrices
from qmfront.estimate.laplacian import graph_laplacian, laplacian_scale, largest_nearest_distance
from qmfront.estimate.operators import Operators

LABEL_MARGIN = 0.5
"""Å; pairs of the predictor up to this much longer than the reach are labelled, so that stretched ones count."""


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
    n = defect.n_sites
    constants = bulk.force_constants.rotated(defect.frame)
    positions = defect.body.reference
    pairs = pairs_within(positions, defect.cell, defect.pbc, reach + LABEL_MARGIN)
    crystal = bulk.crystal.rotated(defect.frame)
    labels = label_pairs(pairs, crystal, basis_index=defect.basis_index)
    matrices = pair_matrices(labels.vectors, constants)[labels.index]
    labelled = Pairs(pairs.first, pairs.second, labels.vector)
    nearest = largest_nearest_distance(pairs, n)
    bonds = pairs.chosen(np.linalg.norm(pairs.vector, axis=1) < cutoff_r0 * nearest)
    mu = laplacian_scale(constants, nearest=nearest, decay=decay, cutoff=cutoff_r0 * nearest)
    return Operators(
        force_constants=force_constant_operator(labelled, matrices, n),
        laplacian=graph_laplacian(bonds, n, mu=mu, nearest=nearest, decay=decay),
        linear_predictor=linear_forces(labelled, matrices, pairs.vector, n),
        mu=mu,
        nearest=nearest,
    )
