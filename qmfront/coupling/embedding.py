"""How the QM model sees a part of the lattice: as a cluster with vacuum beside it, or as a periodic box.

An electronic-structure model feels the surface of a cluster far inside. What it says of the same cluster cut from the
perfect crystal, where every force should vanish, can be subtracted. A box of whole cells has no surface; it exists
where the domain is periodic in all directions.
"""

from collections.abc import Callable

import numpy as np
from ase import Atoms

from qmfront.config.stages import Embedding
from qmfront.crystal.body import Body
from qmfront.crystal.box import Shape, box_cells, centre_of, folded, sites_in_box
from qmfront.crystal.cluster import Cluster

Forces = Callable[[Atoms], np.ndarray]


VACUUM = Embedding()
"""A cluster with vacuum beside it: exact for a model of finite range in a buffer of that range."""


def embedded_forces(
    body: Body, cluster: Cluster, qm: Forces, embedding: Embedding = VACUUM
) -> Callable[[np.ndarray], np.ndarray]:
    """The map from u (n, 3), Å, to the QM forces on the wanted atoms of a cluster, (w, 3), eV/Å.

    Parameters
    ----------
    body : Body
    cluster : Cluster
    qm : Atoms -> (c, 3) eV/Å
        Called once per u, and once for the perfect crystal if that is subtracted.
    embedding : Embedding
    """
    seen, places = embedded_atoms(body, cluster, embedding)
    offset: np.ndarray | float = 0.0
    if embedding.subtract_lattice and embedding.kind == "cluster":
        offset = qm(body.perfect(cluster))[cluster.wanted]

    def force(displacement: np.ndarray) -> np.ndarray:
        return qm(seen(displacement))[places] - offset

    return force


def embedded_atoms(
    body: Body, cluster: Cluster, embedding: Embedding = VACUUM
) -> tuple[Callable[[np.ndarray], Atoms], np.ndarray]:
    """The map from u (n, 3), Å, to the atoms that the QM model sees, and the places (w,) int of the wanted ones there.

    A box is the whole domain where it would be no smaller.
    """
    if embedding.kind == "cluster":
        return lambda displacement: body.cluster(cluster, displacement), cluster.wanted
    sites, image, cell = boxed(body, cluster, embedding.minimum_cells, shape=embedding.shape)

    def atoms(displacement: np.ndarray) -> Atoms:
        return body.boxed(sites, (body.reference + displacement)[sites] + image, cell)

    return atoms, np.searchsorted(sites, cluster.sites[cluster.wanted])


def boxed(
    body: Body, cluster: Cluster, minimum_cells: int, *, shape: Shape = "cube"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The box of a cluster: its sites (m,), what takes each to its place there (m, 3) Å, and its cell (3, 3) Å.

    Raises
    ------
    ValueError
        If the domain is not periodic, or the box cuts the defect.
    """
    if not (np.all(body.pbc) and np.isfinite(body.period).all()):
        raise ValueError(
            "embedding.kind: box needs a domain that is periodic in all directions and right-angled along x, y and z "
            "(defect.kind: point, or such a supercell in a file). Take cluster."
        )
    domain = body.domain
    around = centre_of(body.lattice[cluster.sites[cluster.wanted]])
    places = folded(body.lattice[cluster.sites], around, domain.edge)
    cells = box_cells(places, body.period, minimum=minimum_cells, shape=shape)
    if np.all(cells >= domain.cells):
        everything = np.arange(len(body.numbers))
        return everything, np.zeros((len(everything), 3)), body.cell
    cells = np.minimum(cells, domain.cells)
    sites, image = sites_in_box(body.lattice, centre_of(places), domain, cells=cells)
    outside = np.setdiff1d(cluster.sites, sites)
    if len(outside):
        raise ValueError(
            f"A box of {' x '.join(map(str, cells))} cells leaves out {len(outside)} of {len(cluster.sites)} "
            "atoms of the QM region and its buffer. Increase embedding.minimum_cells."
        )
    return sites, image, np.diag(cells * body.period)
