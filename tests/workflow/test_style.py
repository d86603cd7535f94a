"""Rules and scripts keep the shape that makes them readable."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qmfront.storage.reached_code import reached_files
from tests.workflow.project import environment

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.MatMult, ast.Mod, ast.Pow, ast.FloorDiv)
"""Division is left out: between paths it joins them; `test_scripts_divide_only_paths` looks at it."""
OTHER_SCRIPTS = {"scatter": "training"}
"""Rules that share the script of another one."""


@pytest.fixture(scope="module")
def rules() -> dict[str, dict[str, Any]]:
    """What every rule that makes a file is, by name."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.workflow.parsed_rules", "--lint"],
        cwd=ROOT,
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    found = {name: rule for name, rule in json.loads(done.stdout).items() if rule["output"]}
    assert len(found) >= 40
    return found


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_rules_say_what_they_do_and_where_they_log(rules: dict[str, dict[str, Any]]) -> None:
    for name, rule in rules.items():
        assert rule["message"] and rule["log"] and rule["conda"].endswith("envs/environment.yaml"), name
        assert rule["threads"] == 1 and not rule["runs"], name


def test_rules_follow_the_code_of_their_script(rules: dict[str, dict[str, Any]]) -> None:
    """The one of their own name; and every script has a rule."""
    for name, rule in rules.items():
        assert rule["code"] == f".snakemake/code/{OTHER_SCRIPTS.get(name, name)}.py.txt"
        assert rule["script"] in ("../../scripts/{params.script}", f"../../scripts/{name}.py")
    assert {Path(rule["code"]).name for rule in rules.values()} == {f"{path.name}.txt" for path in SCRIPTS}


@pytest.mark.parametrize(
    "script", ["bulk", "training", "structure", "start", "reference", "mismatch", "solve"]
)
def test_an_edit_of_the_estimator_reaches_nothing_before_it(script: str) -> None:
    reached = {
        Path(path).relative_to(ROOT) for path in reached_files(ROOT / "scripts" / f"{script}.py", ROOT)
    }
    assert Path("qmfront/storage/store.py") in reached
    assert Path("qmfront/estimate/estimator.py") not in reached


@pytest.mark.parametrize("path", SCRIPTS, ids=relative)
def test_scripts_connect_files_to_functions(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    computing = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ARITHMETIC) and not is_text(node)
    ]
    assert [ast.unparse(node) for node in computing] == []


def is_text(node: ast.BinOp) -> bool:
    """Whether a piece of text stands on either side: joining, not computing."""
    return any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in (node.left, node.right)
    )


@pytest.mark.parametrize("path", SCRIPTS, ids=relative)
def test_scripts_divide_only_paths(path: Path) -> None:
    """At least one side of a / is text or a call of Path."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            assert is_text(node) or "Path(" in ast.unparse(node), ast.unparse(node)
