"""What a case is: a defect, its domain, and the settings of every stage of the adaptive loop."""

from pydantic import JsonValue

from qmfront.config.defect import AnyDefect, AnyDomain
from qmfront.config.section import Name, Section, key
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
    Solve,
)


class Case(Section):
    """One study: a defect relaxed adaptively."""

    title: str = key("One line that says what the case shows, for figures and report")
    material: Name = key("Name of the material")
    potential: Name = key("Name of the MM potential")
    qm_kwargs: dict[str, JsonValue] = key("Keyword arguments of the QM model over those of the material")
    defect: AnyDefect = key("The defect")
    domain: AnyDomain = key("The computational domain")
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
