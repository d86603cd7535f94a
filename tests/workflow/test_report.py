"""The report opens with text, holds summary, figures and captions, and fetches nothing."""

import re
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def test_the_report_of_the_minimal_study(finished: Any) -> None:
    done = finished.snakemake("--report", "report.html")
    assert done.returncode == 0, done.stdout
    text = finished.text("report.html")
    assert "What to read, in the menu on the left" in text
    assert (
        '"QM evaluations in the journal": ' in text
    )  # with numbers the front page is text and not the graph of jobs
    for name in ("results/summary.html", "figures/figure_4.png", "results/minimal/convergence.csv"):
        assert f'"{name}"' in text
    assert "Error, exact estimator and practical estimator" in text
    assert re.findall(r'(?:src|href)="https?://[^"]*\.(?:js|css|png|svg|woff2?)"', text) == []
