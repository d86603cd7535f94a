import numpy as np

from qmfront.crystal.neighbours import Pairs


def stencil_norm(field: np.ndarray, stencil: Pairs) -> float:
    """||D u|| = ( sum_l sum_{rho in N(l)} |u(l + rho) - u(l)|^2 )^(1/2), Eq. (2.2).

    Parameters
    ----------
    field : (n, 3) float, Å
    stencil : Pairs
        N(l) of (2.3), each pair in both directions.

    Returns
    -------
    float, Å
    """
    return float(np.linalg.norm(field[stencil.second] - field[stencil.first]))
