"""Checks across sections that cost nothing and would otherwise fail hours into a run."""

from collections.abc import Iterator
from math import ceil, hypot, prod
from pathlib import Path

from qmfront.config.defect import Box, Crack, Disc, Dislocation, File, Point
from qmfront.config.defect_checks import problems_of_defect
from qmfront.config.figure_checks import drawn, problems_of_figures
from qmfront.config.material import Material
from qmfront.config.material_checks import absent, is_file, problems_of_crystal_file, problems_of_materials
from qmfront.config.merge import no_such
from qmfront.config.potential import Potential
from qmfront.config.potential_checks import problems_of_potentials
from qmfront.config.solute_checks import problems_of_host, problems_of_solutes
from qmfront.config.stages import CORE_RADIUS_R0, InitialRegion
from qmfront.config.study import Case, Study
from qmfront.config.trust import untrusted

RESERVED = ("benchmarks", "bulk", "plan", "potentials", "preflight", "surfaces")
"""Folders beside the cases in results/."""
LONGEST_LINE = 10_000


def problems_of_study(study: Study, root: Path) -> list[str]:
    """Every inconsistency of a study, one message each.

    Parameters
    ----------
    study : resolved configuration
    root : folder that relative paths start from
    """
    return [
        *problems_of_potentials(study, root),
        *problems_of_materials(study, root),
        *_cases(study, root),
        *problems_of_figures(study, root),
    ]


def _cases(study: Study, root: Path) -> Iterator[str]:
    """Problems of the cases; one that many cases share is told once."""
    names_of: dict[str, list[str]] = {}
    for name, case in study.cases.items():
        for problem in _case(name, case, study, root):
            names_of.setdefault(problem, []).append(name)
    for problem, names in names_of.items():
        yield f"{'case' if len(names) == 1 else 'cases'} {', '.join(names)}: {problem}"


def _case(name: str, case: Case, study: Study, root: Path) -> Iterator[str]:
    if name in RESERVED:
        yield f"{name!r} is a folder of the results; choose another name"
    yield from drawn("title", case.title)
    for label in case.locality.alternatives:
        yield from drawn("locality.alternatives", label)
    yield from untrusted(case.qm_kwargs, "qm_kwargs", study.trust)
    yield from untrusted(case.locality.alternatives, "locality.alternatives", study.trust)
    if case.reference.compute and case.reference.start in range(case.adapt.max_iterations, 101):
        yield (
            f"reference.start: there is no iteration {case.reference.start}, since adapt.max_iterations = "
            f"{case.adapt.max_iterations} counts from 0"
        )
    material, potential = study.materials.get(case.material), study.potentials.get(case.potential)
    if material is None:
        yield f"material: {no_such('material', case.material, study.materials, root)}"
    else:
        if not list(problems_of_crystal_file(case.material, material, root)):
            yield from _defect(case, material, root)
        yield from _buffer(case, material)
    if potential is None:
        yield f"potential: {no_such('potential', case.potential, study.potentials, root)}"
        return
    if material is not None and potential.material != case.material:
        yield (
            f"potential: {case.potential!r} is fitted to {potential.material!r}, "
            f"but the case is made of {case.material!r}. Choose a potential of that material"
        )
    yield from _faces(case, potential)
    if material is None or list(problems_of_crystal_file(case.material, material, root)):
        return
    yield from problems_of_solutes(case, material, potential)
    yield from problems_of_host(case, study)
    if isinstance(case.domain, Disc) and not isinstance(case.defect, File):
        yield from _clamp(case, case.domain, potential, material)


def _faces(case: Case, potential: Potential) -> Iterator[str]:
    """The potential knows the faces of the termination that a crack names."""
    crack, name, surfaces = case.defect, case.potential, potential.surfaces
    if not isinstance(crack, Crack) or crack.termination is None or surfaces is None:
        return
    if crack.plane not in surfaces.planes:
        return
    if surfaces.termination != crack.termination:
        fitted = "the cheapest one" if surfaces.termination is None else f"{surfaces.termination:g}"
        yield (
            f"defect.termination = {crack.termination:g}, but the potential {name!r} is fitted to {fitted}: its faces "
            f"would be others. Give potentials.{name}.surfaces.termination = {crack.termination:g}"
        )


