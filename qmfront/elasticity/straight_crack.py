"""Straight cracks: from the perfect crystal to sites, predictor and stencil of a case."""

from dataclasses import dataclass

import numpy as np

from qmfront.crystal.defect import Defect, straight_body
from qmfront.crystal.disc import LineCell, default_origin, disc, straight_line_cell
from qmfront.crystal.termination import termination_at, terminations
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
    termination : float, optional
        Height of the crack plane over the period of lattice planes; the middle of the widest gap if left out.
    periods : height along the front in periods of the lattice
    """

    front: tuple[int, int, int]
    plane: tuple[int, int, int]
    load: float
    tip_offset: tuple[float, float]
    radius_r0: float
    clamp_width: float
    termination: float | None = None
    periods: int = 1


def crack_defect(bulk: Bulk, crack: StraightCrack, *, surface_energy: float) -> Defect:
    """Sites of the disc, predictor (B.5) with the shifts of sublattices, and the stencil (2.3) of the cracked body.

    Parameters
    ----------
    bulk : Bulk
    crack : StraightCrack
    surface_energy : float, eV/Å^2
        Of the reference model, for the Griffith load.
    """
    line_cell = straight_line_cell(bulk.crystal, crack.front, crack.plane)
    r0 = bulk.crystal.nearest_neighbour_distance
    origin = crack_origin(line_cell, crack.termination) + np.asarray(crack.tip_offset)
    sites = disc(
        line_cell, crack.radius_r0 * r0, clamp_width=crack.clamp_width, origin=origin, periods=crack.periods
    )
    field = CrackField(rotated_moduli(bulk.moduli, line_cell.frame))
    intensity = crack.load * field.griffith(surface_energy)
    predictor = field.displacement(sites.positions, intensity)
    if len(bulk.crystal.basis) > 1:
        response = bulk.force_constants.rotated(line_cell.frame).internal_strain()[sites.basis_index]
        predictor += _internal_predictor(response, field.gradient(sites.positions, intensity))
    return straight_body(line_cell, sites, predictor, crack_tip=0.0)


def crack_origin(line_cell: LineCell, termination: float | None) -> np.ndarray:
    """In-plane position (2,), Å, of the tip: its plane is midway in the gap that holds the termination."""
    if termination is None:
        return default_origin(line_cell)
    found = terminations(line_cell.crystal, np.array([0.0, 1.0, 0.0]))
    return default_origin(line_cell, termination_at(found, termination))


def _internal_predictor(response: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Shifts of the sublattices in the strain of the predictor, (n, 3), Å.

        s_b(x) = Lambda_b : grad u_lin(x)

    # ASSUME (B.5) is for Bravais lattices; without the shifts, which fall off as r^(-1/2), the far field of a crystal
    with a basis would not be in balance. The tip lies between rows of atoms, where they are finite.

    Parameters
    ----------
    response : (n, 3, 3, 3) float, Å
        Lambda of the sublattice of each site.
    gradient : (n, 3, 3) float
    """
    return np.einsum("nijk,njk->ni", response, gradient)
