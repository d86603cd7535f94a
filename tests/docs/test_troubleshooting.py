"""docs/troubleshooting.md explains messages that exist."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"^\| `(.+?)` \|", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def messages() -> str:
    """Every text in the package, formatted values left out."""
    return "\n".join(
        text
        for path in sorted((ROOT / "qmfront").rglob("*.py"))
        for text in _texts(ast.parse(path.read_text(encoding="utf-8")))
    )


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            pieces = [piece.value if isinstance(piece, ast.Constant) else "…" for piece in node.values]
            yield "".join(str(piece) for piece in pieces)


def test_the_page_explains_the_messages_that_people_meet() -> None:
    assert len(QUOTED) > 20


@pytest.mark.parametrize("quoted", QUOTED)
def test_a_message_on_the_page_is_one_of_ours(quoted: str, messages: str) -> None:
    assert quoted in messages


KEYS = set(
    re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/settings.md").read_text(encoding="utf-8"), re.MULTILINE)
)


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`((?:\w+\.)+\w+)(?:: \w+)?`", PAGE))))
def test_a_key_on_the_page_is_a_key(named: str) -> None:
    assert set(named.split(".")) <= KEYS
