"""A defect on its domain: sites, predictor, clamp, stencil; what every stage of a case starts from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from ase import Atoms

from qmfront.crystal.atom_state import AtomState
from qmfront.crystal.body import Body
from qmfront.crystal.disc import LineCell, Sites
from qmfront.crystal.faces import NO_CRACK, face_sites, uncut
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.neighbours import Pairs, pairs_within
from qmfront.crystal.stencil import stencil

_ARRAYS = (
    "sites",
    "predictor",
    "numbers",
    "basis_index",
    "free",
    "cell",
    "pbc",
    "frame",
    "core",
    "period",
    "origin",
)
_NUMBERS = ("r0", "crack_tip")
_OF_FILES = ("turn", "image", "frames", "grain")
"""Arrays that defects of files have, or some of them."""

ADDED = -1
"""basis_index of an atom that has no lattice site."""
NO_PERIOD = (np.inf, np.inf, np.inf)
"""Periods of a domain that is not a box of right-angled cells."""
NEAREST = 1.1
"""Sites of the perfect crystal within this distance (r0) are nearest neighbours."""


@dataclass(frozen=True)
class Defect:
    """Reference configuration of a case, in the frame of the case.

    sites, predictor : (n, 3) float, Å
        l and u0 of (2.1).
    numbers, basis_index : (n,) int
    free : (n,) bool
    stencil : Pairs
        N(l) of (2.3), labelled by lattice vectors.
    cell, pbc : (3, 3) float, Å, and (3,) bool
    frame : (3, 3) float
        Rows e1, e2, e3 in crystal axes.
    core : (3,) float, Å
    r0 : float, Å
    crack_tip : float, Å
        The body is cracked along {x2 = 0, x1 < crack_tip}; pairs across are no neighbours. NO_CRACK for none.
    period : (3,) float, Å
        Edges of the right-angled cells that a periodic box is made of; NO_PERIOD for straight defects.
    origin : (3,) float, Å
        Of the frame of the case in the user's file; zero where there is none.
    turn : (3, 3) float
        Rows e1, e2, e3 in the axes of that file; None where there is none.
    image : (n, 3) float, Å
        What takes the sites of a periodic case to the images in which the file has its atoms; nothing if left out.
    state : AtomState
        Of the atoms of the user's file.
    frames : (g, 3, 3) float
        One for every grain of a cell of several, `frame` the first of them; none if left out.
    grain : (n,) int
        Row of `frames` of every site with a place in a lattice.
    """

    sites: np.ndarray
    predictor: np.ndarray
    numbers: np.ndarray
    basis_index: np.ndarray
    free: np.ndarray
    stencil: Pairs
    cell: np.ndarray
    pbc: np.ndarray
    frame: np.ndarray
    core: np.ndarray
    r0: float
    crack_tip: float = NO_CRACK
    period: np.ndarray = field(default_factory=lambda: np.array(NO_PERIOD))
    origin: np.ndarray = field(default_factory=lambda: np.zeros(3))
    turn: np.ndarray | None = None
    image: np.ndarray | None = None
    state: AtomState = field(default_factory=AtomState)
    frames: np.ndarray | None = None
    grain: np.ndarray | None = None

    @property
    def parts(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Sites (m,) int with a place in a lattice, and the frame (3, 3) of that: one part for every grain."""
        on_lattice = self.basis_index != ADDED
        if self.frames is None:
            return [(np.flatnonzero(on_lattice), self.frame)]
        return [(np.flatnonzero(on_lattice & (self.grain == g)), one) for g, one in enumerate(self.frames)]

    @property
    def site_frames(self) -> np.ndarray:
        """The frame of the lattice at the sites, (n, 3, 3), or (1, 3, 3) where there is one for all."""
        if self.frames is None or self.grain is None:
            return self.frame[None]
        return self.frames[self.grain]

    @property
    def dimension(self) -> int:
        """2 for straight defects, which are seen along their line, 3 for point defects."""
        return 3 if np.all(self.pbc) else 2

    @property
    def coordinates(self) -> np.ndarray:
        """Where the front sees the sites, (n, dimension), Å."""
        return self.sites[:, : self.dimension]

    @property
    def body(self) -> Body:
        """What the force evaluations need."""
        return Body(
            self.sites + self.predictor,
            self.numbers,
            self.cell,
            self.pbc,
            self.sites,
            self.period,
            self.state,
        )

    @property
    def n_sites(self) -> int:
        """Number of sites, clamped ones included."""
        return len(self.sites)

    @property
    def is_of_file(self) -> bool:
        """Whether the atoms are those of a user's file."""
        return self.turn is not None

    def in_file(self, displacement: np.ndarray) -> Atoms:
        """The atoms at u (n, 3) Å as the user's file has them: cell, frame, images, and all that they carry there.

        The array `displacement` holds u in that frame. Without a file it is that of the case.
        """
        atoms = self.body.atoms(displacement)
        turn = np.eye(3) if self.turn is None else self.turn
        positions = atoms.positions if self.image is None else atoms.positions + self.image
        atoms.positions = positions @ turn + self.origin
        if self.is_of_file:
            order = turn.argmax(axis=0)
            atoms.cell = self.cell[order] @ turn
            atoms.pbc = self.pbc[order]
        for name, array in self.state.turned(turn.T).arrays.items():
            atoms.set_array(name, array)
        atoms.set_array("displacement", displacement @ turn)
        return atoms

    def face_sites(self) -> np.ndarray:
        """Sites that lost a nearest neighbour to the crack, (n,) bool."""
        near = pairs_within(self.sites, self.cell, self.pbc, NEAREST * self.r0)
        return face_sites(self.sites, near, self.crack_tip)

    def arrays(self) -> dict[str, np.ndarray | float]:
        """Arrays of a store of kind "structure", the first partition excepted."""
        pairs = {f"stencil_{name}": getattr(self.stencil, name) for name in ("first", "second", "vector")}
        own = {name: getattr(self, name) for name in (*_ARRAYS, *_NUMBERS)}
        own |= {
            name: array
            for name, array in ((name, getattr(self, name)) for name in _OF_FILES)
            if array is not None
        }
        return {**own, **pairs, **self.state.stored()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Defect":
        """The inverse of `arrays`."""
        pairs = Pairs(*(arrays[f"stencil_{name}"] for name in ("first", "second", "vector")))
        r0, crack_tip = (float(arrays[name]) for name in _NUMBERS)
        found = {name: arrays[name] for name in (*_ARRAYS, *_OF_FILES) if name in arrays}
        state = AtomState.from_stored(arrays)
        return cls(stencil=pairs, r0=r0, crack_tip=crack_tip, state=state, **found)


def straight_body(
    line_cell: LineCell, sites: Sites, predictor: np.ndarray, *, crack_tip: float = NO_CRACK
) -> Defect:
    """A straight defect at the origin of the frame: its sites, predictor (n, 3) Å, and N(l) on the predictor."""
    glued = stencil(
        sites.positions + predictor, sites.cell, sites.pbc, line_cell.crystal, basis_index=sites.basis_index
    )
    return Defect(
        sites=sites.positions,
        predictor=predictor,
        numbers=sites.numbers,
        basis_index=sites.basis_index,
        free=sites.free,
        stencil=uncut(sites.positions, glued, crack_tip),
        cell=sites.cell,
        pbc=sites.pbc,
        frame=line_cell.frame,
        core=np.zeros(3),
        r0=line_cell.crystal.nearest_neighbour_distance,
        crack_tip=crack_tip,
    )


def at_rest(defect: Defect, displacement: np.ndarray, crystal: Crystal) -> Defect:
    """The same atoms at the same places, with the corrector u (n, 3), Å, in the predictor, and N(l) found again there.

    After a core has moved, sites that it has passed have other neighbours.

    Parameters
    ----------
    crystal : Crystal
        At rest, in cubic axes.
    """
    predictor = defect.predictor + np.where(defect.free[:, None], displacement, 0.0)
    turned, positions = crystal.rotated(defect.frame), defect.sites + predictor
    found = stencil(positions, defect.cell, defect.pbc, turned, basis_index=defect.basis_index)
    return replace(defect, predictor=predictor, stencil=uncut(defect.sites, found, defect.crack_tip))
