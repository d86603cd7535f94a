"""Neighbours of one atom in SIMD lanes: packing, radial functions and harmonics, by recursion and without libm.

Scratch of one atom: for each vector of four neighbours the rows e_x e_y e_z 1/r r, g_k, g'_k, Y_lm, q_lm (m > 0),
four doubles each; harmonics as in `harmonics`, without the norm.
"""

import numba
import numpy as np

from qmfront.models.ace.program import Program, Scratch
from qmfront.models.ace.simd import LANES, exponential, fill, fma, load, minimum, root, store

GEOMETRY = 5  # rows e_x e_y e_z 1/r r
_TERMS = 11  # of the Taylor series at pi/2; the next one is below 2e-17
_SINE = np.array([(-1.0) ** k * (np.pi / 2) ** (2 * k + 1) / np.prod(np.arange(1.0, 2 * k + 2)) for k in range(_TERMS)])
_COSINE = np.array([(-1.0) ** k * (np.pi / 2) ** (2 * k) / np.prod(np.arange(1.0, 2 * k + 1)) for k in range(_TERMS)])


@numba.njit(cache=True)
def row_count(n_radial: int, l_max: int) -> int:
    """Rows of scratch per vector of neighbours."""
    return GEOMETRY + 2 * n_radial + (l_max + 1) ** 2 + l_max * (l_max + 1) // 2


@numba.njit(cache=True)
def pack(
    program: Program,
    work: Scratch,
    slot: int,
    base: int,
    stride: int,
    i: int,
    starts: np.ndarray,
    second: np.ndarray,
    vectors: np.ndarray,
    species: np.ndarray,
    energies: np.ndarray,
    forces: np.ndarray,
    virial: np.ndarray,
) -> int:
    """Sort the neighbours of atom i by species into lanes; the last vector of a species is filled up at the cutoff."""
    place, rows = 0, work.rows
    closest = program.minimum_distance**2
    for mu in range(len(program.bonds)):
        work.segments[slot, mu] = place // LANES
        cutoff = program.bonds[mu, 0]
        for p in range(starts[i], starts[i + 1]):
            if species[second[p]] != mu:
                continue
            x, y, z = vectors[3 * p], vectors[3 * p + 1], vectors[3 * p + 2]
            square = x * x + y * y + z * z
            if not square >= closest:
                return p
            if square < program.repulsion[1] ** 2:
                _repel(program.repulsion, i, second[p], x, y, z, energies, forces, virial)
            if square >= cutoff * cutoff:
                continue
            at = base + place // LANES * stride + place % LANES
            rows[at], rows[at + LANES], rows[at + 2 * LANES] = x, y, z
            work.indices[slot, place] = second[p]
            place += 1
        while place % LANES:
            at = base + place // LANES * stride + place % LANES
            rows[at], rows[at + LANES], rows[at + 2 * LANES] = 0.0, 0.0, cutoff
            work.indices[slot, place] = -1
            place += 1
    work.segments[slot, len(program.bonds)] = place // LANES
    return -1


@numba.njit(cache=True)
def _repel(
    repulsion: np.ndarray,
    i: int,
    j: int,
    x: float,
    y: float,
    z: float,
    energies: np.ndarray,
    forces: np.ndarray,
    virial: np.ndarray,
) -> None:
    """Half of strength (radius / r - 1)^4; the other half comes with the reversed pair."""
    r = np.sqrt(x * x + y * y + z * z)
    inside = repulsion[1] / r - 1.0
    energies[i] += 0.5 * repulsion[0] * inside**4
    slope = -2.0 * repulsion[0] * inside**3 * repulsion[1] / r**3
    vector = (x, y, z)
    for a in range(3):
        forces[i, a] += slope * vector[a]
        forces[j, a] -= slope * vector[a]
        for b in range(3):
            virial[a, b] += slope * vector[a] * vector[b]


