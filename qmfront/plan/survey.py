"""What a file of atoms holds, as far as atoms tell: the crystal, what repeats, and the kind of the defect.

Around the core of a dislocation the labels of neighbours add up to the Burgers vector; a crack leaves a direction in
which no pair of neighbours bridges the ring around the middle; sites of the crystal that no atom has are vacancies,
atoms that no site has are interstitials.
"""

from dataclasses import dataclass
from math import pi
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order

from qmfront.config.defect import Disc, File
from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import Crystal, crystal_of
from qmfront.crystal.neighbours import pairs_within, separations
from qmfront.crystal.recognition import NEAR, Recognised, recognised
from qmfront.crystal.site_assignment import missing_sites
from qmfront.crystal.structure_reading import read_structure
from qmfront.elasticity.defects import defect_without_field

RING = (0.45, 0.85)
"""Of the distance from the core to the farthest site: where the ring around a straight defect lies."""
SECTORS = 180
"""In which bonds of the ring are counted."""
LEAST_SLIP_R0 = 0.3
"""r0; a Burgers vector."""
SAME_SITE_R0 = 0.3
"""r0; neighbours that several sites lack are one vacant site if they are this close."""
RIM = 11.0
"""Å; how far forces reach by the defaults, see `config.study.rim_of`."""
MOST = 10
"""Vacant sites and interstitials that are counted; more are an extended defect."""


@dataclass(frozen=True)
class Survey:
    """What a file of atoms holds.

    atoms : Atoms
    found : Recognised, or None where no crystal is recognised
    defect : Defect, or None where the atoms could not be matched to the crystal
    kind : of the defect, in words, such as "a vacancy"
    problem : why something is not known, empty if all is
    """

    atoms: Atoms
    found: Recognised | None
    defect: Defect | None
    kind: str
    problem: str = ""

    @property
    def solutes(self) -> tuple[str, ...]:
        """Elements that the crystal does not have, on its sites."""
        return self._foreign(on_sites=True)

    @property
    def interstitial_solutes(self) -> tuple[str, ...]:
        """Elements that the crystal does not have, between its sites."""
        return self._foreign(on_sites=False)

    def _foreign(self, *, on_sites: bool) -> tuple[str, ...]:
        if self.found is None or self.defect is None:
            return ()
        chosen = self.defect.numbers[(self.defect.basis_index >= 0) == on_sites]
        found = [chemical_symbols[number] for number in np.unique(chosen)]
        return tuple(symbol for symbol in found if symbol not in self.found.crystal.species)


def survey(path: Path, described: File) -> Survey:
    """Look at the atoms of a file.

    Parameters
    ----------
    path : Path
    described : File
        What is known of it beside its path.

    Raises
    ------
    ValueError
        If the file cannot be read.
    """
    atoms = read_structure(path, file_format=described.format, pbc=described.pbc)
    found = recognised(atoms)
    if found is None:
        return Survey(
            atoms, None, None, "a defect", "no crystal that has a name in crystal.structure is recognised"
        )
    crystal = crystal_of(found.crystal)
    kind = "a defect"
    if atoms.pbc.sum() == 1 and is_parted(atoms, crystal.nearest_neighbour_distance):
        kind = "a crack"
    try:
        defect, _ = defect_without_field(crystal, described, Disc(), rim=RIM)
    except ValueError as error:
        return Survey(atoms, found, None, kind, str(error))
    if kind == "a defect":
        kind = kind_of(defect, crystal.rotated(defect.frame))
    return Survey(atoms, found, defect, kind)


def kind_of(defect: Defect, crystal: Crystal) -> str:
    """The kind of a defect in words.

    Parameters
    ----------
    defect : Defect
    crystal : Crystal
        In the axes of the defect.
    """
    if defect.dimension == 2:
        slip = float(np.linalg.norm(burgers_vector(defect)))
        if slip > LEAST_SLIP_R0 * defect.r0:
            return f"a dislocation with a Burgers vector of {slip:.2f} Å"
    vacant, added = vacant_sites(defect, crystal), int(np.sum(defect.basis_index < 0))
    foreign = _exchanged(defect, crystal)
    if len(vacant) + added > MOST:
        return "an extended defect"
    parts = [
        *_counted(len(vacant), "vacancy", "vacancies"),
        *_counted(added, "interstitial", "interstitials"),
        *_counted(foreign, "atom of another species", "atoms of other species"),
    ]
    return " and ".join(parts) or "a defect"


