"""What a case is: a defect, its domain, and the settings of every stage of the adaptive loop."""

from math import hypot
from typing import Annotated, Literal

from pydantic import Field, JsonValue, Strict, model_validator

from qmfront.config.bars import Clamp, Energy
from qmfront.config.divide import Divide
from qmfront.config.estimate import Estimate
from qmfront.config.file import File
from qmfront.config.reference import Reference
from qmfront.config.section import Centre, Direction, Name, Positions, Section, Vector, key
from qmfront.config.section import Point as PlanePoint

Force = Annotated[float, Field(gt=0.0, le=1.0)]
Width = Annotated[float, Field(gt=0.0, le=200.0)]
Widths = Annotated[tuple[Width, ...], Strict(False)]


class Dislocation(Section):
    """A straight dislocation, (B.1)-(B.4); vectors are in cubic crystal axes."""

    kind: Literal["dislocation"] = key("Kind of defect")
    line: Direction = key("Line direction, three integers in cubic axes")
    burgers: Vector = key("Burgers vector in cubic axes", unit="a0")
    plane: Direction = key("Normal of the cut (glide) plane, three integers in cubic axes")
    core_offset: PlanePoint = key(
        "Position of the core in the crystal relative to the default one, along e1 and e2", unit="Å"
    )
    core_map_radius_r0: float = key(
        "Radius over which the core map (B.4) removes the singularity", unit="r0", gt=0.0, le=50.0
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

    kind: Literal["crack"] = key("Kind of defect")
    front: Direction = key("Direction of the crack front, three integers in cubic axes")
    plane: Direction = key("Normal of the crack plane, three integers in cubic axes")
    load: float = key(
        "Stress intensity K_I over the Griffith value of the reference model", unit="1", gt=0.0, le=3.0
    )
    tip_offset: PlanePoint = key(
        "Position of the tip of the predictor in the crystal relative to the default one, along e1 and e2",
        unit="Å",
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

    kind: Literal["point"] = key("Kind of defect")
    position: Vector = key(
        "Position of the site of the defect in the box, whose corner is the origin", unit="a0"
    )
    removed: Positions = key(
        "Sites that are left out, relative to the site of the defect; which sites there are, the structure tells "
        "(diamond: the site has bonds along [1, 1, 1]/4)",
        unit="a0",
    )
    added: Positions = key("Atoms that are put in, relative to the site of the defect", unit="a0")

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

    kind: Literal["disc"] = key("Kind of domain")
    radius_r0: float = key(
        "Radius of the free disc; the clamped rim lies outside", unit="r0", gt=0.0, le=2000.0
    )
    clamp_width: float = key("Width of the rim whose atoms stay at the predictor", unit="Å", gt=0.0)


class Box(Section):
    """The domain of a point defect: a periodic box of cubic cells."""

    kind: Literal["box"] = key("Kind of domain")
    cells: int = key("Cubic cells along each edge", unit="1", ge=2, le=100)


class InitialRegion(Section):
    """The QM region of iteration 0: a disc (a ball in a box) that must contain the core."""

    radius_r0: float = key("Radius", unit="r0", gt=0.0)
    centre_r0: Centre = key(
        "Centre relative to the core, along e1 and e2 (and e3 in a box; left out, 0)", unit="r0"
    )


class Solve(Section):
    """Root finding for the mixed forces, (2.10): Anderson with the force constants as Jacobian."""

    algebraic_fraction: float = key(
        "Stop when the algebraic part of the error is below this fraction of eta", unit="1", gt=0.0, lt=1.0
    )
    memory: int = key("Number of earlier iterates that Anderson mixes", unit="1", ge=0, le=200)
    step_cap: float = key("Largest displacement of an atom in one step", unit="Å", gt=0.0, le=2.0)
    max_calls: int = key("Largest number of QM calls of one solve", unit="1", ge=1)
    descent_force: Force | None = key(
        "A solve from the predictor first goes downhill until no force is larger, and any solve goes five times "
        "further if root finding fails; null: root finding first, which needs fewer calls near the solution, and "
        "downhill to 0.01 eV/Å if it fails",
        unit="eV/Å",
    )


class Embedding(Section):
    """How the QM model sees a part of the lattice: as a cluster with vacuum beside it, or as a periodic box."""

    kind: Literal["cluster", "box"] = key(
        "A cluster with vacuum beside it, or the smallest periodic box of cubic cells that holds it: boxes need a "
        "domain that is a box, and the buffer fills them"
    )
    minimum_cells: int = key("No box has fewer cubic cells along an edge", unit="1", ge=1, le=100)
    shape: Literal["cube", "cuboid"] = key("A cuboid grows along one axis at a time", default="cube")
    subtract_lattice: bool = key(
        "Whether the forces of the same cluster cut from the perfect crystal are subtracted: they are the leading part "
        "of what the surface of the cluster does to an electronic-structure model"
    )


class Locality(Section):
    """Measurement of the buffer that the QM model needs, before anything is solved."""

    widths: Widths = key(
        "Widths of the buffer whose forces on the initial QM region are compared with those on the whole domain; "
        "an empty list measures nothing",
        unit="Å",
    )
    alternatives: dict[str, dict[str, JsonValue]] = key(
        "Keyword arguments of the QM model by label, such as a finer k-mesh: what they change at buffer.width"
    )
    tolerance: float = key(
        "Largest force error at buffer.width; a wider one stops the case before its first solve",
        unit="eV/Å",
        gt=0.0,
    )


class Buffer(Section):
    """The buffer around the QM region, united with {T <= t_new + t_buf} of (4.4)."""

    width: float = key(
        "Width of the geometric shell; twice the cut-off is exact for EAM potentials", unit="Å", ge=0.0
    )
    residual_factor: float = key(
        "The residual forces are evaluated with this multiple of the buffer width (section 3.2.2)",
        unit="1",
        ge=1.0,
        le=4.0,
    )


class Circle(Section):
    """Growth by concentric discs, the classical alternative."""

    centre_r0: Centre = key(
        "Centre relative to the core, along e1 and e2 (and e3 in a box; left out, 0)", unit="r0"
    )
    growth: float = key("Factor of the number of QM atoms per iteration", unit="1", gt=1.0, le=10.0)


class Refine(Section):
    """Algorithm 2: the new QM region and buffer."""

    method: Literal["fast_marching", "benefit", "circle"] = key(
        "Front driven by the estimator, sites of most benefit per cost, or a growing disc (in a box a ball)"
    )
    t_new: float = key("Arrival time T_new below which an atom becomes QM, (4.4)", unit="1", gt=0.0, le=100.0)
    t_buf: float = key(
        "Arrival time T_buf beyond T_new below which an atom is buffer, (4.4)", unit="1", ge=0.0, le=100.0
    )
    mesh: float = key("Spacing h_est of the grid of the fast marching method", unit="Å", gt=0.0, le=2.0)
    normalisation: Literal["mean", "max"] = key(
        "The speed is eta_l over its mean or its maximum in QM and buffer"
    )
    minimum_growth: float = key("Least relative growth of the number of QM atoms", unit="1", ge=0.0, le=2.0)
    circle: Circle = key("Settings of the method circle")


class Adapt(Section):
    """When the adaptive loop (Algorithm 1) stops."""

    tolerance: float = key("Stop when eta is below this", unit="Å", gt=0.0)
    max_iterations: int = key("Largest number of iterations", unit="1", ge=1, le=1000)
    max_qm_atoms: int = key("No refinement beyond this number of QM atoms", unit="1", ge=1)


class Case(Section):
    """One study: a defect relaxed adaptively."""

    title: str = key("One line that says what the case shows, for figures and report")
    material: Name = key("Name of the material")
    potential: Name = key("Name of the MM potential")
    qm_kwargs: dict[str, JsonValue] = key("Keyword arguments of the QM model over those of the material")
    defect: Annotated[Dislocation | Crack | Point | File, Field(discriminator="kind")] = key("The defect")
    domain: Annotated[Disc | Box, Field(discriminator="kind")] = key("The computational domain")
    initial_region: InitialRegion = key("The QM region of iteration 0")
    reference: Reference = key("The full QM solution on the same domain")
    solve: Solve = key("The equilibrium solver")
    buffer: Buffer = key("The buffer around the QM region")
    embedding: Embedding = key("How the QM model sees QM region and buffer")
    locality: Locality = key("Measurement of the buffer that the QM model needs")
    estimate: Estimate = key("The error estimator")
    refine: Refine = key("Mark and refine")
    adapt: Adapt = key("When the loop stops")
    energy: Energy = key("The energy of the last iteration")
    clamp: Clamp = key("The error of the clamp")
    divide: Divide = key("QM forces on the whole domain by divide and conquer")
