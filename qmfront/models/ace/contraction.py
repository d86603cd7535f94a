"""Sums over neighbours and radial functions: the A channels, and forces from dE/dA.

With w = dE/dA the force on a neighbour needs P_lm = sum_k w_klm g_k and Q_lm = sum_k w_klm g'_k,

    dE/dv = (sum_lm Q_lm Y_lm) e + (1 - e e^T) (sum_lm P_lm grad Y_lm) / r,   e = v / r.

All of it is written as tiles that keep their sums in registers. Vectors of neighbours stand at first, first +
stride, .. in `rows`, see `program.Layout`; the way back overwrites rows that have been used.
"""

import numpy as np

from qmfront.models.ace.memory import Sums
from qmfront.models.ace.program import ANGULAR_TILE, RADIAL_TILE, Layout
from qmfront.models.ace.simd import LANES, Register, fill, fma, fms, load, store, total
from qmfront.models.compiled import compiled


@compiled
def density(
    rows: np.ndarray,
    first: int,
    last: int,
    layout: Layout,
    row_start: np.ndarray,
    row_length: np.ndarray,
    channels: np.ndarray,
    slot: int,
) -> None:
    """A_klm = sum_j g_k Y_lm of one species into lane `slot` of the channels; tiles of 3 by 4."""
    for k in range(0, layout.n_radial, RADIAL_TILE):
        length, g = row_length[k], layout.values + k * LANES
        step, out = length * LANES, row_start[k] * LANES + slot
        for lm in range(0, length - ANGULAR_TILE + 1, ANGULAR_TILE):
            y = layout.harmonics + lm * LANES
            a00, a01, a02, a03 = fill(0.0), fill(0.0), fill(0.0), fill(0.0)
            a10, a11, a12, a13 = fill(0.0), fill(0.0), fill(0.0), fill(0.0)
            a20, a21, a22, a23 = fill(0.0), fill(0.0), fill(0.0), fill(0.0)
            for at in range(first, last, layout.stride):
                g0, g1, g2 = load(rows, at + g), load(rows, at + g + LANES), load(rows, at + g + 2 * LANES)
                y0 = load(rows, at + y)
                a00, a10, a20 = fma(g0, y0, a00), fma(g1, y0, a10), fma(g2, y0, a20)
                y1 = load(rows, at + y + LANES)
                a01, a11, a21 = fma(g0, y1, a01), fma(g1, y1, a11), fma(g2, y1, a21)
                y2 = load(rows, at + y + 2 * LANES)
                a02, a12, a22 = fma(g0, y2, a02), fma(g1, y2, a12), fma(g2, y2, a22)
                y3 = load(rows, at + y + 3 * LANES)
                a03, a13, a23 = fma(g0, y3, a03), fma(g1, y3, a13), fma(g2, y3, a23)
            o = out + lm * LANES
            _put(channels, o, a00, a01, a02, a03)
            _put(channels, o + step, a10, a11, a12, a13)
            _put(channels, o + 2 * step, a20, a21, a22, a23)
        if length % ANGULAR_TILE:
            y = layout.harmonics + (length - 1) * LANES
            a00, a10, a20 = fill(0.0), fill(0.0), fill(0.0)
            for at in range(first, last, layout.stride):
                y0 = load(rows, at + y)
                a00 = fma(load(rows, at + g), y0, a00)
                a10 = fma(load(rows, at + g + LANES), y0, a10)
                a20 = fma(load(rows, at + g + 2 * LANES), y0, a20)
            o = out + (length - 1) * LANES
            channels[o], channels[o + step], channels[o + 2 * step] = total(a00), total(a10), total(a20)


@compiled
def _put(channels: np.ndarray, o: int, a0: Register, a1: Register, a2: Register, a3: Register) -> None:
    """Totals of four vectors, one channel apart."""
    channels[o], channels[o + LANES] = total(a0), total(a1)
    channels[o + 2 * LANES], channels[o + 3 * LANES] = total(a2), total(a3)


@compiled
def contract(
    rows: np.ndarray,
    first: int,
    last: int,
    layout: Layout,
    row_start: np.ndarray,
    full: np.ndarray,
    some: np.ndarray,
    slopes: np.ndarray,
    slot: int,
) -> None:
    """P_lm in place of Y_lm, and sum_lm Q_lm Y_lm in place of g_0; `full`, `some` as `full`, `first` of `Program`."""
    g, d = layout.values, layout.slopes
    for at in range(first, last, layout.stride):
        radial = fill(0.0)
        for tile in range(len(full)):
            lm = tile * ANGULAR_TILE * LANES
            p0, p1, p2, p3 = fill(0.0), fill(0.0), fill(0.0), fill(0.0)
            q0, q1, q2, q3 = fill(0.0), fill(0.0), fill(0.0), fill(0.0)
            for k in range(full[tile]):
                c = row_start[k] * LANES + lm + slot
                value, slope = load(rows, at + g + k * LANES), load(rows, at + d + k * LANES)
                w0, w1 = fill(slopes[c]), fill(slopes[c + LANES])
                p0, q0, p1, q1 = (
                    fma(w0, value, p0),
                    fma(w0, slope, q0),
                    fma(w1, value, p1),
                    fma(w1, slope, q1),
                )
                w2, w3 = fill(slopes[c + 2 * LANES]), fill(slopes[c + 3 * LANES])
                p2, q2, p3, q3 = (
                    fma(w2, value, p2),
                    fma(w2, slope, q2),
                    fma(w3, value, p3),
                    fma(w3, slope, q3),
                )
            for k in range(full[tile], some[tile]):
                w0 = fill(slopes[row_start[k] * LANES + lm + slot])
                p0 = fma(w0, load(rows, at + g + k * LANES), p0)
                q0 = fma(w0, load(rows, at + d + k * LANES), q0)
            y = at + layout.harmonics + lm
            radial = fma(q0, load(rows, y), radial)
            store(rows, y, p0)
            if full[tile] > 0:
                radial = fma(q1, load(rows, y + LANES), radial)
                radial = fma(q2, load(rows, y + 2 * LANES), radial)
                radial = fma(q3, load(rows, y + 3 * LANES), radial)
                store(rows, y + LANES, p1)
                store(rows, y + 2 * LANES, p2)
                store(rows, y + 3 * LANES, p3)
        store(rows, at + layout.values, radial)


