"""The pages docs/settings.md and config/README.md from the typed settings; `qmfront.config.schema` keeps them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from qmfront.config.errors import sections_in
from qmfront.config.material import Material
from qmfront.config.potential import Potential
from qmfront.config.study import Case, Configuration

HEAD = """# Settings

Every key of a study, with its type, unit, range, default and meaning. This page is made from the code: change it there,
then run `make schema`.

A key that is required must be given. Lengths end in `_r0` when they are in nearest-neighbour distances of the bulk.
YAML reads `1e-8` as text: write `1.0e-8`.
"""
STUDIES_HEAD = """# How a study is written

A study is one YAML file. `config/config.yaml` is the one that runs when none is named; others are in `config/studies`:

```
snakemake --cores 8 --configfile config/studies/minimal.yaml
```

It names cases (a crystal with a defect), the materials that they are made of with their QM model, and figures. What a
study does not say has a default. Your own defect takes some ten lines:

```yaml
cases:
  mine:
    defect: {kind: file, file: vacancy.extxyz}
    adapt: {tolerance: 1.0e-3} # Å
materials:
  copper:
    crystal: {structure: fcc, symbol: Cu}
    qm: {calculator: ase.calculators.emt.EMT, cutoff: 6.0} # Å
```

`config/cases`, `config/materials` and `config/potentials` hold those of the paper; a study may name them and change
keys of them. Below are the first keys of each part. [Settings](../docs/settings.md) has all of them, with every
section. This page is made from the code by `make schema`.
"""
PARTS = (
    ("A study", "a file in `config/studies`, or `config/config.yaml`", Configuration),
    ("A case", "a file in `config/cases`, or an entry of `cases`", Case),
    ("A material", "a file in `config/materials`, or an entry of `materials`", Material),
    ("A potential", "a file in `config/potentials`, or an entry of `potentials`", Potential),
)
SIGNS = ((Gt, "gt", ">"), (Ge, "ge", "≥"), (Lt, "lt", "<"), (Le, "le", "≤"))


def settings_page() -> str:
    """The text of docs/settings.md."""
    pieces = [HEAD]
    for title, place, model in PARTS:
        pieces.append(f"\n## {title}\n\n{title}: {place}.\n")
        pieces += [piece for path, section in _sections(model) for piece in _table(path, section)]
    return "".join(pieces)


def studies_page() -> str:
    """The text of config/README.md, which catalogues of workflows show."""
    pieces = [STUDIES_HEAD]
    for title, place, model in PARTS:
        pieces += [f"\n## {title}\n\n{title}: {place}.\n", *_table("", model)]
    return "".join(pieces)


ROOT = Path(__file__).parents[2]
PAGES = {ROOT / "docs" / "settings.md": settings_page, ROOT / "config" / "README.md": studies_page}
"""What makes each page."""


def _sections(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """A model and the sections in it with their dotted paths, each section once for a path."""
    yield path, model
    for name, field in model.model_fields.items():
        inner = [
            section for section in sections_in(field.annotation) if section not in (Case, Material, Potential)
        ]
        for section in inner:
            kind = section.model_fields.get("kind")
            told = f" (kind: {_kind(kind)})" if kind is not None else ""
            yield from _sections(section, f"{path}.{name}".lstrip(".") + told)


def _kind(field: FieldInfo) -> str:
    return " or ".join(map(str, get_args(field.annotation)))


def _table(path: str, model: type[BaseModel]) -> Iterator[str]:
    rows = []
    for name, field in model.model_fields.items():
        cells = (_type(field.annotation), _unit(field), _range(field), _default(field), _text(field))
        rows += [f"| `{name}` | {' | '.join(cells)} |\n"] * (name != "kind")
    if not rows:
        return
    if path:
        name, _, kind = path.partition(" ")
        yield f"\n### `{name}` {kind}".rstrip() + "\n"
        yield f"\n{(model.__doc__ or '').strip().splitlines()[0]}\n"
    yield "\n| key | type | unit | range | default | meaning |\n| --- | --- | --- | --- | --- | --- |\n"
    yield from rows


def _type(annotation: Any) -> str:
    """A type as a reader of YAML would say it."""
    if sections_in(annotation):
        return "names and keys" if get_origin(annotation) is dict else "keys"
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    parts = [part for part in get_args(annotation) if part is not type(None)]
    if get_origin(annotation) in (list, tuple):
        return "list"
    if get_origin(annotation) is dict:
        return "names and values"
    if get_origin(annotation) is Union or "|" in str(annotation):
        null = " or null" if type(None) in get_args(annotation) else ""
        return " or ".join(dict.fromkeys(_type(part) for part in parts)) + null
    if parts:  # Annotated
        return _type(parts[0])
    words = {float: "number", int: "whole number", str: "text", bool: "true or false"}
    return words.get(annotation, "value")


def _unit(field: FieldInfo) -> str:
    unit = _extra(field, "unit")
    return "" if unit == "1" else unit


def _extra(field: FieldInfo, name: str) -> str:
    extra = field.json_schema_extra
    return str(extra.get(name, "")) if isinstance(extra, dict) else ""


def _range(field: FieldInfo) -> str:
    found = [
        f"{sign} {getattr(mark, name):g}"
        for kind, name, sign in SIGNS
        for mark in field.metadata
        if isinstance(mark, kind)
    ]
    return ", ".join(found)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return _extra(field, "left_out") or "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, BaseModel):
        return "see there"
    if isinstance(value, tuple):
        value = list(value)
    words = {None: "null", True: "true", False: "false"}
    return f"`{words[value] if value is None or isinstance(value, bool) else value}`".replace("|", "\\|")


def _text(field: FieldInfo) -> str:
    """The meaning, without unit and range, which have columns of their own."""
    text = (field.description or "").split(" Unit: ")[0].split(" Range: ")[0]
    return text.replace("|", "\\|").rstrip(".")
