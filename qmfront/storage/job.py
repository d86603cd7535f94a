"""What Snakemake hands to a job, as the nouns that its script declares."""

from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


def given(kind: type[T], named: Any) -> T:
    """Named files or parameters as a dataclass; names that it does not have, such as `code`, are left out.

    Parameters
    ----------
    kind : dataclass of paths, numbers and sections of the settings
        A field with a default may be missing.
    named : a mapping, or what Snakemake has in its place, such as `snakemake.input`

    Raises
    ------
    pydantic.ValidationError if a field is missing, or what is given is of another type.
    """
    return TypeAdapter(kind).validate_python(dict(named.items()))
