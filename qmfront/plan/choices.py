"""What a case computes with where its configuration is silent, and why: lines for the log of its first job."""

import numpy as np

from qmfront.config.defect import AnyDefect, AnyDomain, Disc, Dislocation, File, StraightDefect
from qmfront.config.section import Section
from qmfront.config.stages import Buffer, Refine
from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.straight import CORE_RADIUS_R0, chosen_core_radius

ROW_R0 = 2.0
"""r0; images of a solute that are nearer are neighbours, or neighbours of neighbours."""


def choices(
    bulk: Bulk, described: AnyDefect, domain: AnyDomain, defect: Defect, *, buffer: Buffer, cutoff: float
) -> list[str]:
    """Domain, clamp, core map and buffer in words, with the reason of each.

    Parameters
    ----------
    bulk : Bulk
    described, domain : sections of the case
    defect : Defect
        That of these sections.
    buffer : Buffer
    cutoff : float, Å
        Range of the interaction of the QM model.
    """
    told = [_domain(described, domain, defect), _buffer(buffer, cutoff)]
    if isinstance(described, Dislocation):
        told.insert(1, _core_map(bulk, described, defect))
    if isinstance(described, StraightDefect) and described.solutes and defect.dimension == 2:
        told.insert(1, _periods(described, domain, defect))
    return told


def mesh_choice(refine: Refine, r0: float) -> str:
    """The grid of the front in words; r0 in Å."""
    if refine.method != "fast_marching":
        return f"refine.method = {refine.method}: no grid is needed"
    return (
        f"{_value(refine, 'refine', 'mesh', 'Å')}: r0 / {r0 / refine.mesh:.1f}, so that arrival times differ from one "
        "site to the next"
    )


def _domain(described: AnyDefect, domain: AnyDomain, defect: Defect) -> str:
    free, held = int(defect.free.sum()), int((~defect.free).sum())
    if not isinstance(domain, Disc):
        return f"domain.cells = {domain.cells}: a periodic box of {free} sites, nothing is clamped"
    if defect.dimension == 3:
        return f"the periodic cell of the file: {free} sites, nothing is clamped"
    if isinstance(described, File) and described.clamp != "radius":
        clamp = _value(described, "defect", "clamp")
        return f"{clamp}: {free} atoms of the file are free, {held} are held where the file has them"
    away = np.linalg.norm(defect.coordinates - defect.core[: defect.dimension], axis=1)
    return (
        f"{_value(domain, 'domain', 'radius_r0', 'r0')}: {free} free sites, up to {away[defect.free].max():.0f} Å from "
        f"the core; {_value(domain, 'domain', 'clamp_width', 'Å')}: {held} sites around them stay at the predictor"
    )


def _periods(described: StraightDefect, domain: AnyDomain, defect: Defect) -> str:
    """How far solutes are from their images along the line."""
    height, count = defect.cell[2, 2], len(described.solutes)
    periods = domain.periods if isinstance(domain, Disc) else 1
    return (
        f"domain.periods = {periods}: {count} solute{'s' * (count > 1)} in {height:.2f} Å of the line, after which all "
        "repeats" + (", a row without gaps" if height < ROW_R0 * defect.r0 else "")
    )


def _core_map(bulk: Bulk, described: Dislocation, defect: Defect) -> str:
    """The radius of (B.4): see `chosen_core_radius`."""
    crystal = bulk.crystal
    edge = float((defect.frame @ crystal.direction(described.burgers))[0]) * crystal.lattice_constant
    radius = chosen_core_radius(described.core_map_radius_r0, edge, defect.r0)
    told = f"core map (B.4) of radius {radius:.2f} Å = {radius / defect.r0:.2f} r0: "
    if described.core_map_radius_r0 is not None:
        return told + "defect.core_map_radius_r0, as written"
    if radius > CORE_RADIUS_R0 * defect.r0:
        return told + f"with {CORE_RADIUS_R0:g} r0 it would fold for an edge component of {abs(edge):.2f} Å"
    return told + "the default, with which it does not fold"


def _buffer(buffer: Buffer, cutoff: float) -> str:
    told = f"buffer.width = {buffer.width:g} Å"
    if np.isclose(buffer.width, 2 * cutoff):
        return (
            f"{told}: twice qm.cutoff = {cutoff:g} Å, so that no QM atom sees, itself or through a neighbour, where "
            "its surroundings end"
        )
    return f"{told}, as written; twice qm.cutoff would be {2 * cutoff:g} Å"


def _value(section: Section, place: str, name: str, unit: str = "") -> str:
    """A setting as it is, and whether it is the default."""
    value = getattr(section, name)
    word = value if isinstance(value, str) else f"{value:g}"
    default = type(section).model_fields[name].get_default(call_default_factory=True, validated_data={})
    usual = " (the default)" if value == default else ""
    return f"{place}.{name} = {word} {unit}".rstrip() + usual
