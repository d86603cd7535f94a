"""Assembly of the operators of a case on its predictor."""

import numpy as np
import scipy.sparse as sparse

from qmfront.crystal.defect import Defect
from qmfront.crystal.faces import uncut
from qmfront.crystal.neighbours import pairs_within
from qmfront.elasticity.bulk import Bulk
from qmfront.operators.force_constant_operator import force_constant_operator, linear_forces, stacked
from qmfront.operators.labelled_pairs import labelled_pairs
from qmfront.operators.laplacian import graph_laplacian, laplacian_scale, largest_nearest_distance
from qmfront.operators.operators import Operators
from qmfront.operators.point_defect import point_operator

NEAR_R0 = 1.5
"""Every site has a neighbour within this distance (r0)."""


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
    nearest = largest_nearest_distance(
        pairs_within(positions, defect.cell, defect.pbc, NEAR_R0 * defect.r0), n
    )
    bonds = pairs_within(positions, defect.cell, defect.pbc, cutoff_r0 * nearest)
    mu = laplacian_scale(bulk.force_constants, nearest=nearest, decay=decay, cutoff=cutoff_r0 * nearest)
    if defect.dimension == 3:  # sites are those of a crystal, on which no force acts
        operator = point_operator(defect, bulk.crystal, bulk.force_constants, reach)
        linear = -(operator @ defect.predictor.ravel()).reshape(-1, 3)
    else:
        operator, linear = _force_constants(defect, bulk, reach)
    return Operators(
        force_constants=operator,
        laplacian=graph_laplacian(
            uncut(defect.sites, bonds, defect.crack_tip), n, mu=mu, nearest=nearest, decay=decay
        ),
        linear_predictor=linear,
        mu=mu,
        nearest=nearest,
    )


def _force_constants(defect: Defect, bulk: Bulk, reach: float) -> tuple[sparse.bsr_matrix, np.ndarray]:
    """H_FC and the linearised forces at the predictor, tile by tile."""
    crystal, constants = bulk.crystal.rotated(defect.frame), bulk.force_constants.rotated(defect.frame)
    n, linear, rows = defect.n_sites, np.zeros_like(defect.predictor), []
    everything = np.arange(n)
    for tile, pairs, matrices, separation in labelled_pairs(defect, everything, crystal, constants, reach):
        linear[tile] = linear_forces(pairs, matrices, separation, n)[tile]
        rows.append(force_constant_operator(pairs, matrices, n))
    return stacked(rows), linear
