"""The base of every part of the configuration: keys with a meaning, a unit and a range."""

import copy
import hashlib
import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, NotRequired, TypedDict, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    Strict,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import to_jsonable_python

Yaml = dict[str, Any]
"""Keys with values as a file holds them: texts, numbers, lists and groups of keys. They become sections where they are
read, and are made of sections where Snakemake is told what a job depends on."""
CalculatorArguments = Mapping[str, Any]
"""Keyword arguments of a calculator of any code, in its own words."""


class ModelEntry(TypedDict):
    """A model as jobs are given it, JSON: the arguments of `evaluate.model_spec.ModelSpec`.

    moments, charges : by element
    """

    calculator: str
    kwargs: CalculatorArguments
    moments: NotRequired[dict[str, float]]
    charges: NotRequired[dict[str, float]]


NAME = r"^[A-Za-z0-9_]{1,100}$"
# letters are spelt out: what \w matches is not the same in Python and in the validator
PACKAGE = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"
CALCULATOR = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$"
FORMULA = r"^[A-Z][a-z]?([A-Z][a-z]?)?$"
FILE = r"^[^\x00-\x1f\x7f]{1,1000}$"
PATTERNS = {
    NAME: "should have 1 to 100 letters, digits and _, since it becomes part of names of files",
    PACKAGE: "should be a dotted name such as gpaw or ase.calculators.vasp",
    CALCULATOR: "should be a dotted path such as ase.calculators.emt.EMT",
    FORMULA: "should be the symbols of one or two elements, such as W or NiAl",
    FILE: "should be a path of 1 to 1000 characters that can be printed",
}
"""Of texts, and what an error says of them."""


def _not_periodic(name: str) -> str:
    """Snakemake takes a name that ends with the same characters 20 times for a loop without an end."""
    found = PERIODIC.search(name)
    if found:
        raise ValueError(
            f"the name {name!r} ends with {found[1]!r} 20 times or more, which Snakemake refuses. Choose another"
        )
    return name


PERIODIC = re.compile(r"(.+?)\1{19,}$")
Name = Annotated[str, StringConstraints(pattern=NAME), AfterValidator(_not_periodic)]
"""Name of a case, material, potential or figure; it becomes part of file names."""

FileName = Annotated[str, StringConstraints(pattern=FILE)]


def _of_direction(indices: Any) -> Any:
    """[u, v, t, w] of a hexagonal crystal in three indices: u a1 + v a2 + t a3 with a3 = -a1 - a2."""
    if isinstance(indices, list | tuple) and len(indices) == 4:
        u, v, t, w = _summing_to_zero(indices)
        return u - t, v - t, w
    return indices


def _of_plane(indices: Any) -> Any:
    """(h, k, i, l) of a hexagonal crystal in three indices: i = -h - k is left out."""
    if isinstance(indices, list | tuple) and len(indices) == 4:
        h, k, _, l = _summing_to_zero(indices)
        return h, k, l
    return indices


def _summing_to_zero(indices: Any) -> Any:
    if all(isinstance(x, int | float) for x in indices) and abs(sum(indices[:3])) > ROUNDED:
        raise ValueError(
            f"{list(indices)}: the first three of four indices add up to zero (Miller and Bravais); write three for "
            "the vectors of the cell"
        )
    return indices


def _three_or_four(kind: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "array", "items": {"type": kind}, "minItems": 3, "maxItems": 4})


# A YAML list is a Python list: strictness would refuse it for a tuple.
Point = Annotated[tuple[float, float], Strict(False)]
Vector = Annotated[tuple[float, float, float], Strict(False)]
CrystalVector = Annotated[Vector, BeforeValidator(_of_direction), _three_or_four("number")]
"""Coordinates of the vectors of the conventional cell; four of a hexagonal crystal become three."""
Triple = Annotated[tuple[int, int, int], Strict(False)]
Direction = Annotated[Triple, BeforeValidator(_of_direction), _three_or_four("integer")]
Plane = Annotated[Triple, BeforeValidator(_of_plane), _three_or_four("integer")]
"""Miller indices; four of a hexagonal crystal become three."""
Termination = Annotated[float, Field(ge=0.0, lt=1.5)]
"""Height of a cut over the period of lattice planes, from the first atom of the crystal on."""
Symbol = Annotated[str, StringConstraints(pattern=r"^[A-Z][a-z]?$")]
Centre = Annotated[tuple[float, ...], Strict(False), Field(min_length=2, max_length=3)]
Positions = Annotated[tuple[Vector, ...], Strict(False)]
Names = Annotated[tuple[Name, ...], Strict(False)]

