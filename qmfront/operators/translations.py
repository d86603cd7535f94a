"""Rigid translations of a domain that nothing holds.

Where no site is clamped the energy does not change under a translation: every problem is solved for fields of zero mean
and for forces of zero sum, on which H_FC and L are positive definite.
"""

import numpy as np


def balanced(field: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The field (n, 3) without its mean if all sites are free (n,) bool; as it is if some are clamped.

    # ASSUME (2.10) has no solution in a periodic domain: mixed forces obey no third law, so that their sum vanishes for
    no u. The sum is spread over all sites and taken off; it is of the size of the model error.
    """
    return field - field.mean(axis=0) if np.all(free) else field
