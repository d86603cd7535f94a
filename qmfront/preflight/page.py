"""The page that a user reads before paying: findings and recommendation as Markdown."""

from collections.abc import Sequence

from qmfront.preflight.checks import Check
from qmfront.preflight.cost import Cost
from qmfront.preflight.examination import Findings
from qmfront.preflight.locality import Locality
from qmfront.preflight.recommendation import Recommendation
from qmfront.preflight.report import Report
from qmfront.preflight.rest import Rest


def page(found: Report) -> str:
    """Markdown of a report."""
    findings, advice = found.findings, found.recommendation
    checks = [_check_row(check) for check in findings.checks]
    parts = [
        f"# Preflight of {found.material}: {found.calculator}",
        _verdict(findings),
        table_of(("check", "found", "limit", ""), checks),
        *(_lattice(findings.rest) if findings.rest else []),
        *(_locality(findings.locality) if findings.locality else []),
        *(_cost(findings.cost, advice) if findings.cost and advice else []),
    ]
    return "\n\n".join(parts) + "\n"


def _verdict(findings: Findings) -> str:
    head = f"{findings.calls} calls, {findings.seconds:.1f} s."
    warned = [f"- Warning: {text}" for text in findings.warnings]
    if findings.passed:
        return "\n".join([f"**Passed.** {head}", *([""] if warned else []), *warned])
    return "\n".join([f"**Refused.** {head}", "", *[f"- {cause}" for cause in findings.problems], *warned])


def _check_row(check: Check) -> tuple[str, ...]:
    unit = "" if check.unit == "1" else check.unit
    value = "-" if check.value is None else f"{check.value:.1e} {unit}".strip()
    limit = "-" if check.limit is None else f"{check.limit:.1e}"
    return check.name, value, limit, "passed" if check.passed else "refused"


def _lattice(rest: Rest) -> list[str]:
    return [
        f"Lattice at rest: {rest.scale - 1:+.3%} of the guess, bulk modulus {rest.bulk_modulus:.3f} eV/Å^3."
    ]


def _locality(found: Locality) -> list[str]:
    width = "none" if found.width is None else f"{found.width:.1f} Å"
    rows = [
        (f"{w:.2f}", str(n), f"{e:.1e}")
        for w, n, e in zip(found.widths, found.atoms, found.errors, strict=True)
    ]
    return [
        "## Buffer",
        f"Recommended buffer.width: **{width}** ({found.reason}).",
        table_of(("radius, Å", "atoms", "force error at the centre, eV/Å"), rows),
    ]


def _cost(cost: Cost, advice: Recommendation) -> list[str]:
    rows = [
        (str(c.atoms), f"{c.seconds:.3g}", f"{c.memory:.0f}", f"{c.first_solve_hours:.2g}")
        for c in advice.clusters
    ]
    calls = advice.solve_calls
    return [
        "## Cost",
        f"t(n) = {cost.base:.2g} s + {cost.factor:.2g} s n^{cost.exponent:g}, timed up to {cost.largest} "
        f"atoms. Measurements on the crystal: about {advice.bulk_calls} calls, the largest of them "
        f"{advice.supercell} atoms, {_hours(advice.bulk_hours)}. A solve takes about {calls.first} calls the "
        f"first time, {calls.later} when it starts from the previous one.",
        table_of(("QM and buffer atoms", "s per call", "memory, MB", "first solve, h"), rows),
    ]


def _hours(hours: float) -> str:
    return f"{hours:.2g} h" if hours >= 0.1 else f"{3600 * hours:.2g} s"


def table_of(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
