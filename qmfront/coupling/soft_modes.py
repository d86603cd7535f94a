"""Soft modes of a defect: where its Hessian is far below the force constants of the perfect lattice, or negative.

    H v = lambda H_FC v,    v_i . H_FC v_j = delta_ij

lambda is 1 in the homogeneous lattice, small along a mode that moves the core, negative at a saddle. The directions are
those of the MM model, which knows their shape; the curvature along them comes from mixed forces, a QM call each, since
the MM model has its sign wrong in every second system. By Rayleigh and Ritz the eigenvalues of V . H V are upper bounds
of the lowest lambda: a negative one proves a saddle.
"""

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import LinearOperator, lobpcg

from qmfront.coupling.hessian import hessian_products
from qmfront.coupling.hybrid import Field, Hybrid
from qmfront.crystal.defect import Defect
from qmfront.operators.riesz import ForceConstantMap

logger = logging.getLogger(__name__)

GUARDS = 1
"""Directions beyond those that are wanted, without which a mode of two equal ones is missed."""

FIRST_ITERATIONS, FURTHER_ITERATIONS = 8, 3
"""Of LOBPCG from random directions, and from the modes of a state close by."""

IN_SPAN = 0.05
"""Squared sine between a direction and the modes below which it is one of them."""

ACCURACY = 1e-2
"""Relative residual of H_FC^-1 in the preconditioner, and of lambda."""

CORE_R0 = 4.0
"""r0; random directions are answers of the lattice to forces this close to the core."""


@dataclass(frozen=True)
class SoftModes:
    """Directions, the curvature along them, and what forces do there.

    vectors : (m, n, 3) float, Å/sqrt(eV)
        v_i, orthonormal in H_FC.
    curvature : (m, m) float
        V . H V, symmetric.
    """

    vectors: np.ndarray
    curvature: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """Their arrays in a store of kind "solution" or "start"."""
        return {"soft_modes": self.vectors, "soft_curvature": self.curvature}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "SoftModes | None":
        """The inverse of `arrays`; None if there are none."""
        return cls(arrays["soft_modes"], arrays["soft_curvature"]) if "soft_modes" in arrays else None

    @property
    def eigenvalues(self) -> np.ndarray:
        """(m,) float, ascending: upper bounds of the lowest lambda."""
        return np.linalg.eigvalsh(self.curvature)

    @property
    def softest(self) -> np.ndarray:
        """The direction of the lowest eigenvalue, (n, 3), largest entry 1."""
        mode = np.tensordot(np.linalg.eigh(self.curvature)[1][:, 0], self.vectors, 1)
        return mode / mode.ravel()[np.abs(mode).argmax()]

    def with_direction(self, direction: np.ndarray, riesz: ForceConstantMap) -> "SoftModes":
        """The modes and one direction (n, 3) more, if it is not in their span; its curvature is not known yet.

        Parameters
        ----------
        direction : (n, 3) float
        riesz : ForceConstantMap
            Whose H_FC measures angles.
        """
        pull = riesz.forces(direction)
        rest = direction - self.stiff(pull)
        share = np.vdot(rest, riesz.forces(rest)) / np.vdot(direction, pull)
        if share < IN_SPAN:
            return self
        one = rest / np.sqrt(np.vdot(rest, riesz.forces(rest)))
        size = len(self.curvature) + 1
        curvature = np.full((size, size), np.nan)
        curvature[:-1, :-1] = self.curvature
        return SoftModes(np.concatenate([self.vectors, one[None]]), curvature)

    def answer(self, phi: np.ndarray, forces: np.ndarray, *, least: float) -> np.ndarray:
        """H_FC^-1 F with the curvature of the modes in place of that of H_FC, (n, 3) Å.

            phi - V V . F + V (V . H V)^-1 V . F

        Parameters
        ----------
        phi : (n, 3) float, Å
            H_FC^-1 F.
        forces : (n, 3) float, eV/Å
        least : float
            No curvature is taken to be smaller, nor negative.
        """
        return phi - self.stiff(forces) + self.soft(forces, least=least)

    def stiff(self, forces: np.ndarray) -> np.ndarray:
        """What forces (n, 3), eV/Å, do along the modes with the curvature of H_FC, (n, 3) Å: V V . F."""
        return np.tensordot(self._along(forces), self.vectors, 1)

    def soft(self, forces: np.ndarray, *, least: float) -> np.ndarray:
        """What forces (n, 3), eV/Å, do along the modes, (n, 3) Å: V (V . H V)^-1 V . F, no curvature below `least`."""
        values, rotation = np.linalg.eigh(self.curvature)
        parts = rotation.T @ self._along(forces) / np.maximum(np.abs(values), least)
        return np.tensordot(rotation @ parts, self.vectors, 1)

    def without(
        self, forces: np.ndarray, phi: np.ndarray, riesz: ForceConstantMap
    ) -> tuple[np.ndarray, np.ndarray]:
        """The forces that leave the modes alone, F - H_FC V V . F, eV/Å, and their H_FC^-1, Å.

        Parameters
        ----------
        forces : (n, 3) float, eV/Å
        phi : (n, 3) float, Å
            H_FC^-1 F.
        riesz : ForceConstantMap
        """
        along = self.stiff(forces)
        return forces - riesz.forces(along), phi - along

    def _along(self, forces: np.ndarray) -> np.ndarray:
        """V . F (m,), sqrt(eV)."""
        return np.einsum("mni,ni->m", self.vectors, forces)


