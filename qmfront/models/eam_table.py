"""Embedded-atom potentials from tables: piecewise polynomials for F(rho), f(r) and r phi(r).

Two interpolations. "quintic" is the spline of degree 5 through all points (not-a-knot ends), C^4 at the knots, so that
third derivatives of the energy are continuous wherever the table itself is smooth. "lammps" is the cubic Hermite
interpolation of LAMMPS pair_style eam (slopes from the 5-point formula, C^1) with its rules at the ends of the
tables, for runs that must agree with LAMMPS to rounding.

At the ends. rho above the table: linear continuation with the slope of the last point (as LAMMPS). rho below 0: linear
with the slope at 0 ("quintic"), or the first polynomial ("lammps"). r beyond the last point: "quintic" ends the
interaction there; "lammps" keeps the last value up to the cutoff. A table that is not zero at the cutoff leaves a
jump; `switch_width` multiplies f and phi by the C^3 switch over the last switch_width Å. A table whose F itself jumps
(W_zhou.eam.alloy of LAMMPS does, at rho = 42.7) makes any smooth interpolation oscillate over some ten points around
it. Both are reported as warnings.
"""

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from ase.data import chemical_symbols
from numba import njit
from scipy.interpolate import make_interp_spline

from qmfront.models.bonds import Bonds
from qmfront.models.eam_file import EAMTables
from qmfront.models.eam_zhou import switch

Interpolation = Literal["quintic", "lammps"]
# ASSUME: what is reported at loading
JUMP = 1e-5  # eV, or relative density, left at the cutoff
ROUGH = (
    1e-5  # eV by which the two interpolations of F differ between two points; smooth tables stay below 1e-6
)
MARGIN = 8  # points at either end of F that are not judged; F often begins like the square root of rho