def _defect(case: Case, material: Material, root: Path) -> Iterator[str]:
    """The defect in its domain."""
    yield from _kinds(case)
    if isinstance(case.defect, File):
        yield from _structure_file(case, case.defect, root)
        yield from _moments_of_file(case.defect, case.material, material, root)
        yield from problems_of_defect(case, material)
        return
    yield from _core(case)
    yield from _subtracted(case)
    yield from problems_of_defect(case, material)
    if isinstance(case.domain, Disc):
        yield from _extent(case, case.domain, material)
    else:
        yield from _box(case, case.domain, material)


def _structure_file(case: Case, defect: File, root: Path) -> Iterator[str]:
    if not is_file(root / defect.file):
        yield absent("defect.file", defect.file, root)
    if case.embedding.subtract_lattice and defect.lattice is None:
        yield (
            "embedding.subtract_lattice needs the perfect crystal, which the file alone does not tell: give "
            "defect.lattice, the name of an array with the site of every atom"
        )


def _moments_of_file(defect: File, name: str, material: Material, root: Path) -> Iterator[str]:
    """A defect with moments in a crystal without them is computed with two models."""
    given = {"initial_magmoms": "moments", "initial_charges": "charges"}
    path = root / defect.file
    if not is_file(path):
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        head = file.readline(LONGEST_LINE) + file.readline(LONGEST_LINE)
    for column, setting in given.items():
        if f"{column}:" in head and not getattr(material.qm, setting):
            yield (
                f"defect.file = {defect.file!r} has {column}, but materials.{name}.qm.{setting} is not given: the "
                f"crystal and the training cells would be computed without. Give materials.{name}.qm.{setting} by "
                "element, or take the column out of the file"
            )


def _subtracted(case: Case) -> Iterator[str]:
    """The perfect crystal on the sites of a point defect is the unrelaxed defect, not the perfect crystal."""
    if case.embedding.subtract_lattice and isinstance(case.defect, Point):
        yield (
            "embedding.subtract_lattice = true: the forces on the sites of a point defect would be subtracted, and the "
            "defect would not relax at all. Set it to false"
        )


def _core(case: Case) -> Iterator[str]:
    region = case.first_disc
    distance = hypot(*region.centre_r0)
    needed = distance + CORE_RADIUS_R0
    if region.radius_r0 < needed:
        yield (
            f"initial_region.radius_r0 = {region.radius_r0:g}: the initial QM region does not contain the "
            f"core. Its line is {distance:.3g} r0 from the region's centre; {CORE_RADIUS_R0:g} r0 around it must "
            f"be inside. Choose at least {_rounded_up(needed):g}, or move initial_region.centre_r0 to the core"
        )


def _buffer(case: Case, material: Material) -> Iterator[str]:
    """QM atoms at the edge must not interact with the surface of their cluster; a periodic box has none."""
    if case.embedding.kind == "cluster" and case.buffer.width < material.qm.cutoff:
        yield (
            f"buffer.width = {case.buffer.width:g} Å is less than materials.{case.material}.qm.cutoff = "
            f"{material.qm.cutoff:g} Å: QM atoms at the edge of the region would feel the surface of the cluster. "
            f"Choose at least {material.qm.cutoff:g} Å; results/preflight/{case.material}.md recommends a width"
        )


def _kinds(case: Case) -> Iterator[str]:
    """Point defects live in boxes, straight ones, those of files too, in discs."""
    wanted = "box" if isinstance(case.defect, Point) else "disc"
    if case.domain.kind != wanted:
        yield (
            f"domain.kind = {case.domain.kind}, but defect.kind = {case.defect.kind} needs a {wanted}: a disc has "
            "radius_r0 and clamp_width, a box has cells"
        )
    if (
        case.embedding.kind == "box"
        and not isinstance(case.domain, Box)
        and not isinstance(case.defect, File)
    ):
        yield "embedding.kind = box needs a domain that is a box; choose cluster"
    if case.clamp.factor is not None and case.defect.kind not in ("dislocation", "crack"):
        yield f"clamp.factor: a {case.defect.kind} cannot be made again on a larger disc; take null"


