"""What an MM potential is: a linear ACE basis (appendix C), what it is matched to, and the regression."""

from math import gcd
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, Strict, field_validator, model_validator

from qmfront.config.section import (
    Name,
    Plane,
    Point,
    Section,
    Symbol,
    Termination,
    key,
    surface_name,
    whole,
)

Degree = Annotated[int, Field(ge=1, le=40)]
Degrees = Annotated[tuple[Degree, ...], Strict(False), Field(min_length=1, max_length=5)]
Cells = Annotated[int, Field(ge=1, le=20)]
Repeat = Annotated[tuple[Cells, Cells], Strict(False)]
Repeats = Annotated[tuple[Cells, Cells, Cells], Strict(False)]
Distances = Annotated[
    tuple[Annotated[float, Field(ge=0.5, lt=1.0)], ...], Strict(False), Field(max_length=10)
]
Recipe = Literal["robust", "paper"]
Weightings = Annotated[
    tuple[Annotated[float, Field(gt=0.0, le=1.0)], ...], Strict(False), Field(min_length=1, max_length=10)
]
Planes = Annotated[tuple[Plane, ...], Strict(False)]
Elements = Annotated[tuple[Symbol, ...], Strict(False), Field(max_length=4)]


class Basis(Section):
    """The basis functions of the atomic cluster expansion."""

    gone = MappingProxyType({"order": "the largest correlation order is the number of entries of max_degree"})

    cutoff: float = key("Cut-off radius of the potential", unit="Å", default=5.5, gt=0.0, lt=20.0)
    max_degree: Degrees | None = key(
        "Largest total degree (radial plus angular) per correlation order 1, 2, ... (number of neighbours in one basis "
        "function): one to five numbers, each 1 to 40; null: [16, 14, 10]; with the recipe robust [20, 18, 12] where "
        "the fourth derivative is matched or the smaller basis does not suffice, and less for two species",
        default=None,
    )
    angular_weight: float = key(
        "Weight of the angular degree l in the total degree", unit="1", default=1.5, ge=0.1, le=5.0
    )
    radial_lambda: float | None = key(
        "Exponent lambda of the distance transform of the Chebyshev radial basis; "
        "larger resolves short distances better, small resolves all alike; null: 2.0, and 0.5 with the recipe robust",
        unit="1",
        default=None,
        gt=0.0,
        le=20.0,
    )


def _small(amplitudes: Point) -> Point:
    if not all(0.0 <= amplitude <= 0.5 for amplitude in amplitudes):
        raise ValueError(f"amplitudes = {list(amplitudes)} Å: each must be >= 0 and <= 0.5")
    return amplitudes


class FlatSlabs(Section):
    """Slabs whose layers are shifted as a whole and that are strained."""

    count: int = key("Number of slabs per plane", unit="1", default=10, ge=0, le=1000)
    shift: float = key("Largest shift of a layer along each axis", unit="Å", default=0.02, ge=0.0, le=0.5)
    strain: float = key("Largest component of the strain", unit="1", default=0.02, ge=0.0, le=0.1)


class RattledSlabs(Section):
    """Repeated slabs with normally distributed displacements of all atoms."""

    count: int = key("Number of slabs per plane", unit="1", default=20, ge=0, le=1000)
    amplitudes: Point = key(
        "Standard deviation of the displacements along each axis: of the first and of the last slab, with equal "
        "steps between; in Å, both >= 0 and <= 0.5",
        default=(0.01, 0.05),
    )
    repeat: Repeat = key("Surface cells along both vectors of the face; each 1 to 20", default=(3, 3))

    _amplitudes = field_validator("amplitudes")(_small)


class Rattled(Section):
    """Strained supercells with random displacements of all atoms: they keep a fit sane off the perfect lattice."""

    repeat: Repeats = key("Cubic cells along the axes; each 1 to 20", default=(2, 2, 2))
    count: int = key("Number of cells", unit="1", ge=1, le=10000)
    amplitudes: Point = key(
        "Standard deviation of the displacements along each axis: of the first and of the last cell, with equal "
        "steps between; in Å, both >= 0 and <= 0.5",
        default=(0.01, 0.1),
    )
    strain: float = key(
        "Largest component of the strain of the cells", unit="1", default=0.03, ge=0.0, le=0.1
    )
    seed: int = key("Seed of the random cells", unit="1", default=0, ge=0)
    interstitials: int = key(
        "Most atoms that are added to a cell at random places: the cells get 0, 1, ... in turn. Potentials for "
        "interstitials need them",
        unit="1",
        default=0,
        ge=0,
        le=10,
    )
    distance_r0: float = key(
        "No added atom is closer to another atom", unit="r0", default=0.9, gt=0.0, le=2.0
    )

    _amplitudes = field_validator("amplitudes")(_small)


