"""The page holds the numbers of the tables, the answer first, says what is missing, and needs nothing from outside."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from qmfront.analysis.checks import Checks
from qmfront.report.page import Missing, Results, page
from qmfront.report.results import (
    CaseResult,
    PotentialResult,
    cost_table,
    far_field_table,
    resources_table,
)

TABLE = pd.DataFrame(
    {
        "k": [0, 1],
        "n_qm": [56, 126],
        "eta": [0.1, 0.05],
        "error": [0.2, 0.08],
        "qm_calls": [15, 7],
        "cpu_solve": [1.5, 1.25],
        "cpu_refine": [float("nan"), 0.5],
    }
)
JUDGED = TABLE.assign(
    trusted=[True, False], reasons=["untested", "saddle: -0.1; more"], lowest_eigenvalue=[0.3, -0.1]
)
CASES = {
    "edge": CaseResult(
        "W edge <100>",
        JUDGED,
        {"qm_calls": 84, "qm_seconds": 3.25},
        "p",
        "86 % off: asked.",
        ended="2 iterations are done, eta = 5.000e-02 Å.",
    ),
    "blind": CaseResult("no reference", TABLE.drop(columns="error"), {}, "p"),
}
SADDLE = ["-0.1", "not trusted: saddle: -0.1; more"]
INTERVALS = pd.DataFrame(
    {
        "quantity": ["forces", "forces", "C11"],
        "unit": ["eV/Å", "eV/Å", "GPa"],
        "qm": [0.0, 0.0, 500.0],
        "mm": [3.0, 3.0, 500.0],
        "ard_low": [2.0, 2.0, 499.0],
        "ard_high": [4.0, 4.0, 501.0],
        "pops_low": [-1.0, 1.0, 499.0],
        "pops_high": [5.0, 5.0, 501.0],
        "inside_ard": [False, False, True],
        "inside_pops": [True, False, True],
    }
)
FIT = pd.DataFrame({"observation": ["energy", "functions"], "relative_error": [6.87e-9, 115.0]})
FITS = {"p": PotentialResult(FIT, INTERVALS, "dW misses 0.4: use samples.")}
COMPARISON = pd.DataFrame(
    {"figure": ["figure_4"], "quantity": ["slope"], "case": ["edge"], "ours": [float("nan")], "paper": ["-1"]}
)


RESULTS = Results(CASES, FITS, COMPARISON, Checks("16 passed"))


class Cells(HTMLParser):
    """Rows of all tables as lists of texts, and everything that would be fetched."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.fetched: list[str] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.fetched += [value for name, value in attrs if name in ("src", "href")]
        if tag == "tr":
            self.rows.append([])
        self.inside = tag in ("td", "th")

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1].append(data)


@pytest.fixture
def cells() -> Cells:
    return Cells(page(RESULTS))


def test_where_cases_ended(cells: Cells) -> None:
    assert ["edge", "W edge <100>", "2", "56 to 126", "0.05", "0.08", "0.625", *SADDLE] in cells.rows
    assert ["blind", "no reference", "2", "56 to 126", "0.05", "-", "-", "-", "-"] in cells.rows


def test_the_answer_comes_first() -> None:
    """A card for each case: its error with the unit, whether it is trusted, why it ended, its cost, its structure."""
    text = page(RESULTS)
    said = text[text.index("<h2>The answer") : text.index("<h2>What to do next")]
    assert text.index("<h2>The answer") == text.index("<h2>")
    edge, blind = said.split("<article")[1:]
    for words in (
        "W edge &lt;100&gt;",
        "<b>0.05 Å</b>",
        "0.08 Å",
        "126 of",
        ">22<",
        "not trusted",
        "saddle: -0.1",
    ):
        assert words in edge, words
    assert (
        "Why it ended: 2 iterations are done, eta = 5.000e-02 Å.<" in edge and "tolerance not reached" in edge
    )
    assert "not measured" in blind and "not judged" in blind and "tolerance not reached" not in blind
    assert '<a href="blind/relaxed.extxyz">' in blind


def test_links_lead_to_the_results_from_where_the_page_is() -> None:
    assert '<a href="../results/edge/relaxed.extxyz">' in page(RESULTS, folder="../results/")


