"""Straight dislocations: from the perfect crystal to sites, predictor and stencil of a case."""

from dataclasses import dataclass

import numpy as np

from qmfront.crystal.defect import Defect, straight_body
from qmfront.crystal.disc import LineCell, Sites, default_origin, disc, straight_line_cell
from qmfront.elasticity.bulk import Bulk, cubic_lattice_constant
from qmfront.elasticity.dislocation import dislocation_predictor, inverse_core_map, smooth_step
from qmfront.elasticity.moduli import rotated_moduli
from qmfront.elasticity.stroh import DislocationField


@dataclass(frozen=True)
class StraightDislocation:
    """A straight dislocation in a disc.

    line, plane : (3,) int
        Line direction and normal of the cut plane, cubic axes.
    burgers : (3,) float
        Cubic axes, units of the lattice constant.
    core_offset : (2,) float, Å
        Position of the core in the crystal relative to the default one, along e1 and e2.
    core_map_radius_r0, radius_r0 : float, r0
        r_hat of (B.4); radius of the free disc.
    clamp_width : float, Å
        Width of the clamped rim outside the disc.
    """

    line: tuple[int, int, int]
    plane: tuple[int, int, int]
    burgers: tuple[float, float, float]
    core_offset: tuple[float, float]
    core_map_radius_r0: float
    radius_r0: float
    clamp_width: float


def dislocation_defect(bulk: Bulk, dislocation: StraightDislocation) -> Defect:
    """Sites of the disc, predictor (B.2) and stencil (2.3) of a straight dislocation."""
    line_cell = straight_line_cell(bulk.crystal, dislocation.line, dislocation.plane)
    r0 = bulk.crystal.nearest_neighbour_distance
    sites = _sites(line_cell, dislocation, r0)
    burgers = line_cell.frame @ np.asarray(dislocation.burgers) * cubic_lattice_constant(bulk.crystal)
    field = DislocationField(rotated_moduli(bulk.moduli, line_cell.frame), burgers)
    predictor = dislocation_predictor(sites.positions, field, core_radius=dislocation.core_map_radius_r0 * r0)
    predictor += _internal_predictor(bulk, line_cell, sites, field, dislocation.core_map_radius_r0 * r0)
    return straight_body(line_cell, sites, predictor)


def _internal_predictor(
    bulk: Bulk, line_cell: LineCell, sites: Sites, field: DislocationField, core_radius: float
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
