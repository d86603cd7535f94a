"""Which code a configuration may name: a dotted path is imported and called with the rights of who runs the study."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from pydantic import StringConstraints

from qmfront.config.section import CALCULATOR, PACKAGE

Package = Annotated[str, StringConstraints(pattern=PACKAGE, max_length=100)]

TRUSTED = (
    "qmfront.models.ace",
    "qmfront.models.eam",
    "qmfront.models.nrltb",
    *(f"ase.calculators.{name}" for name in ("eam", "emt", "lj", "morse", "tersoff")),
)
"""Our models, and those of ASE: they compute in this process, and their arguments start no program.

Others of ASE run the text of an argument (the `command` of Vasp, `shell` among the commands of LAMMPSlib), as does the
`launch` of qmfront.models.remote: these are trusted by name.
"""


def untrusted(spec: Any, place: str, trust: Iterable[str]) -> Iterator[str]:
    """Calculators and objects in a value, nested ones too, that neither TRUSTED nor the study trusts; one message each.

    Parameters
    ----------
    spec : a calculator with its arguments, or arguments alone
    place : where it stands, as a dotted path
    trust : packages, modules or whole dotted paths that the study trusts
    """
    if isinstance(spec, dict):
        for kind in ("calculator", "object"):
            name = spec.get(kind)
            if isinstance(name, str) and not re.fullmatch(CALCULATOR, name):
                yield (
                    f"{place}.{kind} = {name[:100]!a} is no dotted path of plain ASCII letters: it "
                    "should be a dotted path such as ase.calculators.emt.EMT"
                )
            elif isinstance(name, str) and not is_trusted(name, trust):
                yield _told(name, f"{place}.{kind}")
        for key, value in spec.items():
            yield from untrusted(value, f"{place}.{key}", trust)
    elif isinstance(spec, list | tuple):
        for number, value in enumerate(spec):
            yield from untrusted(value, f"{place}.{number}", trust)


def is_trusted(name: str, trust: Iterable[str]) -> bool:
    """Whether a dotted path is one that is trusted, or lies below it."""
    return any(f"{name}.".startswith(f"{package}.") for package in (*TRUSTED, *trust))


def _told(name: str, place: str) -> str:
    package = (
        name.split(".")[0] if not name.startswith(("ase.", "qmfront.")) else name.rpartition(".")[0] or name
    )
    return (
        f"{place} = {name!r} is code that would run with your rights, and the study does not trust it. If you know "
        f"what it does with its arguments, write trust: [{package}] at the top of the study"
    )
