"""Rotation-, inversion- and permutation-invariant couplings of real harmonics, the U of the paper's Appendix C.

Real 3j tensors W(l1, l2, l3) are chained through intermediate angular momenta,

    U_{m1 .. mN} = W(l1, l2, L1) W(L1, l3, L2) .. W(L_{N-3}, l_{N-1}, l_N),

averaged over the permutations of factors with equal (species, n, l), and made orthonormal; linearly
dependent ones are dropped. Only tuples with an even sum of the l are kept (inversion).
"""

from collections.abc import Iterator
from functools import cache
from itertools import permutations
from math import factorial, sqrt

import numpy as np

_DEPENDENT = 1e-8  # what is left of a unit tensor after projection, below which it is dependent


@cache
def real_three_j(l1: int, l2: int, l3: int) -> np.ndarray:
    """Wigner 3j tensor for real harmonics, (2 l1 + 1, 2 l2 + 1, 2 l3 + 1), unit Frobenius norm, m from -l to l.

    Invariant under simultaneous proper rotations of its three slots. For an odd l1 + l2 + l3 the tensor
    in real harmonics is imaginary; its imaginary part is returned.
    """
    tensor = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * l3 + 1), complex)
    for m1 in range(-l1, l1 + 1):
        for m2 in range(max(-l2, -l3 - m1), min(l2, l3 - m1) + 1):
            tensor[m1 + l1, m2 + l2, l3 - m1 - m2] = _three_j(l1, l2, l3, m1, m2, -m1 - m2)
    # the tensor multiplies products of Y: with Y_complex = U^H Y_real it turns with the conjugate of U
    u1, u2, u3 = (_unitary(l).conj() for l in (l1, l2, l3))
    real = np.einsum("abc,ia,jb,kc->ijk", tensor, u1, u2, u3)
    return real.imag.copy() if (l1 + l2 + l3) % 2 else real.real.copy()


def couplings(channels: tuple[tuple[int, int, int], ...]) -> list[np.ndarray]:
    """All independent invariant couplings of the factors `channels` = ((species, n, l), ...).

    Returns
    -------
    list of float arrays with one axis of length 2 l + 1 per factor
        Orthonormal (Frobenius), symmetric under permutations of equal channels; empty if there is none.
    """
    ls = tuple(channel[2] for channel in channels)
    if sum(ls) % 2:
        return []
    kept: list[np.ndarray] = []
    for tensor in _chained(ls):
        tensor = _symmetrised(tensor, channels)
        size = np.linalg.norm(tensor)
        if size < _DEPENDENT:
            continue
        tensor = tensor / size
        for _ in range(2):  # the second sweep removes the rounding of the first
            for other in kept:
                tensor = tensor - np.vdot(other, tensor) * other
        size = np.linalg.norm(tensor)
        if size > _DEPENDENT:
            kept.append(tensor / size)
    return kept


def _chained(ls: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Invariant tensors of the angular momenta ls, one per chain of intermediate momenta."""
    if len(ls) == 1:
        if ls[0] == 0:
            yield np.ones(1)
        return
    if len(ls) == 2:
        if ls[0] == ls[1]:
            yield np.eye(2 * ls[0] + 1) / sqrt(2 * ls[0] + 1)
        return
    for momentum, tensor in _open_chains(ls[:-2]):
        if abs(ls[-2] - momentum) <= ls[-1] <= ls[-2] + momentum:
            yield np.tensordot(tensor, real_three_j(momentum, ls[-2], ls[-1]), 1)


def _open_chains(ls: tuple[int, ...]) -> Iterator[tuple[int, np.ndarray]]:
    """Total momenta L and tensors (m_1, .., m_k, M) that couple ls to L."""
    if len(ls) == 1:
        yield ls[0], np.eye(2 * ls[0] + 1)
        return
    for momentum, tensor in _open_chains(ls[:-1]):
        for total in range(abs(momentum - ls[-1]), momentum + ls[-1] + 1):
            yield total, np.tensordot(tensor, real_three_j(momentum, ls[-1], total), 1)


def _symmetrised(tensor: np.ndarray, channels: tuple[tuple[int, int, int], ...]) -> np.ndarray:
    """Mean over the permutations of the axes that leave the tuple of channels unchanged."""
    n = len(channels)
    orders = [p for p in permutations(range(n)) if all(channels[p[i]] == channels[i] for i in range(n))]
    return sum(tensor.transpose(order) for order in orders) / len(orders)  # type: ignore[return-value]


@cache
def _unitary(l: int) -> np.ndarray:
    """U (2l + 1, 2l + 1) with Y_real = U Y_complex (Condon-Shortley), m from -l to l."""
    u = np.zeros((2 * l + 1, 2 * l + 1), complex)
    u[l, l] = 1.0
    for m in range(1, l + 1):
        sign = (-1) ** m
        u[l + m, l + m], u[l + m, l - m] = sign / sqrt(2), 1 / sqrt(2)
        u[l - m, l + m], u[l - m, l - m] = -1j * sign / sqrt(2), 1j / sqrt(2)
    return u


def _three_j(l1: int, l2: int, l3: int, m1: int, m2: int, m3: int) -> float:
    """Wigner 3j symbol by Racah's formula with exact integers; m1 + m2 + m3 = 0."""
    if not abs(l1 - l2) <= l3 <= l1 + l2:
        return 0.0
    total = 0
    first = max(0, l2 - l3 - m1, l1 - l3 + m2)
    last = min(l1 + l2 - l3, l1 - m1, l2 + m2)
    # common denominator: multiply through by this product of factorials, so that the sum is exact
    scale = factorial(l1 + l2 - l3) * factorial(l1 - m1) * factorial(l2 + m2)
    scale *= factorial(last) * factorial(l3 - l2 + m1 + last) * factorial(l3 - l1 - m2 + last)
    for t in range(first, last + 1):
        denominator = factorial(t) * factorial(l3 - l2 + m1 + t) * factorial(l3 - l1 - m2 + t)
        denominator *= factorial(l1 + l2 - l3 - t) * factorial(l1 - m1 - t) * factorial(l2 + m2 - t)
        total += (-1) ** t * (scale // denominator)
    triangle = factorial(l1 + l2 - l3) * factorial(l1 - l2 + l3) * factorial(-l1 + l2 + l3)
    product = triangle
    for l, m in ((l1, m1), (l2, m2), (l3, m3)):
        product *= factorial(l + m) * factorial(l - m)
    size = sqrt(product / factorial(l1 + l2 + l3 + 1)) / scale
    return (-1) ** (l1 - l2 - m3) * total * size
