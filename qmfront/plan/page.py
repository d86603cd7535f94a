"""The page of a plan, as Markdown: what a user reads before paying."""

from collections.abc import Mapping
from typing import Any

from qmfront.preflight.page import table_of


def page(case: str, content: Mapping[str, Any]) -> str:
    """Markdown of the content of results/plan/{case}.json."""
    parts = [
        f"# Plan of {case}: {content['calculator']}",
        _said(content),
        table_of(
            (
                "eta",
                "iterations",
                "last N_QM",
                "eta there, Å",
                "QM calls",
                "hours",
                "memory, MB",
                "ends because",
            ),
            [_scenario(name, found) for name, found in content["scenarios"].items()],
        ),
        "## Jobs, as expected",
        table_of(
            ("job", "state", "N_QM", "atoms seen", "eta, Å", "QM calls", "time"),
            [
                *map(_stage, content["preparation"]),
                *map(_iteration, content["iterations"]),
                *map(_stage, content["afterwards"]),
            ],
        ),
        _assumptions(content),
        *content["notes"],
    ]
    return "\n\n".join(parts) + "\n"


def told(case: str, content: Mapping[str, Any]) -> str:
    """One line for terminals and logs."""
    low, expected, high = (content["scenarios"][name] for name in ("low", "expected", "high"))
    hours = [found["hours_left"] for found in (low, expected, high)]
    return (
        f"{case}: {content['finished']} iterations are finished; left: {time_of(3600 * expected['hours_left'])} "
        f"({time_of(3600 * min(hours))} to {time_of(3600 * max(hours))}), to N_QM {expected['n_qm']}; "
        f"{expected['reason']}"
    )


def _said(content: Mapping[str, Any]) -> str:
    found = content["scenarios"]["expected"]
    before, loop, left = (
        time_of(3600 * found[name]) for name in ("preparation_hours", "hours", "hours_left")
    )
    return (
        f"Tolerance {content['tolerance']:g} Å, {content['sites']} sites. Expected: {before} and "
        f"{found['preparation_calls']} QM calls before the first iteration, {loop} and {found['qm_calls']} QM calls in "
        f"{found['iterations']} iterations, of which {content['finished']} are finished; "
        f"{_afterwards(found)}{left} are left in all, {_interval(content)}. "
        f"Then: {found['reason']}."
    )


def _afterwards(found: Mapping[str, Any]) -> str:
    if not found["afterwards_calls"]:
        return ""
    return (
        f"{time_of(3600 * found['afterwards_hours'])} and {found['afterwards_calls']} QM calls after them; "
    )


def _interval(content: Mapping[str, Any]) -> str:
    hours = [3600 * found["hours_left"] for found in content["scenarios"].values()]
    return f"between {time_of(min(hours))} and {time_of(max(hours))} as far as eta can be told"


def _assumptions(content: Mapping[str, Any]) -> str:
    low, expected, high = (content["decay"][name] for name in ("low", "expected", "high"))
    price = content["price"]
    if content["finished"]:
        learnt = (
            f"Of eta {content['finished']} finished iterations are known; beyond them it falls as N_QM to the power "
            f"of {expected['slope']:.2f} ({low['slope']:.2f} to {high['slope']:.2f}). QM calls and seconds are those "
            "of the finished iterations, continued."
        )
    else:
        learnt = (
            f"Nothing is known of this case yet: eta at {expected['n']:.0f} QM atoms is taken to be {low['eta']:.2g}, "
            f"{expected['eta']:.2g} or {high['eta']:.2g} Å ({content['prior']}), and to fall as N_QM to "
            f"the power of {expected['slope']:g} (theory). Plan again after an iteration or two."
        )
    return (
        f"{learnt} A call of n atoms takes t(n) = {price['shape'] * price['base']:.2g} s + "
        f"{price['shape'] * price['factor']:.2g} s n^{price['exponent']:g}, from calls of up to {price['largest']} "
        "atoms; beyond, it is extrapolated."
    )


def _scenario(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    words = {"low": "from the least value", "expected": "as expected", "high": "from the largest value"}
    eta = "-" if found["eta"] is None else f"{found['eta']:.1e}"
    return (
        words[name],
        str(found["iterations"]),
        str(found["n_qm"]),
        eta,
        str(found["qm_calls"]),
        f"{found['hours']:.2g}",
        f"{found['memory']:.0f}",
        f"{found['reason']}; eta meets the tolerance at {found['n_qm_for_tolerance']:.3g} QM atoms",
    )


def _stage(row: Mapping[str, Any]) -> tuple[str, ...]:
    state = "finished" if row["finished"] else "to come"
    return row["stage"], state, "", str(row["atoms"] or ""), "", str(row["calls"]), time_of(row["seconds"])


def _iteration(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        f"iteration {row['k']}",
        "finished" if row["finished"] else "to come",
        str(row["n_qm"]),
        str(row["cluster"]),
        f"{row['eta']:.1e}",
        str(row["calls"]),
        time_of(row["seconds"]),
    )


def time_of(seconds: float) -> str:
    """In seconds, minutes or hours."""
    if seconds < 90:
        return f"{seconds:.2g} s"
    if seconds < 5400:
        return f"{seconds / 60:.2g} min"
    return f"{seconds / 3600:.2g} h" if seconds < 99 * 3600 else f"{seconds / 3600:.0f} h"
