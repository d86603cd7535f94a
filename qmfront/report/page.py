"""The results of a study on one page that opens offline: the answer first, then how sure it is and what it cost."""

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from qmfront.analysis.checks import Checks
from qmfront.estimate.trust import verdict_words
from qmfront.figures.style import REGION_STYLES
from qmfront.report import markup
from qmfront.report.advice import ended_early, next_steps
from qmfront.report.charts import convergence_chart, phonon_chart
from qmfront.report.markup import duration, folded, listed, paragraph, percent, picture, section
from qmfront.report.results import COST_PARTS, CaseResult, PotentialResult, cost_table, far_field_table
from qmfront.report.scene import BUDGET, Scene
from qmfront.training.intervals import coverage

HERE = Path(__file__).parent
DATA_FILES = ("page.css", "viewer.html", "viewer.js", "3Dmol-min.js")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
"""What a browser may load for the page: what stands in it, and nothing from anywhere else."""
REGIONS = ("QM region", "buffer", "MM region", "held rim")
"""By the number of a region, in words."""
COLOURS = 64
"""Of the scale of the structures."""
MOST_CHARTS = 12
"""Cases whose convergence is drawn, and potentials whose phonons are; of others there are the tables."""

TITLE = "Results of the study"


@dataclass(frozen=True)
class Missing:
    """What a failed run leaves out.

    failures : (rule, log, what it says) of the jobs that failed
    cases : (name, title, why) of the cases without a result
    """

    failures: Sequence[tuple[str, str, str]] = ()
    cases: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True)
class Results:
    """What a page tells.

    cases : that ended, at least one, by name
    potentials : by name, as far as they are complete
    comparison : comparison.csv, if there is one
    checks : tests of the finished results, if they were run
    missing : what a failed or unfinished run leaves out
    """

    cases: Mapping[str, CaseResult]
    potentials: Mapping[str, PotentialResult]
    comparison: pd.DataFrame | None = None
    checks: Checks | None = None
    missing: Missing = field(default_factory=Missing)


def page(results: Results, *, folder: str = "") -> str:
    """HTML of the whole page.

    Parameters
    ----------
    results : Results
    folder : from the page to the folder results/, ending in a slash where it is another one
    """
    cases, potentials = results.cases, results.potentials
    parts = [
        *_missing(results.missing),
        _answers(cases, folder),
        *_structures(cases),
        _steps(results),
        _convergence(cases),
        *_certificates(potentials),
        _cost(cases),
        _details(results),
        WORDS,
    ]
    return _document(TITLE if not results.missing.cases else "Results of a run that is not complete", parts)


def _document(title: str, parts: Sequence[str]) -> str:
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><title>{title}</title>'
        f"<style>{_file('page.css')}</style>"
    )
    body = "\n".join([f"<h1>{title}</h1>", *parts])
    return f'<!doctype html><html lang="en"><head>{head}</head><body><main>\n{body}\n</main></body></html>\n'


