"""Sums over neighbours and radial functions: the A channels, and forces from dE/dA.

With w = dE/dA the force on a neighbour needs P_lm = sum_k w_klm g_k and Q_lm = sum_k w_klm g'_k,

    dE/dv = (sum_lm Q_lm Y_lm) e + (1 - e e^T) (sum_lm P_lm grad Y_lm) / r,   e = v / r.

All of it is written as tiles that keep their sums in registers.
"""

import numba
import numpy as np

from qmfront.models.ace.memory import GEOMETRY, Scratch, Sums
from qmfront.models.ace.program import ANGULAR_TILE, RADIAL_TILE, Program
from qmfront.models.ace.simd import LANES, Register, fill, fma, load, store, total


@numba.njit(cache=True)
def density(program: Program, work: Scratch, slot: int, first: int, last: int, mu: int) -> None:
    """A_klm = sum_j g_k Y_lm of one species, neighbours from `first` to `last`; tiles of 3 by 4."""
    rows, channels, stride = work.rows, work.channels, LANES * program.n_rows
    g_row = GEOMETRY * LANES
    y_row = (GEOMETRY + 2 * program.n_radial) * LANES
    for k in range(0, program.n_radial, RADIAL_TILE):
        length = program.row_length[mu, k]
        g = g_row + k * LANES
        out = (program.row_start[mu, k]) * LANES + slot
        step = length * LANES
        for lm in range(0, length - ANGULAR_TILE + 1, ANGULAR_TILE):
            y = y_row + lm * LANES
            a00, a01, a02, a03 = fill(0.0), fill(0.0), fill(0.0), fill(0.0)
            a10, a11, a12, a13 = fill(0.0), fill(0.0), fill(0.0), fill(0.0)
            a20, a21, a22, a23 = fill(0.0), fill(0.0), fill(0.0), fill(0.0)
            for at in range(first, last, stride):
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
            y = y_row + (length - 1) * LANES
            a00, a10, a20 = fill(0.0), fill(0.0), fill(0.0)
            for at in range(first, last, stride):
                y0 = load(rows, at + y)
                a00 = fma(load(rows, at + g), y0, a00)
                a10 = fma(load(rows, at + g + LANES), y0, a10)
                a20 = fma(load(rows, at + g + 2 * LANES), y0, a20)
            o = out + (length - 1) * LANES
            channels[o], channels[o + step], channels[o + 2 * step] = total(a00), total(a10), total(a20)


@numba.njit(cache=True)
def _put(channels: np.ndarray, o: int, a0: Register, a1: Register, a2: Register, a3: Register) -> None:
    """Totals of four vectors, one channel apart."""
    channels[o], channels[o + LANES] = total(a0), total(a1)
    channels[o + 2 * LANES], channels[o + 3 * LANES] = total(a2), total(a3)


@numba.njit(cache=True)
def gradient(program: Program, work: Scratch, slot: int, base: int, i: int, sums: Sums) -> None:
    """Forces and virial of one site from dE/dA."""
    rows, stride = work.rows, LANES * program.n_rows
    fx, fy, fz = fill(0.0), fill(0.0), fill(0.0)
    xx, yy, zz, yz, xz, xy = fill(0.0), fill(0.0), fill(0.0), fill(0.0), fill(0.0), fill(0.0)
    for mu in range(len(program.bonds)):
        for v in range(work.segments[slot, mu], work.segments[slot, mu + 1]):
            at = base + v * stride
            radial = _contract(program, work, slot, at, mu)
            gx, gy, gz = _angular(program, work, at)
            x, y, z = load(rows, at), load(rows, at + LANES), load(rows, at + 2 * LANES)
            inverse, r = load(rows, at + 3 * LANES), load(rows, at + 4 * LANES)
            along = fma(fill(0.0) - fma(gx, x, fma(gy, y, gz * z)), inverse, radial)
            gx, gy, gz = fma(along, x, gx * inverse), fma(along, y, gy * inverse), fma(along, z, gz * inverse)
            _spread(work, slot, v, gx, gy, gz, sums.forces)
            fx, fy, fz = fx + gx, fy + gy, fz + gz
            x, y, z = x * r, y * r, z * r
            xx, yy, zz = fma(x, gx, xx), fma(y, gy, yy), fma(z, gz, zz)
            yz, xz, xy = fma(y, gz, yz), fma(x, gz, xz), fma(x, gy, xy)
    sums.forces[i, 0] += total(fx)
    sums.forces[i, 1] += total(fy)
    sums.forces[i, 2] += total(fz)
    _add_symmetric(sums.virial, (total(xx), total(yy), total(zz), total(yz), total(xz), total(xy)))