def test_what_to_do_follows_from_the_numbers() -> None:
    text = page(RESULTS)
    steps = text[text.index("<h2>What to do next") : text.index("<h2>Convergence")]
    edge, blind = steps.split("<h3>")[1:]
    assert "Do not rely on the error" in edge and "raise adapt.max_iterations" in edge
    assert "use it" not in edge and "compute the same defect once" not in edge
    assert "Nobody judged" in blind and "compute the same defect once" in blind


def test_the_browser_is_told_to_load_nothing() -> None:
    """The page forbids every request, and its own parts ask for none: addresses are files beside it, or pictures."""
    text = page(RESULTS)
    assert "default-src 'none'" in text and "connect-src" not in text
    assert all(not link.startswith(("http", "//")) for link in Cells(text).fetched)
    assert not re.search(r"@import|url\((?!data:)", text[: text.index("</style>")])


def test_cases_without_a_result_come_first_with_the_reason() -> None:
    missing = Missing([("solve", "logs/bad/0/solve.log", "No root")], [("bad", "bad disc", "it failed")])
    text = page(Results(CASES, {}, missing=missing))
    assert ["bad", "bad disc", "it failed"] in Cells(text).rows
    assert text.index("<h2>Not complete") < text.index("<h2>The answer")
    assert "Results of a run that is not complete" in text


def test_tables_are_there_as_they_are(cells: Cells) -> None:
    assert ["figure_4", "slope", "edge", "-", "-1"] in cells.rows
    assert ["energy", "6.87e-09"] in cells.rows and ["functions", "115"] in cells.rows
    beside = [address for address in cells.fetched if not address.startswith("data:")]
    assert beside == [f"{case}/relaxed.extxyz" for case in CASES], "files beside the page, and nothing else"


def test_intervals_are_summed_up_by_quantity(cells: Cells) -> None:
    assert ["p", "forces", "2", "3", "eV/Å", "0", "0.5"] in cells.rows
    assert ["p", "C11", "1", "0", "GPa", "1", "1"] in cells.rows


def test_every_case_says_whether_dw_speaks_for_its_far_field(cells: Cells) -> None:
    assert ["edge", "p", "dW misses 0.4: use samples.", "86 % off: asked."] in cells.rows
    table = far_field_table(CASES, FITS).set_index("case")
    assert table.loc["blind", "far field"] == "Not asked (estimate.far_field_samples: 0)."


def test_without_a_comparison_there_is_no_such_section() -> None:
    assert "beside the paper&#x27;s" not in page(replace(RESULTS, comparison=None))


def test_checks_that_failed_are_told_in_words() -> None:
    passed = page(replace(RESULTS, comparison=None))
    assert "(results/checks.txt): 16 passed." in passed and "failed" not in passed
    failed = page(
        replace(RESULTS, checks=Checks("1 failed, 15 passed", ("own: moduli match – failed: 2 < 1",)))
    )
    assert "<li>own: moduli match – failed: 2 &lt; 1</li>" in failed
    assert "<h2>Cost</h2>" in failed


def test_cost_is_the_sum_over_iterations() -> None:
    cost = cost_table(CASES).set_index("case")
    assert cost.loc["edge", "QM calls"] == 22
    assert cost.loc["edge", "solve"] == 2.75
    assert cost.loc["edge", "refine"] == 0.5
    assert cost.loc["edge", "paper"] == 0.0
    assert cost.loc["edge", "reference: QM calls"] == 84
    assert pd.isna(cost.loc["blind", "reference: QM calls"])


def test_every_job_has_its_time_and_memory(tmp_path: Path) -> None:
    """A job that ended before the first look has NA and - in Snakemake's file."""
    head = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
    for name, row in {
        "edge/3/solve": "17.01\t0:00:17\t612.59\t1\t1\t1\t0\t1\t48.9\t8.57\n",
        "bulk/tungsten": "0.2\t0:00:00\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA\n",
        "edge/3/refine": "0.3\t0:00:00\t-\t-\t-\t-\t-\t-\t-\t-\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.tsv").write_text(head + row)
    table = resources_table(tmp_path).set_index("job")
    assert list(table.index) == ["bulk/tungsten", "edge/3/refine", "edge/3/solve"]
    assert table.loc["edge/3/solve"].tolist() == [17.01, 8.57, 612.59]
    assert table["seconds"].tolist() == [0.2, 0.3, 17.01] and table["memory_mb"].isna().sum() == 2
    assert list(resources_table(tmp_path / "none")) == ["job", "seconds", "processor_seconds", "memory_mb"]
