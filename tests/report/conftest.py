"""Pages without their charts, which take most of the time of a page."""

import pytest


@pytest.fixture(autouse=True)
def blank_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page is made without the charts of convergence."""
    monkeypatch.setattr("qmfront.report.page.convergence_chart", lambda _: "data:,")