@numba.njit(cache=True)
def radial(program: Program, rows: np.ndarray, at: int, mu: int) -> None:
    """Geometry rows, g_k and g'_k of one vector of neighbours, from the vectors in its first three rows."""
    cutoff, decay, taper = program.bonds[mu]
    x, y, z = load(rows, at), load(rows, at + LANES), load(rows, at + 2 * LANES)
    r = root(fma(x, x, fma(y, y, z * z)))
    inverse = fill(1.0) / r
    store(rows, at, x * inverse)
    store(rows, at + LANES, y * inverse)
    store(rows, at + 2 * LANES, z * inverse)
    store(rows, at + 3 * LANES, inverse)
    store(rows, at + 4 * LANES, r)

    inside = fill(cutoff) - r
    sine, cosine = _sine_cosine(inside * fill(1.0 / cutoff))
    envelope = sine * sine
    d_envelope = sine * cosine * fill(-np.pi / cutoff)
    if taper < cutoff:
        sine, cosine = _sine_cosine(minimum(inside * fill(1.0 / taper), fill(1.0)))
        d_envelope = d_envelope * sine * sine + envelope * sine * cosine * fill(-np.pi / taper)
        envelope = envelope * sine * sine
    else:
        d_envelope = fill(2.0) * envelope * d_envelope
        envelope = envelope * envelope

    scale, tail = 2.0 / (1.0 - np.exp(-decay)), np.exp(-decay)
    decayed = exponential(r * fill(-decay / cutoff))
    x2 = fma(decayed, fill(-2.0 * scale), fill(2.0 + 2.0 * scale * tail))
    dx2 = decayed * fill(2.0 * scale * decay / cutoff)
    half = fill(0.5)
    h, dh = half * envelope, half * d_envelope
    n_radial = program.n_radial
    value, slope = at + GEOMETRY * LANES, at + (GEOMETRY + n_radial) * LANES
    store(rows, value, envelope)
    store(rows, slope, d_envelope)
    t0, s0 = h, dh
    t1, s1 = half * x2 * h, half * fma(x2, dh, dx2 * h)
    for k in range(1, n_radial):
        store(rows, value + k * LANES, h - t1)
        store(rows, slope + k * LANES, dh - s1)
        t0, s0, t1, s1 = t1, s1, fma(x2, t1, fill(0.0) - t0), fma(x2, s1, fma(dx2, t1, fill(0.0) - s0))


@numba.njit(cache=True)
def _sine_cosine(w):  # noqa: ANN001, ANN202 (vector registers have no Python type)
    """sin(pi w / 2) and cos(pi w / 2) for 0 <= w <= 1; the sine is exact to the last bit near w = 0."""
    square = w * w
    sine, cosine = fill(_SINE[11]), fill(_COSINE[11])
    for k in range(10, -1, -1):
        sine = fma(sine, square, fill(_SINE[k]))
        cosine = fma(cosine, square, fill(_COSINE[k]))
    return sine * w, cosine


@numba.njit(cache=True)
def harmonics(program: Program, rows: np.ndarray, at: int) -> None:
    """Y_lm and q_lm (m > 0) of one vector of neighbours."""
    l_max = program.l_max
    x, y, z = load(rows, at), load(rows, at + LANES), load(rows, at + 2 * LANES)
    values = at + (GEOMETRY + 2 * program.n_radial) * LANES
    polynomials = values + (l_max + 1) ** 2 * LANES
    c, s = fill(1.0), fill(0.0)
    for m in range(l_max + 1):
        q, below = fill(program.legendre[m * (m + 1) // 2 + m, 0]), fill(0.0)
        for l in range(m, l_max + 1):
            if l > m:
                row = l * (l + 1) // 2 + m
                ahead = fma(
                    fill(program.legendre[row, 0]) * z, q, fill(-program.legendre[row, 1]) * below
                )
                q, below = ahead, q
            centre = values + l * (l + 1) * LANES
            store(rows, centre + m * LANES, q * c)
            if m > 0:
                store(rows, centre - m * LANES, q * s)
                store(rows, polynomials + (l * (l - 1) // 2 + m - 1) * LANES, q)
        c, s = x * c - y * s, fma(x, s, y * c)
