"""Pieces of HTML: paragraphs, tables, numbers with their units."""

import html
from collections.abc import Sequence

import pandas as pd


def paragraph(text: str, kind: str = "") -> str:
    """Words as a paragraph."""
    return f"<p{_kind(kind)}>{html.escape(text)}</p>"


def section(title: str, *parts: str, name: str = "") -> str:
    """A part of the page under a heading; `name` is where links inside the page lead."""
    mark = f' id="{name}"' if name else ""
    return f"<section{mark}><h2>{html.escape(title)}</h2>\n" + "\n".join(parts) + "</section>"


def folded(title: str, *parts: str) -> str:
    """What is shown once it is asked for."""
    return f"<details><summary>{html.escape(title)}</summary>\n" + "\n".join(parts) + "</details>"


def listed(lines: Sequence[str]) -> str:
    """Lines, which are HTML, as a list."""
    return f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"


def picture(source: str, words: str) -> str:
    """A figure, with what it shows in words below it.

    source : its address, which holds the picture itself
    """
    told = html.escape(words)
    return f'<figure><img src="{source}" alt="{told}"><figcaption>{told}</figcaption></figure>'


def table(rows: pd.DataFrame, *, text: tuple[str, ...] = ()) -> str:
    """A table, which scrolls by itself where the page is narrow; columns of `text` are left aligned and may wrap."""
    kinds = [_kind("text" if name in text else "") for name in rows.columns]
    head = "".join(
        f"<th{kind}>{html.escape(str(name))}</th>" for name, kind in zip(rows.columns, kinds, strict=True)
    )
    lines = [
        "<tr>" + "".join(f"<td{kind}>{cell(v)}</td>" for v, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in rows.itertuples(index=False, name=None)
    ]
    inner = f"<table><thead><tr>{head}</tr></thead><tbody>\n" + "\n".join(lines) + "\n</tbody></table>"
    return f'<div class="wide">{inner}</div>'


def cell(value: object) -> str:
    """A number with three digits, or words; a dash for what is not known."""
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return "-"
    if isinstance(value, float):
        return f"{value:.0f}" if value == round(value) and abs(value) < 1e6 else f"{value:.3g}"
    return html.escape(str(value))


def duration(seconds: float) -> str:
    """In the unit that suits: 12 s, 3.4 min, 2.5 h."""
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def percent(part: float) -> str:
    """A part of a whole: 11 %, 0.4 %, < 0.1 %."""
    if 0 < part < 1e-3:
        return "< 0.1 %"
    return f"{100 * part:.0f} %" if part >= 0.1 else f"{100 * part:.1f} %"


def _kind(name: str) -> str:
    return f' class="{name}"' if name else ""
