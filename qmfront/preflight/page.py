"""The page that a user reads before paying: findings and recommendation as Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any


def page(content: Mapping[str, Any]) -> str:
    """Markdown.

    Parameters
    ----------
    content : {material, calculator, findings..., recommendation}, as in the JSON file
    """
    parts = [
        f"# Preflight of {content['material']}: {content['calculator']}",
        _verdict(content),
        table_of(
            ("check", "found", "limit", ""),
            [_check_row(check) for check in content["checks"]],
        ),
        *_lattice(content),
        *_locality(content),
        *_cost(content),
    ]
    return "\n\n".join(parts) + "\n"


def _verdict(content: Mapping[str, Any]) -> str:
    head = f"{content['calls']} calls, {content['seconds']:.1f} s."
    if content["passed"]:
        return f"**Passed.** {head}"
    causes = [check["problem"] for check in content["checks"] if check["problem"]]
    return "\n".join([f"**Refused.** {head}", "", *[f"- {cause}" for cause in causes]])


def _check_row(check: Mapping[str, Any]) -> tuple[str, ...]:
    value = "-" if check["value"] is None else f"{check['value']:.1e} {_unit(check['unit'])}".strip()
    limit = "-" if check["limit"] is None else f"{check['limit']:.1e}"
    return check["name"], value, limit, "refused" if check["problem"] else "passed"


def _unit(unit: str) -> str:
    return "" if unit == "1" else unit


def _lattice(content: Mapping[str, Any]) -> list[str]:
    rest = content["rest"]
    if rest is None:
        return []
    return [
        f"Lattice at rest: {rest['scale'] - 1:+.3%} of the guess, bulk modulus {rest['bulk_modulus']:.3f} eV/Å^3."
    ]


def _locality(content: Mapping[str, Any]) -> list[str]:
    found = content["locality"]
    if found is None:
        return []
    width = "none" if found["width"] is None else f"{found['width']:.1f} Å"
    rows = [
        (f"{w:.2f}", str(n), f"{e:.1e}")
        for w, n, e in zip(found["widths"], found["atoms"], found["errors"], strict=True)
    ]
    return [
        "## Buffer",
        f"Recommended buffer.width: **{width}** ({found['reason']}).",
        table_of(("radius, Å", "atoms", "force error at the centre, eV/Å"), rows),
    ]


def _cost(content: Mapping[str, Any]) -> list[str]:
    cost, advice = content["cost"], content["recommendation"]
    if cost is None:
        return []
    rows = [
        (str(c["atoms"]), f"{c['seconds']:.3g}", f"{c['memory']:.0f}", f"{c['first_solve_hours']:.2g}")
        for c in advice["clusters"]
    ]
    calls = advice["solve_calls"]
    return [
        "## Cost",
        f"t(n) = {cost['base']:.2g} s + {cost['factor']:.2g} s n^{cost['exponent']:g}, timed up to {cost['largest']} "
        f"atoms. Measurements on the crystal: about {advice['bulk_calls']} calls, the largest of them "
        f"{advice['supercell']} atoms, {_hours(advice['bulk_hours'])}. A solve takes about {calls['first']} calls the "
        f"first time, {calls['later']} when it starts from the previous one.",
        table_of(("QM and buffer atoms", "s per call", "memory, MB", "first solve, h"), rows),
    ]


def _hours(hours: float) -> str:
    return f"{hours:.2g} h" if hours >= 0.1 else f"{3600 * hours:.2g} s"


def table_of(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
