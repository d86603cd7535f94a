"""Straight cracks: from the perfect crystal to sites, predictor and stencil of a case."""

from dataclasses import dataclass

import numpy as np

from qmfront.crystal.defect import Defect, straight_body
from qmfront.crystal.disc import default_origin, disc, straight_line_cell
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.crack import CrackField
from qmfront.elasticity.moduli import rotated_moduli


@dataclass(frozen=True)
class StraightCrack:
    """A mode I crack in a disc.

    front, plane : (3,) int
        Direction of the crack front and normal of the crack plane, cubic axes.
    load : float
        Stress intensity K_I in units of the Griffith value K_G.
    tip_offset : (2,) float, Å
        Position of the tip of the predictor in the crystal relative to the default one, along e1 and e2.
    radius_r0 : float, r0
        Radius of the free disc.
    clamp_width : float, Å
        Width of the clamped rim outside the disc.
    """

    front: tuple[int, int, int]
    plane: tuple[int, int, int]
    load: float
    tip_offset: tuple[float, float]
    radius_r0: float
    clamp_width: float


def crack_defect(bulk: Bulk, crack: StraightCrack, *, surface_energy: float) -> Defect:
    """Sites of the disc, predictor (B.5) and the stencil (2.3) of the cracked body.

    Parameters
    ----------
    bulk : Bulk
    crack : StraightCrack
    surface_energy : float, eV/Å^2
        Of the reference model, for the Griffith load.
    """
    line_cell = straight_line_cell(bulk.crystal, crack.front, crack.plane)
    r0 = bulk.crystal.nearest_neighbour_distance
    origin = default_origin(line_cell) + np.asarray(crack.tip_offset)
    sites = disc(line_cell, crack.radius_r0 * r0, clamp_width=crack.clamp_width, origin=origin)
    field = CrackField(rotated_moduli(bulk.moduli, line_cell.frame))
    predictor = field.displacement(sites.positions, crack.load * field.griffith(surface_energy))
    return straight_body(line_cell, sites, predictor, crack_tip=0.0)
