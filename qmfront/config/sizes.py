"""What a case would need by the sizes that are written: refused before any site is made, with the numbers."""

import os
import shutil
from collections.abc import Iterator
from math import hypot, isfinite, prod

from qmfront.config.defect import Box, File
from qmfront.config.material import Crystal
from qmfront.config.study import Case

SITE_MEMORY = 0.03
"""MB per site of the domain: 2.2 GB for 67 896 atoms (README)."""
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
            f"{short(nodes)} nodes, and {MAXIMUM_NODES:.0e} are possible. Increase refine.mesh; half an Å will do"
        )


def too_many_sites(key: str, sites: float) -> Iterator[str]:
    """What a domain of so many sites needs, if that is more than there is; `key` is what makes it so large."""
    needed, there = SITE_MEMORY * sites, memory()
    if needed > there:
        yield f"{key} needs {short(sites)} sites, {short(needed / 1e3)} GB; {there_is(there)}. Decrease it"


def there_is(there: float) -> str:
    """'this machine has 24', for a memory in MB."""
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
    return radius * crystal.nearest_neighbour_guess + case.domain.clamp_width


def short(value: float) -> str:
    """A number as messages show it: 1.6e9."""
    return (
        f"{value:.3g}"
        if isfinite(value) and value < 1e4
        else f"{value:.1e}".replace("e+0", "e").replace("e+", "e")
    )
