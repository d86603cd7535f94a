"""Errors of the configuration: which key, what was given, what is allowed, what was probably meant."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from math import isfinite
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from qmfront.config.section import PATTERNS

Location = tuple[str | int, ...]

EXPONENT_WITHOUT_POINT = re.compile(r"^[+-]?(\d+[eE][+-]?\d+|\d*\.\d*[eE]\d+)$")


LONGEST = 60
"""Characters of a value in a message."""
MOST_ALIKE = 3
"""Keys or entries of one place that are told one by one."""
MOST = 12
"""Problems in a message, and names in a list of what there is."""
MISSING = object()
WORDS = {
    "a valid tuple": "a list",
    "a valid list": "a list",
    "items after validation": "entries",
    "item after validation": "entry",
}
"""Of pydantic, and what they mean."""


class ConfigError(ValueError):
    """The configuration cannot be used; the message lists every problem with its key."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = f"The configuration has {'a problem' if count == 1 else f'{count} problems'}:"
        rest = [f"and {count - MOST} more, once these are corrected"] if count > MOST else []
        super().__init__("\n  - ".join([head, *self.problems[:MOST], *rest]))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """' (did you mean ...?)', or the list of what exists when nothing is close, or nothing."""
    known = [str(name) for name in known]
    close = get_close_matches(str(word)[:LONGEST], known, n=1, cutoff=0.6)
    if close:
        return f" (did you mean {close[0]!r}?)"
    more = [f"and {len(known) - MOST} more"] if len(known) > MOST else []
    return f" (there is: {', '.join([*known[:MOST], *more])})" if known else ""


