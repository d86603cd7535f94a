"""The way from one equilibrium to another over a saddle, with forces that have no energy.

A string of images is relaxed by ASE's preconditioned string method (Makri, Ortner, Kermode, J. Chem. Phys. 150, 094109
(2019)), H_FC in the place of its preconditioner. What it asks of energies is integrated from the forces,

    E(s) = -int_0^s F . u'(s) ds

along the splines through the images. From the highest point of the string root finding climbs to the saddle: in the
direction t of the path, of curvature lambda < 0, the answer to forces is turned around,

    phi = H_FC^-1 F + (1 / lambda - 1) t t . F,    t . H_FC t = 1.
"""

import logging
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from ase.mep.neb import NEB, NEBOptimizer
from ase.optimize.precon import Precon, PreconImages
from scipy.interpolate import CubicSpline

from qmfront.config.stages import Solve
from qmfront.coupling.anderson import solve_equilibrium
from qmfront.coupling.curve import Curve
from qmfront.coupling.hessian import hessian_products
from qmfront.coupling.hybrid import Field
from qmfront.coupling.mm_minimum import largest_move
from qmfront.coupling.soft_modes import SoftModes
from qmfront.coupling.solution import Solution
from qmfront.crystal.body import Body
from qmfront.operators.riesz import ForceConstantMap

logger = logging.getLogger(__name__)

STEPS = 100
"""Largest number of steps of a string."""
ROUGH = 1e-2
"""Relative residual of H_FC^-1 F in a string."""
FINE = 200
"""Points of a spline among which the highest one is looked for."""
MODE_STEP = 5e-3
"""Å; largest displacement of an atom in the difference that tells the curvature along the path."""
LEAST = 0.05
"""No curvature along a path counts as smaller."""


class NoSaddleError(RuntimeError):
    """The forces are those of the models, but there is no saddle on the way."""


@dataclass(frozen=True)
class Band:
    """Images between two equilibria, and the forces on them.

    curve : Curve
    forces : (m, n, 3) float, eV/Å
        Zero at both ends.
    """

    curve: Curve
    forces: np.ndarray

    @cached_property
    def energy(self) -> CubicSpline:
        """E(s) - E(0), eV, by virtual work."""
        tangents = self.curve.spline(self.curve.places, 1)
        slope = -np.einsum("mni,mni->m", self.forces, tangents)
        return CubicSpline(self.curve.places, slope).antiderivative()

    @property
    def energies(self) -> np.ndarray:
        """Of the images, (m,) float, eV."""
        return self.energy(self.curve.places)

    @property
    def highest(self) -> float:
        """Where the energy is highest, in [0, 1]."""
        places = np.linspace(0.0, 1.0, FINE + 1)
        return float(places[np.argmax(self.energy(places))])


@dataclass(frozen=True)
class Saddle:
    """A saddle of the mixed forces.

    solution : Solution
    mode : SoftModes
        The direction of the path with its curvature, which is negative.
    """

    solution: Solution
    mode: SoftModes

    @property
    def displacement(self) -> np.ndarray:
        """u (n, 3), Å."""
        return self.solution.displacement

    @property
    def curvature(self) -> float:
        """lambda of H v = lambda H_FC v along the path."""
        return float(self.mode.curvature[0, 0])

    def answer_with(self, riesz: ForceConstantMap) -> Field:
        """F (n, 3) eV/Å -> H^-1 F (n, 3) Å, with H_FC but for the direction of the path."""
        t, downhill = self.mode.vectors[0], 1.0 / min(self.curvature, -LEAST)
        return lambda forces: riesz.solve(forces) + (downhill - 1.0) * np.vdot(t, forces) * t


def relaxed_band(
    force: Field, body: Body, riesz: ForceConstantMap, curve: Curve, *, max_force: float
) -> Band:
    """The string that begins at the nodes of a curve, until no force across it is larger than max_force.

    Parameters
    ----------
    force : u (n, 3) Å -> F (n, 3) eV/Å
        Asked for all images but the ends, in every step.
    body : Body
    riesz : ForceConstantMap
    curve : Curve
        Its ends are at rest and stay.
    max_force : float, eV/Å
    """
    string = _String(force, body, replace(riesz, tolerance=ROUGH), curve.nodes)
    done = NEBOptimizer(string, logfile=None).run(fmax=max_force, steps=STEPS)
    if not done:
        logger.warning(
            "The string has not come below %g eV/Å; the saddle is looked for all the same.", max_force
        )
    logger.info("string: energies %s eV", np.round(string.band.energies, 3))
    return string.band


