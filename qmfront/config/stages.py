"""Settings of the stages of the adaptive loop (Algorithms 1 and 2), one section each."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, Strict, model_validator

from qmfront.config.section import Centre, Section, key

Force = Annotated[float, Field(gt=0.0, le=1.0)]

Width = Annotated[float, Field(gt=0.0, le=200.0)]

Widths = Annotated[tuple[Width, ...], Strict(False)]

Residual = Literal["exact", "cauchy_born", "paper"]


CORE_RADIUS_R0 = 1.0
"""Atoms within this distance (r0) of the core line belong to the core and must be QM."""
# ASSUME the paper only says that the QM region contains the core; the first shell is where ACE fails.


class InitialRegion(Section):
    """The QM region of iteration 0: a disc (a ball in a box) that must contain the core."""

    radius_r0: float = key("Radius", unit="r0", default=3.3, gt=0.0, le=2000.0)
    centre_r0: Centre = key(
        "Centre relative to the core, along e1 and e2 (and e3 in a box; left out, 0)",
        unit="r0",
        default=(0.0, 0.0),
    )


class Start(Section):
    """Where iteration 0 starts: at a minimum of the potential alone, or at the predictor."""

    relax: bool = key(
        "Whether the whole defect is relaxed with the potential first; no QM call", default=True
    )
    noise: float = key(
        "Standard deviation of the displacements that break the symmetry of the predictor",
        unit="Å",
        default=0.02,
        ge=0.0,
        le=0.5,
    )
    tries: int = key(
        "Descents, each from other displacements, of which the lowest minimum is taken",
        unit="1",
        default=3,
        ge=1,
        le=100,
    )
    max_force: float = key("Largest force component at a minimum", unit="eV/Å", default=1e-3, gt=0.0, le=0.1)
    step_cap: float = key(
        "Largest displacement of an atom in one step of a descent", unit="Å", default=0.2, gt=0.0, le=2.0
    )
    max_calls: int = key(
        "Largest number of calls of the potential in one descent", unit="1", default=600, ge=1
    )
    shell_r0: float | None = key(
        "Sites this close to a defective one are QM in iteration 0; null: 1.2 for straight defects, 0 for point "
        "defects, whose neighbours are defective",
        unit="r0",
        default=None,
        ge=0.0,
        le=20.0,
    )


class Solve(Section):
    """Root finding for the mixed forces, (2.10): Anderson with the force constants as Jacobian."""

    algebraic_fraction: float = key(
        "Stop when the algebraic part of the error is below this fraction of eta",
        unit="1",
        default=0.03,
        gt=0.0,
        lt=1.0,
    )
    memory: int = key("Number of earlier iterates that Anderson mixes", unit="1", default=20, ge=0, le=200)
    step_cap: float = key(
        "Largest displacement of an atom in one step", unit="Å", default=0.3, gt=0.0, le=2.0
    )
    max_calls: int = key("Largest number of QM calls of one solve", unit="1", default=60, ge=1)
    descent_force: Force | None = key(
        "The first solve goes downhill until no force is larger, and any solve goes five times further if root "
        "finding fails, twice if need be; null: to 0.03 eV/Å from a minimum of the potential, not at all from the "
        "predictor, and to 0.01 and 0.002 eV/Å if root finding fails",
        unit="eV/Å",
        default=None,
    )
    modes: int = key(
        "Soft modes of the potential along which the mixed forces test every solution, a QM call each; a saddle is "
        "left along its mode; 0 tests nothing",
        unit="1",
        default=3,
        ge=0,
        le=20,
    )
    prove: bool = key(
        "Whether a Lanczos run with mixed forces, some 25 QM calls, looks for soft modes of the first solution that "
        "those of the potential miss; all tests after it know them. Only with modes",
        default=True,
    )
    mode_step: float = key(
        "Largest displacement of an atom in the differences of that test",
        unit="Å",
        default=2e-3,
        gt=0.0,
        le=0.05,
    )


class Embedding(Section):
    """How the QM model sees a part of the lattice: as a cluster with vacuum beside it, or as a periodic box."""

    kind: Literal["cluster", "box"] = key(
        "A cluster with vacuum beside it, or the smallest periodic box of cubic cells that holds it: boxes need a "
        "domain that is a box, and the buffer fills them",
        default="cluster",
    )
    minimum_cells: int = key("No box has fewer cubic cells along an edge", unit="1", default=1, ge=1, le=100)
    shape: Literal["cube", "cuboid"] = key("A cuboid grows along one axis at a time", default="cube")
    subtract_lattice: bool = key(
        "Whether the forces of the same cluster cut from the perfect crystal are subtracted: they are the leading part "
        "of what the surface of the cluster does to an electronic-structure model",
        default=False,
    )


class Locality(Section):
    """Measurement of the buffer that the QM model needs, before anything is solved."""

    widths: Widths = key(
        "Widths of the buffer whose forces on the initial QM region are compared with those on the whole domain; "
        "an empty list measures nothing",
        unit="Å",
        default=(),
    )
    alternatives: dict[str, dict[str, JsonValue]] = key(
        "Keyword arguments of the QM model by label, such as a finer k-mesh: what they change at buffer.width",
        default={},
    )
    tolerance: float = key(
        "Largest force error at buffer.width; a wider one stops the case before its first solve",
        unit="eV/Å",
        default=1e-2,
        gt=0.0,
    )


class Buffer(Section):
    """The buffer around the QM region, united with {T <= t_new + t_buf} of (4.4)."""

    width: float = key(
        "Width of the geometric shell; left out, twice qm.cutoff of the material, which is exact for EAM potentials; "
        "the default here is that of tungsten",
        unit="Å",
        default=10.8,
        ge=0.0,
        le=1000.0,
    )
    residual_factor: float = key(
        "The residual forces are evaluated with this multiple of the buffer width (section 3.2.2)",
        unit="1",
        default=2.0,
        ge=1.0,
        le=4.0,
    )


class Circle(Section):
    """Growth by concentric discs, the classical alternative."""

    centre_r0: Centre = key(
        "Centre relative to the core, along e1 and e2 (and e3 in a box; left out, 0)",
        unit="r0",
        default=(0.0, 0.0),
    )
    growth: float = key(
        "Factor of the number of QM atoms per iteration", unit="1", default=2.0, gt=1.0, le=10.0
    )


class Refine(Section):
    """Algorithm 2: the new QM region and buffer."""

    method: Literal["fast_marching", "benefit", "circle"] = key(
        "Front driven by the estimator, sites of most benefit per cost, or a growing disc (in a box a ball)",
        default="fast_marching",
    )
    t_new: float = key(
        "Arrival time T_new below which an atom becomes QM, (4.4)", unit="1", default=4.0, gt=0.0, le=100.0
    )
    t_buf: float = key(
        "Arrival time T_buf beyond T_new below which an atom is buffer, (4.4)",
        unit="1",
        default=3.0,
        ge=0.0,
        le=100.0,
    )
    mesh: float = key(
        "Spacing h_est of the grid of the fast marching method", unit="Å", default=0.4, gt=0.0, le=2.0
    )
    normalisation: Literal["mean", "max"] = key(
        "The speed is eta_l over its mean or its maximum in QM and buffer", default="mean"
    )
    minimum_growth: float = key(
        "Least relative growth of the number of QM atoms", unit="1", default=0.1, ge=0.0, le=2.0
    )
    maximum_growth: float | None = key(
        "Largest relative growth of the number of QM atoms by the front; null: any",
        unit="1",
        default=1.0,
        gt=0.0,
    )
    circle: Circle = key("Settings of the method circle", default=Circle())


class Coarsen(Section):
    """When QM sites become MM again."""

    fraction: float = key(
        "Sites leave the QM region as long as the estimate without them stays below this fraction of the tolerance; "
        "the rest is what the prediction may be wrong by",
        unit="1",
        default=0.7,
        gt=0.0,
        lt=1.0,
    )
    least: float = key(
        "Least relative loss of QM atoms that is worth a change", unit="1", default=0.05, ge=0.0, le=1.0
    )


class LoadPath(Section):
    """Loads that a dislocation is taken through, shear strains."""

    end: float = key("The last load; the path begins at 0", unit="1", ge=-3.0, le=3.0)
    step: float = key("Largest change of the load in one step", unit="1", gt=0.0, le=1.0)
    smallest_step: float = key(
        "Where the core jumps, steps shrink to this one: the load of the jump is known to it",
        unit="1",
        gt=0.0,
        le=1.0,
    )
    jumps: int = key("The path ends after so many jumps", unit="1", default=1, ge=1, le=1000)
    jump_r0: float = key(
        "A core that moves farther in one step has jumped", unit="r0", default=0.5, gt=0.0, le=10.0
    )

    @model_validator(mode="after")
    def _steps_shrink(self) -> "LoadPath":
        if self.smallest_step > self.step:
            raise ValueError(
                f"smallest_step {self.smallest_step:g} is larger than step {self.step:g}; exchange them"
            )
        return self


class Adapt(Section):
    """When the adaptive loop (Algorithm 1) stops."""

    tolerance: float = key("Stop when eta is below this", unit="Å", default=1e-4, gt=0.0)
    max_iterations: int = key("Largest number of iterations", unit="1", default=12, ge=1, le=1000)
    prove: bool = key(
        "Whether the last solution is tested by a Lanczos run with mixed forces, some 25 QM calls: it finds soft modes "
        "that those of the potential miss",
        default=True,
    )
    max_qm_atoms: int = key("No refinement beyond this number of QM atoms", unit="1", default=1000, ge=1)


class Energy(Section):
    """The energy of the last iteration by virtual work of the mixed forces."""

    compute: bool = key(
        "Whether it is computed: 16 QM calls on the QM region, the exact layer and the wide buffer of the residual; 11 "
        "for a substitution, 4 of them on the surroundings of the solutes",
        default=False,
    )
    of: Literal["relaxation", "substitution"] = key(
        "relaxation: of the solution over the predictor. substitution: of the solution over that of the case host, or "
        "over the perfect crystal where there is none; the difference of two of them is a binding energy",
        default="relaxation",
    )


class Clamp(Section):
    """The error of the clamp, from the answer of a larger domain. No QM call."""

    factor: float | None = key(
        "Radius of the larger disc over that of the case; null: not computed",
        unit="1",
        default=None,
        ge=1.1,
        le=4.0,
    )


class Divide(Section):
    """QM forces of a periodic domain, tile by tile, each from a periodic box around it; computed where asked for."""

    tile_cells: int = key("Cubic cells along the edge of a tile", unit="1", default=1, ge=1, le=100)
    box_cells: int = key(
        "Cubic cells along the edge of the box around a tile; a box that would tear the defect apart grows",
        unit="1",
        default=3,
        ge=1,
        le=100,
    )
    jobs: int = key("Jobs that the tiles are spread over", unit="1", default=8, ge=1, le=1000)


class Laplacian(Section):
    """The generalised graph Laplacian (3.2)."""

    A: float = key("Decay A of the weights exp(-A (r/r_nn - 1))", unit="1", default=3.0, ge=0.0, le=20.0)
    cutoff_r0: float = key("Largest distance of connected atoms", unit="r0", default=2.5, gt=1.0, le=10.0)


class Hessian(Section):
    """The Hessian at the solution, in place of the force constants of the perfect lattice."""

    model: Literal["mm", "mixed"] = key(
        "Whose Hessian: mm, that of the potential on all sites, costs no QM call; mixed, that of the mixed forces, "
        "costs steps + 1 QM calls in every iteration",
        default="mm",
    )
    steps: int = key(
        "Steps of conjugate gradients, preconditioned with the force constants of the perfect lattice",
        unit="1",
        default=4,
        ge=1,
        le=50,
    )
    mixed_calls: int = key(
        "Model mm: largest number of QM calls that doubt its answer with the Hessian of the mixed forces, and mend it; "
        "one where the answer is right, none with 0",
        unit="1",
        default=4,
        ge=0,
        le=50,
    )


class Estimate(Section):
    """The error estimator (3.9): a norm and a residual."""

    norm: Literal["hessian", "force_constants", "laplacian"] = key(
        "Operator behind the dual norm: the Hessian at the solution, the force constants of the perfect lattice, or "
        "the paper's L of (3.2)",
        default="hessian",
    )
    residual: Residual = key(
        "Residual outside QM and buffer: exact, Cauchy-Born difference, or the paper's linear form (3.7)",
        default="cauchy_born",
    )
    beside: list[Residual] = key(
        "Residuals that are computed beside it where there is a reference to compare with",
        default=["exact", "cauchy_born", "paper"],
    )
    stabilisation: float = key(
        "C_stab of (3.2); 0.1 is the paper's choice", unit="eV/Å^2", default=0.0, ge=0.0, le=10.0
    )
    layer_r0: float = key(
        "Width of the layer around the QM region where the residual cauchy_born is exact; 0 takes the forces of the "
        "solve on the QM region and costs no QM call",
        unit="r0",
        default=2.0,
        ge=0.0,
    )
    layer_tolerance: float = key(
        "Relative change of eta up to which the next layer may be thinner than layer_r0, or none; 0 keeps its width",
        unit="1",
        default=0.0,
        ge=0.0,
        le=0.5,
    )
    face_layer: float = key(
        "Width of the layer at crack faces where the residual is exact in any variant",
        unit="Å",
        default=11.0,
        ge=0.0,
    )
    far_field_samples: int = key(
        "Homogeneous lattices that both models are asked about at strains of the case, where 24 of them say that the "
        "polynomial dW is more than 20 % off there; 0 believes the polynomial",
        unit="1",
        default=120,
        ge=0,
        le=100000,
    )
    hessian: Hessian = key("Settings of the norm hessian", default=Hessian())
    laplacian: Laplacian = key("Settings of the norm laplacian", default=Laplacian())


class Stability(Section):
    """The lowest eigenvalue of H v = lambda H_FC v, from differences of forces."""

    tolerance: float = key("Relative accuracy of the eigenvalue", unit="1", default=1e-3, gt=0.0, lt=1.0)
    vectors: int = key("Lanczos vectors before a restart", unit="1", default=20, ge=3, le=200)
    step: float = key(
        "Largest displacement of an atom in the differences", unit="Å", default=1e-4, gt=0.0, le=0.05
    )
    one_sided: bool = key(
        "Whether one force call per vector has to do, less accurate than two", default=False
    )


class Reference(Section):
    """The full QM solution on the same domain, against which errors are measured."""

    compute: bool = key(
        "Whether it is computed: QM calls on all atoms of the domain; without it there are estimates but no errors",
        default=False,
    )
    max_force: float = key(
        "Largest force component at convergence", unit="eV/Å", default=1e-8, gt=0.0, le=0.1
    )
    max_calls: int = key("Largest number of force evaluations", unit="1", default=200, ge=1)
    start: Literal["minimum", "predictor"] | Annotated[int, Field(ge=0, le=100)] = key(
        "Where the relaxation starts: at the minimum of the potential that iteration 0 starts from, at the predictor, "
        "or, which saves calls, at the solution of this iteration",
        default="minimum",
    )
    stability: Stability = key("The proof that the reference is a minimum", default=Stability())