def shown_value(value: Any) -> str:
    """A value as it is written in Python, shortened."""
    text = repr(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def problems_of(
    error: ValidationError, model: type[BaseModel], content: Any, *, name_of: Callable[[Location], str]
) -> list[str]:
    """One message per mistake that pydantic found.

    Parameters
    ----------
    error : what model_validate raised
    model : the model that was validated
    content : what was validated
    name_of : from the location of a key to what the reader finds it by, such as its file and dotted path
    """
    # A choice between a type and null gives its problem for the type alone: null would have been right.
    items = [item for item in error.errors() if item["type"] != "none_required" and not _follows(item)]
    tags = _tags(model)
    values: dict[Location, list[_Found]] = {}
    for item in items:
        typed = _typed(item, content, tags)
        found = _Found(item, typed, _place(item, typed, model))
        values.setdefault(found.place, []).append(found)
    alike: dict[tuple[Location, str], list[list[_Found]]] = {}
    for found_there in values.values():
        first = found_there[0]
        alike.setdefault((first.place[:-1], first.item["type"]), []).append(found_there)
    problems: list[str] = []
    for group in alike.values():
        told = group if len(group) <= MOST_ALIKE else group[:1]
        problems += [f"{name_of(value[0].place)}: {_what_of_all(value, model)}" for value in told]
        if len(told) < len(group):
            names = [shown_value(value[0].place[-1]) for value in group[1:4]]
            more = f", and {len(group) - 4} more" if len(group) > 4 else ""
            problems[-1] += f" (others there are refused for the same reason: {', '.join(names)}{more})"
    return problems


@dataclass(frozen=True)
class _Found:
    """A problem of pydantic: what it says, where that is for the model, and where the reader finds it."""

    item: Any
    typed: Location
    place: Location


def _what_of_all(group: list[_Found], model: type[BaseModel]) -> str:
    """What is wrong with one value, by all types that it might have."""
    item = group[0].item
    text = _what(item, group[0].typed, model)
    reasons = dict.fromkeys(_reason(found.item) for found in group if found.item["type"] != "missing")
    return text.replace(f"it {_reason(item)}.", f"it {', or '.join(reasons)}.", 1)


def _place(item: Any, typed: Location, model: type[BaseModel]) -> Location:
    """Where the reader finds what a problem is about."""
    location = _followed(typed, model)[0]
    if "tag" not in item["type"]:
        return location
    return (*location, item["ctx"]["discriminator"].strip("'"))


def _what(item: Any, location: Location, model: type[BaseModel]) -> str:
    if item["type"] == "union_tag_invalid":
        expected = [tag.strip(" '") for tag in item["ctx"]["expected_tags"].split(",")]
        tag = item["ctx"]["tag"]
        return f"{shown_value(tag)} is refused{did_you_mean(tag, expected)}"
    if item["type"] == "union_tag_not_found":
        field = _field_at(location, model)
        written = item["input"] if isinstance(item["input"], Mapping) else {}
        sections = sections_in(field.annotation) if field else []
        known = {
            name for section in sections for name in section.model_fields
        }  # such as window, which is near
        unknown = {str(name).lower(): str(name) for name in written if name not in known}
        near = get_close_matches("kind", unknown, n=1, cutoff=0.6)
        hint = f", and {unknown[near[0]]!r} is none: did you mean that?" if near else ""
        there = ", ".join(_kinds(field.annotation if field else None))
        return f"the key is missing{hint} (there is: {there})"
    if item["type"] == "extra_forbidden":
        return _unknown_key(location, model)
    field = _field_at(location, model)
    if item["type"] == "missing":
        return f"the key is missing. {_meaning(field)}"
    if item["type"] == "value_error":
        return f"{item['ctx']['error']}. {_meaning(field)}"
    given = f"{shown_value(item['input'])} {_why(item, field)}"
    return f"{given} {_meaning(field)}".rstrip()


def _why(item: Any, field: FieldInfo | None) -> str:
    value, kind = item["input"], item["type"]
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return "is not a group of keys."
    if isinstance(value, str) and kind in ("float_type", "int_type"):
        if EXPONENT_WITHOUT_POINT.match(value):
            return f"is text for YAML, which wants a point and a sign: write {_yaml_number(float(value))}."
        extra = field.json_schema_extra if field else None
        unit = extra.get("unit", "1") if isinstance(extra, dict) else "1"
        what = "the number alone" if unit == "1" else f"the number alone, in {unit}"
        return f"is text, not a number: write {what}."
    return f"is refused: it {_reason(item)}."


def _reason(item: Any) -> str:
    """Pydantic's words, as a sentence about 'it'."""
    if item["type"] == "string_pattern_mismatch":
        return PATTERNS.get(item["ctx"]["pattern"], f"should match {item['ctx']['pattern']}")
    _, verb, rest = item["msg"].partition(" should ")
    for word, plain in WORDS.items():
        rest = rest.replace(word, plain)
    return f"should {rest}" if verb else f"should be otherwise ({item['msg']})"


def _follows(item: Any) -> bool:
    """Whether a list is too short for pydantic only because of entries that are wrong, which are told."""
    return item["type"] == "too_short" and len(item["input"]) >= item["ctx"]["min_length"]


def _yaml_number(value: float) -> str:
    if not isfinite(value):
        return "a number below 1.0e+308"
    mantissa, exponent = f"{value:e}".split("e")
    mantissa = mantissa.rstrip("0")
    return f"{mantissa + '0' if mantissa.endswith('.') else mantissa}e{exponent[0]}{int(exponent[1:])}"


def _meaning(field: FieldInfo | None) -> str:
    return f"Meaning: {field.description}" if field is not None and field.description else ""


def _unknown_key(location: Location, model: type[BaseModel]) -> str:
    word = str(location[-1])
    parent = section_at(location[:-1], model) or model
    gone = getattr(parent, "gone", {})
    if word in gone:
        return f"the key is gone, remove it: {gone[word]}"
    siblings = list(parent.model_fields)
    if get_close_matches(word, siblings, n=1, cutoff=0.6):
        return f"unknown key{did_you_mean(word, siblings)}"
    field = _field_at(location[:-1], model)
    kinds = sections_in(field.annotation) if field is not None else []
    if parent in kinds and any(word in kind.model_fields for kind in kinds):
        (own,) = _kinds(parent)
        return f"unknown key of kind {own!r}{did_you_mean(word, siblings)}; another kind has it"
    elsewhere = [path for path in dict.fromkeys(dotted_keys(model)) if path.rsplit(".", 1)[-1] == word]
    nearby = [path for path in elsewhere if path.split(".")[0] == str(location[0])]
    elsewhere = nearby or elsewhere
    if elsewhere:
        return f"unknown key here; there is {' and '.join(repr(path) for path in elsewhere)}"
    return f"unknown key{did_you_mean(word, siblings)}"


def dotted_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Dotted paths of all keys of a model; '*' stands for a name that the user chooses."""
    for name, field in model.model_fields.items():
        yield prefix + name
        chosen = "*." if get_origin(field.annotation) is dict else ""
        for inner in sections_in(field.annotation):
            yield from dotted_keys(inner, f"{prefix}{name}.{chosen}")


def sections_in(annotation: Any) -> list[type[BaseModel]]:
    """The sections in an annotation: Section, Section | None, dict[str, Section]; several where `kind` chooses."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    inner = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
    return [found for part in inner for found in sections_in(part)]


def section_at(location: Location, model: type[BaseModel]) -> type[BaseModel] | None:
    """The section at a location inside a model, or None if there is a plain value, or no kind that chooses."""
    return _followed(location, model)[1]


def _followed(location: Location, model: type[BaseModel]) -> tuple[Location, type[BaseModel] | None]:
    """A location without the kinds that pydantic adds after a choice of sections, and the section it leads to."""
    written: list[str | int] = []
    current: type[BaseModel] | None = model
    names = iter(location)
    for name in names:
        written.append(name)
        field = current.model_fields.get(str(name)) if current is not None else None
        choices = sections_in(field.annotation) if field is not None else []
        if field is not None and get_origin(field.annotation) is dict:
            written += [chosen for chosen in [next(names, None)] if chosen is not None]
        if len(choices) > 1:
            kind = next(names, None)
            choices = [found for found in choices if kind in _kinds(found)]
        current = choices[0] if choices else None
    return tuple(written), current


def _kinds(annotation: Any) -> list[str]:
    """Kinds of the sections in an annotation."""
    fields = [found.model_fields.get("kind") for found in sections_in(annotation)]
    return [kind for field in fields if field is not None for kind in get_args(field.annotation)]


def _field_at(location: Location, model: type[BaseModel]) -> FieldInfo | None:
    """The field at a location, or the one around it: an entry of a list belongs to the list."""
    for end in range(len(location), 0, -1):
        parent = section_at(location[: end - 1], model)
        if parent is not None and str(location[end - 1]) in parent.model_fields:
            return parent.model_fields[str(location[end - 1])]
    return None


def _typed(item: Any, content: Any, tags: frozenset[str]) -> Location:
    """The location of a problem in what was validated, and the kinds that pydantic adds after a choice of sections.

    Pydantic also adds the types it tried, such as 'function-after[...]': what is neither a key of the content, nor an
    entry, nor missing there, nor the name of a kind, is one of those.
    """
    location: list[str | int] = []
    names = item["loc"]
    if len(names) > 1 and names[-1] == "[key]" and item["input"] == names[-2]:
        names = names[:-2]  # the name of an entry, which the message shows, is wrong itself
    kind: Any = MISSING
    for number, name in enumerate(names):
        if isinstance(content, Mapping) and content.get("kind", MISSING) == name and content is not kind:
            location.append(name)
            kind = content  # a section is chosen by its kind once; a key of it may have the same name
            continue
        held = content[name] if _holds(content, name) else MISSING
        is_last = number == len(names) - 1 and item["type"] == "missing"
        if held is not MISSING or is_last or name in tags:
            location.append(name)
        content = content if held is MISSING else held
    return tuple(location)


@cache
def _tags(model: type[BaseModel]) -> frozenset[str]:
    """Kinds of all sections in a model."""
    kinds: set[str] = set()
    for field in model.model_fields.values():
        kinds.update(_kinds(field.annotation))
        for inner in sections_in(field.annotation):
            kinds |= _tags(inner)
    return frozenset(kinds)


def _holds(content: Any, name: str | int) -> bool:
    if isinstance(content, Mapping):
        return name in content
    return isinstance(content, list | tuple) and isinstance(name, int) and name < len(content)
