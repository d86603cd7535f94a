"""Pairs of a predictor with their labels and force constants, in portions that fit into memory."""

from collections.abc import Iterator

import numpy as np

from qmfront.crystal.defect import Defect
from qmfront.crystal.faces import uncut
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.neighbours import Pairs, pairs_in_tiles
from qmfront.crystal.stencil import label_pairs
from qmfront.models.force_constant_set import ForceConstants
from qmfront.operators.force_constant_operator import pair_matrices

LABEL_MARGIN = 0.5
"""Å; pairs of the predictor up to this much longer than the reach are labelled, so that stretched ones count."""
TILE = 8000
"""Sites whose pairs are held in memory at once."""


def labelled_pairs(
    defect: Defect, chosen: np.ndarray, crystal: Crystal, constants: ForceConstants, reach: float
) -> Iterator[tuple[np.ndarray, Pairs, np.ndarray, np.ndarray]]:
    """Pairs between chosen sites; none across a crack.

    Parameters
    ----------
    chosen : (m,) int
        Sites with a place in the lattice; results are numbered like them.
    crystal, constants : Crystal, ForceConstants
        In the frame of the case.
    reach : float, Å

    Yields
    ------
    (t,) int
        Sites of the tile; every site is in one.
    Pairs
        Of its sites, `vector` the label rho.
    (p, 3, 3) float, eV/Å^2
        Phi(rho) of each.
    (p, 3) float, Å
        Their separations in the predictor.
    """
    positions, basis = defect.body.reference[chosen], defect.basis_index[chosen]
    for tile, pairs in pairs_in_tiles(positions, defect.cell, defect.pbc, reach + LABEL_MARGIN, tile=TILE):
        pairs = uncut(defect.sites[chosen], pairs, defect.crack_tip)
        labels = label_pairs(pairs, crystal, basis_index=basis)
        ends = np.stack([labels.first_basis, labels.second_basis], axis=1)
        matrices = pair_matrices(labels.vectors, constants, ends=ends)[labels.index]
        yield tile, Pairs(pairs.first, pairs.second, labels.vector), matrices, pairs.vector
