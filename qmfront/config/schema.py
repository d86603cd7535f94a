"""JSON schemas and the page of the configuration, from the models: `python -m qmfront.config.schema [--check]`."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from qmfront.config.material import Material
from qmfront.config.page import PAGES, ROOT
from qmfront.config.potential import Potential
from qmfront.config.section import NAME
from qmfront.config.study import Case, Configuration

FOLDER = ROOT / "workflow" / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
JsonSchema = dict[str, Any]
"""What pydantic makes of a model, as JSON."""
DEFINED: dict[str, type[BaseModel]] = {"case": Case, "material": Material, "potential": Potential}
PARTIAL = "Partial"
"""Prefix of the definitions in which every key is optional."""


def schemas() -> dict[str, JsonSchema]:
    """Schema by file name: of a study, and of files in config/cases, materials and potentials."""
    configuration = Configuration.model_json_schema()
    files = {}
    for kind, model in DEFINED.items():
        partial, name = _partial(model), PARTIAL + model.__name__
        extends = f"Name of another {kind} whose keys this one starts from."
        partial["properties"] = {
            "extends": {"type": "string", "description": extends},
            **partial["properties"],
        }
        files[f"{kind}.schema.json"] = {"$schema": DIALECT, **partial}
        own = {key: value for key, value in partial.items() if key != "$defs"}
        configuration["$defs"] |= partial["$defs"] | {name: own}
        _refer(configuration["properties"], kind, {"$ref": f"#/$defs/{name}"})
    _allow_short_forms(configuration["properties"])
    return {"config.schema.json": {"$schema": DIALECT, **configuration}, **files}


def _refer(properties: JsonSchema, kind: str, reference: JsonSchema) -> None:
    """What a study says of a kind follows the schema of that kind."""
    written = properties[f"{kind}s"]
    written["patternProperties"] = dict.fromkeys(written["patternProperties"], reference)
    defaults = properties[f"{kind}_defaults"]
    properties[f"{kind}_defaults"] = {"description": defaults["description"], **reference}


def _allow_short_forms(properties: JsonSchema) -> None:
    """Cases may be a list of names, and figures null."""
    cases = properties["cases"]
    description, title = cases.pop("description"), cases.pop("title")
    names = {"type": "array", "items": {"type": "string", "pattern": NAME}, "minItems": 1}
    properties["cases"] = {"description": description, "title": title, "anyOf": [names, cases]}
    properties["figures"]["type"] = ["object", "null"]


def _partial(model: type[BaseModel]) -> JsonSchema:
    """Schema of a model whose keys are all optional, at any depth; its definitions carry the prefix."""
    schema = model.model_json_schema(ref_template=f"#/$defs/{PARTIAL}{{model}}")
    definitions = {PARTIAL + name: section for name, section in schema.pop("$defs").items()}
    for section in (schema, *definitions.values()):
        section.pop("required", None)
        for field in section.get("properties", {}).values():
            if "oneOf" in field:  # a key of several kinds, such as a plane, chooses none of them
                field["anyOf"] = field.pop("oneOf")
    return {**schema, "$defs": definitions}


def text_of(schema: JsonSchema) -> str:
    """The file's text."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def outdated(folder: Path = FOLDER) -> list[str]:
    """Names of schema files that are missing or differ from the models."""
    return [
        name
        for name, schema in schemas().items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text_of(schema)
    ]


def write(folder: Path = FOLDER) -> None:
    """Write the schema files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (folder / name).write_text(text_of(schema), encoding="utf-8")


def main() -> int:
    """Write the schemas, or with --check only say whether they are in sync."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    if not parser.parse_args().check:
        write()
        for page, made in PAGES.items():
            page.write_text(made(), encoding="utf-8")
        return 0
    names = [f"workflow/schemas/{name}" for name in outdated()]
    names += [
        str(page.relative_to(ROOT))
        for page, made in PAGES.items()
        if not page.is_file() or page.read_text(encoding="utf-8") != made()
    ]
    if names:
        sys.stderr.write(f"Out of date: {', '.join(names)}. Run: python -m qmfront.config.schema\n")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())
