"""The energy of a QM/MM solution by virtual work, and its error bar.

Mixed forces (2.11) have no energy. Along the straight path u(t) = u_a + t (u - u_a) they do work all the same,

    E_work = -int_0^1 F^H(u(t)) . (u - u_a) dt,

and the energy of the QM model on the whole domain differs from it by what the forces differ, F = F^H + dF, and by what
the QM equilibrium lies below u, to second order in the residual r at u:

    E^QM(u_bar) - E^QM(u_a) = E_work - int dF(u(t)) . (u - u_a) dt - 1/2 <r, H_FC^-1 r> + O(|r|^3)

dF is exact on the QM region and its layer, and the Cauchy-Born difference beyond. The second term is of first order in
the error of the forces, the third of second order: each is told by itself.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from qmfront.coupling.curve import Curve
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import QM
from qmfront.coupling.quadrature import Integral, integral
from qmfront.estimate.residual import ResidualSettings, core_residual, exact_core
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.operators.riesz import ForceConstantMap
from qmfront.operators.translations import balanced

Parts = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""u (n, 3) Å -> F^H and dF (n, 3) eV/Å, zero where clamped."""

# Gauss-Kronrod rules of 15 points that contain the Gauss rule of 7 (QUADPACK, Piessens et al. 1983, dqk15), and of 7
# that contain that of 3 (Laurie, Math. Comp. 66, 1133 (1997)): places, weights of all, weights of those of Gauss.
_LONG = ((
    0.991455371120812639206854697526329, 0.949107912342758524526189684047851, 0.864864423359769072789712788640926,
    0.741531185599394439863864773280788, 0.586087235467691130294144691693309, 0.405845151377397166906606412076961,
    0.207784955007898467600689403773245, 0.0,
), (
    0.022935322010529224963732008058970, 0.063092092629978553290700663189204, 0.104790010322250183839876322541518,
    0.140653259715525918745189590510238, 0.169004726639267902826583426598550, 0.190350578064785409913256402421014,
    0.204432940075298892414161999234649, 0.209482141084727828012999174891714,
), (
    0.0, 0.129484966168869693270611432679082, 0.0, 0.279705391489276667901467771423780,
    0.0, 0.381830050505118944950369775488975, 0.0, 0.417959183673469387755102040816327,
))  # fmt: skip

_SHORT = ((
    0.960491268708020283423507092629080, 0.774596669241483377035853079956480, 0.434243749346802558002071502844628, 0.0,
), (
    0.104656226026467265193823857192073, 0.268488089868333440728569280666710, 0.401397414775962222905051818618432,
    0.450916538658474142345110087045571,
), (
    0.0, 0.555555555555555555555555555555556, 0.0, 0.888888888888888888888888888888889,
))  # fmt: skip


@dataclass(frozen=True)
class WorkEnergy:
    """E(solution) - E(start), eV per period of the cell.

    work : of the mixed forces
    difference : -int dF . du, what the model error outside the QM region adds
    relaxation : -1/2 <r, H_FC^-1 r>, never positive
    quadrature : |Kronrod - Gauss| of work and difference together
    """

    work: float
    difference: float
    relaxation: float
    quadrature: float

    @property
    def energy(self) -> float:
        """The best value: work, difference and relaxation."""
        return self.work + self.difference + self.relaxation

    @property
    def bar(self) -> float:
        """Error of `work` alone, and a cautious one of `energy`: |difference| + |relaxation| + quadrature."""
        return abs(self.difference) + abs(self.relaxation) + self.quadrature

    def numbers(self) -> dict[str, float]:
        """Plain values, eV, for a table."""
        return asdict(self) | {"energy": self.energy, "bar": self.bar}


def work_energy(
    parts: Parts,
    riesz: ForceConstantMap,
    *,
    start: np.ndarray,
    end: np.ndarray,
) -> WorkEnergy:
    """Energy along the straight path; 16 calls of the forces.

    Parameters
    ----------
    parts : Parts
    riesz : ForceConstantMap
    start, end : (n, 3) float, Å
    """
    work, difference, quadrature = path_work(parts, start=start, end=end)
    residual = np.add(*parts(end))
    relaxation = -0.5 * float(np.vdot(residual, riesz.solve(residual)))
    return WorkEnergy(work, difference, relaxation, quadrature)