@dataclass(frozen=True)
class TabulatedEAM:
    """Piecewise polynomials of a tabulated potential.

    species : (k,) int
        Atomic numbers, ascending.
    cutoff, switch_start : float, Å
    r_spacing : float, Å;  rho_spacing : float
    density_coefficients, pair_coefficients : (k, k, n_r - 1, 6) float
        Ascending powers of p = r / r_spacing - m in interval m; density [receiver, donor], pair r phi(r) in eV Å.
    embedding_coefficients : (k, n_rho - 1, 6) float, eV
    linear_below : bool
        Whether F is continued linearly below rho = 0.
    """

    species: np.ndarray
    cutoff: float
    switch_start: float
    r_spacing: float
    rho_spacing: float
    density_coefficients: np.ndarray
    pair_coefficients: np.ndarray
    embedding_coefficients: np.ndarray
    linear_below: bool

    def bond_terms(self, kind: np.ndarray, bonds: Bonds) -> np.ndarray:
        """Radial functions on the bonds; see `qmfront.models.eam.EAMModel`."""
        terms = np.empty((len(bonds), 6))
        _bond_terms(
            kind, bonds.first, bonds.second, bonds.distance, self.density_coefficients, self.pair_coefficients,
            self.r_spacing, self.switch_start, self.cutoff, terms,
        )  # fmt: skip
        return terms

    def embedding(self, kind: np.ndarray, density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """F(rho) in eV and F'(rho) in eV, (n,) each, for the densities (n,)."""
        energy, slope = np.empty(len(density)), np.empty(len(density))
        _embedding(
            kind, density, self.embedding_coefficients, self.rho_spacing, self.linear_below, energy, slope
        )
        return energy, slope


def tabulated(
    tables: EAMTables, *, interpolation: Interpolation = "quintic", switch_width: float = 0.0
) -> TabulatedEAM:
    """Interpolate the tables of a file.

    Parameters
    ----------
    tables : EAMTables
    interpolation : "quintic" or "lammps"
    switch_width : float, Å
        Width of the C^3 switch below the cutoff; 0 leaves the table as it is.

    Raises
    ------
    ValueError
        For another interpolation, or a switch_width outside [0, cutoff).

    Warns
    -----
    UserWarning
        If a "quintic" table without a switch jumps at its cutoff, or its F(rho) is not smooth.
    """
    if interpolation not in ("quintic", "lammps"):
        raise ValueError(f"interpolation is {interpolation!r}. Choose 'quintic' or 'lammps'.")
    quintic = interpolation == "quintic"
    polynomials = _quintic if quintic else _hermite
    cutoff = tables.cutoff
    if quintic:
        cutoff = min(cutoff, (tables.pair.shape[-1] - 1) * tables.r_spacing)
    if not 0.0 <= switch_width < cutoff:
        raise ValueError(f"switch_width = {switch_width} Å must lie in [0, cutoff = {cutoff:.6g} Å).")
    model = TabulatedEAM(
        species=tables.species,
        cutoff=cutoff,
        switch_start=cutoff - switch_width if switch_width > 0.0 else np.inf,
        r_spacing=tables.r_spacing,
        rho_spacing=tables.rho_spacing,
        density_coefficients=polynomials(tables.density),
        pair_coefficients=polynomials(tables.pair),
        embedding_coefficients=polynomials(tables.embedding),
        linear_below=quintic,
    )
    if quintic:
        _warn_of_kink(tables)
    if quintic and switch_width == 0.0:
        _warn_of_jump(model)
    return model


def _warn_of_kink(tables: EAMTables) -> None:
    halves = 0.5 ** np.arange(6)
    rough = np.abs((_quintic(tables.embedding) - _hermite(tables.embedding)) @ halves)[:, MARGIN:-MARGIN]
    if rough.max(initial=0.0) > ROUGH:
        species, point = np.unravel_index(np.argmax(rough), rough.shape)
        warnings.warn(
            f"F(rho) of {chemical_symbols[tables.species[species]]} in the EAM table is not smooth near rho = "
            f"{(point + MARGIN) * tables.rho_spacing:.2f}: interpolations differ by {rough.max():.1e} eV there, and "
            "forces of atoms with such densities are not reliable. Use another table, or an analytic potential.",
            stacklevel=4,
        )


def _warn_of_jump(model: TabulatedEAM) -> None:
    point = model.cutoff / model.r_spacing
    m = min(int(point), model.pair_coefficients.shape[2] - 1)
    powers = (point - m) ** np.arange(6)
    energy = np.abs(model.pair_coefficients[:, :, m] @ powers).max() / model.cutoff
    density = np.abs(model.density_coefficients[:, :, m] @ powers).max()
    density /= max(np.abs(model.density_coefficients[..., 0]).max(), 1e-300)
    if max(energy, density) > JUMP:
        warnings.warn(
            f"The EAM table is not zero at its cutoff of {model.cutoff:.4f} Å: the energy of a bond jumps by "
            f"{energy:.1e} eV there (density by {density:.1e} of its maximum). Derivatives are not continuous; "
            "pass switch_width=0.5 (Å) for a smooth end.",
            stacklevel=4,
        )


def _quintic(values: np.ndarray) -> np.ndarray:
    """Coefficients (..., n - 1, 6) of the interpolating spline of degree 5 through values (..., n)."""
    points = np.arange(values.shape[-1], dtype=float)
    spline = make_interp_spline(points, values, k=5, axis=-1)
    factorial = (1.0, 1.0, 2.0, 6.0, 24.0, 120.0)
    return np.stack([spline(points[:-1], order) / factorial[order] for order in range(6)], axis=-1)


def _hermite(values: np.ndarray) -> np.ndarray:
    """Coefficients (..., n - 1, 6) of the cubic Hermite interpolation with 5-point slopes; two are zero."""
    f = values
    slope = np.empty_like(f)
    slope[..., 2:-2] = ((f[..., :-4] - f[..., 4:]) + 8.0 * (f[..., 3:-1] - f[..., 1:-3])) / 12.0
    slope[..., 1] = 0.5 * (f[..., 2] - f[..., 0])
    slope[..., -2] = 0.5 * (f[..., -1] - f[..., -3])
    slope[..., 0] = f[..., 1] - f[..., 0]
    slope[..., -1] = f[..., -1] - f[..., -2]
    rise, left, right = np.diff(f, axis=-1), slope[..., :-1], slope[..., 1:]
    none = np.zeros_like(rise)
    return np.stack(
        [f[..., :-1], left, 3.0 * rise - 2.0 * left - right, left + right - 2.0 * rise, none, none], axis=-1
    )


@njit(cache=True, inline="always")
def _polynomial(c: np.ndarray, p: float) -> tuple[float, float]:
    """Value and derivative of sum_k c[k] p^k."""
    value = c[0] + p * (c[1] + p * (c[2] + p * (c[3] + p * (c[4] + p * c[5]))))
    slope = c[1] + p * (2.0 * c[2] + p * (3.0 * c[3] + p * (4.0 * c[4] + p * 5.0 * c[5])))
    return value, slope


@njit(cache=True)
def _bond_terms(
    kind: np.ndarray, first: np.ndarray, second: np.ndarray, distance: np.ndarray,
    density: np.ndarray, pair: np.ndarray, spacing: float, start: float, end: float, terms: np.ndarray,
) -> None:  # fmt: skip
    for bond in range(len(distance)):
        r = distance[bond]
        a, b = kind[first[bond]], kind[second[bond]]
        m = min(int(r / spacing), pair.shape[2] - 1)
        p = min(r / spacing - m, 1.0)
        s, ds = switch(r, start, end)
        f, df = _polynomial(density[a, b, m], p)
        terms[bond, 0] = f * s
        terms[bond, 1] = df / spacing * s + f * ds
        if a != b:
            f, df = _polynomial(density[b, a, m], p)
        terms[bond, 2] = f * s
        terms[bond, 3] = df / spacing * s + f * ds
        z, dz = _polynomial(pair[a, b, m], p)
        phi = z / r
        terms[bond, 4] = phi * s
        terms[bond, 5] = (dz / spacing - phi) / r * s + phi * ds


@njit(cache=True)
def _embedding(
    kind: np.ndarray, density: np.ndarray, coefficients: np.ndarray, spacing: float, linear_below: bool,
    energy: np.ndarray, slope: np.ndarray,
) -> None:  # fmt: skip
    for atom in range(len(density)):
        point = density[atom] / spacing
        m = max(0, min(int(point), coefficients.shape[1] - 1))
        p = min(point - m, 1.0)
        if linear_below:
            p = max(p, 0.0)
        value, derivative = _polynomial(coefficients[kind[atom], m], p)
        energy[atom] = value + derivative * (point - m - p)
        slope[atom] = derivative / spacing
