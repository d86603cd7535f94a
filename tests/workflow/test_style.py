"""Rules and scripts keep the shape that makes them readable."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = [ROOT / "Snakefile", *sorted((ROOT / "workflow" / "rules").glob("*.smk"))]
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
TARGETS = ("all", "plans")
"""Rules that only collect files."""
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.MatMult, ast.Mod, ast.Pow, ast.FloorDiv)
"""Division is left out: between paths it joins them; `test_scripts_divide_only_paths` looks at it."""


def rules() -> dict[str, str]:
    """Text of every rule and checkpoint by name, without common indentation; with what it takes from another rule."""
    head = re.compile(
        r"^( *)(?:(?:rule|checkpoint) (\w+)|use rule (\w+) as (\w+) with):\n", flags=re.MULTILINE
    )
    found: dict[str, str] = {}
    for file in RULES:
        pieces = head.split(file.read_text(encoding="utf-8"))[1:]
        for indent, name, base, derived, text in zip(*(pieces[n::5] for n in range(5)), strict=True):
            own = directives(re.sub(f"^{indent}", "", text, flags=re.MULTILINE))
            inherited = directives(found[base]) if base else {}
            if "params" in inherited and "params" in own:  # the only part that is merged
                own["params"] = inherited["params"] + own["params"].removeprefix("    params:\n")
            found[name or derived] = "".join((inherited | own).values())
    return found


def directives(text: str) -> dict[str, str]:
    """The parts of a rule by name: input, output, params, ..."""
    parts = re.split(r"^(?=    \w+:)", text, flags=re.MULTILINE)
    return {part.split(":")[0].strip(): part for part in parts if part.startswith("    ")}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_there_is_something_to_look_at() -> None:
    assert len(rules()) >= 15 and len(SCRIPTS) >= 14


@pytest.mark.parametrize("name", [name for name in rules() if name not in TARGETS])
def test_rules_say_what_they_do_and_where_they_log(name: str) -> None:
    text = rules()[name]
    assert re.search(r'^    message:\n        "\S', text, re.MULTILINE)
    assert re.search(r"^    log:\n        ", text, re.MULTILINE)
    assert re.search(r"^    threads: \d", text, re.MULTILINE)
    assert re.search(r"^    conda:\n        ", text, re.MULTILINE)
    assert not re.search(r"^    run:", text, re.MULTILINE)


@pytest.mark.parametrize("name", [name for name, text in rules().items() if "script:" in text])
def test_rules_follow_the_code_of_their_script(name: str) -> None:
    text = rules()[name]
    (script,) = re.findall(r'^    script:\n +"\.\./\.\./scripts/(.+)\.py"', text, re.MULTILINE)
    if script == "{params.script}":
        script = re.findall(r'^ +script="(\w+)",$', text, re.MULTILINE)[-1]
    assert script == {"scatter": "training"}.get(name, name)
    script = f"{script}.py"
    assert (ROOT / "scripts" / script).is_file()
    kept = name == "preflight"  # a model that was trusted stays trusted when the checks are edited
    assert (f'code=ancient(code("{script}"))' if kept else f'code=code("{script}")') in text


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


def test_every_script_has_a_rule() -> None:
    assert {path.stem for path in SCRIPTS} <= set(rules())
