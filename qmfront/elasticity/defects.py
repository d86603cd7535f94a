"""From the sections `defect` and `domain` of a case to the defect, and the seeds of its first QM region."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers

from qmfront.config.defect import (
    AnyDefect,
    AnyDomain,
    Box,
    Crack,
    Disc,
    Dislocation,
    File,
    Point,
    StraightDefect,
)
from qmfront.config.section import Point as PlanePoint
from qmfront.config.section import Section, Yaml
from qmfront.crystal.defect import Defect, straight_body
from qmfront.crystal.disc import LineCell, default_origin, disc, straight_line_cell
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.point_defect import PointDefect, point_defect
from qmfront.crystal.solutes import with_solutes
from qmfront.crystal.structure_file import defect_of_file
from qmfront.crystal.structure_marks import StructureFile
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.straight import StraightDislocation, cores_beside, dislocation_defect
from qmfront.elasticity.straight_crack import StraightCrack, crack_defect, crack_origin
from qmfront.elasticity.surface import Surface


def defect_of(
    bulk: Bulk, defect: AnyDefect, domain: AnyDomain, *, surface: Surface | None = None, rim: float = 0.0
) -> tuple[Defect, np.ndarray | None]:
    """The defect with its predictor, and the seeds (n,) bool of its first QM region where a file has them.

    Parameters
    ----------
    bulk : Bulk
    surface : Surface
        Of the plane of a crack: where it parts the crystal, and the Griffith load.
    rim : float, Å
        Of a file, see StructureFile.
    """
    match defect, domain:
        case Dislocation(), Disc():
            return _substituted(dislocation_defect(bulk, _straight(defect, domain)), defect), None
        case Crack(), Disc():
            if surface is None:
                raise ValueError("A crack needs the surface of its plane, which gives the Griffith load.")
            crack = StraightCrack(**_fields(defect) | {"termination": surface.termination}, **_fields(domain))
            return _substituted(crack_defect(bulk, crack, surface_energy=surface.energy), defect), None
    return defect_without_field(bulk.crystal, defect, domain, rim=rim)


def cores_of(bulk: Bulk, described: AnyDefect, domain: AnyDomain, defect: Defect) -> list[np.ndarray]:
    """Where the core of a defect may sit as well: starts (n, 3) Å over its predictor. None but for dislocations.

    Parameters
    ----------
    defect : Defect
        The one that is described.
    """
    match described, domain:
        case Dislocation(), Disc():
            return cores_beside(bulk, _straight(described, domain), defect)
    return []


def _straight(defect: Dislocation, domain: Disc) -> StraightDislocation:
    return StraightDislocation(**_fields(defect), **_fields(domain))


def _fields(section: Section) -> Yaml:
    return section.model_dump(exclude={"kind", "solutes"})


def _substituted(found: Defect, described: StraightDefect) -> Defect:
    """The same with its solutes."""
    solutes = described.solutes
    numbers = [atomic_numbers[solute.element] for solute in solutes]
    return with_solutes(found, [solute.at for solute in solutes], numbers)


def defect_without_field(
    crystal: Crystal, defect: AnyDefect, domain: AnyDomain, *, rim: float = 0.0
) -> tuple[Defect, np.ndarray | None]:
    """As `defect_of`, from the crystal alone, without moduli: the predictor of straight defects is 0.

    Parameters
    ----------
    crystal : Crystal
        At rest, in cubic axes.
    rim : float, Å
        Of a file, see StructureFile.

    Raises
    ------
    ValueError if the domain is not of the kind that the defect needs, or a file is not what it is said to be.
    """
    match defect, domain:
        case Dislocation(), Disc():
            line_cell = straight_line_cell(crystal, np.array(defect.line), np.array(defect.plane))
            perfect = _perfect_disc(line_cell, default_origin(line_cell), defect.core_offset, domain)
            return _substituted(perfect, defect), None
        case Crack(), Disc():
            line_cell = straight_line_cell(crystal, np.array(defect.front), np.array(defect.plane))
            origin = crack_origin(line_cell, defect.termination)
            perfect = _perfect_disc(line_cell, origin, defect.tip_offset, domain)
            return _substituted(perfect, defect), None
        case Point(), Box():
            return point_defect(crystal, _point(crystal, defect, domain)), None
        case File(), Disc():
            fields = defect.model_dump(exclude={"kind", "solutes", "file", "axes"})
            described = StructureFile(
                file=Path(defect.file),
                axes=None if defect.axes is None else np.array(defect.axes),
                radius_r0=domain.radius_r0,
                rim=rim,
                **fields,
            )
            found, seeds = defect_of_file(crystal, crystal.lattice_constant, described)
            return _substituted(found, defect), seeds
    raise ValueError(f"A {defect.kind} does not fit into a {domain.kind}.")


def perfect_box(crystal: Crystal, defect: Point, domain: Box) -> Defect:
    """The sites of the box of a point defect without it.

    Parameters
    ----------
    crystal : Crystal
        At rest, in cubic axes.
    """
    described = _point(crystal, defect, domain)
    perfect = replace(described, removed=(), added=(), added_numbers=(), substituted=(), substitutes=())
    return point_defect(crystal, perfect)


def _point(crystal: Crystal, defect: Point, domain: Box) -> PointDefect:
    """The settings with chemical symbols as numbers and the sublattice as a row of the basis."""
    sublattice = 0
    if defect.sublattice is not None:
        wanted = atomic_numbers[defect.sublattice]
        if wanted not in crystal.numbers:
            raise ValueError(
                f"defect.sublattice = {defect.sublattice}: the crystal has {' and '.join(crystal.species)}."
            )
        sublattice = int(np.argmax(crystal.numbers == wanted))
    own = crystal.numbers[sublattice]
    return PointDefect(
        defect.position,
        defect.removed,
        tuple(atom.at for atom in defect.added),
        domain.along,
        tuple(int(own) if atom.element is None else atomic_numbers[atom.element] for atom in defect.added),
        tuple(atom.at for atom in defect.substituted),
        tuple(atomic_numbers[atom.element] for atom in defect.substituted),
        sublattice,
    )


def _perfect_disc(line_cell: LineCell, origin: np.ndarray, offset: PlanePoint, domain: Disc) -> Defect:
    sites = disc(
        line_cell,
        domain.radius_r0 * line_cell.crystal.nearest_neighbour_distance,
        clamp_width=domain.clamp_width,
        origin=origin + np.asarray(offset),
        periods=domain.periods,
    )
    return straight_body(line_cell, sites, np.zeros_like(sites.positions))
