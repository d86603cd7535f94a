"""The symmetric ACE basis (C.1): which functions there are, and how each is a sum of products of A channels.

    B = sum_t coefficient_t prod_a A_{mu_a n_a l_a m_at},   A_{mu n l m} = sum_j g_n(r_j) Y_lm(r_j / |r_j|)

Functions are listed per centre species; every factor carries the species mu of its neighbours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers

from qmfront.models.ace.coupling import couplings
from qmfront.models.ace.radial import Bond

_NEGLIGIBLE = 1e-12  # coefficients of unit-norm couplings below this are rounding


@dataclass(frozen=True, eq=False)
class Function:
    """One basis function B of a centre species.

    centre : int
        Species of the centre, position in `Basis.species`.
    mus, ns, ls : tuple of int, one per factor
        Species of the neighbours, radial index (from 1) and angular momentum.
    ms : (n_terms, order) int array
        Magnetic indices of the products of A channels.
    coefficients : (n_terms,) float array
    smoothness : float
        sum over factors of (n - 1)^2 + (l_weight l)^2 to the power of the chosen exponent; a prior
        variance should decay with it.
    """

    centre: int
    mus: tuple[int, ...]
    ns: tuple[int, ...]
    ls: tuple[int, ...]
    ms: np.ndarray
    coefficients: np.ndarray
    smoothness: float

    @property
    def order(self) -> int:
        """Correlation order N: number of factors."""
        return len(self.ns)


@dataclass(frozen=True, eq=False)
class Basis:
    """All functions, and the radial functions of every ordered pair of species; compared by identity.

    species : tuple of str
        Chemical symbols sorted by atomic number.
    bonds : tuple of Bond
        Ordered pairs (centre, neighbour), row by row: bond of (i, j) is bonds[i * len(species) + j].
    functions : tuple of Function
        Sorted by centre species.
    """

    species: tuple[str, ...]
    bonds: tuple[Bond, ...]
    functions: tuple[Function, ...]

    def __post_init__(self) -> None:
        n = len(self.species)
        if [(bond.centre, bond.neighbour) for bond in self.bonds] != [
            (i, j) for i in range(n) for j in range(n)
        ]:
            raise ValueError(
                f"{len(self.bonds)} bonds for {n} species: give one per ordered pair, row by row."
            )
        centres = [function.centre for function in self.functions]
        if centres != sorted(centres) or any(
            n > self.bonds[f.centre * len(self.species) + mu].n_radial
            for f in self.functions
            for mu, n in zip(f.mus, f.ns, strict=True)
        ):
            raise ValueError(
                "Functions must be sorted by centre and use radial functions that their bonds have."
            )

    def __len__(self) -> int:
        return len(self.functions)

    @property
    def numbers(self) -> np.ndarray:
        """Atomic numbers of the species, (n_species,) int."""
        return np.array([atomic_numbers[symbol] for symbol in self.species])

    @property
    def cutoff(self) -> float:
        """Largest cutoff of all bonds, Å."""
        return max(bond.cutoff for bond in self.bonds)

    @property
    def smoothness(self) -> np.ndarray:
        """Smoothness of all functions, (n_B,)."""
        return np.array([function.smoothness for function in self.functions])

    def species_of(self, numbers: np.ndarray) -> np.ndarray:
        """Positions in `species` of atomic numbers (n,).

        Raises
        ------
        ValueError
            If a number is not among the species.
        """
        numbers = np.asarray(numbers)
        known = self.numbers
        place = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
        unknown = np.unique(numbers[known[place] != numbers]).tolist()
        if unknown:
            raise ValueError(
                f"Atomic numbers {unknown} are not in this basis, which knows {', '.join(self.species)}. "
                "Use a potential that was fitted for these elements."
            )
        return place.astype(np.int64)


def build_basis(
    species: Sequence[str],
    *,
    cutoff: float,
    max_degree: Sequence[float] = (16, 14, 10),
    l_weight: float = 1.5,
    decay: float = 1.0,
    taper: float | None = None,
    smoothness_exponent: float = 1.0,
) -> Basis:
    """Basis of all invariant functions up to a total degree per correlation order.

        sum_a (n_a - 1 + l_weight l_a) <= max_degree[N - 1]   for order N

    Parameters
    ----------
    species : chemical symbols; sorted by atomic number here
    cutoff : float, Å
    max_degree : one number per correlation order
        The default gives 354 functions for one species.
    l_weight : float
        Cost of angular momentum relative to radial index.
    decay : float
        lambda of `Bond`.
    taper : float, Å
        dcut of `Bond`; None means the cutoff, three continuous derivatives.
    smoothness_exponent : float
        Exponent p of the smoothness number, (sum_a (n_a - 1)^2 + (l_weight l_a)^2)^p.

    Raises
    ------
    ValueError
        If species repeat, no order is given, or l_weight is not positive.
    """
    species = tuple(sorted(species, key=lambda symbol: atomic_numbers[symbol]))
    if len(set(species)) != len(species) or not species:
        raise ValueError(f"Species {species} must be distinct, and at least one. Remove repetitions.")
    if len(max_degree) == 0 or l_weight <= 0:
        raise ValueError(
            f"max_degree {tuple(max_degree)} and l_weight {l_weight}: give a degree per order, weight > 0."
        )
    # ASSUME: the paper leaves degree rule, weights and radial parameters open. A small decay spreads the Chebyshev
    # variable evenly over the distances that occur in a crystal; 5.25 leaves it in [0.8, 1] beyond 2.4 Å.
    functions = []
    for centre in range(len(species)):
        for order, degree in enumerate(max_degree, start=1):
            for channels in _channel_tuples(len(species), order, degree, l_weight):
                size = sum((n - 1) ** 2 + (l_weight * l) ** 2 for _, n, l in channels)
                functions += _functions(centre, channels, float(size**smoothness_exponent))
    n_radial = max(max(function.ns) for function in functions)
    bonds = tuple(
        Bond(centre, neighbour, float(cutoff), float(decay), float(taper or cutoff), n_radial)
        for centre in range(len(species))
        for neighbour in range(len(species))
    )
    return Basis(species, bonds, tuple(functions))


def _channel_tuples(
    n_species: int, order: int, degree: float, l_weight: float
) -> Iterator[tuple[tuple[int, int, int], ...]]:
    """Sorted tuples of (species, n, l) whose degree is not too large."""
    slack = 1e-9
    channels = [
        (mu, n, l)
        for mu in range(n_species)
        for l in range(int(degree / l_weight + slack) + 1)
        for n in range(1, int(degree - l_weight * l + slack) + 2)
    ]
    cost = {channel: channel[1] - 1 + l_weight * channel[2] for channel in channels}
    channels.sort(key=lambda channel: (cost[channel], channel))

    def extend(chosen: tuple, start: int, left: float) -> Iterator[tuple]:
        if len(chosen) == order:
            yield tuple(sorted(chosen, key=lambda channel: (channel[2], channel[1], channel[0])))
            return
        for index in range(start, len(channels)):
            price = cost[channels[index]]
            if price * (order - len(chosen)) > left + slack:
                return
            yield from extend((*chosen, channels[index]), index, left - price)

    return extend((), 0, degree)


def _functions(centre: int, channels: tuple[tuple[int, int, int], ...], smoothness: float) -> list[Function]:
    """The functions of one tuple of channels, with equal products merged."""
    mus, ns, ls = (tuple(channel[axis] for channel in channels) for axis in range(3))
    found = []
    for tensor in couplings(channels):
        products: dict[tuple[int, ...], float] = {}
        for index in np.argwhere(np.abs(tensor) > _NEGLIGIBLE):
            key = _canonical(tuple(int(i) - l for i, l in zip(index, ls, strict=True)), channels)
            products[key] = products.get(key, 0.0) + float(tensor[tuple(index)])
        keys = [key for key in sorted(products) if abs(products[key]) > _NEGLIGIBLE]
        ms = np.array(keys, dtype=np.int64).reshape(len(keys), len(ls))
        found.append(Function(centre, mus, ns, ls, ms, np.array([products[key] for key in keys]), smoothness))
    return found


def _canonical(ms: tuple[int, ...], channels: tuple[tuple[int, int, int], ...]) -> tuple[int, ...]:
    """ms with those of equal channels sorted; equal channels are neighbours in the tuple."""
    order = sorted(range(len(ms)), key=lambda a: (channels[a][2], channels[a][1], channels[a][0], ms[a]))
    return tuple(ms[a] for a in order)
