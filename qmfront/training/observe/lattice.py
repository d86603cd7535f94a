"""What the MM model is asked to match, (2.12), (4.5) and two orders beyond.

Every observation is a linear functional of responses of the homogeneous lattice, see `responses`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Literal

import numpy as np

from qmfront.elasticity.strain_polynomial import invariants, monomial_gradients, strain_components
from qmfront.elasticity.strain_vectors import equivariants, monomial_values
from qmfront.training.observe.responses import Response

Name = Literal[
    "energy",
    "stress",
    "force_constants",
    "second_derivative",
    "third_derivative",
    "fourth_derivative",
    "strained_force_constants",
    "fifth_derivative",
    "twice_strained_force_constants",
    "internal_first_derivative",
    "internal_second_derivative",
    "internal_third_derivative",
    "internal_fourth_derivative",
]

_FORCE_CONSTANTS: tuple[Name, ...] = ("energy", "stress", "force_constants")
_SECOND: tuple[Name, ...] = ("fourth_derivative", "strained_force_constants")
_THIRD: tuple[Name, ...] = ("fifth_derivative", "twice_strained_force_constants")

# Observations of each matching order: 0 force constants alone, 1 the paper's (4.5), 2 and 3 one and two orders beyond.
MATCHING: dict[int, tuple[Name, ...]] = {
    0: _FORCE_CONSTANTS,
    1: (*_FORCE_CONSTANTS, "third_derivative"),
    2: (*_FORCE_CONSTANTS, "third_derivative", *_SECOND),
    3: (*_FORCE_CONSTANTS, "third_derivative", *_SECOND, *_THIRD),
}

# Observations of a crystal with a basis besides.
MATCHING_OF_BASIS: dict[int, tuple[Name, ...]] = {
    0: (),
    1: ("internal_second_derivative",),
    2: ("internal_second_derivative", "internal_third_derivative"),
    3: ("internal_second_derivative", "internal_third_derivative", "internal_fourth_derivative"),
}

# Second derivatives of W_cb are in the force constants, unless the reference model reaches farther: the tail that is
# cut off is small site by site, but not its second moment. They are asked for by themselves then.
MATCHING_OF_TAIL: dict[int, tuple[Name, ...]] = {
    0: (),
    1: ("second_derivative", "internal_first_derivative"),
    2: ("second_derivative", "internal_first_derivative"),
    3: ("second_derivative", "internal_first_derivative"),
}

# First order of W_cb in strain that a matching order leaves free.
FIRST_FREE_ORDER = {0: 3, 1: 4, 2: 5, 3: 6}

# Order of the derivative by t of P or of internal forces.
_ORDERS = {
    "second_derivative": 1,
    "internal_first_derivative": 1,
    "third_derivative": 2,
    "fourth_derivative": 3,
    "fifth_derivative": 4,
    "internal_second_derivative": 2,
    "internal_third_derivative": 3,
    "internal_fourth_derivative": 4,
}
_NOISY = 4  # from this order on twice the step: the noise of a difference grows with h^-order

_TAYLOR_POINTS = 4  # strains +-h .. +-4h: derivatives exact for polynomials of degree 8


@dataclass(frozen=True, eq=False)
class Lattice:
    """The homogeneous lattice as the observations see it.

    vectors : (m, 3) float, Å
        Lattice vectors of the force constants, zero included.
    rotations : (r, 3, 3) float
        Point group.
    strain_step : float
        h of the Taylor coefficients; 2h for those of fifth derivatives and second differences of force constants.
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


def names_of(matching: int, lattice: Lattice) -> tuple[Name, ...]:
    """What a matching order observes on a lattice."""
    of_basis = MATCHING_OF_BASIS[matching] if lattice.permutations is not None else ()
    of_tail = tuple(
        name
        for name in MATCHING_OF_TAIL[matching]
        if lattice.tail and (lattice.permutations is not None or not name.startswith("internal"))
    )
    return MATCHING[matching] + of_basis + of_tail


def observe(response: Response, names: tuple[Name, ...], lattice: Lattice) -> dict[Name, np.ndarray]:
    """Values of the named observations, each (rows,) for a calculator and (rows, n_functions) for a basis.

    energy (eV), stress P(I) (eV), force_constants Phi(rho) (eV/Å^2), second_derivative to fifth_derivative dP/dt to
    d4P/dt4 at I + t H (eV) along directions H that determine the tensors under the point group,
    strained_force_constants and twice_strained_force_constants dPhi/dt and d2Phi/dt2 (eV/Å^2) along H. For a crystal
    with a basis all of them at the internal shifts that the response has (those of the QM model), where they are linear
    in the coefficients of a potential; and internal_first_derivative to internal_fourth_derivative, df/dt to d4f/dt4
    (eV/Å) of the forces f on the atoms of the cell at those shifts. A potential with the same P and f to order t^n has
    the same relaxed W_cb to order t^(n+1), since its own shifts then differ by t^(n+1).
    """
    routes = {
        "energy": lambda: response.energy(np.eye(3))[None],
        "stress": lambda: _rows(response.stress(np.eye(3)), rank=2),
        "force_constants": lambda: _rows(_force_constants(response, lattice, np.eye(3)), rank=3),
        "strained_force_constants": lambda: _strained_force_constants(response, lattice),
        "twice_strained_force_constants": lambda: _twice_strained_force_constants(response, lattice),
    }

    def value(name: Name) -> np.ndarray:
        if name not in _ORDERS:
            return routes[name]()
        function = response.internal_forces if name.startswith("internal") else response.stress
        return _derivatives(function, lattice, order=_ORDERS[name])

    return {name: value(name) for name in names}