@compiled
def angular(rows: np.ndarray, first: int, last: int, layout: Layout) -> None:
    """dE/dv in place of g_0 g_1 g_2, from what `contract` left behind.

    grad Y_lm is that of the polynomial in the unit vector: with c_m + i s_m = (x + i y)^m it needs
    d(q c_m) = (m q c_{m-1}, -m q s_{m-1}, q' c_m), d(q s_m) = (m q s_{m-1}, m q c_{m-1}, q' s_m), q'_lm = q_l,m+1.
    """
    l_max = layout.l_max
    for at in range(first, last, layout.stride):
        x, y, z = load(rows, at), load(rows, at + LANES), load(rows, at + 2 * LANES)
        p, q = at + layout.harmonics, at + layout.polynomials
        gx, gy, gz = fill(0.0), fill(0.0), fill(0.0)
        for l in range(1, l_max + 1):
            gz = fma(load(rows, p + l * (l + 1) * LANES), load(rows, q + l * (l - 1) // 2 * LANES), gz)
        c_below, s_below = fill(1.0), fill(0.0)
        for m in range(1, l_max + 1):
            c, s = fms(x, c_below, y * s_below), fma(x, s_below, y * c_below)
            u, v, du, dv = fill(0.0), fill(0.0), fill(0.0), fill(0.0)
            for l in range(m, l_max + 1):
                centre, row = p + l * (l + 1) * LANES, q + (l * (l - 1) // 2 + m - 1) * LANES
                plus, minus, value = (
                    load(rows, centre + m * LANES),
                    load(rows, centre - m * LANES),
                    load(rows, row),
                )
                u, v = fma(plus, value, u), fma(minus, value, v)
                if l > m:
                    slope = load(rows, row + LANES)
                    du, dv = fma(plus, slope, du), fma(minus, slope, dv)
            weight = fill(float(m))
            gx = fma(weight, fma(u, c_below, v * s_below), gx)
            gy = fma(weight, fms(v, c_below, u * s_below), gy)
            gz = fma(du, c, fma(dv, s, gz))
            c_below, s_below = c, s
        inverse = load(rows, at + 3 * LANES)
        along = load(rows, at + layout.values) - fma(gx, x, fma(gy, y, gz * z)) * inverse
        store(rows, at + layout.values, fma(along, x, gx * inverse))
        store(rows, at + layout.values + LANES, fma(along, y, gy * inverse))
        store(rows, at + layout.values + 2 * LANES, fma(along, z, gz * inverse))


@compiled
def spread(
    rows: np.ndarray, first: int, last: int, layout: Layout, indices: np.ndarray, i: int, sums: Sums
) -> None:
    """Add the forces and the virial of site i from the gradients that `angular` left; empty lanes hold zero."""
    fx, fy, fz = fill(0.0), fill(0.0), fill(0.0)
    xx, yy, zz, yz, xz, xy = fill(0.0), fill(0.0), fill(0.0), fill(0.0), fill(0.0), fill(0.0)
    forces, virial, place = sums.forces, sums.virial, 0
    for at in range(first, last, layout.stride):
        g = at + layout.values
        for lane in range(LANES):
            j = indices[place + lane]
            if j >= 0:
                forces[j, 0] -= rows[g + lane]
                forces[j, 1] -= rows[g + LANES + lane]
                forces[j, 2] -= rows[g + 2 * LANES + lane]
        place += LANES
        gx, gy, gz = load(rows, g), load(rows, g + LANES), load(rows, g + 2 * LANES)
        fx, fy, fz = fx + gx, fy + gy, fz + gz
        r = load(rows, at + 4 * LANES)
        x, y, z = load(rows, at) * r, load(rows, at + LANES) * r, load(rows, at + 2 * LANES) * r
        xx, yy, zz = fma(x, gx, xx), fma(y, gy, yy), fma(z, gz, zz)
        yz, xz, xy = fma(y, gz, yz), fma(x, gz, xz), fma(x, gy, xy)
    forces[i, 0] += total(fx)
    forces[i, 1] += total(fy)
    forces[i, 2] += total(fz)
    for a, b, value in ((0, 0, xx), (1, 1, yy), (2, 2, zz), (1, 2, yz), (0, 2, xz), (0, 1, xy)):
        virial[a, b] += total(value)
        if a != b:
            virial[b, a] += total(value)
