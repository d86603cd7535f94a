"""What is relaxed: a defect, and the domain around it."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, Strict, WithJsonSchema, model_validator

from qmfront.config.section import (
    CrystalVector,
    Direction,
    FileName,
    Plane,
    Positions,
    Section,
    Symbol,
    Termination,
    Vector,
    key,
    surface_name,
)
from qmfront.config.section import Point as PlanePoint


class SoluteAtom(Section):
    """A site beside a straight defect that an atom of another element has."""

    element: Symbol = key("Chemical symbol of the atom that is there")
    at: Vector = key(
        "Position along e1, e2 and e3 from the core of the predictor, of a file along its axes from its defect; the "
        "nearest atom of the predictor is replaced. Along the line the domain repeats after domain.periods",
        unit="Å",
    )


Solutes = Annotated[tuple[SoluteAtom, ...], Strict(False), Field(max_length=1000)]


class StraightDefect(Section):
    """What straight defects have in common."""

    solutes: Solutes = key(
        "Atoms of other elements: {element: symbol, at: [x1, x2, x3]}. The potential has to know elements that the "
        "crystal does not have (its key solutes)",
        default=(),
    )


class Dislocation(StraightDefect):
    """A straight dislocation, (B.1)-(B.4); indices are those of the conventional cell."""

    kind: Literal["dislocation"] = key("Kind of defect", default="dislocation")
    line: Direction = key(
        "Line direction, three integers in cubic axes, or of the conventional cell of another crystal; four of a "
        "hexagonal one"
    )
    burgers: CrystalVector = key(
        "Burgers vector in cubic axes, or in coordinates of the conventional vectors of another crystal; four of a "
        "hexagonal one",
        unit="a0",
    )
    plane: Plane = key("Miller indices of the cut (glide) plane, three integers; four of a hexagonal crystal")
    core_offset: PlanePoint = key(
        "Position of the core in the crystal relative to the default one, along e1 and e2",
        unit="Å",
        default=(0.0, 0.0),
    )
    core_map_radius_r0: float | None = key(
        "Radius over which the core map (B.4) removes the singularity; null: 3 r0, or 3 times the edge component of "
        "the Burgers vector where the map would fold",
        unit="r0",
        default=None,
        gt=0.0,
        le=50.0,
    )

    @model_validator(mode="after")
    def _cut_plane_holds_line_and_burgers(self) -> "Dislocation":
        _refuse_out_of_plane(self.plane, line=self.line, burgers=self.burgers)
        return self


class Crack(StraightDefect):
    """A straight crack opened in mode I, (B.5); indices are those of the conventional cell."""

    kind: Literal["crack"] = key("Kind of defect", default="crack")
    front: Direction = key(
        "Direction of the crack front, three integers in cubic axes, or of the conventional cell"
    )
    plane: Plane = key("Miller indices of the crack plane, three integers")
    load: float = key(
        "Stress intensity K_I over the Griffith value of the reference model", unit="1", gt=0.0, le=3.0
    )
    tip_offset: PlanePoint = key(
        "Position of the tip of the predictor in the crystal relative to the default one, along e1 and e2",
        unit="Å",
        default=(0.0, 0.0),
    )
    termination: Termination | None = key(
        "Height at which the plane parts a crystal with a basis, over the period of lattice planes and from the first "
        "atom on; any in the gap between two layers names it. The start of a run tells the gaps and their energies. "
        "null: the gap whose relaxed surface is cheapest",
        unit="1",
        default=None,
    )

    @property
    def surface(self) -> str:
        """Its surface, as names of files call it."""
        return surface_name(self.plane, self.termination)

    @model_validator(mode="after")
    def _plane_holds_front(self) -> "Crack":
        _refuse_out_of_plane(self.plane, front=self.front)
        return self


class PlacedAtom(Section):
    """An atom at a position; three numbers alone are a position."""

    at: Vector = key("Position relative to the site of the defect", unit="a0")
    element: Symbol | None = key("Chemical symbol; null: that of the site of the defect", default=None)


class Substitution(Section):
    """A site of the perfect crystal that another element has."""

    at: Vector = key("Site relative to the site of the defect", unit="a0", default=(0.0, 0.0, 0.0))
    element: Symbol = key("Chemical symbol of the atom that is there")


def _placed(items: Any) -> Any:
    """Positions alone as atoms."""
    if not isinstance(items, list | tuple):
        return items
    return [
        {"at": item}
        if isinstance(item, list | tuple) and all(isinstance(x, int | float) for x in item)
        else item
        for item in items
    ]


POSITION = {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}
PLACED_ATOM = {
    "type": "object",
    "properties": {"at": POSITION, "element": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
    "required": ["at"],
    "additionalProperties": False,
}
PlacedAtoms = Annotated[
    tuple[PlacedAtom, ...],
    Strict(False),
    BeforeValidator(_placed),
    WithJsonSchema({"type": "array", "items": {"anyOf": [POSITION, PLACED_ATOM]}}),
]
Substitutions = Annotated[tuple[Substitution, ...], Strict(False)]


class Point(Section):
    """A point defect, or a cluster of them, in a periodic box.

    Positions are in cubic crystal axes, or in coordinates of the conventional vectors of another crystal.
    """

    kind: Literal["point"] = key("Kind of defect", default="point")
    position: Vector = key(
        "Position of the site of the defect in the box, whose corner is the origin",
        unit="a0",
        default=(0.0, 0.0, 0.0),
    )
    sublattice: Symbol | None = key(
        "Element of the site of the defect in a crystal of several; null: the first one", default=None
    )
    removed: Positions = key(
        "Sites that are left out, relative to the site of the defect; which sites there are, the structure tells "
        "(diamond: the site has bonds along [1, 1, 1]/4)",
        unit="a0",
        default=(),
    )
    added: PlacedAtoms = key(
        "Atoms that are put in: positions relative to the site of the defect, or {at: position, element: symbol}",
        unit="a0",
        default=(),
    )
    substituted: Substitutions = key(
        "Sites that have an atom of another element, such as an antisite: {at: site, element: symbol}; at left out is "
        "the site of the defect",
        default=(),
    )

    @model_validator(mode="after")
    def _changes_something(self) -> "Point":
        if not self.removed and not self.added and not self.substituted:
            raise ValueError("none of removed, added and substituted names a position; there is no defect")
        return self


def _refuse_out_of_plane(plane: Plane, **vectors: Direction | Vector) -> None:
    for name, vector in (*vectors.items(), ("plane", plane)):
        if not any(vector):
            raise ValueError(f"{name} is the zero vector; give a direction")
    for name, vector in vectors.items():
        product = sum(a * b for a, b in zip(vector, plane, strict=True))
        if abs(product) > 1e-9:
            raise ValueError(
                f"{name} {list(vector)} does not lie in the cut plane with normal {list(plane)} "
                f"(product {product:g}); choose a normal perpendicular to {' and '.join(vectors)}"
            )


Along = Annotated[int, Field(ge=2, le=100)]
Cells = Along | Annotated[tuple[Along, Along, Along], Strict(False)]


class Disc(Section):
    """The domain of a straight defect: a disc around it."""

    kind: Literal["disc"] = key("Kind of domain", default="disc")
    radius_r0: float = key(
        "Radius of the free disc; the clamped rim lies outside", unit="r0", default=50.0, gt=0.0, le=2000.0
    )
    clamp_width: float = key(
        "Width of the rim whose atoms stay at the predictor", unit="Å", default=15.0, gt=0.0, le=1e6
    )
    periods: int = key(
        "Height of the domain along the line in shortest periods of the lattice: solutes repeat after it. A file says "
        "its height itself",
        unit="1",
        default=1,
        ge=1,
        le=200,
    )


class Box(Section):
    """The domain of a point defect: a periodic box of right-angled cells, which are cubic in cubic crystals."""

    kind: Literal["box"] = key("Kind of domain", default="box")
    cells: Cells = key(
        "Cells along each edge: one number, 2 to 100, or three; the cell of a hexagonal crystal has the edges a, "
        "sqrt(3) a and c",
        unit="1",
    )

    @property
    def along(self) -> tuple[int, int, int]:
        """Cells along the three edges."""
        return (self.cells,) * 3 if isinstance(self.cells, int) else self.cells


Axes = Annotated[tuple[Direction, Direction, Direction], Strict(False)]
Periodic = Annotated[tuple[bool, bool, bool], Strict(False)]
Core = Annotated[tuple[float, ...], Strict(False), Field(min_length=2, max_length=3)]
Elements = Annotated[tuple[Symbol, ...], Strict(False), Field(min_length=1, max_length=100)]


class File(StraightDefect):
    """A defect in a file of the user: a straight one, or any in a periodic supercell."""

    kind: Literal["file"] = key("Kind of defect", default="file")
    file: FileName = key("Path of the file with the atoms, relative to the root of the project")
    format: Literal["extxyz", "vasp", "lammps-data", "lammps-dump-text"] | None = key(
        "Format of the file: extended XYZ, POSCAR, LAMMPS data or dump in metal units; null: by name and content, any "
        "format that ASE reads",
        default=None,
    )
    frame: int = key(
        "Configuration that is taken of a file with several, counted from 0; -1 is the last",
        unit="1",
        default=-1,
        ge=-10_000,
        le=10_000,
    )
    types: Elements | None = key(
        "Elements of the types 1, 2, ... of LAMMPS; null: by masses, labels or elements of the file, or the one of the "
        "crystal",
        default=None,
    )
    pbc: Periodic | None = key(
        "Periodic directions, x, y, z, in place of those of the file; POSCAR and LAMMPS data do not say them, and are "
        "periodic in all of them but for those with an empty layer. A straight defect is periodic along its line alone",
        default=None,
    )
    axes: Axes | None = key(
        "Crystal directions along x, y and z of the file, three integers each in cubic axes, or of the conventional "
        "cell of another crystal; null: found",
        default=None,
    )
    lattice_constant: float | None = key(
        "Lattice constant with which the file was made, if it is not that of the QM model: the structure is scaled",
        unit="Å",
        default=None,
        gt=0.0,
    )
    lattice: str | None = key(
        "Name of an array (n, 3) of the file with the site of the perfect crystal of every atom; null: those of a "
        "supercell are found, and the atoms of a straight defect are the reference configuration",
        default=None,
    )
    clamp: str = key(
        "radius: atoms beyond domain.radius_r0 from the core are held; fix_atoms: those that the file fixes, and those "
        "near its surface; any other word is the name of an array that is not zero on atoms to hold, name=value that "
        "of one that has this value there. In a supercell nothing is held",
        default="fix_atoms",
    )
    seed: str | None = key(
        "Name of an array that is not zero on the atoms around which the first QM region lies, or name=value; null: "
        "those at the core, or where neighbours are missing",
        default=None,
    )
    core: Core | None = key(
        "Position of the defect in the file, three coordinates, or two across the line of a straight one; null: found",
        unit="Å",
        default=None,
    )

    @model_validator(mode="after")
    def _axes_are_directions(self) -> "File":
        if self.axes is not None and not all(map(any, self.axes)):
            raise ValueError(f"axes {[list(axis) for axis in self.axes]}: a direction is zero")
        return self


AnyDefect = Annotated[Dislocation | Crack | Point | File, Field(discriminator="kind")]
AnyDomain = Annotated[Disc | Box, Field(discriminator="kind")]


class DescribedDefect(Section):
    """A defect in its domain: with the crystal, all that its sites and its predictor follow from."""

    defect: AnyDefect = key("The defect")
    domain: AnyDomain = key("The computational domain")
    rim: float = key("Of a file: how far from its surface free atoms stay", unit="Å", default=0.0)

    def enlarged(self, factor: float) -> "DescribedDefect":
        """The same in a disc of a radius that is so many times as large."""
        if not isinstance(self.domain, Disc):
            raise ValueError(f"A {self.domain.kind} has no radius; only a disc is enlarged.")
        larger = self.domain.model_copy(update={"radius_r0": factor * self.domain.radius_r0})
        return self.model_copy(update={"domain": larger})
