"""Checks of a defect against its crystal: Burgers vectors, core maps, crack planes, atoms put on others.

The crystal is known from its structure and the guess of its lattice constant, which is all that they need.
"""

from collections.abc import Iterator, Mapping
from math import ceil, gcd, hypot, pi

from qmfront.config.defect import Box, Crack, Disc, Dislocation, File, Point
from qmfront.config.material import Crystal, Material
from qmfront.config.section import Plane, Vector, Yaml
from qmfront.config.sizes import problems_of_sizes, sites_of_box, too_many_sites
from qmfront.config.study import Case, Study
from qmfront.config.unit_cell import HEXAGONAL

SMALLEST_CORE_RADIUS_PER_BURGERS = 2.25
"""Core radius over the edge component of the Burgers vector below which (B.4) folds: that of elasticity.dislocation."""
OVERLAP_R0 = 0.4
"""Atoms closer than this (r0) are taken for one site written twice."""
ON_SITE = 0.02
"""a; a removed position names the site that is at least this near, as in crystal.point_defect."""
IN_LAYER = 1e-3
"""Over the distance of lattice planes; a cut this near to atoms passes through them."""
LARGEST_SCALE = 4 / 3
"""Of a structure in a file, to the lattice constant of the QM model."""
RIGHT = 1e-6
"""Largest cosine of a right angle."""
LARGEST_INDEX = 200
"""Of line directions and planes."""
WITH_INDICES = (".line", ".front", ".plane", ".burgers", ".planes")
"""Keys whose values four indices may be written for."""


def problems_of_defect(case: Case, material: Material) -> Iterator[str]:
    """What is wrong with the defect of a case in its crystal, one message each."""
    crystal = material.crystal
    yield from problems_of_sizes(case, crystal)
    match case.defect:
        case Dislocation() as dislocation:
            yield from _burgers(dislocation, crystal)
            yield from _core_map(dislocation, crystal)
        case Crack() as crack:
            yield from _crystal_of_crack(crack, crystal)
        case Point() as point:
            far = list(_inside(point, case))
            yield from far or _sites(point, crystal)
        case File() as file:
            yield from _lattice_constant(file, crystal)
            yield from _axes(file, crystal)
    if isinstance(case.domain, Box):
        yield from too_many_sites(f"domain.cells = {case.domain.cells}", sites_of_box(case.domain, crystal))
    if isinstance(case.defect, Dislocation | Crack) and isinstance(case.domain, Disc):
        yield from _disc(case.domain, case.defect, crystal)


def problems_of_four_indices(
    study: Study, cases: Mapping[str, Yaml], potentials: Mapping[str, Yaml]
) -> list[str]:
    """Directions and planes with four indices in crystals that are not hexagonal.

    Parameters
    ----------
    study : resolved, where four indices have become three
    cases, potentials : the same as they are written
    """
    told: dict[str, None] = {}
    for name, written in cases.items():
        places = {f"cases.{name}.defect.{key}": value for key, value in written["defect"].items()}
        told |= dict.fromkeys(_four_indices(places, study.materials.get(study.cases[name].material)))
    for name, written in potentials.items():
        planes = (written.get("surfaces") or {}).get("planes", [])
        places = {f"potentials.{name}.surfaces.planes": plane for plane in planes}
        told |= dict.fromkeys(_four_indices(places, study.materials.get(study.potentials[name].material)))
    return list(told)


def _four_indices(places: Yaml, material: Material | None) -> Iterator[str]:
    four = {
        place: indices
        for place, indices in places.items()
        if place.endswith(WITH_INDICES) and len(indices) == 4
    }
    if not four or material is None or _is_hexagonal(material.crystal):
        return
    for place, indices in four.items():
        yield (
            f"{place} = {_shown(indices)} has four indices (Miller and Bravais), which only a hexagonal crystal has, "
            f"and {material.crystal.structure} is none. Write three, of the vectors of the conventional cell"
        )


def _is_hexagonal(crystal: Crystal) -> bool:
    """A file that is no crystal is told elsewhere."""
    try:
        return crystal.cell.is_hexagonal
    except ValueError:
        return True


def _burgers(dislocation: Dislocation, crystal: Crystal) -> Iterator[str]:
    burgers = dislocation.burgers
    if crystal.cell.is_lattice_vector(burgers):
        return
    along = _shortest_along(burgers, crystal)
    known = f" (the shortest along it is {_shown(along)})" if along else ""
    yield (
        f"defect.burgers = {_shown(burgers)} a0 is no lattice vector of {crystal.structure}{known}: a fault would "
        "cross the domain from the core to the rim, whose atoms are not in registry. Give a lattice vector; a "
        "dissociated core starts from the whole one and splits by itself"
    )


