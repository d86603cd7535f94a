"""What a load adds to the predictor of a straight defect: a homogeneous shear, or more of the field of the crack.

    dislocation   u0(gamma) = u0 + gamma (l + u0)_2 b / |b|,    the simple shear that drives it along its glide plane
    crack         u0(K) = (K / K0) u0                           (B.5) is linear in K

The clamp follows the load; free sites move along with it until they are relaxed.
"""

from dataclasses import dataclass, replace

import numpy as np
from ase.calculators.calculator import BaseCalculator

from qmfront.config.defect import AnyDefect, Crack, Dislocation
from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import Crystal
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.predictor_strains import resting_stresses


@dataclass(frozen=True)
class Loading:
    """How the predictor of a defect changes with its load.

    field : (n, 3) float, Å
        du0 / dload.
    initial : float
        The load of the predictor itself: 0 of a dislocation, K_I / K_G of a crack.
    burgers : (3,) float, Å
        In the frame of the case; zero of a crack.
    """

    field: np.ndarray
    initial: float
    burgers: np.ndarray

    def changed(self, defect: Defect, change: float) -> Defect:
        """The defect with a load that is larger by `change`."""
        return replace(defect, predictor=defect.predictor + change * self.field)

    def gradient(self, load: float) -> np.ndarray:
        """F (3, 3) of the homogeneous shear, in the frame of the case."""
        along = self.burgers / np.linalg.norm(self.burgers)
        return np.eye(3) + load * np.outer(along, [0.0, 1.0, 0.0])


def loading_of(bulk: Bulk, described: AnyDefect, defect: Defect) -> Loading:
    """The load of a dislocation (shear strain) or of a crack (K_I / K_G).

    Parameters
    ----------
    described : Dislocation or Crack
    defect : Defect
        With the predictor that is described.

    Raises
    ------
    ValueError
        For a defect that no load drives.
    """
    if isinstance(described, Crack):
        return Loading(defect.predictor / described.load, described.load, np.zeros(3))
    if not isinstance(described, Dislocation):
        raise ValueError(f"A {described.kind} has no load to follow: give a dislocation or a crack.")
    crystal = bulk.crystal
    burgers = defect.frame @ crystal.direction(described.burgers) * crystal.lattice_constant
    along = burgers / np.linalg.norm(burgers)
    field = np.outer(defect.body.reference[:, 1], along)
    if len(crystal.basis) > 1:
        shifts = bulk.force_constants.rotated(defect.frame).internal_strain()[defect.basis_index]
        field = field + np.einsum("nijk,jk->ni", shifts, np.outer(along, [0.0, 1.0, 0.0]))
    return Loading(field, 0.0, burgers)


def shear_stress(
    loading: Loading, defect: Defect, crystal: Crystal, model: BaseCalculator, load: float
) -> float:
    """Stress (eV/Å^3) that drives the dislocation, of the perfect crystal in the homogeneous shear of a load.

        P_ij b_i n_j / |b|,    P = dW_cb/dF / V,    n = e2

    Parameters
    ----------
    crystal : Crystal
        At rest, in cubic axes.
    model : ASE calculator
    """
    turn = defect.frame
    stress = resting_stresses(crystal, model, (turn.T @ loading.gradient(load) @ turn)[None])[0][0]
    along = loading.burgers / np.linalg.norm(loading.burgers)
    return float(along @ (turn @ stress @ turn.T)[:, 1] / crystal.volume)
