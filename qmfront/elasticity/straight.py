"""Straight dislocations: from the perfect crystal to sites, predictor and stencil of a case."""

from dataclasses import dataclass

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
    periods : height along the line in periods of the lattice
    """

    line: tuple[int, int, int]
    plane: tuple[int, int, int]
    burgers: tuple[float, float, float]
    core_offset: tuple[float, float]
    core_map_radius_r0: float | None
    radius_r0: float
    clamp_width: float
    periods: int = 1


def dislocation_defect(bulk: Bulk, dislocation: StraightDislocation) -> Defect:
    """Sites of the disc, predictor (B.2) and stencil (2.3) of a straight dislocation."""
    line_cell = straight_line_cell(bulk.crystal, dislocation.line, dislocation.plane)
    r0 = bulk.crystal.nearest_neighbour_distance
    sites = _sites(line_cell, dislocation, r0)
    field, radius = _field(bulk, dislocation, line_cell)
    predictor = _predictor(bulk, line_cell, sites.positions, sites.basis_index, field, radius)
    return straight_body(line_cell, sites, predictor)


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
    field, radius = _field(bulk, dislocation, line_cell)
    half = 0.5 * row_distance(line_cell)
    shifted = []
    for shift in (half, -half):
        places = defect.sites - np.array([shift, 0.0, 0.0])
        there = _predictor(bulk, line_cell, places, defect.basis_index, field, radius)
        shifted.append(np.where(defect.free[:, None], there - defect.predictor, 0.0))
    return shifted


def _field(
    bulk: Bulk, dislocation: StraightDislocation, line_cell: LineCell
) -> tuple[DislocationField, float]:
    """The linear field, and the radius of its core map, Å."""
    burgers = line_cell.frame @ bulk.crystal.direction(dislocation.burgers) * bulk.crystal.lattice_constant
    field = DislocationField(rotated_moduli(bulk.moduli, line_cell.frame), burgers)
    r0 = bulk.crystal.nearest_neighbour_distance
    return field, chosen_core_radius(dislocation.core_map_radius_r0, float(burgers[0]), r0)


def _predictor(
    bulk: Bulk,
    line_cell: LineCell,
    positions: np.ndarray,
    basis_index: np.ndarray,
    field: DislocationField,
    radius: float,
) -> np.ndarray:
    """(B.2) at positions (n, 3) Å, with the shifts of the sublattices, (n, 3), Å."""
    predictor = dislocation_predictor(positions, field, core_radius=radius)
    if len(bulk.crystal.basis) == 1:
        return predictor
    response = bulk.force_constants.rotated(line_cell.frame).internal_strain()[basis_index]
    return predictor + _internal_predictor(response, positions, field, radius)


def _internal_predictor(
    response: np.ndarray, positions: np.ndarray, field: DislocationField, core_radius: float
) -> np.ndarray:
    """Shifts of the sublattices in the strain of the predictor, (n, 3), Å, from Lambda_b of each site, response.

        s_b(x) = eta(r / r_hat) Lambda_b : grad u_lin(xi^-1(x))

    # ASSUME (B.2) is for Bravais lattices; without the shifts, which fall off as 1/r, the far field of a crystal with a
    # basis would not be in balance. eta of (B.4) keeps them off the core, where linear elasticity does not hold.
    """
    points = inverse_core_map(positions, float(field.burgers[0]), core_radius=core_radius)
    fade, _ = smooth_step(np.linalg.norm(points, axis=1) / core_radius)
    shifts = np.einsum("nijk,njk->ni", response, field.gradient(points))
    return fade[:, None] * shifts


def _sites(line_cell: LineCell, dislocation: StraightDislocation, r0: float) -> Sites:
    origin = default_origin(line_cell) + np.asarray(dislocation.core_offset)
    return disc(
        line_cell,
        dislocation.radius_r0 * r0,
        clamp_width=dislocation.clamp_width,
        origin=origin,
        periods=dislocation.periods,
    )