def _box(case: Case, box: Box, material: Material) -> Iterator[str]:
    r0 = material.crystal.nearest_neighbour_guess
    edges = [cells * length for cells, length in zip(box.along, material.crystal.box_edges, strict=True)]
    edge, region = min(edges), case.initial_region  # left out, it shrinks until it fits
    if region is not None and (width := 2 * region.radius_r0 * r0) >= edge:
        yield (
            f"initial_region.radius_r0 = {region.radius_r0:g}: a ball {_length(width)} Å wide "
            f"does not fit into a box of {_length(edge)} Å (domain.cells = {box.cells}). "
            "Increase domain.cells, or decrease initial_region.radius_r0"
        )
    divide = case.divide
    if divide.box_cells < divide.tile_cells:
        yield (
            f"divide.box_cells = {divide.box_cells}: no box around tiles of {divide.tile_cells} cells is smaller. "
            "Increase it"
        )
    tiles = prod(ceil(cells / divide.tile_cells) for cells in box.along)
    if divide.jobs > tiles:
        yield f"divide.jobs = {divide.jobs}, but there are only {tiles} tiles; choose fewer jobs or smaller tiles"


def _length(length: float) -> str:
    """Å with a decimal, as far as that is no long word."""
    return f"{length:.1f}" if length < 1e6 else f"{length:.3g}"


def _rounded_up(length: float) -> float:
    """Two decimals, never below the length: what a message recommends must be accepted."""
    return ceil(100 * length - 1e-9) / 100 if length < 1e12 else length


def _extent(case: Case, disc: Disc, material: Material) -> Iterator[str]:
    r0 = material.crystal.nearest_neighbour_guess
    region = case.initial_region or InitialRegion(
        radius_r0=CORE_RADIUS_R0
    )  # left out, it shrinks until it fits
    free = disc.radius_r0 * r0
    edge = (hypot(*region.centre_r0) + region.radius_r0) * r0
    buffer_edge = edge + case.buffer.residual_factor * case.buffer.width
    domain = f"the free part of the domain ends at {_length(free)} Å (domain.radius_r0 = {disc.radius_r0:g})"
    if edge >= free:
        yield (
            f"initial_region reaches {_length(edge)} Å from the centre, but {domain}. "
            "Increase domain.radius_r0 or decrease initial_region.radius_r0"
        )
    elif buffer_edge >= free:
        yield (
            f"buffer.width = {case.buffer.width:g} Å: the buffer of the initial region, with residual_factor "
            f"{case.buffer.residual_factor:g}, reaches {_length(buffer_edge)} Å from the centre, but {domain}. "
            "Increase domain.radius_r0 or decrease buffer.width"
        )
    centre = case.refine.circle.centre_r0
    if case.refine.method == "circle" and hypot(*centre) * r0 >= free:
        yield f"refine.circle.centre_r0 = {list(centre)} is outside: {domain}"


def _slip(case: Case, material: Material) -> float:
    """Length of the Burgers vector, Å."""
    if not isinstance(case.defect, Dislocation):
        return 0.0
    return material.crystal.cell.length(case.defect.burgers)


def _clamp(case: Case, disc: Disc, potential: Potential, material: Material) -> Iterator[str]:
    """Free atoms must not miss neighbours beyond the rim: neither those of the potential, nor those of the QM model."""
    slip = _slip(case, material)
    of_potential, of_model = 2 * potential.basis.cutoff, material.qm.cutoff
    needed = max(of_potential, of_model) + slip
    thinned = f" and the slip (defect.burgers) thins the rim by {slip:.3g} Å" if slip else ""
    if of_potential >= of_model:
        far = f"forces of the potential {case.potential!r} reach {of_potential:g} Å"
    else:
        far = f"the QM model reaches materials.{case.material}.qm.cutoff = {of_model:g} Å"
    if disc.clamp_width < needed:
        yield (
            f"domain.clamp_width = {disc.clamp_width:g} Å: {far}{thinned}, so free atoms would miss neighbours "
            f"beyond it. Choose at least {_rounded_up(needed):g} Å"
        )