def mm_modes(
    hybrid: Hybrid, displacement: np.ndarray, count: int, known: np.ndarray | None = None
) -> SoftModes:
    """The lowest modes of the MM model at u, by LOBPCG preconditioned with H_FC.

    Parameters
    ----------
    displacement : (n, 3) float, Å
    count : int
    known : (m, n, 3) float, optional
        Modes of a state close by.
    """
    defect, riesz = hybrid.defect, hybrid.inexact(ACCURACY)
    hessian = hessian_products(hybrid.mm_forces(), displacement)
    size, wanted = riesz.matrix.shape[0], count + GUARDS

    def on_columns(field: Field) -> LinearOperator:
        def one(vector: np.ndarray) -> np.ndarray:
            spread = np.zeros_like(displacement)
            spread[defect.free] = vector.reshape(-1, 3)
            return field(spread)[defect.free].ravel()

        return LinearOperator((size, size), matvec=one, dtype=float)

    start = _random(hybrid, wanted) if known is None else _completed(hybrid, known, wanted)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UserWarning
        )  # more exact modes would not help: mixed forces come next
        values, columns = lobpcg(
            on_columns(hessian),
            np.column_stack([one[defect.free].ravel() for one in start]),
            B=riesz.matrix,
            M=on_columns(riesz.solve),
            largest=False,
            maxiter=FIRST_ITERATIONS if known is None else FURTHER_ITERATIONS,
            tol=ACCURACY,
        )
    lowest = np.argsort(values)[:count]
    vectors = np.zeros((count, *displacement.shape))
    vectors[:, defect.free] = columns[:, lowest].T.reshape(count, -1, 3)
    return SoftModes(vectors, np.diag(values[lowest]))


def with_curvature(
    modes: SoftModes, force: Field, displacement: np.ndarray, at_rest: np.ndarray, *, step: float
) -> SoftModes:
    """The same directions with the curvature of other forces, one call each.

    Parameters
    ----------
    force : u (n, 3) Å -> F (n, 3) eV/Å
    displacement, at_rest : (n, 3) float, Å and eV/Å
        u and F(u).
    step : float, Å
    """
    product = hessian_products(force, displacement, step=step, at_rest=at_rest)
    stiff = np.array([product(vector) for vector in modes.vectors])
    curvature = np.einsum("mni,kni->mk", modes.vectors, stiff)
    found = SoftModes(modes.vectors, (curvature + curvature.T) / 2)
    logger.info("lowest lambda along %d directions: %s", len(found.vectors), np.round(found.eigenvalues, 4))
    return found


def _random(hybrid: Hybrid, count: int) -> list[np.ndarray]:
    """Fields without symmetry in which the soft modes of a core weigh much."""
    generator = np.random.default_rng(0)
    return [core_field(hybrid.defect, hybrid.inexact(ACCURACY).solve, generator) for _ in range(count)]


def _completed(hybrid: Hybrid, known: np.ndarray, count: int) -> list[np.ndarray]:
    return [*known[:count], *_random(hybrid, max(count - len(known), 0))]


def core_field(defect: Defect, answer: Field, generator: np.random.Generator) -> np.ndarray:
    """The answer of the lattice to random forces about the core, (n, 3)."""
    distance = np.linalg.norm(defect.coordinates - defect.core[: defect.dimension], axis=1)
    near = defect.free & (distance < CORE_R0 * defect.r0)
    return answer(np.where(near[:, None], generator.normal(size=defect.predictor.shape), 0.0))
