"""The page in a browser: no message, no request, nothing wider than the screen, and the structure answers."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qmfront.report.page import page
from qmfront.report.scene import Scene
from tests.report.test_page import RESULTS
from tests.report.test_scene import scene

playwright = pytest.importorskip("playwright.sync_api")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed"),
]
WIDTHS = (390, 900, 1600)
SOFTWARE = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
"""WebGL without a graphics card."""
SHOWN = scene(n=300, frames=3)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=BROWSER, args=SOFTWARE)
        yield found
        found.close()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page with a structure for each of its two cases."""
    monkeypatch.setattr(Scene, "read", lambda *_, **__: SHOWN)
    cases = {name: replace(case, folder=tmp_path) for name, case in RESULTS.cases.items()}
    path = tmp_path / "report.html"
    path.write_text(page(replace(RESULTS, cases=cases)), encoding="utf-8")
    return path


@pytest.mark.parametrize("width", WIDTHS)
def test_it_opens_without_a_message_or_a_request(browser: Any, file: Path, width: int) -> None:
    opened = browser.new_context(viewport={"width": width, "height": 800}).new_page()
    said: list[str] = []
    asked: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(file.as_uri())
    opened.wait_for_function("window.structure && document.getElementById('told').textContent")
    for name in ("region", "eta", "displacement", "residual"):
        opened.select_option("#colour", name)
    assert said == []
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [file.as_uri()]
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    answer = opened.locator("#answer").bounding_box()
    assert answer["y"] < 120, "the answer is the first thing below the title"


def test_the_structure_answers(browser: Any, file: Path) -> None:
    """Every atom is drawn where the stores have it; legend, iteration and values follow what is chosen."""
    opened = browser.new_context(viewport={"width": 900, "height": 800}).new_page()
    opened.goto(file.as_uri())
    opened.wait_for_function("window.structure")
    places = np.array(opened.evaluate("structure.atoms().map(({x, y, z}) => [x, y, z])"))
    corner = np.min([frame.positions.min(axis=0) for frame in SHOWN.frames], axis=0)
    np.testing.assert_allclose(places, SHOWN.frames[-1].positions - corner, atol=2e-3)

    opened.select_option("#colour", "residual")
    assert "residual force (eV/Å)" in opened.inner_text("#legend")
    opened.select_option("#colour", "region")
    assert opened.inner_text("#legend").split("\n") == [
        "QM region: 7",
        "buffer: 8",
        "MM region: 9",
        "held rim: 10",
    ]
    opened.locator("#frame").fill("0")
    assert opened.inner_text("#told").startswith("iteration 0 of 0 to 6: 7 QM atoms, estimated error 0.100 Å")
    opened.select_option("#atoms", "qm")
    assert opened.inner_text("#count").startswith(f"{np.sum(SHOWN.frames[0].region == 0)} of 1800 atoms")
    assert "The page holds the 300 atoms nearest" in opened.inner_text("#count")

    opened.evaluate("structure.viewer.setHoverDuration(0)")
    opened.evaluate("document.getElementById('stage').scrollIntoView()")
    at = int(np.flatnonzero(SHOWN.frames[0].region == 0)[0])
    opened.evaluate(f"structure.atoms()[{at}].callback(structure.atoms()[{at}])")
    told = opened.inner_text("#tip").splitlines()
    assert told[0].startswith(f"atom {SHOWN.index[at]}, ") and told[0].endswith("QM region")
    value = SHOWN.frames[0].values["displacement"][at]
    assert float(told[2].split(": ")[1].removesuffix(" Å")) == pytest.approx(value, rel=6e-3)