class Surfaces(Section):
    """Slabs of the reference model that the potential is fitted to besides the lattice (section 4.3)."""

    planes: Planes = key("Miller indices of the faces, at least one plane")
    termination: Termination | None = key(
        "Height at which the only plane parts a crystal with a basis, as that of a crack; null: every plane parts it "
        "where its relaxed surface is cheapest",
        unit="1",
        default=None,
    )
    layers: int = key(
        "Number of atomic layers of every slab, rounded up to whole periods of lattice planes",
        unit="1",
        default=10,
        ge=4,
        le=100,
    )
    face_weight: float = key(
        "Factor of the weights for the relaxed and the unrelaxed flat slab", unit="1", default=30.0, ge=0.0
    )
    flat: FlatSlabs = key("Flat slabs beside those two", default=FlatSlabs())
    rattled: RattledSlabs = key(
        "Rattled slabs; without enough of them the face of a fit collapses", default=RattledSlabs()
    )
    seed: int = key("Seed of the random slabs", unit="1", default=0, ge=0)

    @property
    def names(self) -> list[str]:
        """The surfaces, as names of files call them."""
        return [surface_name(plane, self.termination) for plane in self.planes]

    @field_validator("planes")
    @classmethod
    def _planes(cls, value: Planes) -> Planes:
        directions = [tuple(index // (gcd(*plane) or 1) for index in plane) for plane in value]
        if not value or (0, 0, 0) in directions:
            raise ValueError(
                "planes must name at least one plane, none of them [0, 0, 0]; null fits no surfaces"
            )
        if len(set(directions)) < len(directions):
            raise ValueError(f"planes = {[list(plane) for plane in value]}: two of them are the same")
        return value

    @model_validator(mode="after")
    def _one_plane_for_a_termination(self) -> "Surfaces":
        if self.termination is not None and len(self.planes) > 1:
            raise ValueError(
                f"termination = {self.termination:g} is the height in one plane, and there are {len(self.planes)}: "
                "leave one plane, or take null"
            )
        return self


class Weights(Section):
    """Weights of the observations in the loss (2.12), (4.5); each multiplies a relative squared error."""

    energy: float = key("Weight of the cohesive energy", unit="1", default=1.0, ge=0.0)
    stress: float = key("Weight of zero stress at the QM lattice constant", unit="1", default=1.0, ge=0.0)
    force_constants: float = key("Weight W_1^F of the force constants, (4.5)", unit="1", default=10.0, ge=0.0)
    third_derivative: float = key(
        "Weight W_2^V of the third derivative of W_cb, (4.5)", unit="1", default=1.0, ge=0.0
    )
    fourth_derivative: float = key("Weight of the fourth derivative of W_cb", unit="1", default=1.0, ge=0.0)
    strained_force_constants: float = key(
        "Weight of the force constants of the strained lattice", unit="1", default=1.0, ge=0.0
    )
    fifth_derivative: float = key("Weight of the fifth derivative of W_cb", unit="1", default=1.0, ge=0.0)
    twice_strained_force_constants: float = key(
        "Weight of the second derivatives of the force constants by strain", unit="1", default=1.0, ge=0.0
    )
    rattled_energy: float = key("Weight of the energies of rattled cells", unit="1", default=0.1, ge=0.0)
    rattled_forces: float = key("Weight of the forces on rattled cells", unit="1", default=0.1, ge=0.0)
    sampled_stress: float = key(
        "Weight of the stresses of the strain samples of the bulk, observed where rattled cells are",
        unit="1",
        default=0.1,
        ge=0.0,
    )
    field_stress: float = key(
        "Weight of the stresses at strains of the predictor", unit="1", default=1e-2, ge=0.0
    )
    surface_energy: float = key(
        "Weight of the excess energies of slabs; far below the others, or the lattice is no longer matched",
        unit="1",
        default=1e-2,
        ge=0.0,
    )
    surface_forces: float = key(
        "Weight of the forces on slabs; the paper has a tenth of that of the energies",
        unit="1",
        default=1e-3,
        ge=0.0,
    )


class SmoothnessPrior(Section):
    """Rough basis functions are expensive; both regressions work in variables scaled by it."""

    strength: float = key(
        "Strength of the prior of ridge relative to the data", unit="1", default=1e-7, ge=0.0, lt=1.0
    )
    smoothness: float = key(
        "Exponent p of the prior (1 + s)^p that penalises basis functions of smoothness number s",
        unit="1",
        default=1.0,
        ge=0.0,
        le=10.0,
    )


class RelevanceDetermination(Section):
    """Automatic relevance determination, the paper's regression (section 4.2), by evidence maximisation."""

    max_iterations: int = key("Largest number of iterations", unit="1", default=200, ge=1)
    tolerance: float = key(
        "Relative change of the coefficients at which it stops", unit="1", default=1e-6, gt=0.0, lt=1.0
    )
    noise: float = key(
        "Least noise of the observations relative to their size", unit="1", default=1e-9, gt=0.0, lt=1.0
    )
    threshold: float = key(
        "A function is dropped when its precision exceeds this multiple of the smallest one",
        unit="1",
        default=1e14,
        gt=1.0,
    )


class Regression(Section):
    """How the coefficients are found."""

    method: Literal["ridge", "ard"] = key(
        "ridge with a smoothness prior, or automatic relevance determination", default="ridge"
    )
    prior: SmoothnessPrior = key("Prior of the coefficients", default=SmoothnessPrior())
    ard: RelevanceDetermination = key("Settings of ard", default=RelevanceDetermination())


class Robust(Section):
    """What the recipe robust observes beside the derivatives at the lattice, and how it weighs all of it."""

    noise_weight: float = key(
        "Every derivative is observed at two steps; its weight is at most this over the square of their relative "
        "difference",
        unit="1",
        default=1e-8,
        gt=0.0,
    )
    smooth: float = key(
        "Largest relative difference of the fourth derivative between two steps at which matching 2 is chosen",
        unit="1",
        default=1e-3,
        gt=0.0,
    )
    cells: Rattled = key(
        "Rattled cells of small strain",
        default=Rattled(count=24, amplitudes=(0.02, 0.2), strain=0.03, seed=10),
    )
    strained: Rattled = key(
        "Rattled cells of large strain",
        default=Rattled(count=12, amplitudes=(0.02, 0.2), strain=0.1, seed=11),
    )
    unseen: Rattled = key(
        "Rattled cells of small strain that are not fitted to: on them the weight is chosen",
        default=Rattled(count=8, amplitudes=(0.02, 0.2), strain=0.03, seed=12),
    )
    unseen_strained: Rattled = key(
        "Rattled cells of large strain beside them",
        default=Rattled(count=4, amplitudes=(0.02, 0.2), strain=0.1, seed=13),
    )
    faults: bool = key(
        "Whether energies of faults along the slip systems of the crystal are observed, half of them for the fit",
        default=True,
    )
    vacancy: Rattled | None = key(
        "Cells with a vacancy, beside one with all other atoms at rest; repeat is not used; null: none",
        default=Rattled(count=2, amplitudes=(0.05, 0.1), strain=0.0, seed=14),
    )
    dumbbells: bool = key(
        "Whether cells with one atom more, sharing a site along [100], [110] and [111], are observed",
        default=True,
    )
    close: Distances = key(
        "Distances at which one atom of the crystal stands from a neighbour, in cells that are fitted to",
        unit="r0",
        default=(0.85, 0.75, 0.65),
    )
    solute_cells: Rattled = key(
        "Rattled cells with one atom of a solute, for every solute, beside one with all atoms at rest; repeat is not "
        "used",
        default=Rattled(count=12, amplitudes=(0.02, 0.2), strain=0.05, seed=15),
    )
    unseen_solutes: Rattled = key(
        "Such cells that are not fitted to: on them the functions of the solutes are chosen and judged",
        default=Rattled(count=4, amplitudes=(0.02, 0.2), strain=0.05, seed=16),
    )
    solute_shells: int = key(
        "Neighbour shells in which pairs of solutes are observed, at rest and rattled; 0: none, for cases with one "
        "solute alone",
        unit="1",
        default=3,
        ge=0,
        le=8,
    )
    weights: Weightings = key(
        "Weights of all these cells that are tried: the smallest one whose error on what is not fitted to is at most "
        "twice the least wins",
        default=(1e-6, 1e-5, 1e-4),
    )
    repulsion: bool = key(
        "Whether atoms closer than 0.8 nearest-neighbour distances repel by a pair potential beside the basis",
        default=True,
    )
    refuse: bool = key(
        "Whether a fit that fails its certificate stops the run once a larger basis and other weights did not help",
        default=True,
    )


class Matching(Section):
    """Which derivatives at the perfect lattice are matched."""

    recipe: Recipe = key(
        "How a potential is fitted. robust: derivatives weighted by their measured noise, rattled cells of small and "
        "large strain with a weight chosen on cells that are not fitted to. paper: what matching says, and nothing "
        "beside it",
        default="paper",
    )
    robust: Robust = key("Settings of the recipe robust", default=Robust())
    matching: Annotated[Literal[0, 1, 2, 3], BeforeValidator(whole)] | None = key(
        "What is matched: 0 force constants alone, 1 the paper's (4.5), adding the third derivative of W_cb, "
        "2 adding the fourth derivative and the force constants of the strained lattice, 3 adding the fifth "
        "derivative and the second derivatives of the force constants by strain; null: 1, and with the recipe robust "
        "2 where the fourth derivative is no noise",
        default=None,
    )
    solutes: Elements = key(
        "Elements that the crystal does not have, whose atoms take its sites: the potential is fitted to cells with "
        "them as well, and what it says of the crystal alone stays the same",
        default=(),
    )
    interstitial_solutes: Elements = key(
        "Elements that the crystal does not have, whose atoms sit between its sites", default=()
    )
    strain_step: float = key(
        "Strain h of the derivatives of W_cb, taken from stresses at nine points -4h to 4h, and of the "
        "derivatives of the force constants; 2h for what matching 3 adds",
        unit="1",
        default=2.5e-3,
        gt=0.0,
        le=5e-3,
    )

    @property
    def order(self) -> int:
        """What is matched for certain."""
        return 1 if self.matching is None else self.matching

    @property
    def foreign(self) -> tuple[str, ...]:
        """All elements that the crystal does not have."""
        return tuple(dict.fromkeys((*self.solutes, *self.interstitial_solutes)))


class Training(Matching):
    """What the reference model is asked for the fit."""

    rattled: Rattled | None = key("Rattled cells that it is fitted to as well; null: none", default=None)
    field_samples: int = key(
        "Sites of the predictor at whose strains stresses are observed as well, spread over the free sites of the "
        "first case that has this potential, a straight defect; 0: none",
        unit="1",
        default=0,
        ge=0,
        le=10000,
    )
    surfaces: Surfaces | None = key("Slabs that it is fitted to as well; null: none", default=None)


class Fitting(Matching):
    """How the observations are weighed, and how the coefficients are found."""

    weights: Weights = key(
        "Weights of the observations; those that matching leaves out are ignored", default=Weights()
    )
    regression: Regression = key("How the coefficients are found", default=Regression())


class Potential(Training, Fitting):
    """An MM potential fitted to a material."""

    recipe: Recipe = key(
        "How it is fitted. robust: derivatives weighted by their measured noise, rattled cells of small and large "
        "strain with a weight chosen on cells that are not fitted to. paper: what matching says, and nothing beside it",
        default="robust",
    )
    material: Name = key("Name of the material it is fitted to", left_out="the only one of the study")
    basis: Basis = key("The basis functions", default=Basis())
    held_out: Rattled | None = key(
        "Rattled cells that it is not fitted to, on whose forces its intervals are checked; null: none",
        default=None,
    )
    jobs: int = key(
        "Number of jobs among which the QM calls of the training stage are scattered; 1 leaves them in that stage",
        unit="1",
        default=1,
        ge=1,
        le=1000,
    )

    @property
    def parts(self) -> range:
        """Numbers of the jobs that fill the journal for the training stage: none where it does so itself."""
        return range(self.jobs if self.jobs > 1 else 0)
