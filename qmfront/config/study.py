"""A study: as written (`Configuration`), and with its cases resolved (`Study`)."""

from typing import Annotated, Any, get_args

from pydantic import Field, JsonValue, Strict, ValidationInfo, field_validator

from qmfront.config.defect import AnyDefect, AnyDomain, DescribedDefect, Disc, File, Point
from qmfront.config.figures import Figure
from qmfront.config.material import Material
from qmfront.config.potential import Potential
from qmfront.config.section import Name, Section, Vector, Yaml, key
from qmfront.config.stages import (
    Adapt,
    Buffer,
    Clamp,
    Divide,
    Embedding,
    Energy,
    Estimate,
    InitialRegion,
    Locality,
    Reference,
    Refine,
    Residual,
    Solve,
    Start,
)
from qmfront.config.trust import Package

Trust = Annotated[tuple[Package, ...], Strict(False), Field(max_length=100)]

MOST_NAMES = 1000
"""Of the cases, materials, potentials and figures of a study."""

Written = Yaml
"""Some keys of a case, material or potential; the others come from what it extends, then from the defaults."""


class Case(Section):
    """A defect relaxed adaptively: its domain, and the settings of every stage of the loop."""

    title: str = key(
        "One line that says what the case shows, for figures and report; left out, the name of the case",
        default="",
    )
    material: Name = key("Name of the material", left_out="the only one of the study")
    potential: Name = key(
        "Name of the MM potential", left_out="the only one of the study; without one, a fit to the material"
    )
    qm_kwargs: dict[str, JsonValue] = key(
        "Keyword arguments of the QM model over those of the material", default={}
    )
    defect: AnyDefect = key("The defect")
    domain: AnyDomain = key("The computational domain", default=Disc())
    start: Start = key("Where iteration 0 starts", default=Start())
    initial_region: InitialRegion | None = key(
        "The QM region of iteration 0; null: the defective sites of the start, and a shell around them",
        default=None,
    )
    host: Name | None = key(
        "Case of the same defect without the solutes, or some of them, in a domain as high or lower: the first solve "
        "starts from its last solution, relaxed with the potential if start.relax, and its QM atoms are QM; null: the "
        "case starts by itself",
        default=None,
    )
    reference: Reference = key("The full QM solution on the same domain", default=Reference())
    solve: Solve = key("The equilibrium solver", default=Solve())
    buffer: Buffer = key("The buffer around the QM region", default=Buffer())
    embedding: Embedding = key("How the QM model sees QM region and buffer", default=Embedding())
    locality: Locality = key("Measurement of the buffer that the QM model needs", default=Locality())
    estimate: Estimate = key("The error estimator", default=Estimate())
    refine: Refine = key("Mark and refine", default=Refine())
    adapt: Adapt = key("When the loop stops", default=Adapt())
    energy: Energy = key("The energy of the last iteration", default=Energy())
    clamp: Clamp = key("The error of the clamp", default=Clamp())
    divide: Divide = key("QM forces on the whole domain by divide and conquer", default=Divide())

    @property
    def first_disc(self) -> InitialRegion:
        """The QM region of iteration 0 as far as it is known before the start."""
        return self.initial_region or InitialRegion()

    @property
    def asked_stages(self) -> frozenset[str]:
        """Stages that not every case has: those that it asks for."""
        asked = {
            "start": self.start.relax or self.host is not None,
            "locality": bool(self.locality.widths),
            "far_field": self.estimate.far_field_samples > 0,
            "reference": self.reference.compute,
            "energy": self.energy.compute,
            "clamp": self.clamp.factor is not None,
        }
        return frozenset(stage for stage, wanted in asked.items() if wanted)

    @property
    def loop_settings(self) -> Yaml:
        """What follows from a solve depends on these: residual, estimate, decision, next partition."""
        found = self.plain("estimate", "buffer", "embedding", "adapt", "refine")
        elsewhere = ("beside", "far_field_samples", "laplacian")  # a change of these must not estimate again
        found["estimate"] = {key: value for key, value in found["estimate"].items() if key not in elsewhere}
        return {"residuals": list(self.residuals), **found}

    @property
    def places(self) -> tuple[Vector, ...]:
        """Where its solutes are: Å beside a straight defect, lattice constants in a box."""
        atoms = self.defect.substituted if isinstance(self.defect, Point) else self.defect.solutes
        return tuple(atom.at for atom in atoms)

    def with_buffer_of(self, cutoff: float) -> "Case":
        """The same with a buffer of twice the cut-off (Å) of the QM model."""
        return self.model_copy(update={"buffer": self.buffer.model_copy(update={"width": 2 * cutoff})})

    @property
    def residuals(self) -> list[Residual]:
        """Those that are computed: that of its estimate, and those beside it where there is a reference."""
        wanted = {self.estimate.residual, *(self.estimate.beside if self.reference.compute else [])}
        return [name for name in get_args(Residual) if name in wanted]


