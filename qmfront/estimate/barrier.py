"""The energy of a saddle over an equilibrium with mixed forces, and its error bar.

Along a curve u(t) from the equilibrium u_a to the saddle u_s of the mixed forces,

    E^QM(u_s) - E^QM(u_a) = -int_0^1 (F^H + dF)(u(t)) . u'(t) dt

with dF what mixed forces lack: known from a QM call on the QM region and its layer, the Cauchy-Born difference beyond.
Neither state is one of the QM model itself. What its own are below or above them is of second order in the residual
r = F^H + dF there,

    E^QM(u) - 1/2 <r, H^-1 r>,

H^-1 that of H_FC, but for the direction in which the path leaves the saddle, whose curvature is known and negative.
"""

from dataclasses import asdict, dataclass

import numpy as np

from qmfront.coupling.curve import Curve
from qmfront.coupling.hybrid import Field
from qmfront.estimate.energy import Parts, work_along


@dataclass(frozen=True)
class Barrier:
    """E(saddle) - E(start), eV per height of the domain, both of the QM model.

    work : of the mixed forces along the path
    layer : what they lack on the layer around the QM region, where a QM call tells it
    beyond : what they lack farther out, by the Cauchy-Born difference
    saddle_relaxation, start_relaxation : by how much the saddle and the equilibrium of the QM model differ from those
        of the mixed forces, to second order
    algebra : the part of these that the solves have left
    quadrature : change of the integral by the last refinement of its rule
    """

    work: float
    layer: float
    beyond: float
    saddle_relaxation: float
    start_relaxation: float
    algebra: float
    quadrature: float

    @property
    def value(self) -> float:
        """The best value, eV."""
        return self.work + self.layer + self.beyond + self.saddle_relaxation - self.start_relaxation

    @property
    def mismatch(self) -> float:
        """The part of the bar that the error of the potential is responsible for, eV."""
        return abs(self.beyond) + abs(self.saddle_relaxation) + abs(self.start_relaxation)

    @property
    def bar(self) -> float:
        """Error of the value, eV: corrections that are estimates count in full."""
        return self.mismatch + self.algebra + self.quadrature

    def numbers(self) -> dict[str, float]:
        """Plain values, eV, for a table."""
        return asdict(self) | {"value": self.value, "bar": self.bar}


@dataclass(frozen=True)
class Stationary:
    """A state at rest with the mixed forces, and how the lattice there answers forces.

    answer : F (n, 3) eV/Å -> H^-1 F (n, 3) Å
    """

    answer: Field

    def relaxation(self, forces: np.ndarray) -> float:
        """-1/2 <F, H^-1 F>, eV."""
        return -0.5 * float(np.vdot(forces, self.answer(forces)))


@dataclass(frozen=True)
class Climb:
    """A barrier, and the displacements (n, 3), Å, that answer the residuals at its two ends.

    barrier : Barrier
    start_phi, saddle_phi : (n, 3) float, Å
    """

    barrier: Barrier
    start_phi: np.ndarray
    saddle_phi: np.ndarray


def climb(
    parts: Parts,
    core: np.ndarray,
    curve: Curve,
    ends: tuple[Stationary, Stationary],
    *,
    free: np.ndarray,
    bar: float,
) -> Climb:
    """The barrier along a curve, see `work_along`.

    Parameters
    ----------
    curve : Curve
        From the equilibrium to the saddle.
    ends : Stationary, twice
        The equilibrium and the saddle.
    """
    found = work_along(parts, core, curve, free=free, bar=bar)
    start, saddle = ends
    (left_a, lacking_a), (left_s, lacking_s) = found.forces
    own = Barrier(
        work=found.work,
        layer=found.layer,
        beyond=found.beyond,
        saddle_relaxation=saddle.relaxation(left_s + lacking_s),
        start_relaxation=start.relaxation(left_a + lacking_a),
        algebra=abs(saddle.relaxation(left_s)) + abs(start.relaxation(left_a)),
        quadrature=found.quadrature,
    )
    return Climb(own, start.answer(left_a + lacking_a), saddle.answer(left_s + lacking_s))
