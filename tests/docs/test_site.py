"""The documentation as a site: it builds with no warning, every link within it leads to a file, nothing is fetched."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built strictly: a warning is an error."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
    return folder


def test_links_lead_to_files_of_the_site(site: Path) -> None:
    lost = []
    for page in site.rglob("*.html"):
        if page.name == "404.html":  # its links start at the root of a server
            continue
        for link in re.findall(r'(?:href|src)="?([^"\s>]+)', page.read_text(encoding="utf-8")):
            path = unquote(link.partition("#")[0].partition("?")[0])
            if path and not re.match(r"[a-z]+:|//", link) and not (page.parent / path).exists():
                lost.append(f"{page.relative_to(site)}: {link}")
    assert not lost


def test_every_page_and_package_is_there(site: Path) -> None:
    """And a function has its formula, shapes and errors."""
    for source in (ROOT / "docs").glob("*.md"):
        assert (site / f"{source.stem}.html").is_file(), source.name
    solves = (site / "functions/coupling.html").read_text(encoding="utf-8")
    for piece in ("solve_equilibrium", "Find u with F(u) = 0, Eq. (2.10)", "NoEquilibriumError"):
        assert piece in solves
    assert "<h1" in solves and "ASSUME</h1>" not in solves