def vacant_sites(defect: Defect, crystal: Crystal) -> np.ndarray:
    """Sites (m, 3), Å, of the crystal, free ones beside them, that no atom has."""
    basis, first = defect.basis_index, defect.stencil.first
    count = np.bincount(first, minlength=len(basis))
    fewer = np.zeros(len(basis), bool)
    for row in range(len(crystal.basis)):
        own = basis == row
        fewer[own] = count[own] < np.bincount(count[own]).argmax() if own.any() else False
    around = fewer & defect.free
    atoms = Atoms(numbers=defect.numbers, positions=defect.sites, cell=defect.cell, pbc=defect.pbc)
    found = missing_sites(atoms, defect.stencil, crystal, basis, around)
    return _distinct(found, defect)


def burgers_vector(defect: Defect) -> np.ndarray:
    """Closure failure (3,), Å, of labels of neighbours around a straight defect; zero without a closed ring."""
    place = defect.sites + defect.predictor
    centre = np.array([*defect.core[:2], 0.0])
    radius = np.linalg.norm((place - centre)[:, :2], axis=1)
    in_ring = (radius > RING[0] * radius.max()) & (radius < RING[1] * radius.max())
    pairs = defect.stencil.chosen(in_ring[defect.stencil.first] & in_ring[defect.stencil.second])
    angle = np.arctan2(*(place - centre)[:, 1::-1].T)  # periodic images lie along the line, at the same angle
    step = angle[pairs.second] - angle[pairs.first]
    crosses = np.abs(step) > pi
    inside = pairs.chosen(~crosses)
    graph = coo_matrix(
        (np.ones(len(inside)), (inside.first, inside.second)), shape=(len(place), len(place))
    ).tocsr()
    start = int(np.flatnonzero(in_ring)[np.abs(angle[in_ring]).argmin()])
    order, before = breadth_first_order(graph, start, directed=False)
    # what labels and what separations add up to; their difference is the slip, whatever images the way goes through
    excess = pairs.vector - separations(place, defect.cell, defect.pbc, pairs)
    of_pair = {
        (int(a), int(b)): v for a, b, v in zip(inside.first, inside.second, excess[~crosses], strict=True)
    }
    known = np.full((len(place), 3), np.nan)
    known[start] = 0.0
    for site in order[1:]:
        known[site] = known[before[site]] + of_pair[int(before[site]), int(site)]
    over = crosses & (step < 0)
    failures = known[pairs.first[over]] + excess[over] - known[pairs.second[over]]
    failures = failures[np.isfinite(failures).all(axis=1)]
    return np.median(failures, axis=0) if len(failures) else np.zeros(3)


def is_parted(atoms: Atoms, r0: float) -> bool:
    """Whether no pair of neighbours bridges some direction in the ring around the middle of what repeats along a line.

    Parameters
    ----------
    atoms : Atoms
        Periodic along one axis.
    r0 : float, Å
        Nearest-neighbour distance.
    """
    across = atoms.positions[:, ~atoms.pbc]
    place = across - (across.max(axis=0) + across.min(axis=0)) / 2
    radius, angle = np.linalg.norm(place, axis=1), np.arctan2(place[:, 1], place[:, 0])
    in_ring = (radius > RING[0] * radius.max()) & (radius < RING[1] * radius.max())
    pairs = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, NEAR * r0)
    pairs = pairs.chosen(in_ring[pairs.first] & in_ring[pairs.second])
    step = np.angle(np.exp(1j * (angle[pairs.second] - angle[pairs.first])))
    covered = (angle[pairs.first][:, None] + step[:, None] * np.linspace(0.0, 1.0, 9)) % (2 * pi)
    return len(np.unique((covered / (2 * pi) * SECTORS).astype(int))) < SECTORS


def _distinct(points: np.ndarray, defect: Defect) -> np.ndarray:
    """One of each group of points (m, 3) that are one site, periodic images included."""
    if len(points) < 2:
        return points
    periodic = defect.cell[defect.pbc]
    apart = points[:, None] - points[None]
    apart -= np.rint(apart @ np.linalg.pinv(periodic)) @ periodic
    upper = np.linalg.norm(apart, axis=2)[np.triu_indices(len(points), 1)]
    group = fcluster(linkage(upper, "single"), SAME_SITE_R0 * defect.r0, "distance")
    return points[np.unique(group, return_index=True)[1]]


def _exchanged(defect: Defect, crystal: Crystal) -> int:
    """Number of sites with another species than the crystal has there."""
    on_site = defect.basis_index >= 0
    return int(np.sum(crystal.numbers[defect.basis_index[on_site]] != defect.numbers[on_site]))


def _counted(count: int, one: str, many: str) -> list[str]:
    if count == 0:
        return []
    article = "an" if one[0] in "aeiou" else "a"
    return [f"{article} {one}" if count == 1 else f"{count} {many}"]
