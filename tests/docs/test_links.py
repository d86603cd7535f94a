"""Links of the pages lead somewhere: to a file of the project, and to a heading of it where they name one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "qmfront" / "CONVENTIONS.md"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, heading = link.partition("#")
        if "://" in link:
            continue
        target = page.parent / path if path else page
        if not target.exists() or (heading and heading not in _anchors(target)):
            lost.append(link)
    assert not lost


def test_every_study_is_listed() -> None:
    """In the table of the results, with what it computes."""
    listed = set(
        re.findall(r"\(../config/studies/(\w+\.yaml)\)", (ROOT / "docs" / "results.md").read_text("utf-8"))
    )
    assert listed == {path.name for path in (ROOT / "config" / "studies").glob("*.yaml")}


def _anchors(page: Path) -> set[str]:
    """Anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_examples_of_crystals_are_those_of_the_page() -> None:
    """Word by word."""
    page = (ROOT / "docs" / "crystals.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    files = [
        ROOT / "docs" / "examples" / f"{name}.py" for name in ("solute", "magnesium", "nickel_aluminium")
    ]
    assert blocks == [path.read_text("utf-8").split('"""\n\n', 1)[1] for path in files]
