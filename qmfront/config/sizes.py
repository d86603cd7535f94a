"""What a case would need by the sizes that are written: refused before any site is made, with the numbers."""

import os
import shutil
from collections.abc import Iterator
from math import hypot, isfinite, prod

from qmfront.config.defect import Box, Disc, File
from qmfront.config.material import Crystal
from qmfront.config.potential import Potential
from qmfront.config.study import Case

SITE_MEMORY = 0.03
"""MB per site of the domain: 2.2 GB for 67 896 atoms (README)."""
LEAST_DEGREES = (16, 14, 10)
"""Of a basis whose max_degree is null, the smallest that is tried."""
MATRICES_OF_FUNCTIONS, MATRICES_OF_ROWS = 8, 6
"""That a fit holds at once: functions by functions, and observations by functions; measured with 2 000 functions."""
MAXIMUM_NODES = 100_000_000
"""Of the mesh of Algorithm 2: 800 MB per float array, more than any workstation run needs."""
NODE_MEMORY = 2e6
"""MB of the nodes of a cluster, which the machine that submits does not know."""


def problems_of_sizes(case: Case, crystal: Crystal) -> Iterator[str]:
    """Lengths beyond the domain, and a mesh that no memory holds; sites are counted by `too_many_sites`."""
    region, r0 = case.first_disc, crystal.nearest_neighbour_guess
    reach = _reach(case, crystal)
    if case.estimate.layer_r0 * r0 > 2 * reach:
        yield (
            f"estimate.layer_r0 = {case.estimate.layer_r0:g}: a layer of {case.estimate.layer_r0 * r0:.3g} Å is wider "
            f"than the domain ({2 * reach:.4g} Å). Choose a few r0, or estimate.residual: exact"
        )
    dimension = 3 if isinstance(case.domain, Box) else 2
    width = 2 * (region.radius_r0 * r0 + case.buffer.width)
    nodes = (width / case.refine.mesh) ** dimension if width < 1e100 * case.refine.mesh else float("inf")
    if case.refine.method == "fast_marching" and nodes > MAXIMUM_NODES:
        yield (
            f"refine.mesh = {case.refine.mesh:g} Å: the mesh over QM region and buffer, {width:.4g} Å wide, would have "
            f"{_number(nodes)} nodes, and {MAXIMUM_NODES:.0e} are possible. Increase refine.mesh; half an Å will do"
        )


def too_many_sites(key: str, sites: float) -> Iterator[str]:
    """What a domain of so many sites needs, if that is more than there is; `key` is what makes it so large."""
    needed, there = SITE_MEMORY * sites, memory()
    if needed > there:
        yield f"{key} needs {_number(sites)} sites, {_number(needed / 1e3)} GB; {_has(there)}. Decrease it"


def problems_of_fit(place: str, potential: Potential, crystal: Crystal) -> Iterator[str]:
    """What the fit of a potential needs, if that is more than there is: its functions, and what they are fitted to."""
    from qmfront.config.basis_size import number_of_functions  # brings NumPy

    there, basis = memory(), potential.basis
    degrees = basis.max_degree or LEAST_DEGREES
    possible = (1e6 * there / (8 * MATRICES_OF_FUNCTIONS)) ** 0.5
    n = number_of_functions(len(crystal.species), degrees, basis.angular_weight, beyond=possible)
    needed = 8e-6 * MATRICES_OF_FUNCTIONS * n**2
    if needed > there:
        yield (
            f"{place}.basis.max_degree = {list(degrees)} with angular_weight = {basis.angular_weight:g} makes "
            f"{_number(n)} functions or more, whose fit needs {_number(needed / 1e3)} GB; {_has(there)}. Decrease the "
            "degrees: [20, 18, 12] makes 666 functions of one species"
        )
        return
    for key, cells, atoms in _cells(potential, crystal):
        needed = 8e-6 * MATRICES_OF_ROWS * n * 3 * cells * atoms
        if needed > there:
            yield (
                f"{place}.{key}: {cells} cells of {atoms} atoms have {_number(3.0 * cells * atoms)} forces, and to "
                f"fit {_number(n)} functions to them needs {_number(needed / 1e3)} GB; {_has(there)}. Decrease count "
                "or repeat"
            )


def _cells(potential: Potential, crystal: Crystal) -> Iterator[tuple[str, int, int]]:
    """Key, number of cells, and atoms of each, of all whose forces a potential is compared with."""
    sets = {"rattled": potential.rattled, "held_out": potential.held_out}
    if potential.recipe == "robust":
        robust = potential.robust
        sets |= {"robust.cells": robust.cells, "robust.strained": robust.strained}
        sets |= {"robust.unseen": robust.unseen, "robust.unseen_strained": robust.unseen_strained}
    for key, rattled in sets.items():
        if rattled is not None:
            yield key, rattled.count, prod(rattled.repeat) * len(crystal.cell.sites)
    if potential.surfaces is not None:
        slabs, planes = potential.surfaces, len(potential.surfaces.planes)
        atoms = slabs.layers * prod(slabs.rattled.repeat)
        yield "surfaces.rattled", planes * slabs.rattled.count, atoms


def _has(there: float) -> str:
    where = "the nodes of a cluster have" if there == NODE_MEMORY else "this machine has"
    return f"{where} {there / 1e3:.3g}"


def memory() -> float:
    """MB that a job can have: those of this machine, or of any node where jobs are submitted to others."""
    if shutil.which("sbatch"):
        return NODE_MEMORY
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6


def sites_of_box(box: Box, crystal: Crystal) -> float:
    """Sites of a periodic box; those of as many primitive cells where no lattice vectors are perpendicular."""
    cell = crystal.cell
    volume = prod(cell.box_edges) if cell.is_upright else cell.volume
    return float(prod(box.along)) * len(cell.sites) * volume / cell.volume


def _reach(case: Case, crystal: Crystal) -> float:
    """Å from the core to where the domain ends; of a file, whose size is not known yet, that of the largest disc."""
    if isinstance(case.domain, Box):
        edges = crystal.cell.box_edges if crystal.cell.is_upright else (crystal.cell.a0,)
        return max(case.domain.along) * hypot(*edges) / 2
    radius = 2000.0 if isinstance(case.defect, File) else case.domain.radius_r0
    return radius * crystal.nearest_neighbour_guess + (
        case.domain.clamp_width if isinstance(case.domain, Disc) else 0.0
    )


def _number(value: float) -> str:
    return (
        f"{value:.3g}"
        if isfinite(value) and value < 1e4
        else f"{value:.1e}".replace("e+0", "e").replace("e+", "e")
    )