class Configuration(Section):
    """A study as written: one file, or several of which the later ones override keys of the earlier ones."""

    cases: dict[Name, Written] = key(
        "Cases to compute: a list of names of files in config/cases, or what each case is by name; a name of a file "
        "there changes keys of that case",
        min_length=1,
        max_length=MOST_NAMES,
    )
    materials: dict[Name, Written] = key(
        "Materials by name, beside those of config/materials; a name of a file there changes keys of that material",
        default={},
        max_length=MOST_NAMES,
    )
    potentials: dict[Name, Written] = key(
        "MM potentials by name, beside those of config/potentials; a name of a file there changes keys of that "
        "potential",
        default={},
        max_length=MOST_NAMES,
    )
    figures: dict[Name, Figure | None] = key(
        "Figures by name, which is that of the file and of the target; null draws none, and takes back one of an "
        "earlier file; null in place of all of them draws no figure",
        default={},
        max_length=MOST_NAMES,
    )
    trust: Trust = key(
        "Packages, modules or dotted paths whose calculators the study may call, beside our models and those of ASE "
        "that compute in this process and start no program. A dotted path is code: what is listed here runs with your "
        "rights",
        default=(),
    )
    case_defaults: Written = key("Keys of all cases: what a case leaves open is taken from here", default={})
    material_defaults: Written = key(
        "Keys of all materials: what a material leaves open is taken from here", default={}
    )
    potential_defaults: Written = key(
        "Keys of all potentials: what a potential leaves open is taken from here", default={}
    )

    @field_validator("cases", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """A list of names stands for cases of which nothing is changed."""
        if not isinstance(value, list | tuple):
            return value
        if not all(isinstance(name, str) for name in value):
            raise ValueError("a list of cases holds names; write what a case is as keys under its name")
        if len(set(value)) < len(value):
            raise ValueError("a case is listed twice. Keep it once")
        return {name: {} for name in value}

    @field_validator("cases", "materials", "potentials", mode="before")
    @classmethod
    def _named(cls, value: Any, info: ValidationInfo) -> Any:
        """What stands there are names, not the keys of what has lost its name."""
        kinds: dict[str, type[Section]] = {"cases": Case, "materials": Material, "potentials": Potential}
        kind = kinds[str(info.field_name)]
        keys = [name for name in kind.model_fields if name in value] if isinstance(value, dict) else []
        if len(keys) > 1:
            raise ValueError(
                f"{keys[0]!r} and {keys[1]!r} are keys of a {kind.__name__.lower()}, where names are expected. Write "
                "its name above them, and indent them"
            )
        return value

    @field_validator("figures", mode="before")
    @classmethod
    def _no_figures(cls, value: Any) -> Any:
        return {} if value is None else value


class Study(Section):
    """A configuration whose cases are complete and checked.

    cases : the resolved cases by name, in the order in which they were listed
    materials, potentials : those that the study defines, and those that its cases, potentials and figures name
    """

    cases: dict[Name, Case] = key("Resolved cases by name")
    materials: dict[Name, Material] = key("Materials by name")
    potentials: dict[Name, Potential] = key("MM potentials by name")
    figures: dict[Name, Figure] = key("Figures to draw by name")
    trust: Trust = key("Code that calculators may be of, beside our own and ASE's", default=())

    def material_of(self, case: str) -> Material:
        """Material of a case."""
        return self.materials[self.cases[case].material]

    def potential_of(self, case: str) -> Potential:
        """MM potential of a case."""
        return self.potentials[self.cases[case].potential]

    def first_case_of(self, potential: str) -> str | None:
        """The first case that has a potential; None if there is none."""
        return next((name for name, case in self.cases.items() if case.potential == potential), None)

    def asking(self, stage: str) -> list[str]:
        """The cases that ask for a stage which not every case has."""
        return [name for name, case in self.cases.items() if stage in case.asked_stages]

    def field_of(self, potential: str) -> str | None:
        """The case at whose strains stresses are observed for a potential: the first one that has it, if any is."""
        return self.first_case_of(potential) if self.potentials[potential].field_samples else None

    def described(self, case: str) -> DescribedDefect:
        """The defect of a case in its domain."""
        chosen = self.cases[case]
        is_file = isinstance(chosen.defect, File)
        rim = rim_of(self.potential_of(case), self.material_of(case)) if is_file else 0.0
        return DescribedDefect(defect=chosen.defect, domain=chosen.domain, rim=rim)

    def origins(self) -> dict[str, str]:
        """For every case the first one with the same operators and reference, which computes them for all of these."""
        shared = {case: self._shared(case) for case in self.cases}
        return {case: next(name for name in shared if shared[name] == shared[case]) for case in shared}

    def _shared(self, case: str) -> tuple[object, ...]:
        """What operators and reference of a case follow from."""
        chosen = self.cases[case]
        parts = {"material", "qm_kwargs", "defect", "domain", "reference", "embedding"}
        from_minimum = chosen.start.relax and chosen.reference.start == "minimum"
        if from_minimum or self.material_of(case).force_constants.beyond == "potential":
            parts.add("potential")
        if chosen.start.relax or chosen.host is not None:
            parts |= {"start", "host"}
        return chosen.model_dump(include=parts), chosen.estimate.laplacian


def rim_of(potential: Potential, material: Material) -> float:
    """How far free atoms of a file stay from its surface, Å: as far as potential and QM model reach."""
    return max(2 * potential.basis.cutoff, material.qm.cutoff)
