"""Neighbours of one atom in SIMD lanes: packing, radial functions and harmonics, by recursion and without libm.

The rows are those of `program.Layout`; harmonics as in `harmonics`, without the norm.
"""

import numpy as np

from qmfront.models.ace.memory import Neighbourhood, Scratch, Sums
from qmfront.models.ace.program import Layout
from qmfront.models.ace.simd import LANES, Register, exponential, fill, fma, fms, load, minimum, root, store
from qmfront.models.compiled import compiled

_TERMS = 11  # of the Taylor series at pi/2; the next one is below 2e-17
_SINE = np.array(
    [(-1.0) ** k * (np.pi / 2) ** (2 * k + 1) / np.prod(np.arange(1.0, 2 * k + 2)) for k in range(_TERMS)]
)
_COSINE = np.array(
    [(-1.0) ** k * (np.pi / 2) ** (2 * k) / np.prod(np.arange(1.0, 2 * k + 1)) for k in range(_TERMS)]
)


@compiled
def pack(
    bonds: np.ndarray,
    limits: np.ndarray,
    work: Scratch,
    slot: int,
    base: int,
    stride: int,
    i: int,
    near: Neighbourhood,
    sums: Sums,
) -> int:
    """Sort the neighbours of atom i by species into lanes; the last vector of a species is filled up at the cutoff.

    i = -1 means an empty slot. Adds the repulsion on the way. Returns -1, or the first pair that is too close or
    not a number.
    """
    place, rows, moved = 0, work.rows, near.moved
    first, last = (near.starts[i], near.starts[i + 1]) if i >= 0 else (0, 0)
    for mu in range(len(bonds)):
        work.segments[slot, mu] = place // LANES
        cutoff = bonds[mu, 0]
        for p in range(first, last):
            j = near.second[p]
            if near.species[j] != mu:
                continue
            x = near.vectors[p, 0] + (moved[j, 0] - moved[i, 0])
            y = near.vectors[p, 1] + (moved[j, 1] - moved[i, 1])
            z = near.vectors[p, 2] + (moved[j, 2] - moved[i, 2])
            square = x * x + y * y + z * z
            if not square >= limits[0] ** 2:
                return p
            if square < limits[2] ** 2:
                _repel(limits[1], limits[2], i, j, (x, y, z), sums)
            if square < cutoff * cutoff:
                at = base + place // LANES * stride + place % LANES
                rows[at], rows[at + LANES], rows[at + 2 * LANES] = x, y, z
                work.indices[slot, place] = j
                place += 1
        while place % LANES:
            at = base + place // LANES * stride + place % LANES
            rows[at], rows[at + LANES], rows[at + 2 * LANES] = 0.0, 0.0, cutoff
            work.indices[slot, place] = -1
            place += 1
    work.segments[slot, len(bonds)] = place // LANES
    return -1


@compiled
def _repel(
    strength: float, radius: float, i: int, j: int, vector: tuple[float, float, float], sums: Sums
) -> None:
    """Half of strength (radius / r - 1)^4; the other half comes with the reversed pair."""
    r = np.sqrt(vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2)
    inside = radius / r - 1.0
    sums.energies[i] += 0.5 * strength * inside**4
    slope = -2.0 * strength * inside**3 * radius / r**3
    for a in range(3):
        sums.forces[i, a] += slope * vector[a]
        sums.forces[j, a] -= slope * vector[a]
        for b in range(3):
            sums.virial[a, b] += slope * vector[a] * vector[b]


@compiled
def radial(rows: np.ndarray, first: int, last: int, layout: Layout, bond: np.ndarray) -> None:
    """Geometry rows, g_k and g'_k of the vectors of neighbours first .. last, from their first three rows."""
    cutoff, taper, rate, offset, scale, d_scale = bond
    half, values, slopes, end = fill(0.5), layout.values, layout.slopes, layout.n_radial * LANES
    for at in range(first, last, layout.stride):
        x, y, z = load(rows, at), load(rows, at + LANES), load(rows, at + 2 * LANES)
        r = root(fma(x, x, fma(y, y, z * z)))
        inverse = fill(1.0) / r
        store(rows, at, x * inverse)
        store(rows, at + LANES, y * inverse)
        store(rows, at + 2 * LANES, z * inverse)
        store(rows, at + 3 * LANES, inverse)
        store(rows, at + 4 * LANES, r)

        f, df = _envelope(fill(cutoff) - r, cutoff, taper)
        decayed = exponential(r * fill(rate))
        x2, dx2 = fma(decayed, fill(-scale), fill(offset)), decayed * fill(d_scale)
        h, dh = half * f, half * df
        store(rows, at + values, f)
        store(rows, at + slopes, df)
        t0, s0 = h, dh  # f T_k / 2 and its slope
        t1, s1 = half * x2 * h, half * fma(x2, dh, dx2 * h)
        for k in range(LANES, end, LANES):
            store(rows, at + values + k, h - t1)
            store(rows, at + slopes + k, dh - s1)
            t0, s0, t1, s1 = t1, s1, fms(x2, t1, t0), fma(x2, s1, fms(dx2, t1, s0))


@compiled
def _envelope(inside: Register, cutoff: float, taper: float) -> tuple[Register, Register]:
    """f and df/dr of `radial.Bond` at distances `inside` below the cutoff."""
    sine, cosine = _sine_cosine(inside * fill(1.0 / cutoff))
    envelope, slope = sine * sine, sine * cosine * fill(-np.pi / cutoff)
    if taper >= cutoff:
        return envelope * envelope, fill(2.0) * envelope * slope
    sine, cosine = _sine_cosine(minimum(inside * fill(1.0 / taper), fill(1.0)))
    factor = sine * sine
    return envelope * factor, slope * factor + envelope * sine * cosine * fill(-np.pi / taper)


@compiled
def _sine_cosine(w: Register) -> tuple[Register, Register]:
    """sin(pi w / 2) and cos(pi w / 2) for 0 <= w <= 1; the sine is exact to the last bit near w = 0."""
    square = w * w
    sine, cosine = fill(_SINE[_TERMS - 1]), fill(_COSINE[_TERMS - 1])
    for k in range(_TERMS - 2, -1, -1):
        sine = fma(sine, square, fill(_SINE[k]))
        cosine = fma(cosine, square, fill(_COSINE[k]))
    return sine * w, cosine


@compiled
def harmonics(rows: np.ndarray, first: int, last: int, layout: Layout, legendre: np.ndarray) -> None:
    """Y_lm and q_lm (m > 0) of the vectors of neighbours first .. last."""
    l_max = layout.l_max
    for at in range(first, last, layout.stride):
        x, y, z = load(rows, at), load(rows, at + LANES), load(rows, at + 2 * LANES)
        values, polynomials = at + layout.harmonics, at + layout.polynomials
        c, s = fill(1.0), fill(0.0)
        for m in range(l_max + 1):
            q, below = fill(legendre[m * (m + 1) // 2 + m, 0]), fill(0.0)
            for l in range(m, l_max + 1):
                if l > m:
                    row = l * (l + 1) // 2 + m
                    q, below = fms(fill(legendre[row, 0]) * z, q, fill(legendre[row, 1]) * below), q
                centre = values + l * (l + 1) * LANES
                store(rows, centre + m * LANES, q * c)
                if m > 0:
                    store(rows, centre - m * LANES, q * s)
                    store(rows, polynomials + (l * (l - 1) // 2 + m - 1) * LANES, q)
            c, s = fms(x, c, y * s), fma(x, s, y * c)
