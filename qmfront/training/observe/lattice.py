"""The perfect lattice under strain, and the functionals of its responses that a fit can observe, (2.12), (4.5).

    P(I + t H), f(I + t H), Phi(I + t H) and their derivatives by t at t = 0

All are linear in the responses, see `responses`, and hence in the coefficients of a potential. `kinds` lists those
that are used.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Literal, Protocol

import numpy as np

from qmfront.elasticity.strain_polynomial import invariants, monomial_gradients, strain_components
from qmfront.elasticity.strain_vectors import equivariants, monomial_values
from qmfront.training.observe.responses import Response

TAYLOR_POINTS = np.arange(-4, 5)
"""Strains over h: derivatives are exact for polynomials of degree 8."""
THREE_STRAINS = 5
"""From this order of invariants on, directions that combine two strains are too few."""


@dataclass(frozen=True, eq=False)
class Lattice:
    """The homogeneous lattice as the observations see it.

    vectors : (m, 3) float, Å
        Lattice vectors of the force constants, zero included.
    rotations : (r, 3, 3) float
        Point group.
    strain_step : float
        h of the Taylor coefficients; a kind may widen it.
    ends : (m, 2) int, for a crystal with a basis
        Sublattices that the vectors join.
    permutations : (r, nb) int, for a crystal with a basis
        Sublattice to which each rotation takes each sublattice.
    tail : bool
        Whether the reference model has force constants beyond `vectors`.
    """

    vectors: np.ndarray
    rotations: np.ndarray
    strain_step: float = 2.5e-3
    ends: np.ndarray | None = None
    permutations: np.ndarray | None = None
    tail: bool = False

    @property
    def has_basis(self) -> bool:
        """Whether the primitive cell holds several atoms."""
        return self.permutations is not None

    def directions(self, order: int) -> np.ndarray:
        """Strains H (d, 3, 3) that determine the derivatives of an order, see `independent_directions`."""
        return _directions(self, order)


class Functional(Protocol):
    """Rows of one observation: where they need the responses of the lattice, and what they make of them."""

    def gradients(self, lattice: Lattice) -> list[np.ndarray]:
        """Deformation gradients (3, 3) at which a response is needed."""

    def supercells(self, lattice: Lattice) -> int:
        """How many lattices under strain need force constants: a supercell with displaced atoms each."""

    def rows(self, response: Response, lattice: Lattice) -> np.ndarray:
        """(rows,) for a calculator and (rows, n_functions) for a basis."""


@dataclass(frozen=True)
class AtRest:
    """A response of the perfect lattice itself: W_cb(I), eV, P(I), eV, or Phi(rho), eV/Å^2."""

    quantity: Literal["energy", "stress", "force_constants"]

    def gradients(self, lattice: Lattice) -> list[np.ndarray]:
        """See `Functional.gradients`."""
        return [np.eye(3)]

    def supercells(self, lattice: Lattice) -> int:
        """None: that of the bulk is the same question."""
        return 0

    def rows(self, response: Response, lattice: Lattice) -> np.ndarray:
        """See `Functional.rows`."""
        if self.quantity == "energy":
            return response.energy(np.eye(3))[None]
        if self.quantity == "stress":
            return _rows(response.stress(np.eye(3)), rank=2)
        return _rows(_force_constants(response, lattice, np.eye(3)), rank=3)


@dataclass(frozen=True)
class StrainDerivative:
    """d^order / dt^order of P (eV) or of the internal forces (eV/Å) at I + t H, all independent H.

    widening : float
        Factor of the strain step: the noise of a difference grows with h^-order.
    """

    quantity: Literal["stress", "internal_forces"]
    order: int
    widening: float = 1.0

    def gradients(self, lattice: Lattice) -> list[np.ndarray]:
        """See `Functional.gradients`."""
        return [F for H in lattice.directions(self.order + 1) for F in self._path(H, lattice)]

    def supercells(self, lattice: Lattice) -> int:
        """None."""
        return 0

    def rows(self, response: Response, lattice: Lattice) -> np.ndarray:
        """See `Functional.rows`."""
        function = response.stress if self.quantity == "stress" else response.internal_forces
        powers = np.vander(TAYLOR_POINTS * self._step(lattice), increasing=True)
        weights = np.linalg.inv(powers)[self.order] * float(np.prod(np.arange(1, self.order + 1)))
        rows = []
        for direction in lattice.directions(self.order + 1):
            values = [function(gradient) for gradient in self._path(direction, lattice)]
            rows.append(_rows(np.tensordot(weights, np.array(values), axes=1), rank=2))
        return np.concatenate(rows)

    def _path(self, direction: np.ndarray, lattice: Lattice) -> list[np.ndarray]:
        """I + t H at the Taylor points."""
        return [np.eye(3) + t * self._step(lattice) * direction for t in TAYLOR_POINTS]

    def _step(self, lattice: Lattice) -> float:
        return lattice.strain_step * self.widening


@dataclass(frozen=True)
class ForceConstantDerivative:
    """d^order Phi / dt^order (eV/Å^2), order 1 or 2, by central differences along all independent H."""

    order: Literal[1, 2]
    widening: float = 1.0

    def gradients(self, lattice: Lattice) -> list[np.ndarray]:
        """See `Functional.gradients`."""
        return [F for H in lattice.directions(self.order + 1) for F in self._pair(H, lattice)]

    def supercells(self, lattice: Lattice) -> int:
        """Two for every direction."""
        return 2 * len(lattice.directions(self.order + 1))

    def rows(self, response: Response, lattice: Lattice) -> np.ndarray:
        """See `Functional.rows`."""
        step, rows = lattice.strain_step * self.widening, []
        still = _force_constants(response, lattice, np.eye(3)) if self.order == 2 else None
        for direction in lattice.directions(self.order + 1):
            up, down = (_force_constants(response, lattice, F) for F in self._pair(direction, lattice))
            if still is None:
                rows.append(_rows(up - down, rank=3) / (2 * step))
            else:
                rows.append(_rows(up + down - 2 * still, rank=3) / step**2)
        return np.concatenate(rows)

    def _pair(self, direction: np.ndarray, lattice: Lattice) -> list[np.ndarray]:
        """I + h H and I - h H."""
        return [np.eye(3) + s * (lattice.strain_step * self.widening) * direction for s in (1.0, -1.0)]


def independent_directions(
    rotations: np.ndarray, order: int, *, permutations: np.ndarray | None = None
) -> np.ndarray:
    """Symmetric matrices H (d, 3, 3) whose derivatives d^(order-1)P/dt determine the order-th derivative of W_cb.

    Chosen greedily among e_a and e_a + e_b as long as they raise the rank over the invariants of that order; with
    permutations (r, nb) also over the internal forces of order - 1. Those take combinations of three strains besides,
    since a direction gives three components of them where it gives six of P; so do invariants from the fifth order on.
    """
    sums = [a + b for i, a in enumerate(_STRAINS) for b in _STRAINS[i:]]
    if permutations is not None or order >= THREE_STRAINS:
        sums += [a + sign * b for a, b in combinations(_STRAINS, 2) for sign in (-1, 2)]
        sums += [a + b + sign * c for a, b, c in combinations(_STRAINS, 3) for sign in (1, -1)]
    candidates = np.array(sums)
    candidates /= np.linalg.norm(candidates, axis=(1, 2))[:, None, None]
    exponents, vectors = invariants(order, rotations)
    gradients = monomial_gradients(strain_components(candidates), exponents)
    blocks = np.einsum("nta,ti->nai", gradients, vectors)
    internal = np.zeros((len(candidates), 1, 1))
    if permutations is not None:
        exponents, fields = equivariants(order - 1, rotations, permutations)
        if fields.shape[2]:  # none where every atom is a centre of inversion
            internal = np.einsum("nt,tai->nai", monomial_values(candidates, exponents), fields)
    # Many directions cause no internal force: their rows are rounding alone, which must not count as rank.
    noise = 1e-9 * np.abs(internal).max()
    chosen: list[int] = []
    rank = 0
    for trial in range(len(candidates)):
        rows = [*chosen, trial]
        larger = int(np.linalg.matrix_rank(blocks[rows].reshape(-1, vectors.shape[1])))
        larger += int(np.linalg.matrix_rank(internal[rows].reshape(-1, internal.shape[2]), tol=noise))
        if larger > rank:
            chosen, rank = rows, larger
    return candidates[chosen]


@lru_cache(maxsize=16)
def _directions(lattice: Lattice, order: int) -> np.ndarray:
    """Computed once per lattice object."""
    return independent_directions(lattice.rotations, order, permutations=lattice.permutations)


def _force_constants(response: Response, lattice: Lattice, gradient: np.ndarray) -> np.ndarray:
    if lattice.ends is None:
        return response.force_constants(gradient, lattice.vectors)
    return response.force_constants(gradient, lattice.vectors, ends=lattice.ends)


def _rows(values: np.ndarray, *, rank: int) -> np.ndarray:
    """The first `rank` axes flattened into rows; a last axis that counts basis functions is kept."""
    return values.reshape(-1, *values.shape[rank:])


_STRAINS = [
    np.array(h, float)
    for h in (
        [[1, 0, 0], [0, 0, 0], [0, 0, 0]],
        [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
        [[0, 0, 0], [0, 0, 0], [0, 0, 1]],
        [[0, 0, 0], [0, 0, 1], [0, 1, 0]],
        [[0, 0, 1], [0, 0, 0], [1, 0, 0]],
        [[0, 1, 0], [1, 0, 0], [0, 0, 0]],
    )
]