def saddle_from(
    force: Field,
    riesz: ForceConstantMap,
    begin: np.ndarray,
    tangent: np.ndarray,
    *,
    accuracy: float,
    settings: Solve,
) -> Saddle:
    """The saddle near a state, by root finding that climbs along the tangent.

    It ends where what the energy may still change by, to second order in the forces, is small enough:

        1/2 <F, H_FC^-1 F>_{across t} + 1/2 (t . F)^2 / |lambda| < accuracy

    Parameters
    ----------
    force : u (n, 3) Å -> F (n, 3) eV/Å
    riesz : ForceConstantMap
    begin, tangent : (n, 3) float, Å
    accuracy : float, eV
    settings : Solve
        memory, step_cap and max_calls.

    Raises
    ------
    NoEquilibriumError
        Without convergence.
    NoSaddleError
        If the curvature along the path is positive where root finding ends.
    """
    mode = _measured(force, riesz, begin, force(begin), tangent)
    if mode.curvature[0, 0] > 0.0:
        logger.info("the path is not curved downwards yet: lambda = %.3f", mode.curvature[0, 0])
    quick, t = replace(riesz, tolerance=ROUGH), mode.vectors[0]
    downhill = 1.0 / min(float(mode.curvature[0, 0]), -LEAST)

    def climbing(forces: np.ndarray) -> np.ndarray:
        return quick.solve(forces) + (downhill - 1.0) * np.vdot(t, forces) * t

    def is_there(_: np.ndarray, forces: np.ndarray, step: np.ndarray) -> tuple[bool, float]:
        left = 0.5 * float(np.vdot(forces, step)) - downhill * float(np.vdot(t, forces)) ** 2
        return left < accuracy, left

    found = solve_equilibrium(force, begin, climbing, is_there, settings=settings)
    mode = _measured(force, riesz, found.displacement, found.forces, tangent)
    logger.info("saddle: lambda = %.3f along the path, %d calls", mode.curvature[0, 0], len(found.measure))
    if mode.curvature[0, 0] > 0.0:
        raise NoSaddleError(
            f"Root finding from the highest point of the path ends at a state that is no saddle along it (lambda = "
            f"{mode.curvature[0, 0]:.3f}), {largest_move(found.displacement, begin):.2f} Å away: between the two ends "
            "there may be another minimum. Give more images, or take that minimum for one of the ends."
        )
    return Saddle(found, mode)


def _measured(
    force: Field, riesz: ForceConstantMap, u: np.ndarray, at_rest: np.ndarray, tangent: np.ndarray
) -> SoftModes:
    """The tangent, of length 1 in H_FC, with the curvature along it: one call."""
    one = tangent / np.sqrt(np.vdot(tangent, riesz.forces(tangent)))
    stiff = hessian_products(force, u, step=MODE_STEP, at_rest=at_rest)(one)
    return SoftModes(one[None], np.array([[np.vdot(one, stiff)]]))


class _LatticePrecon(Precon):
    """H_FC as a preconditioner of ASE: the same for all images."""

    def __init__(self, riesz: ForceConstantMap) -> None:
        self.riesz = riesz

    def make_precon(self, atoms: object, reinitialize: bool | None = None) -> None:
        """Nothing to be made."""

    def Pdot(self, x: np.ndarray) -> np.ndarray:
        """H_FC x."""
        return self.riesz.forces(x.reshape(-1, 3)).ravel()

    def solve(self, x: np.ndarray) -> np.ndarray:
        """H_FC^-1 x."""
        return self.riesz.solve(x.reshape(-1, 3)).ravel()

    def copy(self) -> "_LatticePrecon":
        """It has no state."""
        return self

    def asarray(self) -> np.ndarray:
        """H_FC on the free sites."""
        return self.riesz.matrix.toarray()


class _String(NEB):
    """ASE's string with energies by virtual work."""

    def __init__(self, force: Field, body: Body, riesz: ForceConstantMap, nodes: np.ndarray) -> None:
        self.force, self.reference = force, body.reference
        images = [body.atoms(u) for u in nodes]
        lattice = PreconImages([_LatticePrecon(riesz)] * len(nodes), images)
        super().__init__(images, method="string", precon=lattice)

    @property
    def curve(self) -> Curve:
        """Of the images as they are."""
        return Curve(np.array([image.positions for image in self.images]) - self.reference)

    def get_forces(self) -> np.ndarray:
        """Those across the string; called by ASE."""
        curve = self.curve
        between = [self.force(u) for u in curve.nodes[1:-1]]
        ends = np.zeros_like(self.reference)
        self.band = Band(curve, np.array([ends, *between, ends]))
        for image, forces, energy in zip(self.images, self.band.forces, self.band.energies, strict=True):
            self.freeze_results_on_image(image, forces=forces, energy=float(energy))
        return super().get_forces()