ROUNDED = 2e-3
"""Of the sum of three indices that are written with three digits, such as 0.333, 0.333, -0.667."""
LIMITS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "min_length": "length >=", "max_length": "length <="}


Part = TypeVar("Part", bound="Section")


class Section(BaseModel):
    """A group of keys: immutable, refuses unknown keys, text for numbers, nan and infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, defer_build=True)
    gone: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Keys of earlier versions, and what says the same now."""

    def plain(self, *names: str) -> Yaml:
        """Values as in a file, lists and numbers: of the keys that are named, or of all."""
        return self.model_dump(mode="json", include=set(names) or None)

    def part(self, kind: type[Part]) -> Part:
        """The keys that another section has as well, as that section."""
        return kind(**{name: getattr(self, name) for name in kind.model_fields})


def surface_name(plane: tuple[int, int, int], termination: float | None) -> str:
    """What names of files call a surface: 1_-1_0, or 1_1_1_at_0.875000 for a termination that is named."""
    name = "_".join(map(str, plane))
    return name if termination is None else f"{name}_at_{termination:.6f}"


def key(meaning: str, *, unit: str = "", default: Any = ..., left_out: str = "", **limits: float) -> Any:
    """Field whose description carries meaning, unit and range.

    Parameters
    ----------
    meaning : sentence without the final stop
    unit : "Å", "eV/Å", "r0" (nearest-neighbour distance), "1" for pure numbers, "" where there is none
    default : the value of a key that is left out; without one the key is required
    left_out : what stands for a key without a default that a study leaves out, in words; empty: it must be given
    limits : gt, ge, lt, le
    """
    text = f"{meaning}."
    if unit:
        text += f" Unit: {unit}."
    if limits:
        text += f" Range: {range_text(limits)}."
    told = {"unit": unit, "left_out": left_out}
    extra: dict[str, JsonValue] | None = {name: word for name, word in told.items() if word} or None
    more: dict[str, Any] = dict(limits)
    if default is not ...:
        # Snakemake fills in every default of a schema, those of another kind of figure or defect too: tell it none.
        more["default_factory"] = lambda: copy.deepcopy(default)
    return Field(description=text, json_schema_extra=extra, **more)


def whole(value: Any) -> Any:
    """The value, unless it is true or false, which Python takes for 1 and 0, or a number with a point."""
    if isinstance(value, bool | float):
        raise ValueError(f"{value} is refused: it should be a whole number")
    return value


def defaults_of(model: type[BaseModel]) -> dict[str, JsonValue]:
    """Plain values of the keys of a section that may be left out."""
    fields = {name: field for name, field in model.model_fields.items() if not field.is_required()}
    values = {name: field.get_default(call_default_factory=True) for name, field in fields.items()}
    return to_jsonable_python(values)


def range_text(limits: Mapping[str, float]) -> str:
    """'> 0, <= 1' for {"gt": 0, "le": 1}."""
    return ", ".join(f"{LIMITS[name]} {value:g}" for name, value in limits.items())


def leaf_hash(leaf: BaseModel | Mapping | list | tuple | str | float | bool | None) -> str:
    """Hash of a part of the configuration: 16 hexadecimal digits of SHA-256 of its sorted JSON.

    Equal settings give equal hashes, whatever the order of keys and whether a number was written 4 or 4.0
    (sections turn it into a float).
    """
    plain = leaf.model_dump(mode="json") if isinstance(leaf, BaseModel) else leaf
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
