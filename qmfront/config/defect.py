"""What is relaxed: a defect, and the domain around it."""

from math import hypot
from typing import Annotated, Literal

from pydantic import Field, Strict, model_validator

from qmfront.config.section import Direction, Positions, Section, Vector, key
from qmfront.config.section import Point as PlanePoint


class Dislocation(Section):
    """A straight dislocation, (B.1)-(B.4); vectors are in cubic crystal axes."""

    kind: Literal["dislocation"] = key("Kind of defect", default="dislocation")
    line: Direction = key("Line direction, three integers in cubic axes")
    burgers: Vector = key("Burgers vector in cubic axes", unit="a0")
    plane: Direction = key("Normal of the cut (glide) plane, three integers in cubic axes")
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

    @property
    def slip(self) -> float:
        """Length of the Burgers vector, a0."""
        return hypot(*self.burgers)

    @model_validator(mode="after")
    def _cut_plane_holds_line_and_burgers(self) -> "Dislocation":
        _refuse_out_of_plane(self.plane, line=self.line, burgers=self.burgers)
        return self


class Crack(Section):
    """A straight crack opened in mode I, (B.5); vectors are in cubic crystal axes."""

    kind: Literal["crack"] = key("Kind of defect", default="crack")
    front: Direction = key("Direction of the crack front, three integers in cubic axes")
    plane: Direction = key("Normal of the crack plane, three integers in cubic axes")
    load: float = key(
        "Stress intensity K_I over the Griffith value of the reference model", unit="1", gt=0.0, le=3.0
    )
    tip_offset: PlanePoint = key(
        "Position of the tip of the predictor in the crystal relative to the default one, along e1 and e2",
        unit="Å",
        default=(0.0, 0.0),
    )

    @property
    def slip(self) -> float:
        """A crack does not slip, a0."""
        return 0.0

    @model_validator(mode="after")
    def _plane_holds_front(self) -> "Crack":
        _refuse_out_of_plane(self.plane, front=self.front)
        return self


class Point(Section):
    """A point defect, or a cluster of them, in a periodic box; positions are in cubic crystal axes."""

    kind: Literal["point"] = key("Kind of defect", default="point")
    position: Vector = key(
        "Position of the site of the defect in the box, whose corner is the origin", unit="a0"
    )
    removed: Positions = key(
        "Sites that are left out, relative to the site of the defect; which sites there are, the structure tells "
        "(diamond: the site has bonds along [1, 1, 1]/4)",
        unit="a0",
        default=(),
    )
    added: Positions = key("Atoms that are put in, relative to the site of the defect", unit="a0", default=())

    @property
    def slip(self) -> float:
        """A point defect does not slip, a0."""
        return 0.0

    @model_validator(mode="after")
    def _changes_something(self) -> "Point":
        if not self.removed and not self.added:
            raise ValueError("neither removed nor added names a position; there is no defect")
        return self


def _refuse_out_of_plane(plane: Direction, **vectors: Direction | Vector) -> None:
    for name, vector in (*vectors.items(), ("plane", plane)):
        if not any(vector):
            raise ValueError(f"{name} is the zero vector")
    for name, vector in vectors.items():
        product = sum(a * b for a, b in zip(vector, plane, strict=True))
        if abs(product) > 1e-9:
            raise ValueError(
                f"{name} {list(vector)} does not lie in the cut plane with normal {list(plane)} "
                f"(product {product:g}); choose a normal perpendicular to {' and '.join(vectors)}"
            )


class Disc(Section):
    """The domain of a straight defect: a disc around it."""

    kind: Literal["disc"] = key("Kind of domain", default="disc")
    radius_r0: float = key(
        "Radius of the free disc; the clamped rim lies outside", unit="r0", default=50.0, gt=0.0, le=2000.0
    )
    clamp_width: float = key(
        "Width of the rim whose atoms stay at the predictor", unit="Å", default=15.0, gt=0.0
    )


class Box(Section):
    """The domain of a point defect: a periodic box of cubic cells."""

    kind: Literal["box"] = key("Kind of domain", default="box")
    cells: int = key("Cubic cells along each edge", unit="1", ge=2, le=100)


Axes = Annotated[tuple[Direction, Direction, Direction], Strict(False)]
Periodic = Annotated[tuple[bool, bool, bool], Strict(False)]


class File(Section):
    """A defect in a file of the user; straight, its line along z."""

    kind: Literal["file"] = key("Kind of defect", default="file")
    file: str = key("Path of the file with the atoms, relative to the root of the project")
    format: Literal["extxyz", "vasp", "lammps-data"] | None = key(
        "Format of the file: extended XYZ, POSCAR, or LAMMPS data in metal units; null: by name and content, any "
        "format that ASE reads",
        default=None,
    )
    pbc: Periodic | None = key(
        "Periodic directions, x, y, z, in place of those of the file; POSCAR and LAMMPS data do not say them, and need "
        "[false, false, true]",
        default=None,
    )
    axes: Axes = key("Crystal directions along x, y and z of the file, three integers each in cubic axes")
    lattice_constant: float | None = key(
        "Lattice constant with which the file was made, if it is not that of the QM model: the structure is scaled",
        unit="Å",
        default=None,
        gt=0.0,
    )
    lattice: str | None = key(
        "Name of an array (n, 3) of the file with the site of the perfect crystal of every atom; null: the atoms are "
        "the reference configuration",
        default=None,
    )
    clamp: str = key(
        "radius: atoms beyond domain.radius_r0 from the core are held; fix_atoms: those that the file fixes; any other "
        "word is the name of an array that is not zero on atoms to hold",
        default="fix_atoms",
    )
    seed: str | None = key(
        "Name of an array that is not zero on the atoms around which the first QM region lies; null: those at the "
        "core, or where neighbours are missing",
        default=None,
    )
    core: PlanePoint | None = key(
        "Position of the defect, x and y in the file; null: the centre of the seeds", unit="Å", default=None
    )

    @property
    def slip(self) -> float:
        """What a file does not say, a0."""
        return 0.0

    @model_validator(mode="after")
    def _axes_make_a_frame(self) -> "File":
        for one, other in ((0, 1), (0, 2), (1, 2)):
            product = sum(a * b for a, b in zip(self.axes[one], self.axes[other], strict=True))
            if product != 0 or not any(self.axes[one]) or not any(self.axes[other]):
                raise ValueError(
                    f"axes {[list(axis) for axis in self.axes]}: {list(self.axes[one])} and {list(self.axes[other])} "
                    "are not perpendicular"
                )
        return self


AnyDefect = Annotated[Dislocation | Crack | Point | File, Field(discriminator="kind")]
AnyDomain = Annotated[Disc | Box, Field(discriminator="kind")]