def path_work(
    parts: Parts, *, start: np.ndarray, end: np.ndarray, points: Literal[7, 15] = 15
) -> tuple[float, float, float]:
    """-int F . du along the straight path (eV) of both parts of the forces, and |Kronrod - Gauss| of both together.

    Parameters
    ----------
    parts : Parts
        Asked once for each point.
    start, end : (n, 3) float, Å
    """
    step, rule = end - start, kronrod(points)
    values = np.array([[np.vdot(forces, step) for forces in parts(start + t * step)] for t, _, _ in rule])
    fine, coarse = (-(np.array([row[column] for row in rule]) @ values) for column in (1, 2))
    return float(fine[0]), float(fine[1]), float(abs(fine.sum() - coarse.sum()))


QUADRATURE = 0.1
"""Of the wanted bar; where the error of the integral along a curve is smaller, it is not refined further."""


@dataclass(frozen=True)
class CurveWork:
    """-int F(u(t)) . u'(t) dt along a curve, eV, and the forces at its two ends.

    work : of the mixed forces
    layer : of what they lack on the sites where a QM call tells it
    beyond : of what they lack farther out, by the Cauchy-Born difference
    quadrature : change of their sum by the last refinement of the rule
    forces : (F^H, dF) at both ends, (n, 3) float, eV/Å each
    """

    work: float
    layer: float
    beyond: float
    quadrature: float
    forces: tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def work_along(parts: Parts, core: np.ndarray, curve: Curve, *, free: np.ndarray, bar: float) -> CurveWork:
    """The work along a curve by a rule that is refined until its error is small beside a wanted bar (eV).

    Parameters
    ----------
    parts : Parts
        Asked once for each place of the rule, 5, 9, 17 or more.
    core : (n,) bool
        Where a QM call tells dF.
    curve : Curve
    free : (n,) bool
    """
    seen: dict[float, tuple[np.ndarray, np.ndarray]] = {}

    def power(place: float) -> np.ndarray:
        seen[place] = mixed, lacking = parts(curve.at(place))
        along = balanced(curve.tangent(place), free)
        inside = float(np.vdot(lacking[core], along[core]))
        return -np.array([np.vdot(mixed, along), inside, np.vdot(lacking, along) - inside])

    def is_enough(found: Integral) -> bool:
        return found.error < QUADRATURE * bar

    found = integral(power, is_enough)
    start, end = (
        (balanced(mixed, free), balanced(lacking, free)) for mixed, lacking in (seen[0.0], seen[1.0])
    )
    work, layer, beyond = map(float, found.parts)
    return CurveWork(work, layer, beyond, found.error, (start, end))


def kronrod(points: Literal[7, 15] = 15) -> list[tuple[float, float, float]]:
    """Places in [0, 1] with the weights of the fine rule and of the coarse one, zero where it has no place."""
    rows = list(zip(*(_LONG if points == 15 else _SHORT), strict=True))
    both = [(-x, w, g) for x, w, g in rows] + [row for row in reversed(rows) if row[0]]
    return [((1 + x) / 2, w / 2, g / 2) for x, w, g in both]


def solution_energy(
    hybrid: Hybrid,
    region: np.ndarray,
    displacement: np.ndarray,
    difference: ModelDifference,
    settings: ResidualSettings,
) -> WorkEnergy:
    """E(solution) - E(predictor) by `work_energy`: 16 QM calls on the QM region, its layer and the wide buffer.

    Parameters
    ----------
    region : (n,) int
    displacement : (n, 3) float, Å
    difference : ModelDifference
    settings : ResidualSettings
        Layer and buffer; its names are not used.
    """
    core = exact_core(displacement, hybrid.defect, region, settings)
    parts = force_parts(hybrid, region, difference, core, settings.width)
    return work_energy(parts, hybrid.riesz, start=np.zeros_like(displacement), end=displacement)


def force_parts(
    hybrid: Hybrid, region: np.ndarray, difference: ModelDifference, core: np.ndarray, buffer: float
) -> Parts:
    """F^H, and what is missing in it: exact on the core (n,) bool, by a buffer (Å); the difference beyond."""
    defect, models = hybrid.defect, hybrid.models
    own, exact, free = (mask[:, None] for mask in (region == QM, core, defect.free))

    def parts(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inside, _ = core_residual(defect.body, u, core, models.qm, buffer=buffer, embedding=hybrid.embedding)
        outside = models.mm(defect.body.atoms(u))
        beyond = outside + difference.forces(u)
        mixed = np.where(own, inside, outside)
        whole = np.where(exact, inside, beyond)
        return np.where(free, mixed, 0.0), np.where(free, whole - mixed, 0.0)

    return parts