@numba.njit(cache=True)
def _spread(
    work: Scratch, slot: int, v: int, gx: Register, gy: Register, gz: Register, forces: np.ndarray
) -> None:
    """Take the gradient of one vector of neighbours from the forces on them; empty lanes hold zero."""
    buffer = work.harmonics
    out = len(buffer) - 4 * LANES
    store(buffer, out, gx)
    store(buffer, out + LANES, gy)
    store(buffer, out + 2 * LANES, gz)
    for lane in range(LANES):
        j = work.indices[slot, v * LANES + lane]
        if j >= 0:
            forces[j, 0] -= buffer[out + lane]
            forces[j, 1] -= buffer[out + LANES + lane]
            forces[j, 2] -= buffer[out + 2 * LANES + lane]


@numba.njit(cache=True)
def _add_symmetric(virial: np.ndarray, voigt: tuple[float, ...]) -> None:
    """Add xx yy zz yz xz xy to a symmetric matrix."""
    xx, yy, zz, yz, xz, xy = voigt
    virial[0, 0] += xx
    virial[1, 1] += yy
    virial[2, 2] += zz
    virial[1, 2] += yz
    virial[2, 1] += yz
    virial[0, 2] += xz
    virial[2, 0] += xz
    virial[0, 1] += xy
    virial[1, 0] += xy


@numba.njit(cache=True)
def _contract(program: Program, work: Scratch, slot: int, at: int, mu: int) -> Register:
    """P_lm of one vector of neighbours into work.harmonics; returns sum_lm Q_lm Y_lm."""
    rows, w, out = work.rows, work.slopes, work.harmonics
    n_radial = program.n_radial
    g, d = at + GEOMETRY * LANES, at + (GEOMETRY + n_radial) * LANES
    y = at + (GEOMETRY + 2 * n_radial) * LANES
    radial = fill(0.0)
    for tile in range(program.full.shape[1]):
        full, first = program.full[mu, tile], program.first[mu, tile]
        lm = tile * ANGULAR_TILE * LANES
        p0, p1, p2, p3 = fill(0.0), fill(0.0), fill(0.0), fill(0.0)
        q0, q1, q2, q3 = fill(0.0), fill(0.0), fill(0.0), fill(0.0)
        for k in range(full):
            c = program.row_start[mu, k] * LANES + lm + slot
            value, slope = load(rows, g + k * LANES), load(rows, d + k * LANES)
            w0, w1 = fill(w[c]), fill(w[c + LANES])
            p0, q0, p1, q1 = fma(w0, value, p0), fma(w0, slope, q0), fma(w1, value, p1), fma(w1, slope, q1)
            w2, w3 = fill(w[c + 2 * LANES]), fill(w[c + 3 * LANES])
            p2, q2, p3, q3 = fma(w2, value, p2), fma(w2, slope, q2), fma(w3, value, p3), fma(w3, slope, q3)
        for k in range(full, first):
            w0 = fill(w[program.row_start[mu, k] * LANES + lm + slot])
            p0 = fma(w0, load(rows, g + k * LANES), p0)
            q0 = fma(w0, load(rows, d + k * LANES), q0)
        store(out, lm, p0)
        radial = fma(q0, load(rows, y + lm), radial)
        if full > 0:
            store(out, lm + LANES, p1)
            store(out, lm + 2 * LANES, p2)
            store(out, lm + 3 * LANES, p3)
            radial = fma(q1, load(rows, y + lm + LANES), radial)
            radial = fma(q2, load(rows, y + lm + 2 * LANES), radial)
            radial = fma(q3, load(rows, y + lm + 3 * LANES), radial)
    return radial


@numba.njit(cache=True)
def _angular(program: Program, work: Scratch, at: int) -> tuple[Register, Register, Register]:
    """sum_lm P_lm grad Y_lm as a polynomial of the unit vector, three components."""
    rows, p, l_max = work.rows, work.harmonics, program.l_max
    x, y = load(rows, at), load(rows, at + LANES)
    q = at + (GEOMETRY + 2 * program.n_radial + (l_max + 1) ** 2) * LANES
    gx, gy, gz = fill(0.0), fill(0.0), fill(0.0)
    for l in range(1, l_max + 1):
        gz = fma(load(p, l * (l + 1) * LANES), load(rows, q + (l * (l - 1) // 2) * LANES), gz)
    c_below, s_below = fill(1.0), fill(0.0)
    for m in range(1, l_max + 1):
        c, s = x * c_below - y * s_below, fma(x, s_below, y * c_below)
        u, v, du, dv = fill(0.0), fill(0.0), fill(0.0), fill(0.0)
        for l in range(m, l_max + 1):
            plus, minus = load(p, (l * (l + 1) + m) * LANES), load(p, (l * (l + 1) - m) * LANES)
            row = q + (l * (l - 1) // 2 + m - 1) * LANES
            value = load(rows, row)
            u, v = fma(plus, value, u), fma(minus, value, v)
            if l > m:
                slope = load(rows, row + LANES)
                du, dv = fma(plus, slope, du), fma(minus, slope, dv)
        weight = fill(float(m))
        gx = fma(weight, fma(u, c_below, v * s_below), gx)
        gy = fma(weight, v * c_below - u * s_below, gy)
        gz = fma(du, c, fma(dv, s, gz))
        c_below, s_below = c, s
    return gx, gy, gz
