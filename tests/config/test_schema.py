"""The JSON schemas: in sync with the models, complete, and enforced by Snakemake."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import BaseModel
from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

from qmfront.analysis.rate import WINDOW
from qmfront.config.errors import sections_in
from qmfront.config.material import Material
from qmfront.config.page import settings_page
from qmfront.config.potential import Potential
from qmfront.config.schema import outdated, schemas, write
from qmfront.config.section import LIMITS, leaf_hash
from qmfront.config.study import Case, Configuration

Change = Callable[[dict[str, Any]], dict[str, Any]]
SCHEMA = Path("workflow") / "schemas" / "config.schema.json"


def test_files_are_in_sync() -> None:
    assert outdated() == [], "run: python -m qmfront.config.schema"


def test_being_out_of_date_is_noticed(tmp_path: Path) -> None:
    assert outdated(tmp_path) == list(schemas())
    write(tmp_path)
    assert outdated(tmp_path) == []
    (tmp_path / "case.schema.json").write_text("{}", encoding="utf-8")
    assert outdated(tmp_path) == ["case.schema.json"]


def sections(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        for inner in sections_in(field.annotation):
            yield from sections(inner)


def every_section() -> list[type[BaseModel]]:
    return list(
        dict.fromkeys(found for top in (Configuration, Case, Material, Potential) for found in sections(top))
    )


def test_every_key_has_meaning_and_numbers_have_unit_and_range() -> None:
    seen = 0
    for section in every_section():
        assert section.__doc__, section
        for name, field in section.model_fields.items():
            where = f"{section.__name__}.{name}"
            assert field.description, where
            if field.annotation in (int, float) and name != "iteration":
                assert (field.json_schema_extra or {}).get("unit"), where
                assert any(hasattr(item, limit) for item in field.metadata for limit in LIMITS), where
                assert "Unit: " in field.description and "Range: " in field.description, where
            seen += 1
    assert seen > 80


def test_what_a_figure_leaves_out_is_told_truly() -> None:
    for section in every_section():
        if "window" in section.model_fields:
            assert "left out, {} and {}".format(*WINDOW) in section.model_fields["window"].description


def test_schemas_tell_no_defaults() -> None:
    """Snakemake would write them into every figure, also into one of another kind, which refuses them."""
    assert '"default"' not in str(schemas()).replace("'", '"')


def test_snakemake_accepts_what_is_shipped(shipped: dict[str, Any], root: Path) -> None:
    before = leaf_hash(shipped)
    validate(shipped, str(root / SCHEMA))
    assert leaf_hash(shipped) == before, "the schema must not fill in defaults of its own"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("typo", 1),
        ("case_defaults.refine.tnew", 2.0),
        ("case_defaults.refine.mesh", "0.4 nm"),
        ("case_defaults.adapt.tolerance", 0.0),
        ("potentials.matching_1.matchin", 1),
        ("potentials.matching_1.basis", {"order": 9}),
        ("figures.figure_1.slope", -1.0),
        ("figures.figure_4.kind", "errors_and_more"),
    ],
)
def test_snakemake_refuses(path: str, value: Any, changed: Change, root: Path) -> None:
    with pytest.raises(WorkflowError):
        validate(changed({path: value}), str(root / SCHEMA))


def test_case_files_follow_the_case_schema(root: Path) -> None:
    validator = jsonschema.Draft202012Validator(schemas()["case.schema.json"])
    files = sorted((root / "config" / "cases").glob("*.yaml"))
    assert len(files) >= 8
    for file in files:
        assert list(validator.iter_errors(yaml.safe_load(file.read_text(encoding="utf-8")))) == [], file
    assert list(validator.iter_errors({"refine": {"tnew": 1.0}})) != []


def test_command_line(root: Path) -> None:
    command = [sys.executable, "-m", "qmfront.config.schema", "--check"]
    assert subprocess.run(command, cwd=root, check=False).returncode == 0


def test_the_page_has_every_key_with_unit_range_and_default() -> None:
    """A row per key: a number with a unit, a choice, one without a default."""
    page = settings_page()
    assert "| `width` | number | Å | ≥ 0, ≤ 1000 | `10.8` |" in page
    assert "| `normalisation` | `mean`, `max` |  |  | `mean` |" in page
    assert "| `calculator` | text |  |  | required |" in page
    for model in (Case, Material, Potential):
        assert all(f"| `{name}` |" in page for name in model.model_fields)


def test_importing_the_configuration_stays_cheap(root: Path) -> None:
    """It is imported at every start of Snakemake: no array package may come with it."""
    code = "import sys, qmfront.config.load; print(*({'numpy', 'scipy', 'ase', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_part_of_a_defect_needs_no_kind() -> None:
    """A study may change the plane of a case in a file, a key that several kinds have, or nothing."""
    validator = jsonschema.Draft202012Validator(schemas()["config.schema.json"])
    for part in ({"plane": [0, 0, 1]}, {}, {"core_offset": [0.1, 0.0]}):
        validator.validate({"cases": {"minimal": {"defect": part}}})