def observed_gradients(names: tuple[Name, ...], lattice: Lattice) -> np.ndarray:
    """The deformation gradients (g, 3, 3) at which `observe` asks a response, each once."""
    asked = [np.eye(3)]
    for name in names:
        if name in _ORDERS:
            order = _ORDERS[name]
            asked += [F for H in _directions(lattice, order + 1) for F in _path(H, _step(lattice, order))]
        if name == "strained_force_constants":
            asked += [F for H in _directions(lattice, 2) for F in _pair(H, lattice.strain_step)]
        if name == "twice_strained_force_constants":
            asked += [F for H in _directions(lattice, 3) for F in _pair(H, _step(lattice, _NOISY))]
    distinct: list[np.ndarray] = []
    for F in asked:
        if not any(np.array_equal(F, other) for other in distinct):
            distinct.append(F)
    return np.array(distinct)


def independent_directions(
    rotations: np.ndarray, order: int, *, permutations: np.ndarray | None = None
) -> np.ndarray:
    """Symmetric matrices H (d, 3, 3) whose derivatives d^(order-1)P/dt determine the order-th derivative of W_cb.

    Chosen greedily among e_a and e_a + e_b as long as they raise the rank over the invariants of that order; with
    permutations (r, nb) also over the internal forces of order - 1. Those take combinations of three strains besides,
    since a direction tells three components of them where it tells six of P; so do invariants from the fifth order on.
    """
    sums = [a + b for i, a in enumerate(_STRAINS) for b in _STRAINS[i:]]
    if permutations is not None or order > _NOISY:
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


def _derivatives(function: Callable[[np.ndarray], np.ndarray], lattice: Lattice, *, order: int) -> np.ndarray:
    """d^order f / dt^order at I + t H for all independent directions H; f (3 or nb, 3, ...) is P or internal forces."""
    points = np.arange(-_TAYLOR_POINTS, _TAYLOR_POINTS + 1)
    step = _step(lattice, order)
    powers = np.vander(points * step, increasing=True)
    weights = np.linalg.inv(powers)[order] * float(np.prod(np.arange(1, order + 1)))
    rows = []
    for direction in _directions(lattice, order + 1):
        values = [function(gradient) for gradient in _path(direction, step)]
        rows.append(_rows(np.tensordot(weights, np.array(values), axes=1), rank=2))
    return np.concatenate(rows)


def _strained_force_constants(response: Response, lattice: Lattice) -> np.ndarray:
    """Central differences of Phi along the directions that determine dPhi/dF."""
    rows = []
    for direction in _directions(lattice, 2):
        up, down = (_force_constants(response, lattice, F) for F in _pair(direction, lattice.strain_step))
        rows.append(_rows(up - down, rank=3) / (2 * lattice.strain_step))
    return np.concatenate(rows)


def _twice_strained_force_constants(response: Response, lattice: Lattice) -> np.ndarray:
    """Second differences of Phi along the directions that determine its mixed derivatives by two strains."""
    step, rows = _step(lattice, _NOISY), []
    still = _force_constants(response, lattice, np.eye(3))
    for direction in _directions(lattice, 3):
        up, down = (_force_constants(response, lattice, F) for F in _pair(direction, step))
        rows.append(_rows(up + down - 2 * still, rank=3) / step**2)
    return np.concatenate(rows)


def _force_constants(response: Response, lattice: Lattice, gradient: np.ndarray) -> np.ndarray:
    if lattice.ends is None:
        return response.force_constants(gradient, lattice.vectors)
    return response.force_constants(gradient, lattice.vectors, ends=lattice.ends)


@lru_cache(maxsize=16)
def _directions(lattice: Lattice, order: int) -> np.ndarray:
    """Computed once per lattice object."""
    return independent_directions(lattice.rotations, order, permutations=lattice.permutations)


def _step(lattice: Lattice, order: int) -> float:
    """h, or 2h for derivatives of high order."""
    return lattice.strain_step * (2.0 if order >= _NOISY else 1.0)


def _path(direction: np.ndarray, step: float) -> list[np.ndarray]:
    """I + t H at the points of the Taylor coefficients."""
    points = np.arange(-_TAYLOR_POINTS, _TAYLOR_POINTS + 1)
    return [np.eye(3) + t * step * direction for t in points]


def _pair(direction: np.ndarray, step: float) -> list[np.ndarray]:
    """I + h H and I - h H."""
    return [np.eye(3) + s * step * direction for s in (1.0, -1.0)]


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
