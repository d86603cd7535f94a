"""What a figure is: an entry of a kind, and the cases or potentials that it shows."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict, ValidationInfo, model_validator

from qmfront.config.section import Name, Names, Section, key


def _increasing(pair: tuple[float, float], info: ValidationInfo) -> tuple[float, float]:
    """A range that holds something."""
    if pair[0] >= pair[1]:
        raise ValueError(f"{info.field_name} {list(pair)} is empty; give the smaller number first")
    return pair


Count = Annotated[int, Field(ge=1)]
Counts = Annotated[tuple[Count, ...], Strict(False)]
Window = Annotated[tuple[Count, Count], Strict(False), AfterValidator(_increasing)]
Ratio = Annotated[float, Field(gt=0.0)]
Band = Annotated[tuple[Ratio, Ratio], Strict(False), AfterValidator(_increasing)]


class OneCase(Section):
    """A figure of one case."""

    case: Name = key("Name of the case")

    @property
    def cases(self) -> tuple[str, ...]:
        """Names of the cases that it shows."""
        return (self.case,)


class Snapshot(OneCase):
    """One iteration of one case."""

    iteration: int = key(
        "Iteration: 0 the first, -1 the last, -2 the one before it; beyond the ends the nearest is taken",
        unit="1",
    )

    def nearest(self, n: int) -> int:
        """The iteration that it shows of n, which are numbered from 0."""
        return min(max(self.iteration + (n if self.iteration < 0 else 0), 0), n - 1)

    def refined(self, n: int) -> int:
        """The iteration whose refinement it shows, of n; ValueError where none was refined."""
        if n == 1:
            raise ValueError(
                f"A figure shows a refinement of {self.case!r}, which stopped at its first iteration. Allow more "
                "iterations in its section adapt, or choose null to draw no figure."
            )
        return min(self.nearest(n), n - 2)


class Windowed(Section):
    """A figure whose numbers are read off over a range of N_QM."""

    window: Window | None = key(
        "Smallest and largest N_QM over which slopes and ratios are taken; left out, 70 and 1100",
        unit="1",
        default=None,
    )


class Curves(Windowed):
    """Something of several cases against N_QM, on doubly logarithmic axes."""

    cases: Names = key("Names of the cases; one curve or one panel each", min_length=1)
    slope: float | None = key(
        "Slope of the reference line N_QM^slope; left out, there is none",
        unit="1",
        default=None,
        ge=-10.0,
        le=0.0,
    )


class Decomposition(Snapshot):
    """Figures 1, 5 and 8 of the paper."""

    kind: Literal["decomposition"] = key("Partition into QM, buffer, MM and far field")


class Speed(Snapshot):
    """Figure 2 of the paper."""

    kind: Literal["speed"] = key("Local estimator on the sites and speed on the grid")


class Front(Snapshot):
    """Figure 3 of the paper."""

    kind: Literal["front"] = key("Mark and refine: old and new interfaces over the speed")


class Stages(OneCase):
    """Figures 7, 11 and 15 of the paper."""

    kind: Literal["stages"] = key("Partitions of several iterations, side by side")
    n_qm: Counts = key(
        "Numbers of QM atoms; each shows the iteration nearest to it, and no iteration is shown twice",
        unit="1",
        min_length=1,
    )

    @model_validator(mode="after")
    def _counts_increase(self) -> "Stages":
        if list(self.n_qm) != sorted(set(self.n_qm)):
            raise ValueError(f"n_qm {list(self.n_qm)} does not increase; sort it, each number once")
        return self


class Convergence(Curves):
    """Figures 4, 6, 9 and 13 of the paper."""

    kind: Literal["convergence"] = key("Error, exact and practical estimator, one panel per case")


class Errors(Curves):
    """Cases that differ in anything: potential, domain, settings."""

    kind: Literal["errors"] = key("Errors of several cases in one panel")
    labels: Literal["title", "matching"] = key(
        "What curves are called: the titles of the cases, or what their potentials are matched to",
        default="title",
    )


class Estimates(Curves):
    """Figure 16 of the paper: cases without a reference."""

    kind: Literal["estimates"] = key(
        "Practical estimator of cases that need no reference, with its fitted slope"
    )


class Efficiency(Curves):
    """What adaptivity saves."""

    kind: Literal["efficiency"] = key("Errors of several cases and their N_QM over that of the first one")


class Effectivity(OneCase, Windowed):
    """Quality of the estimators."""

    kind: Literal["effectivity"] = key("eta / error for all norms and residuals")
    band: Band = key("eta / error that is asked for, shaded", unit="1", default=(0.88, 1.1))


class Bars(OneCase):
    """The error bar, cause by cause."""

    kind: Literal["bars"] = key("What MM model, buffer, algebra and clamp contribute to the estimator")


class Locality(OneCase):
    """What buffer the QM model needs."""

    kind: Literal["locality"] = key("Force error on the initial QM region against the width of the buffer")


class Cost(OneCase):
    """Figures 10 and 14 of the paper."""

    kind: Literal["cost"] = key("Processor time of the parts of an iteration against N_QM")


class Scaling(Section):
    """What divide and conquer costs, and its error."""

    kind: Literal["scaling"] = key("Processor time and error of QM forces by divide and conquer")
    cases: Names = key("Names of the cases, domains of growing size", min_length=1)


class Binding(Section):
    """What solutes gain at a defect."""

    kind: Literal["binding"] = key(
        "Energies of solutes at several places, relative to that of the first case"
    )
    cases: Names = key(
        "Names of cases with energy.of: substitution; the first one, such as the solute in the perfect crystal, is "
        "what the others are relative to",
        min_length=2,
    )


class Certificate(Section):
    """Quality of the MM potentials."""

    kind: Literal["certificate"] = key("Consistency of MM potentials with the reference model, a row each")
    potentials: Names = key("Names of the potentials", min_length=1)

    @property
    def cases(self) -> tuple[str, ...]:
        """It shows none."""
        return ()


Figure = Annotated[
    Decomposition
    | Speed
    | Front
    | Stages
    | Convergence
    | Errors
    | Estimates
    | Efficiency
    | Effectivity
    | Bars
    | Locality
    | Cost
    | Scaling
    | Binding
    | Certificate,
    Field(discriminator="kind"),
]
NEED_ERRORS = (Convergence, Errors, Efficiency, Effectivity)
"""Kinds that show the error against the reference; results/comparison.csv sums them up."""
NEED_FRONT = (Speed, Front)
"""Kinds that show a refinement by fast marching."""
