"""Hashes of parts of the configuration."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from qmfront.config.load import load
from qmfront.config.section import leaf_hash
from qmfront.config.stages import Laplacian

Change = Callable[[dict[str, Any]], dict[str, Any]]


def test_hash_depends_on_content_alone() -> None:
    one = Laplacian.model_validate({"A": 3, "cutoff_r0": 2.5})
    two = Laplacian.model_validate({"cutoff_r0": 2.5, "A": 3.0})
    assert leaf_hash(one) == leaf_hash(two) == leaf_hash({"cutoff_r0": 2.5, "A": 3.0})
    assert len(leaf_hash(one)) == 16


def test_every_change_changes_the_hash() -> None:
    values = [
        {"a": 1.0},
        {"a": 1.0 + 2.3e-16},
        {"a": None},
        {"a": "1.0"},
        {"b": 1.0},
        [1.0, 2.0],
        [2.0, 1.0],
        None,
        "",
    ]
    assert len({leaf_hash(value) for value in values}) == len(values)


def test_hash_is_the_same_in_another_process(root: Path) -> None:
    code = "from qmfront.config.section import leaf_hash; print(leaf_hash({'b': [1.5, None], 'a': 'Å'}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == leaf_hash({"a": "Å", "b": [1.5, None]})


def test_a_change_reaches_only_its_own_part(changed: Change, root: Path) -> None:
    before = load(changed({}), root).cases["edge_T4"]
    after = load(changed({"case_defaults.adapt.tolerance": 0.5}), root).cases["edge_T4"]
    differing = {name for name in type(before).model_fields if leaf_of(before, name) != leaf_of(after, name)}
    assert differing == {"adapt"}


def leaf_of(case: Any, name: str) -> str:
    return leaf_hash(getattr(case, name))


def test_sections_are_immutable() -> None:
    with pytest.raises(ValidationError):
        Laplacian(A=3.0, cutoff_r0=2.5).A = 4.0
