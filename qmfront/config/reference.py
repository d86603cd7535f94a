"""What the reference of a case is."""

from typing import Annotated, Literal

from pydantic import Field

from qmfront.config.section import Section, key


class Stability(Section):
    """The lowest eigenvalue of H v = lambda H_FC v, from differences of forces."""

    tolerance: float = key("Relative accuracy of the eigenvalue", unit="1", gt=0.0, lt=1.0)
    vectors: int = key("Lanczos vectors before a restart", unit="1", ge=3, le=200)
    step: float = key("Largest displacement of an atom in the differences", unit="Å", gt=0.0, le=0.05)
    one_sided: bool = key("Whether one force call per vector has to do, less accurate than two")


class Reference(Section):
    """The full QM solution on the same domain, against which errors are measured."""

    compute: bool = key("Whether it is computed; without it there are estimates but no errors")
    max_force: float = key("Largest force component at convergence", unit="eV/Å", gt=0.0, le=0.1)
    max_calls: int = key("Largest number of force evaluations", unit="1", ge=1)
    start: Literal["predictor"] | Annotated[int, Field(ge=0, le=100)] = key(
        "Where the relaxation starts: at the predictor, or, which saves calls, at the solution of this iteration"
    )
    stability: Stability = key("The proof that the reference is a minimum")