def _file(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _answers(cases: Mapping[str, CaseResult], folder: str) -> str:
    """A card for each case: its error, whether that is trusted, its cost, its file."""
    cards = [_card(name, case, folder) for name, case in cases.items()]
    return section("The answer", f'<div class="cards">{"".join(cards)}</div>', name="answer")


def _card(name: str, case: CaseResult, folder: str) -> str:
    last = case.last
    kind, word = {
        True: ("good", "trusted"),
        False: ("bad", "not trusted"),
        None: ("open", "not judged"),
    }[case.verdict]
    seconds = sum(float(case.table.get(f"cpu_{part}", pd.Series(dtype=float)).sum()) for part in COST_PARTS)
    total = sum(int(last.get(region, 0)) for region in ("n_qm", "n_buf", "n_mm"))
    numbers = {
        "estimated error": f"<b>{last['eta']:.2g} Å</b>",
        "measured error": "not measured" if case.error is None else f"{case.error:.2g} Å",
        "QM atoms, of those that move": f"{int(last['n_qm'])} of {total}",
        "QM calls": str(int(case.table["qm_calls"].sum())),
        "iterations": str(len(case.table)),
        "processor time": duration(seconds),
    }
    rows = "".join(f"<div><dt>{term}</dt><dd>{value}</dd></div>" for term, value in numbers.items())
    path = f"{name}/relaxed.extxyz"
    title = html.escape(case.title or name)
    known = f" <code>{html.escape(name)}</code>" if case.title and case.title != name else ""
    early = '<p class="badge early">tolerance not reached</p>' if ended_early(case) else ""
    told = [f"Why it ended: {html.escape(case.ended.rstrip('.'))}."] if case.ended else []
    if case.told:
        told.append(f"{'Not covered' if case.verdict else 'Against it'}: {html.escape(case.told)}.")
    told.append(
        f'Relaxed structure: <a href="{html.escape(folder + quote(path))}">{html.escape(path)}</a>, for OVITO and ASE.'
    )
    return (
        f'<article class="card {kind}"><h3>{title}{known}</h3><p class="badge">{word}</p>{early}'
        f"<dl>{rows}</dl>{''.join(f'<p>{line}</p>' for line in told)}</article>"
    )


def _structures(cases: Mapping[str, CaseResult]) -> list[str]:
    """The viewer, with the structures of the cases that have some."""
    having = {name: case for name, case in cases.items() if case.folder is not None}
    if not having:
        return []
    shown = {
        name: Scene.read(case.folder, _iterations(case), share=BUDGET // len(having)).content()
        for name, case in having.items()
        if case.folder is not None
    }
    choices = "".join(
        f'<option value="{html.escape(name)}">{html.escape(case.title or name)}</option>'
        for name, case in having.items()
    )
    colours = mpl.colormaps["viridis"](np.linspace(0, 1, COLOURS))
    content = {
        "regions": [
            {"name": name, "colour": style.colour} for name, style in zip(REGIONS, REGION_STYLES, strict=True)
        ],
        "gradient": [to_hex(colour) for colour in colours],
        "cases": shown,
    }
    text = json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")
    parts = [
        _file("viewer.html")
        .replace("<!-- cases -->", choices)
        .replace("data-choice", "hidden" if len(having) == 1 else ""),
        f'<script type="application/json" id="scenes">{text}</script>',
        f"<script>{_file('3Dmol-min.js')}</script>",
        f"<script>{_file('viewer.js')}</script>",
    ]
    return [section("The structure", *parts, name="structure")]


def _iterations(case: CaseResult) -> list[tuple[int, float]]:
    return [(int(k), float(eta)) for k, eta in zip(case.table["k"], case.table["eta"], strict=True)]


def _steps(results: Results) -> str:
    """What to do next, case by case, and where checks failed."""
    parts = []
    if results.checks and results.checks.failures:
        parts += [
            paragraph(
                "Some tests of the finished results failed. Look at these before you use the cases; tests/results "
                "explains every check:",
                "bad",
            ),
            listed([html.escape(failure) for failure in results.checks.failures]),
        ]
    for name, case in results.cases.items():
        several = len(results.cases) > 1
        parts += [f"<h3>{html.escape(case.title or name)}</h3>"] * several
        parts.append(listed([html.escape(step) for step in next_steps(case)]))
    return section("What to do next", *parts, name="next")


def _convergence(cases: Mapping[str, CaseResult]) -> str:
    text = (
        "Each iteration makes the QM region larger where the estimated error is. The error should fall as QM atoms are "
        "added; where both curves are drawn, the estimate is good if they lie on each other."
    )
    charts = [
        picture(convergence_chart(case.table), f"{case.title or name}: error against the number of QM atoms")
        for name, case in list(cases.items())[:MOST_CHARTS]
    ]
    tables = [
        folded(f"Every iteration of {case.title or name}", _iteration_table(case))
        for name, case in cases.items()
    ]
    parts = [paragraph(text), f'<div class="charts">{"".join(charts)}</div>', *tables]
    return section("Convergence", *parts, name="convergence")


def _iteration_table(case: CaseResult) -> str:
    names = {
        "k": "iteration",
        "n_qm": "QM atoms",
        "n_buf": "buffer atoms",
        "eta": "estimated error (Å)",
        "error": "measured error (Å)",
        "qm_calls": "QM calls",
        "cpu_solve": "processor time of the solve (s)",
    }
    rows = case.table[[name for name in names if name in case.table]].rename(columns=names)
    if "trusted" in case.table:
        words = {True: "yes", False: "no"}
        rows["trusted"] = [words.get(judged, "-") for judged in case.table["trusted"]]
    return markup.table(rows)


def _certificates(potentials: Mapping[str, PotentialResult]) -> list[str]:
    if not potentials:
        return []
    text = (
        "Far from the defect the QM model is replaced by a potential that was fitted to it. These are tests of how far "
        "both agree in the perfect crystal; the closer they are, the smaller the QM region can be."
    )
    parts = [paragraph(text)]
    for number, (name, found) in enumerate(potentials.items()):
        advice = found.verdict.partition(": ")[2]
        parts += [
            f"<h3>Potential {html.escape(name)}</h3>",
            listed([html.escape(line) for line in (*_agreement(found), f"What to do: {advice}")]),
        ]
        if found.certificate is not None:
            words = "Phonons of the perfect crystal. Where one curve hides the other, both models agree."
            chart = picture(phonon_chart(found), words) if number < MOST_CHARTS else ""
            parts.append(f'<div class="charts">{chart}{_moduli(found.certificate)}</div>')
    return [section("How well the potential follows the QM model", *parts, name="certificate")]


def _agreement(found: PotentialResult) -> list[str]:
    """What the potential misses of the QM model, a line each."""
    lines = []
    for name, part in found.intervals.groupby("quantity", sort=False):
        if str(name).endswith("held out"):
            off, size = (np.sqrt(np.mean(np.square(v))) for v in (part["mm"] - part["qm"], part["qm"]))
            unit = part["unit"].iloc[0]
            lines.append(
                f"Forces on shaken crystals that it was not fitted to: {off:.2g} {unit} off, where they are {size:.2g} "
                f"{unit} large (root mean squares)."
            )
    constants = found.fit.set_index("observation")["relative_error"].get("force_constants")
    if constants is not None:
        lines.append(
            f"Forces between atoms of the crystal for small displacements: {percent(constants)} off."
        )
    if not pd.isna(found.strained):
        lines.append(f"Stress of the strained crystal: {percent(found.strained)} off.")
    return lines


def _moduli(certificate: pd.DataFrame) -> str:
    rows = certificate[certificate["quantity"] == "elastic constants"]
    shown = pd.DataFrame(
        {
            "elastic constant": rows["name"],
            "QM model (GPa)": [f"{value:.1f}" for value in rows["qm"]],
            "potential (GPa)": [f"{value:.1f}" for value in rows["mm"]],
            "off by": [percent(abs(mm / qm - 1)) for qm, mm in zip(rows["qm"], rows["mm"], strict=True)],
        }
    )
    return markup.table(shown)


def _cost(cases: Mapping[str, CaseResult]) -> str:
    text = (
        "QM calls of all solves of a case, and processor seconds of each part of its iterations. The reference is the "
        "QM solution of the whole domain; it only serves to measure errors."
    )
    names = {
        "solve": "solver (s)",
        "exact": "exact residual (s)",
        "cauchy_born": "estimated residual (s)",
        "paper": "residual of the paper (s)",
        "estimate": "error estimate (s)",
        "refine": "new QM region (s)",
        "reference: QM seconds": "reference: QM time (s)",
    }
    table = cost_table(cases).rename(columns=names)
    return section("Cost", paragraph(text), markup.table(table.loc[:, _is_told(table)]), name="cost")


def _is_told(table: pd.DataFrame) -> list[bool]:
    """Columns that say something: not all zero, not all unknown."""
    return [name == "case" or bool(table[name].notna().any() and (table[name] != 0).any()) for name in table]


def _details(results: Results) -> str:
    cases, potentials = results.cases, results.potentials
    parts = [_where_cases_ended(cases)]
    if results.comparison is not None:
        parts.append(_beside_the_paper(results.comparison))
    if potentials:
        parts += [_consistency(potentials), _intervals(potentials)]
    parts.append(_far_field(cases, potentials))
    if results.checks:
        told = f"Tests of the finished results (results/checks.txt): {results.checks.line}."
        parts.append(folded("Checks", paragraph(told)))
    return section("More numbers", *parts, name="more")


def _missing(missing: Missing) -> list[str]:
    if not missing.cases:
        return []
    text = (
        "The cases below ended; others did not, or not yet. Tests of the finished results, the comparison with the "
        "paper and the figures want all cases, and may be left out. The next run goes on where this one stopped."
    )
    failed = [markup.table(_words(("job", "log", "what it says"), missing.failures), text=_JOB)]
    return [
        section(
            "Not complete",
            paragraph(text, "bad"),
            *(failed if missing.failures else []),
            "<h3>Cases without a result</h3>",
            markup.table(_words(_CASE, missing.cases), text=_CASE),
        )
    ]


_JOB, _CASE = ("job", "log", "what it says"), ("case", "what", "why")


def _words(names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(names))


def _where_cases_ended(cases: Mapping[str, CaseResult]) -> str:
    rows = []
    for name, case in cases.items():
        first, last = case.table.iloc[0], case.last
        told = [case.told] if case.told else []
        rows.append(
            {
                "case": name,
                "what": case.title,
                "iterations": len(case.table),
                "N_QM": f"{int(first['n_qm'])} to {int(last['n_qm'])}",
                "eta / Å": last["eta"],
                "error / Å": case.error,
                "eta / error": last["eta"] / case.error if case.error else None,
                "lowest eigenvalue": last.get("lowest_eigenvalue"),
                "verdict": verdict_words(case.verdict, told) or None,
            }
        )
    text = (
        "The last iteration of every case. An eta / error of 1 is a perfect estimate; below 1 the error is "
        "underestimated. The verdict says whether anything speaks against eta, and what; the lowest eigenvalue (no "
        "unit) is negative on a saddle, and a small one belongs to a mode along which nobody certifies "
        "where the core is."
    )
    table = markup.table(pd.DataFrame(rows), text=("what", "verdict"))
    return folded("Where every case ended", paragraph(text), table)


def _beside_the_paper(comparison: pd.DataFrame) -> str:
    text = (
        "Numbers of the figures that show errors, and what the paper reports for the same figure. For slopes, low and "
        "high are the 95 % confidence interval; for ratios, the smallest and the largest value over the iterations in "
        "the window of the figure, and ours is their geometric mean. A dash: too few iterations in the window."
    )
    table = markup.table(comparison, text=("quantity", "case", "paper"))
    return folded("Ours beside the paper's", paragraph(text), table)


def _consistency(potentials: Mapping[str, PotentialResult]) -> str:
    text = (
        "How well each potential reproduces the QM model on what it was fitted to: relative errors, without a unit; "
        "the last row is the number of basis functions."
    )
    columns = {
        name: found.fit.set_index("observation")["relative_error"] for name, found in potentials.items()
    }
    order = list(
        dict.fromkeys(row for column in columns.values() for row in column.index if row != "functions")
    )
    table = pd.DataFrame(columns).reindex([*order, "functions"]).rename_axis("observation").reset_index()
    return folded("Errors of the fits", paragraph(text), markup.table(table))


def _intervals(potentials: Mapping[str, PotentialResult]) -> str:
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
    return folded("How sure the fits are", paragraph(text), markup.table(table, text=("quantity", "unit")))


def _far_field(cases: Mapping[str, CaseResult], potentials: Mapping[str, PotentialResult]) -> str:
    text = (
        "Beyond the QM region the estimate knows how the homogeneous lattices of both models differ from dW, a "
        "polynomial in strain. The certificate says how well it describes the strains it was fitted to; the strains "
        "of the case are other ones, and tell only where they were asked."
    )
    words = ("potential", "certificate", "far field")
    table = markup.table(far_field_table(cases, potentials), text=words)
    return folded("Does dW speak for the far field?", paragraph(text), table)


WORDS = section(
    "Words",
    "<dl class='words'>"
    + "".join(
        f"<div><dt>{term}</dt><dd>{meaning}</dd></div>"
        for term, meaning in {
            "QM model": "the accurate and expensive model of the atoms, such as DFT",
            "QM region": "the atoms whose forces come from the QM model",
            "buffer": "atoms around the QM region that the QM model sees as well, so that its forces there are right",
            "MM region": "atoms whose forces come from the potential",
            "held rim": "atoms that do not move, where the domain ends",
            "error": "distance of the structure from the one that the QM model alone would have on the same domain: "
            "the norm of the difference of displacement gradients, in Å",
            "estimated error, eta": "what is computed of it without that solution; it decides where QM atoms are added",
            "trusted": "nothing that is known to make the estimate wrong was found; not a proof",
            "residual force": "force that the QM model would still exert on an atom, as far as it is known",
            "QM call": "one evaluation of energy and forces by the QM model",
        }.items()
    )
    + "</dl>",
    paragraph("All numbers on this page are read from result files. It needs no network.", "small"),
    name="words",
)
