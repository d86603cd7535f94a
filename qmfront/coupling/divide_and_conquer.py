"""Divide and conquer: the QM forces of a periodic domain, tile by tile, each from a periodic box around it.

The cost is that of a box times the number of tiles, linear in the number of atoms; the error is that of the embedding.
Every box is one evaluation of the model, hence one entry of a journal: processes that share a journal share the tiles.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from qmfront.coupling.embedding import Forces
from qmfront.crystal.body import Body
from qmfront.crystal.box import centre_of, folded, sites_in_box
from qmfront.operators.translations import balanced

SAME_PLACE = 10000
"""Parts of a period in which places in the cell are told apart."""


@dataclass(frozen=True)
class Shares:
    """The tile of every site, and the job that it falls to, (n,) int each; arrays of a store of kind "tiles"."""

    tile: np.ndarray
    job: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of that store."""
        return {"tile": self.tile, "job": self.job}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Shares":
        """The inverse of `arrays`."""
        return cls(arrays["tile"], arrays["job"])


@dataclass(frozen=True)
class Patch:
    """QM forces on the sites of one job.

    sites : (m,) int
    forces : (m, 3) float, eV/Å
        Each from the box of its tile.
    boxes : int
        One QM call each.
    cpu_seconds : float, s
    """

    sites: np.ndarray
    forces: np.ndarray
    boxes: int = 0
    cpu_seconds: float = 0.0

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a store of kind "patch"."""
        return {"sites": self.sites, "forces": self.forces}


@dataclass(frozen=True)
class ForceError:
    """Largest and root-mean-square length of a difference of forces, eV/Å."""

    largest: float
    rms: float


@dataclass(frozen=True)
class DenseForces:
    """Forces (n, 3), eV/Å, of one call on the whole domain, and its processor seconds."""

    forces: np.ndarray
    cpu_seconds: float


@dataclass(frozen=True)
class Division:
    """What a division cost and missed, as in divided.json.

    n_atoms, boxes, jobs : int
    cpu_seconds, longest_job : float, s
    dense_cpu_seconds : float, s, optional
        Of one call on the whole domain, where there is one.
    largest_error, rms_error : float, eV/Å, optional
        Against it.
    """

    n_atoms: int
    boxes: int
    jobs: int
    cpu_seconds: float
    longest_job: float
    dense_cpu_seconds: float | None = None
    largest_error: float | None = None
    rms_error: float | None = None

    def numbers(self) -> dict[str, float | None]:
        """Content of divided.json."""
        return asdict(self)


def tiles_of(body: Body, tile_cells: int) -> list[np.ndarray]:
    """Sites of every tile: the domain is cut into slabs of at most tile_cells cells along each axis.

    The middle of the domain, where the defect is, is the middle of a tile of one cell: no box around its neighbours
    ends at the defect. With an even number of cells, cuts at the faces of the domain would (0.10 instead of 0.02 eV/Å).
    """
    domain, cells = body.domain.edge, body.domain.cells
    middle = body.lattice.min(axis=0) - body.period / 8 + domain / 2
    low = middle - (cells // 2 + 0.5) * body.period
    share = np.floor((body.lattice - low) / domain * cells + 1e-6).astype(int)
    index = share % cells // tile_cells
    code = np.ravel_multi_index(index.T, tuple(cells))
    return [np.flatnonzero(code == one) for one in np.unique(code)]


def shared_tiles(body: Body, *, tile_cells: int, jobs: int) -> Shares:
    """The tiles of a domain, spread over jobs.

    Neighbouring tiles go to one job; the numbers of tiles per job differ by one at most.
    """
    tiles = tiles_of(body, tile_cells)
    tile = np.empty(len(body.numbers), int)
    for number, sites in enumerate(tiles):
        tile[sites] = number
    return Shares(tile, tile * jobs // len(tiles))


def patch(
    body: Body, qm: Forces, displacement: np.ndarray, shares: Shares, *, job: int, box_cells: int
) -> Patch:
    """The sites of a job and the QM forces on them at u (n, 3), Å."""
    sites = np.flatnonzero(shares.job == job)
    tiles = [np.flatnonzero(shares.tile == one) for one in np.unique(shares.tile[sites])]
    forces = divided_forces(body, qm, tiles, box_cells=box_cells)(displacement)
    return Patch(sites, forces[sites], boxes=len(tiles))


def gathered_forces(patches: Sequence[Patch], free: np.ndarray) -> np.ndarray:
    """The forces (n, 3), eV/Å, of all patches; like every residual of a periodic domain without their mean.

    Raises
    ------
    ValueError
        If a site is in no patch, or in two.
    """
    times = np.bincount(np.concatenate([one.sites for one in patches]), minlength=len(free))
    if len(times) > len(free) or np.any(times != 1):
        raise ValueError(
            f"{np.sum(times == 0)} of {len(free)} sites are in no patch and {np.sum(times > 1)} in several: patches "
            "and tiles do not belong together. Delete the folder of the patches and run again."
        )
    forces = np.empty((len(free), 3))
    for one in patches:
        forces[one.sites] = one.forces
    return balanced(forces, free)


def force_difference(forces: np.ndarray, exact: np.ndarray) -> ForceError:
    """How forces (n, 3), eV/Å, differ."""
    error = np.linalg.norm(forces - exact, axis=1)
    return ForceError(float(error.max()), float(np.sqrt(np.mean(error**2))))


def divided_forces(
    body: Body, qm: Forces, tiles: list[np.ndarray], *, box_cells: int
) -> Callable[[np.ndarray], np.ndarray]:
    """The map from u (n, 3), Å, to the QM forces on the sites of tiles, (n, 3), eV/Å, NaN elsewhere.

    Parameters
    ----------
    qm : Atoms -> (m, 3) eV/Å
        Called once per tile.
    tiles : list of (t,) int
        Those of `tiles_of` that are wanted.
    box_cells : int
        Cells along the edge of the box around a tile. A box that would tear the defect apart grows.
    """
    boxes = [box_of(body, tile, box_cells) for tile in tiles]

    def force(displacement: np.ndarray) -> np.ndarray:
        forces = np.full(displacement.shape, np.nan)
        for tile, (sites, image, cell) in zip(tiles, boxes, strict=True):
            positions = (body.reference + displacement)[sites] + image
            forces[tile] = qm(body.boxed(sites, positions, cell))[np.searchsorted(sites, tile)]
        return forces

    return force


def box_of(body: Body, tile: np.ndarray, box_cells: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sites (m,), images (m, 3) Å and cell (3, 3) Å of the box around a tile that leaves the defect in one piece."""
    domain = body.domain
    centre = centre_of(folded(body.lattice[tile], body.lattice[tile[0]], domain.edge))
    for cells in range(box_cells, domain.cells.max()):
        across = np.minimum(cells, domain.cells)
        sites, image = sites_in_box(body.lattice, centre, domain, cells=across)
        if np.isin(tile, sites).all() and not _torn(body, sites):
            return sites, image, np.diag(across * body.period)
    everything = np.arange(len(body.numbers))
    return everything, np.zeros((len(everything), 3)), body.cell


