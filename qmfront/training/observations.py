"""What the MM model is asked to match, (2.12), (4.5) and one order beyond.

Every observation is a linear functional of responses of the homogeneous lattice, see `responses`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from qmfront.elasticity.strain_polynomial import invariants, monomial_gradients, strain_components
from qmfront.training.responses import Response

Name = Literal[
    "energy",
    "stress",
    "force_constants",
    "third_derivative",
    "fourth_derivative",
    "strained_force_constants",
]

# Observations of each matching order: 0 force constants alone, 1 the paper's (4.5), 2 one order beyond.
MATCHING: dict[int, tuple[Name, ...]] = {
    0: ("energy", "stress", "force_constants"),
    1: ("energy", "stress", "force_constants", "third_derivative"),
    2: (
        "energy",
        "stress",
        "force_constants",
        "third_derivative",
        "fourth_derivative",
        "strained_force_constants",
    ),
}

# First order of W_cb in strain that a matching order leaves free.
FIRST_FREE_ORDER = {0: 3, 1: 4, 2: 5}

_TAYLOR_POINTS = 4  # strains +-h .. +-4h: derivatives exact for polynomials of degree 8


@dataclass(frozen=True)
class Lattice:
    """The homogeneous lattice as the observations see it.

    vectors : (m, 3) float, Å
        Lattice vectors of the force constants, zero included.
    rotations : (r, 3, 3) float
        Point group.
    strain_step : float
        h of the Taylor coefficients.
    """

    vectors: np.ndarray
    rotations: np.ndarray
    strain_step: float = 2.5e-3


def observe(response: Response, names: tuple[Name, ...], lattice: Lattice) -> dict[Name, np.ndarray]:
    """Values of the named observations, each (rows,) for a calculator and (rows, n_functions) for a basis.

    energy (eV), stress P(I) (eV), force_constants Phi(rho) (eV/Å^2), third_derivative and fourth_derivative
    d2P/dt2 and d3P/dt3 at I + t H (eV) along directions H that determine the tensors under the point group,
    strained_force_constants dPhi/dt (eV/Å^2) along H.
    """
    routes = {
        "energy": lambda: response.energy(np.eye(3))[None],
        "stress": lambda: _rows(response.stress(np.eye(3)), rank=2),
        "force_constants": lambda: _rows(response.force_constants(np.eye(3), lattice.vectors), rank=3),
        "third_derivative": lambda: _stress_derivatives(response, lattice, order=2),
        "fourth_derivative": lambda: _stress_derivatives(response, lattice, order=3),
        "strained_force_constants": lambda: _strained_force_constants(response, lattice),
    }
    return {name: routes[name]() for name in names}


def independent_directions(rotations: np.ndarray, order: int) -> np.ndarray:
    """Symmetric matrices H (d, 3, 3) whose derivatives d^(order-1)P/dt determine the order-th derivative of W_cb.

    Chosen greedily among e_a and e_a + e_b as long as they raise the rank over the invariants of that order.
    """
    candidates = np.array([a + b for i, a in enumerate(_STRAINS) for b in _STRAINS[i:]])
    candidates /= np.linalg.norm(candidates, axis=(1, 2))[:, None, None]
    exponents, vectors = invariants(order, rotations)
    gradients = monomial_gradients(strain_components(candidates), exponents)
    blocks = np.einsum("nta,ti->nai", gradients, vectors)
    chosen: list[int] = []
    rank = 0
    for trial in range(len(candidates)):
        larger = int(np.linalg.matrix_rank(blocks[[*chosen, trial]].reshape(-1, vectors.shape[1])))
        if larger > rank:
            chosen, rank = [*chosen, trial], larger
    return candidates[chosen]


def _stress_derivatives(response: Response, lattice: Lattice, *, order: int) -> np.ndarray:
    """d^order P / dt^order at I + t H for all independent directions H."""
    points = np.arange(-_TAYLOR_POINTS, _TAYLOR_POINTS + 1)
    powers = np.vander(points * lattice.strain_step, increasing=True)
    weights = np.linalg.inv(powers)[order] * float(np.prod(np.arange(1, order + 1)))
    rows = []
    for direction in independent_directions(lattice.rotations, order + 1):
        stresses = [response.stress(np.eye(3) + t * lattice.strain_step * direction) for t in points]
        rows.append(_rows(np.tensordot(weights, np.array(stresses), axes=1), rank=2))
    return np.concatenate(rows)


def _strained_force_constants(response: Response, lattice: Lattice) -> np.ndarray:
    """Central differences of Phi along the directions that determine dPhi/dF."""
    rows = []
    for direction in independent_directions(lattice.rotations, 2):
        up, down = (
            response.force_constants(np.eye(3) + s * lattice.strain_step * direction, lattice.vectors)
            for s in (1.0, -1.0)
        )
        rows.append(_rows(up - down, rank=3) / (2 * lattice.strain_step))
    return np.concatenate(rows)


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
