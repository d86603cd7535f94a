"""What the clamp costs: the answer of a larger domain to the forces that the clamped sites of a solution feel.

    phi = H_FC^-1 F^MM(u^H)  on the larger domain,    F^MM where the smaller one was clamped or ended

A solution is in balance where it is free. On the sites that were held at the predictor, and on those that the domain
did not have, forces are left: what the relaxation of the core and the nonlinearity of the far field pull there. The
larger domain would follow them, inwards as well. There the MM model speaks, and no QM call is made.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from qmfront.coupling.embedding import Forces
from qmfront.crystal.defect import Defect
from qmfront.estimate.estimator import estimator
from qmfront.operators.riesz import ForceConstantMap

SAME_SITE = 1e-3
"""Å; sites of two domains closer than this are the same."""


@dataclass(frozen=True)
class ClampError:
    """phi (n, 3), Å, on the larger domain, and ||D phi||, Å."""

    phi: np.ndarray
    eta: float

    def unbounded(self, factor: float) -> float:
        """||D phi|| of a domain without end, Å, from that of one `factor` times as wide.

            eta_inf = eta / sqrt(1 - factor^-2)

        since |D u| ~ r^-2 beyond the clamp of a line defect, whose square adds up to R^-2 - (factor R)^-2.
        """
        return self.eta / np.sqrt(1.0 - factor**-2)


def clamp_error(
    defect: Defect, larger: Defect, riesz: ForceConstantMap, mm: Forces, displacement: np.ndarray
) -> ClampError:
    """Error of the clamp of a solution.

    Parameters
    ----------
    defect, larger : Defect
        The same defect on two domains, one within the other.
    riesz : ForceConstantMap
        Of the larger one.
    mm : Atoms -> (n, 3) eV/Å
    displacement : (n, 3) float, Å
        Solution on the smaller domain.

    Raises
    ------
    ValueError
        If sites of the smaller domain are missing in the larger one.
    """
    found, place = cKDTree(larger.sites).query(defect.sites)
    distance = np.asarray(found)
    if distance.max() > SAME_SITE:
        raise ValueError(
            f"A site of the domain is {distance.max():.2e} Å from the nearest one of the larger domain. Both must be "
            "of the same defect, with the same core."
        )
    if np.abs(larger.predictor[place] - defect.predictor).max() > SAME_SITE:
        raise ValueError("The predictors of the two domains differ: they are not of the same defect.")
    u = np.zeros_like(larger.sites)
    u[place] = displacement
    balanced = np.zeros(larger.n_sites, bool)
    balanced[place] = defect.free
    forces = np.where((larger.free & ~balanced)[:, None], mm(larger.body.atoms(u)), 0.0)
    phi = riesz.solve(forces)
    return ClampError(phi, estimator(phi, larger.stencil))
