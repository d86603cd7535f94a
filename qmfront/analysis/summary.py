"""The results of a study on one page that opens offline: what came out, beside the paper's, how sure, at what cost."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from qmfront.analysis.checks import Checks
from qmfront.config.study import Case
from qmfront.elasticity.certificate import Certificate
from qmfront.estimate.trust import verdict_words
from qmfront.storage import store
from qmfront.storage.layouts.potential import POTENTIAL
from qmfront.training.intervals import coverage
from qmfront.training.verdict import mismatch_verdict

STYLE = """
body {font: 15px/1.5 system-ui, sans-serif; color: #1c2430; max-width: 62rem; margin: 2rem auto; padding: 0 1.5rem}
h1 {font-size: 1.5rem} h2 {font-size: 1.15rem; margin-top: 2.2rem} p {max-width: 46rem}
table {border-collapse: collapse; margin: .8rem 0; font-size: .85rem}
th, td {padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #d9dee5; white-space: nowrap}
th {border-bottom: 2px solid #8b95a3; font-weight: 600; white-space: normal; vertical-align: bottom}
th:first-child, td:first-child {text-align: left}
td.text, th.text {text-align: left; white-space: normal}
"""

COST_PARTS = ("solve", "exact", "cauchy_born", "paper", "estimate", "refine")
"""Columns cpu_* of convergence.csv."""


@dataclass(frozen=True)
class CaseResult:
    """What is told of a case.

    title : one line that says what the case shows
    table : its convergence.csv
    reference : root attributes of its reference store (qm_calls, qm_seconds), empty without one
    potential : name of its MM potential
    far_field : what its far_field.zarr says about dW, empty if it was not asked
    """

    title: str
    table: pd.DataFrame
    reference: Mapping[str, float]
    potential: str
    far_field: str = ""

    @classmethod
    def read(
        cls, title: str, potential: str, table: Path, *, reference: Path | None, far_field: Path | None
    ) -> "CaseResult":
        """From convergence.csv, and the stores of a case that asks for them."""
        measured = {} if reference is None else store.attributes(reference)
        told = {} if far_field is None else store.attributes(far_field)
        return cls(title, pd.read_csv(table), measured, potential, told.get("verdict", ""))

    @classmethod
    def of(cls, case: Case, folder: Path) -> "CaseResult":
        """Of a case whose results stand in a folder."""
        reference, far_field = (
            folder / f"{stage}.zarr" if stage in case.asked_stages else None
            for stage in ("reference", "far_field")
        )
        table = folder / "convergence.csv"
        return cls.read(case.title, case.potential, table, reference=reference, far_field=far_field)


@dataclass(frozen=True)
class PotentialResult:
    """What is told of a potential.

    fit : its fit.csv
    intervals : its intervals.csv
    verdict : what its certificate says about dW
    """

    fit: pd.DataFrame
    intervals: pd.DataFrame
    verdict: str

    @classmethod
    def read(cls, fit: Path, intervals: Path, certificate: Path) -> "PotentialResult":
        """From fit.csv, intervals.csv and the store of the certificate."""
        found = Certificate.from_arrays(store.load(certificate, POTENTIAL))
        return cls(pd.read_csv(fit), pd.read_csv(intervals), mismatch_verdict(found))


def resources_table(folder: Path) -> pd.DataFrame:
    """What every job took, as Snakemake measured it: columns job, seconds, processor_seconds, memory_mb (its peak).

    A job that ended before the first look at it has no processor seconds and no memory; one that ran again tells of
    its last run, in which evaluations may have come from the journal.

    Parameters
    ----------
    folder : results/benchmarks; job is the path below it, such as edge_T4/3/solve
    """
    files = sorted(folder.rglob("*.tsv"))
    rows = pd.DataFrame(
        [pd.read_csv(file, sep="\t").iloc[0] for file in files], columns=["s", "cpu_time", "max_rss"]
    )
    rows = rows.apply(pd.to_numeric, errors="coerce").reset_index(drop=True)
    rows.columns = ["seconds", "processor_seconds", "memory_mb"]
    rows.insert(0, "job", [file.relative_to(folder).with_suffix("").as_posix() for file in files])
    return rows


def page(
    cases: Mapping[str, CaseResult],
    potentials: Mapping[str, PotentialResult],
    comparison: pd.DataFrame | None,
    checks: Checks,
) -> str:
    """HTML of the whole page.

    Parameters
    ----------
    cases : by name
    potentials : by name
    comparison : comparison.csv, if there is one
    checks : Checks
        Failures are shown in words; they hide nothing else.
    """
    parts = [
        *_answers(cases),
        *_where_cases_ended(cases),
        *(_beside_the_paper(comparison) if comparison is not None else []),
        *_consistency(potentials),
        *_intervals(potentials),
        *_far_field(cases, potentials),
        *_cost(cases),
        *_checks(checks),
    ]
    return _document("Summary of the results", parts)


@dataclass(frozen=True)
class Missing:
    """What a failed run leaves out.

    failures : (rule, log, what it says) of the jobs that failed
    cases : (name, title, why) of the cases without a result
    """

    failures: Sequence[tuple[str, str, str]]
    cases: Sequence[tuple[str, str, str]]


def page_of_a_failed_run(
    cases: Mapping[str, CaseResult], potentials: Mapping[str, PotentialResult], missing: Missing
) -> str:
    """HTML of a page about the cases that ended, and why the others did not; nothing of it was tested.

    Parameters
    ----------
    cases : that ended, at least one, by name
    potentials : of those, as far as they are complete
    """
    text = (
        "The run failed. The cases below ended before it did; the tests of the finished results, the comparison with "
        "the paper and the figures want all cases, and are left out. The next run goes on where this one stopped."
    )
    parts = [
        "<h2>What failed</h2>",
        _paragraph(text),
        _words(("job", "log", "what it says"), missing.failures),
        "<h2>Cases without a result</h2>",
        _words(("case", "what", "why"), missing.cases),
        *_where_cases_ended(cases),
        *(_consistency(potentials) + _intervals(potentials) if potentials else []),
        *_far_field(cases, potentials),
        *_cost(cases),
    ]
    return _document("Results of a run that failed", parts)


def _words(names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return _html(pd.DataFrame(rows, columns=list(names)), text=names)


def _document(title: str, parts: list[str]) -> str:
    introduction = _paragraph(
        "Adaptive QM/MM relaxation of crystalline defects. The error is the distance to the QM solution on the "
        "same domain, in the norm of displacement gradients (Å); eta is the computed estimate of it that drives "
        "the adaptation. Nothing on this page was typed in: all numbers are read from the result files."
    )
    head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    body = "\n".join([f"<h1>{title}</h1>", introduction, *parts])
    return f"<!doctype html><html><head>{head}</head><body>\n{body}\n</body></html>\n"


def cost_table(cases: Mapping[str, CaseResult]) -> pd.DataFrame:
    """QM calls and processor seconds of every case: all iterations together, by part, and the reference beside them."""
    rows = []
    for name, case in cases.items():
        row = {"case": name, "iterations": len(case.table), "QM calls": int(case.table["qm_calls"].sum())}
        for part in COST_PARTS:
            row[part] = float(case.table.get(f"cpu_{part}", pd.Series(dtype=float)).sum())
        row["reference: QM calls"] = case.reference.get("qm_calls")
        row["reference: QM seconds"] = case.reference.get("qm_seconds")
        rows.append(row)
    return pd.DataFrame(rows)


def far_field_table(
    cases: Mapping[str, CaseResult], potentials: Mapping[str, PotentialResult]
) -> pd.DataFrame:
    """What the certificate of the potential of every case says about dW, and what the case's own strains say."""
    rows = [
        {
            "case": name,
            "potential": case.potential,
            "certificate": potentials[case.potential].verdict if case.potential in potentials else "-",
            "far field": case.far_field or "Not asked (estimate.far_field_samples: 0).",
        }
        for name, case in cases.items()
    ]
    return pd.DataFrame(rows)


def _answers(cases: Mapping[str, CaseResult]) -> list[str]:
    """One sentence a case, with a link to its structure from the folder of the page."""
    lines = []
    for name, case in cases.items():
        last = case.table.iloc[-1]
        link = f'<a href="{html.escape(quote(name))}/relaxed.extxyz">{html.escape(name)}/relaxed.extxyz</a>'
        verdict = _verdict(last)
        lines.append(
            f"<li><b>{html.escape(case.title)}</b>: relaxed to an estimated error of {last['eta']:.1e} Å with "
            f"{int(last['n_qm'])} QM atoms{f', {html.escape(verdict)}' if verdict else ''}. Structure: {link}</li>"
        )
    text = (
        "The relaxed structures, which OVITO and ASE open; each atom has its region, its displacement and its share of "
        "the error."
    )
    return ["<h2>The answer</h2>", _paragraph(text), f"<ul>{''.join(lines)}</ul>"]


def _where_cases_ended(cases: Mapping[str, CaseResult]) -> list[str]:
    rows = []
    for name, case in cases.items():
        first, last = case.table.iloc[0], case.table.iloc[-1]
        rows.append(
            {
                "case": name,
                "what": case.title,
                "iterations": len(case.table),
                "N_QM": f"{int(first['n_qm'])} to {int(last['n_qm'])}",
                "eta / Å": last["eta"],
                "error / Å": last.get("error"),
                "eta / error": last["eta"] / last["error"] if "error" in last else None,
                "lowest eigenvalue": last.get("lowest_eigenvalue"),
                "verdict": _verdict(last),
            }
        )
    text = (
        "The last iteration of every case. An eta / error of 1 is a perfect estimate; below 1 the error is "
        "underestimated. The verdict says whether anything speaks against eta, and what; the lowest eigenvalue is "
        "negative on a saddle, and a small one belongs to a position along glide that nobody certifies."
    )
    table = _html(pd.DataFrame(rows), text=("what", "verdict"))
    return ["<h2>Where every case ended</h2>", _paragraph(text), table]


def _verdict(row: pd.Series) -> str | None:
    """Of an iteration; None where nobody judged."""
    if pd.isna(row.get("trusted")):
        return None
    told = [] if pd.isna(row.get("reasons")) else [row["reasons"]]
    return verdict_words(bool(row["trusted"]), told)


def _checks(checks: Checks) -> list[str]:
    told = f"Tests of the finished results (results/checks.txt): {checks.line}."
    parts = ["<h2>Checks</h2>", _paragraph(told)]
    if checks.failures:
        parts += [
            _paragraph("Look at what failed before you use these cases; tests/results explains every check."),
            "<ul>" + "".join(f"<li>{html.escape(failure)}</li>" for failure in checks.failures) + "</ul>",
        ]
    return parts


def _beside_the_paper(comparison: pd.DataFrame) -> list[str]:
    text = (
        "Numbers of the figures that show errors, and what the paper reports for the same figure. For slopes, low and "
        "high are the 95 % confidence interval; for ratios, the smallest and the largest value over the iterations in "
        "the window of the figure, and ours is their geometric mean. A dash: too few iterations in the window."
    )
    table = _html(comparison, text=("quantity", "case", "paper"))
    return ["<h2>Ours beside the paper's</h2>", _paragraph(text), table]


def _consistency(potentials: Mapping[str, PotentialResult]) -> list[str]:
    text = (
        "How well each MM potential reproduces the QM model on what it was fitted to, relative errors; the last row is "
        "the number of basis functions. The certificate "
        "among the figures shows force constants by distance (how local they are), phonons and elastic constants."
    )
    columns = {
        name: found.fit.set_index("observation")["relative_error"] for name, found in potentials.items()
    }
    order = list(
        dict.fromkeys(row for column in columns.values() for row in column.index if row != "functions")
    )
    table = pd.DataFrame(columns).reindex([*order, "functions"]).rename_axis("observation").reset_index()
    return ["<h2>Consistency of the potentials</h2>", _paragraph(text), _html(table, text=())]


def _intervals(potentials: Mapping[str, PotentialResult]) -> list[str]:
    text = (
        "Root mean square error, and which fraction of the values of the QM model lies in the two intervals of a fit: "
        "posterior is two standard deviations of the regression, which takes all that it misses for noise; POPS "
        "counts on a basis that is too small. Rattled cells that were held out are the only values the fit never saw. "
        "The values themselves are in results/potentials/*/intervals.csv."
    )
    parts = [coverage(found.intervals).assign(potential=name) for name, found in potentials.items()]
    names = {"inside_ard": "inside posterior", "inside_pops": "inside POPS"}
    columns = ["potential", "quantity", "values", "error", "unit", *names]
    table = pd.concat(parts, ignore_index=True)[columns].rename(columns=names)
    return ["<h2>How sure the fits are</h2>", _paragraph(text), _html(table, text=("quantity", "unit"))]


def _far_field(cases: Mapping[str, CaseResult], potentials: Mapping[str, PotentialResult]) -> list[str]:
    text = (
        "Beyond the QM region the estimate knows how the homogeneous lattices of both models differ from dW, a "
        "polynomial in strain. The certificate says how well it describes the strains it was fitted to; the strains "
        "of the case are other ones, and tell only where they were asked."
    )
    table = far_field_table(cases, potentials)
    words = ("potential", "certificate", "far field")
    return ["<h2>Does dW speak for the far field?</h2>", _paragraph(text), _html(table, text=words)]


def _cost(cases: Mapping[str, CaseResult]) -> list[str]:
    text = (
        "QM calls of all solves of a case, and processor seconds of each part of its iterations: the solver, the three "
        "residuals, the estimates, mark and refine. The reference is the QM solution on the whole domain, which only "
        "serves to measure errors."
    )
    return ["<h2>Cost</h2>", _paragraph(text), _html(cost_table(cases), text=())]


def _paragraph(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"


def _html(table: pd.DataFrame, *, text: tuple[str, ...]) -> str:
    """A table; columns named in `text` are left aligned and may wrap."""
    kinds = [' class="text"' if name in text else "" for name in table.columns]
    head = "".join(
        f"<th{kind}>{html.escape(str(name))}</th>" for name, kind in zip(table.columns, kinds, strict=True)
    )
    rows = [
        "<tr>" + "".join(f"<td{kind}>{_cell(v)}</td>" for v, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in table.itertuples(index=False, name=None)
    ]
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n" + "\n".join(rows) + "\n</tbody></table>"


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return "-"
    if isinstance(value, float):
        return f"{value:.0f}" if value == round(value) and abs(value) < 1e6 else f"{value:.3g}"
    return html.escape(str(value))