def _torn(body: Body, sites: np.ndarray) -> bool:
    """Whether atoms off the lattice are partly inside: those whose place in the cell few others have."""
    place = np.rint(body.lattice / body.period * SAME_PLACE - 0.25).astype(int) % SAME_PLACE
    _, kind, count = np.unique(place, axis=0, return_inverse=True, return_counts=True)
    off = np.flatnonzero(count[kind.ravel()] <= count.max() / 2)
    return 0 < np.isin(off, sites).sum() < len(off)


def division(forces: np.ndarray, patches: Sequence[Patch], dense: DenseForces | None) -> Division:
    """What forces (n, 3), eV/Å, gathered from patches cost and missed."""
    seconds = [one.cpu_seconds for one in patches]
    found = Division(len(forces), sum(one.boxes for one in patches), len(patches), sum(seconds), max(seconds))
    if dense is None:
        return found
    error = force_difference(forces, dense.forces)
    return replace(
        found, dense_cpu_seconds=dense.cpu_seconds, largest_error=error.largest, rms_error=error.rms
    )


def scaling_exponent(n_atoms: np.ndarray, seconds: np.ndarray) -> float | None:
    """p of seconds ~ n^p from the smallest to the largest domain; None for one alone."""
    first, last = int(np.argmin(n_atoms)), int(np.argmax(n_atoms))
    if n_atoms[first] == n_atoms[last]:
        return None
    return float(np.log(seconds[last] / seconds[first]) / np.log(n_atoms[last] / n_atoms[first]))
