"""Straight dislocations: from the perfect crystal to sites, predictor and stencil of a case."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from qmfront.crystal.defect import Defect, straight_body
from qmfront.crystal.disc import LineCell, Sites, default_origin, disc, row_distance, straight_line_cell
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.dislocation import (
    CORE_RADIUS_PER_BURGERS,
    SMALLEST_CORE_RADIUS_PER_BURGERS,
    dislocation_predictor,
    inverse_core_map,
    smooth_step,
)
from qmfront.elasticity.moduli import rotated_moduli
from qmfront.elasticity.stroh import DislocationField

CORE_RADIUS_R0 = 3.0
"""r_hat of (B.4) over r0, where nothing else is wanted."""


@dataclass(frozen=True)
class StraightDislocation:
    """A straight dislocation in a disc.

    line, plane : (3,) int
        Line direction and Miller indices of the cut plane.
    burgers : (3,) float
        Coordinates of the vectors of the conventional cell.
    core_offset : (2,) float, Å
        Position of the core in the crystal relative to the default one, along e1 and e2.
    core_map_radius_r0 : float, r0, or None
        r_hat of (B.4); None for `chosen_core_radius`.
    radius_r0 : float, r0
        Of the free disc.
    clamp_width : float, Å
        Width of the clamped rim outside the disc.
    """

    line: tuple[int, int, int]
    plane: tuple[int, int, int]
    burgers: tuple[float, float, float]
    core_offset: tuple[float, float]
    core_map_radius_r0: float | None
    radius_r0: float
    clamp_width: float


def dislocation_defect(bulk: Bulk, dislocation: StraightDislocation) -> Defect:
    """Sites of the disc, predictor (B.2) and stencil (2.3) of a straight dislocation."""
    line_cell = straight_line_cell(bulk.crystal, dislocation.line, dislocation.plane)
    r0 = bulk.crystal.nearest_neighbour_distance
    sites = _sites(line_cell, dislocation, r0)
    burgers = line_cell.frame @ bulk.crystal.direction(dislocation.burgers) * bulk.crystal.lattice_constant
    field = DislocationField(rotated_moduli(bulk.moduli, line_cell.frame), burgers)
    radius = chosen_core_radius(dislocation.core_map_radius_r0, float(burgers[0]), r0)
    return straight_body(line_cell, sites, _predictor(bulk, sites, line_cell, field, radius))


def chosen_core_radius(wanted_r0: float | None, b1: float, r0: float) -> float:
    """r_hat of (B.4), Å: what is wanted, or 3 r0, or 3 |b1| where the core map would fold at 3 r0.

    # ASSUME the paper gives no value. Where the start is relaxed, the result does not depend on it.

    Parameters
    ----------
    wanted_r0 : float, r0, or None
    b1 : float, Å
        Edge component of the Burgers vector.
    r0 : float, Å
    """
    if wanted_r0 is not None:
        return wanted_r0 * r0
    usual = CORE_RADIUS_R0 * r0
    return usual if usual >= SMALLEST_CORE_RADIUS_PER_BURGERS * abs(b1) else CORE_RADIUS_PER_BURGERS * abs(b1)


def cores_beside(bulk: Bulk, dislocation: StraightDislocation, defect: Defect) -> list[np.ndarray]:
    """The predictor with its core half a row further along e1, and half a row back, over the predictor; (n, 3), Å each.

        u_lin(x -+ p/2 e1) - u_lin(x),  zero on clamped sites,

    with p the distance of equal rows in a layer. The core of the predictor sits in one of the valleys, or on a hill
    between two; where the lowest of them is, a descent from either side tells.

    Parameters
    ----------
    defect : Defect
        That of `dislocation`.
    """
    line_cell = straight_line_cell(bulk.crystal, dislocation.line, dislocation.plane)
    burgers = line_cell.frame @ bulk.crystal.direction(dislocation.burgers) * bulk.crystal.lattice_constant
    field = DislocationField(rotated_moduli(bulk.moduli, line_cell.frame), burgers)
    radius = chosen_core_radius(dislocation.core_map_radius_r0, float(burgers[0]), defect.r0)
    half = 0.5 * row_distance(line_cell)
    shifted = []
    for shift in (half, -half):
        places = _Places(defect.sites - np.array([shift, 0.0, 0.0]), defect.basis_index)
        change = _predictor(bulk, places, line_cell, field, radius) - defect.predictor
        shifted.append(np.where(defect.free[:, None], change, 0.0))
    return shifted


class _Located(Protocol):
    """Where a predictor is wanted: `positions` (n, 3) Å and `basis_index` (n,)."""

    @property
    def positions(self) -> np.ndarray: ...

    @property
    def basis_index(self) -> np.ndarray: ...


@dataclass(frozen=True)
class _Places:
    positions: np.ndarray
    basis_index: np.ndarray


def _predictor(
    bulk: Bulk, sites: _Located, line_cell: LineCell, field: DislocationField, radius: float
) -> np.ndarray:
    """(B.2) with the shifts of the sublattices, (n, 3), Å."""
    predictor = dislocation_predictor(sites.positions, field, core_radius=radius)
    return predictor + _internal_predictor(bulk, line_cell, sites, field, radius)


def _internal_predictor(
    bulk: Bulk, line_cell: LineCell, sites: _Located, field: DislocationField, core_radius: float
) -> np.ndarray:
    """Shifts of the sublattices in the strain of the predictor, (n, 3), Å: zero for a Bravais lattice.

        s_b(x) = eta(r / r_hat) Lambda_b : grad u_lin(xi^-1(x))

    # ASSUME (B.2) is for Bravais lattices; without the shifts, which fall off as 1/r, the far field of a crystal with a
    # basis would not be in balance. eta of (B.4) keeps them off the core, where linear elasticity does not hold.
    """
    if len(bulk.crystal.basis) == 1:
        return np.zeros_like(sites.positions)
    response = bulk.force_constants.rotated(line_cell.frame).internal_strain()
    points = inverse_core_map(sites.positions, float(field.burgers[0]), core_radius=core_radius)
    fade, _ = smooth_step(np.linalg.norm(points, axis=1) / core_radius)
    shifts = np.einsum("nijk,njk->ni", response[sites.basis_index], field.gradient(points))
    return fade[:, None] * shifts


def _sites(line_cell: LineCell, dislocation: StraightDislocation, r0: float) -> Sites:
    origin = default_origin(line_cell) + np.asarray(dislocation.core_offset)
    return disc(line_cell, dislocation.radius_r0 * r0, clamp_width=dislocation.clamp_width, origin=origin)
