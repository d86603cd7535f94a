"""JSON schemas of the configuration, from the models: `python -m qmfront.config.schema [--check]`."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from qmfront.config.case import Case
from qmfront.config.material import Material
from qmfront.config.potential import Potential
from qmfront.config.study import Configuration

FOLDER = Path(__file__).parents[2] / "workflow" / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
PARTIAL = "Partial"
"""Prefix of the definitions in which every key is optional."""


def schemas() -> dict[str, dict[str, Any]]:
    """Schema by file name: of config.yaml, and of a case file, in which every key is optional."""
    configuration = Configuration.model_json_schema()
    for group, model in (("materials", Material), ("potentials", Potential)):
        partial, name = _partial(model), PARTIAL + model.__name__
        configuration["$defs"] |= partial.pop("$defs") | {name: partial}
        written = configuration["properties"][group]
        written["patternProperties"] = {
            pattern: {"$ref": f"#/$defs/{name}"} for pattern in written["patternProperties"]
        }
    configuration["properties"]["figures"]["type"] = ["object", "null"]
    case = _partial(Case)
    extends = "Name of another case whose keys this one starts from; what that leaves open is case_defaults."
    case["properties"] = {"extends": {"type": "string", "description": extends}, **case["properties"]}
    return {
        "config.schema.json": {"$schema": DIALECT, **configuration},
        "case.schema.json": {"$schema": DIALECT, **case},
    }


def _partial(model: type[BaseModel]) -> dict[str, Any]:
    """Schema of a model whose keys are all optional, at any depth; its definitions carry the prefix."""
    schema = model.model_json_schema(ref_template=f"#/$defs/{PARTIAL}{{model}}")
    definitions = {PARTIAL + name: section for name, section in schema.pop("$defs").items()}
    for section in (schema, *definitions.values()):
        section.pop("required", None)
    return {**schema, "$defs": definitions}


def text_of(schema: dict[str, Any]) -> str:
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
        return 0
    names = outdated()
    if names:
        sys.stderr.write(
            f"Out of date in workflow/schemas: {', '.join(names)}. Run: python -m qmfront.config.schema\n"
        )
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())