def _shortest_along(vector: Vector, crystal: Crystal) -> Vector | None:
    """The shortest lattice vector along a vector; None if there is none with small indices."""
    largest = max(abs(x) for x in vector)
    for factor in range(1, 13):
        steps = [factor * x / largest for x in vector]
        if all(abs(step - round(step)) < 1e-6 for step in steps):
            divisor = gcd(*(round(step) for step in steps))
            h, k, l = (round(step) // divisor for step in steps)
            found = ((fraction * h, fraction * k, fraction * l) for fraction in (0.5, 1.0))
            return next((short for short in found if crystal.cell.is_lattice_vector(short)), None)
    return None


def _core_map(dislocation: Dislocation, crystal: Crystal) -> Iterator[str]:
    if dislocation.core_map_radius_r0 is None:
        return
    cell = crystal.cell
    line, plane = cell.vector(dislocation.line), cell.normal(dislocation.plane)
    normal = [
        plane[1] * line[2] - plane[2] * line[1],
        plane[2] * line[0] - plane[0] * line[2],
        plane[0] * line[1] - plane[1] * line[0],
    ]
    burgers = cell.vector(dislocation.burgers)
    edge = abs(sum(b * n for b, n in zip(burgers, normal, strict=True))) / hypot(*normal) / cell.a0
    needed = SMALLEST_CORE_RADIUS_PER_BURGERS * edge * cell.a0 / cell.nearest_neighbour
    if dislocation.core_map_radius_r0 < needed:
        yield (
            f"defect.core_map_radius_r0 = {dislocation.core_map_radius_r0:g}: the core map (B.4) folds, since the "
            f"Burgers vector has an edge component of {edge:.4g} a0. Choose at least {_rounded_up(needed):g}"
        )


def _crystal_of_crack(crack: Crack, crystal: Crystal) -> Iterator[str]:
    """A crystal with a basis is cut midway between layers, and mode I needs a two-fold axis along the front."""
    if crystal.atoms_per_lattice_point > 1 and crack.tip_offset[1] != 0:
        yield (
            f"defect.tip_offset = {list(crack.tip_offset)} Å leaves the plane of the crack, which lies midway between "
            f"two layers of {crystal.structure}. Take 0 along e2, and choose the layers with defect.termination"
        )
    yield from (
        f"defect.{problem}" for problem in problems_of_termination(crack.termination, crack.plane, crystal)
    )
    indices = sorted(abs(n) // gcd(*crack.front) for n in crack.front)
    if crystal.structure in HEXAGONAL:
        axes, is_axis = "[0, 0, 1] or one in the basal plane", indices[:2] == [0, 0] or crack.front[2] == 0
    elif crystal.structure == "file":
        return  # its symmetry follows from its moduli, which are measured before anything long
    else:
        axes, is_axis = "such as [0, 0, 1] or [1, 1, 0]", indices in ([0, 0, 1], [0, 1, 1])
    if not is_axis:
        yield (
            f"defect.front = {_shown(crack.front)} is no two-fold axis of the moduli of {crystal.structure}: a crack "
            f"opened in mode I would shear along its front, and the field (B.5) does not exist. Choose a front {axes}"
        )


def problems_of_termination(termination: float | None, plane: Plane, crystal: Crystal) -> Iterator[str]:
    """A height that names the gap between two layers, and is not that of a layer."""
    layers = crystal.cell.layers(plane)
    if (
        termination is None
        or min(abs((termination - layer + 0.5) % 1.0 - 0.5) for layer in layers) > IN_LAYER
    ):
        return
    heights = [f"{layer:.4g}" for layer in (*layers, 1.0 + layers[0])]
    yield (
        f"termination = {termination:g} is the height of a layer of atoms. Layers {_shown(plane)} of "
        f"{crystal.structure} are at {', '.join(heights)} of the period: give a height between two of them"
    )


def _disc(domain: Disc, defect: Dislocation | Crack, crystal: Crystal) -> Iterator[str]:
    """An origin near the centre, directions with small indices, and no more sites than memory holds."""
    if isinstance(defect, Dislocation):
        name, offset, direction = "core_offset", defect.core_offset, defect.line
    else:
        name, offset, direction = "tip_offset", defect.tip_offset, defect.front
    cell = crystal.cell
    radius = domain.radius_r0 * cell.nearest_neighbour
    if hypot(*offset) > radius:
        yield (
            f"defect.{name} = {list(offset)} Å is outside of the domain, whose radius is {radius:.0f} Å. The crystal "
            "repeats: subtract lattice vectors"
        )
    if isinstance(defect, Crack) and abs(offset[1]) > cell.a0:
        yield (
            f"defect.tip_offset = {list(offset)} Å leaves the plane of the crack by {abs(offset[1]):g} Å, more than "
            f"the lattice constant {cell.a0:g} Å. The planes repeat: choose less along e2"
        )
    for key, vector in (("plane", defect.plane), ("line or front", direction)):
        indices = [n // gcd(*vector) for n in vector]
        if max(abs(n) for n in indices) > LARGEST_INDEX:
            yield f"defect: {key} {_shown(vector)} has indices above {LARGEST_INDEX}. Choose a direction of the crystal"
            return
    height = cell.length(_shortest_along(direction, crystal) or direction)
    sites = pi * (radius + domain.clamp_width) ** 2 * height * len(cell.sites) / cell.volume
    larger = "domain.radius_r0" if radius > domain.clamp_width else "domain.clamp_width"
    size = domain.radius_r0 if radius > domain.clamp_width else domain.clamp_width
    yield from too_many_sites(f"{larger} = {size:g}", sites)


def _sites(point: Point, crystal: Crystal) -> Iterator[str]:
    """Sites that are changed exist, elements are those of the crystal, and atoms that are put in lie apart."""
    cell, species = crystal.cell, crystal.species
    if point.sublattice is not None and point.sublattice not in species:
        yield f"defect.sublattice = {point.sublattice}: the crystal has {' and '.join(species)}"
        return
    if not cell.is_upright:
        yield (
            "defect.kind = point: no three lattice vectors of the crystal are perpendicular, which the cells of a "
            "periodic box are made of; monoclinic and triclinic crystals have none. Straight defects need no box"
        )
    changed: list[Vector] = []
    for name, positions in (("removed", point.removed), ("substituted", [s.at for s in point.substituted])):
        for position in positions:
            symbol, site = cell.nearest_site(position, point.sublattice)
            if cell.distance(site, position) > ON_SITE * cell.a0:
                yield (
                    f"defect.{name}: there is no site at {_shown(position)} a0 from that of the defect; the nearest "
                    f"is at {_shown(site)} ({symbol}). Give positions of the perfect crystal relative to a site"
                )
            if any(cell.distance(site, other) < ON_SITE * cell.a0 for other in changed):
                yield f"defect.{name} names a site twice: {[list(each) for each in positions]}. Keep it once"
            changed.append(site)
    yield from _substitutes(point, crystal)
    removed = [cell.nearest_site(position, point.sublattice)[1] for position in point.removed]
    added = [atom.at for atom in point.added]
    closest = OVERLAP_R0 * cell.nearest_neighbour
    for number, position in enumerate(added):
        site = cell.nearest_site(position, point.sublattice)[1]
        gone = any(cell.distance(site, other) < ON_SITE * cell.a0 for other in removed)
        others = [*added[:number], *([] if gone else [site])]
        near = [other for other in others if cell.distance(other, position) < closest]
        if near:
            yield (
                f"defect.added: the atom at {_shown(position)} a0 is {cell.distance(near[0], position):.2f} Å from the "
                f"one at {_shown(near[0])} (nearest neighbours: {cell.nearest_neighbour:.2f} Å). Put it farther away, "
                "or list the other site under defect.removed"
            )


def _substitutes(point: Point, crystal: Crystal) -> Iterator[str]:
    for atom in point.substituted:
        symbol, site = crystal.cell.nearest_site(atom.at, point.sublattice)
        if symbol == atom.element:
            yield (
                f"defect.substituted: the site at {_shown(site)} has {symbol} already; nothing would change. Give "
                "another element"
            )


def _inside(point: Point, case: Case) -> Iterator[str]:
    """Positions of a box: farther ones are those of its images, and beyond 1e15 no number says which."""
    cells = max(case.domain.along) if isinstance(case.domain, Box) else 0
    changed = {
        "removed": point.removed,
        "added": [atom.at for atom in point.added],
        "substituted": [atom.at for atom in point.substituted],
    }
    for name, positions in changed.items():
        for position in positions:
            if cells and max(map(abs, position)) > cells:
                yield (
                    f"defect.{name}: {_shown(position)} a0 is outside of the box of {cells} cells. Positions are "
                    "relative to that of the defect: subtract whole boxes"
                )


def _lattice_constant(file: File, crystal: Crystal) -> Iterator[str]:
    given, guess = file.lattice_constant, crystal.cell.a0
    if given is not None and not 1 / LARGEST_SCALE < given / guess < LARGEST_SCALE:
        yield (
            f"defect.lattice_constant = {given:g} Å is that of the file, and the crystal has {guess:g} Å: the "
            " structure would be scaled by more than a third. Correct one of them"
        )


def _axes(file: File, crystal: Crystal) -> Iterator[str]:
    """Axes of a file are perpendicular in the crystal."""
    if file.axes is None:
        return
    vectors = [crystal.cell.vector(axis) for axis in file.axes]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        cosine = sum(a * b for a, b in zip(vectors[one], vectors[other], strict=True))
        cosine /= hypot(*vectors[one]) * hypot(*vectors[other])
        if abs(cosine) > RIGHT:
            yield (
                f"defect.axes {[list(axis) for axis in file.axes]}: {list(file.axes[one])} and "
                f"{list(file.axes[other])} are not perpendicular. Correct them, or leave them out: they are found"
            )
            return


def _shown(vector: tuple[float, ...]) -> str:
    return "[" + ", ".join(f"{x:g}" for x in vector) + "]"


def _rounded_up(length: float) -> float:
    """Two decimals, never below: what a message recommends must be accepted."""
    return ceil(100 * length - 1e-9) / 100 if length < 1e12 else length
