"""Force constants beyond the reach of a small supercell, from the potential that was fitted to those within it.

A plane-wave model affords supercells of 64 atoms, whose force constants end at half of its edge. Alone they are no
elastic crystal: what is cut off is small pair by pair, but not its second moment. The fitted potential agrees with them
where they are known and is held by stresses of strained lattices where they are not.
"""

from dataclasses import replace

import numpy as np

from qmfront.elasticity.bulk import Bulk
from qmfront.models.ace.calculator import ACE
from qmfront.models.force_constant_set import EDGE, matching_sites, with_sum_rule
from qmfront.models.force_constants import force_constants


def completed(bulk: Bulk, potential: ACE, *, displacement: float) -> Bulk:
    """The bulk with force constants to the range of the potential: its own where it has any, those of the fit beyond.

    Where its own reach farther than the potential, nothing is beyond them, and they stay as they are.

    Parameters
    ----------
    bulk : Bulk
        Of the QM model.
    potential : ACE
        Fitted to it.
    displacement : float, Å
        Step of the differences.
    """
    own = bulk.force_constants
    if np.linalg.norm(own.vector, axis=1).max() + EDGE >= potential.force_range:
        return bulk
    beyond = force_constants(
        bulk.crystal.to_atoms(), potential, reach=potential.force_range, step=displacement
    )
    ends = [np.stack([c.basis_first, c.basis_second], axis=1) for c in (beyond, own)]
    place = matching_sites(ends[0], beyond.vector, ends[1], own.vector)
    matrix = beyond.matrix.copy()
    matrix[place] = own.matrix
    return replace(bulk, force_constants=with_sum_rule(replace(beyond, matrix=matrix)))
