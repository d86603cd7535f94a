"""What the parts of an iteration cost against N_QM, and the exponents of the growth."""

import numpy as np
import pandas as pd

from qmfront.analysis.convergence import PARTS
from qmfront.analysis.rate import Rate, fit_slope

NAMES = {
    "solve": "solve",
    "exact": "exact residual",
    "cauchy_born": "Cauchy-Born residual",
    "paper": "residual (3.7)",
    "estimate": "estimator",
    "refine": "fast marching",
}


def cost_table(table: pd.DataFrame) -> pd.DataFrame:
    """Columns part, k, n_qm, seconds (processor time), calls (QM calls of the solve; empty for other parts).

    The refinement that follows iteration k is at N_QM of k: its cost is on the next row of a convergence table.

    Parameters
    ----------
    table : convergence table of a case
    """
    parts = []
    for part in PARTS:
        column = table[f"cpu_{part}"]
        seconds = column.shift(-1) if part == "refine" else column
        calls = table["qm_calls"] if part == "solve" else np.nan
        parts.append(
            pd.DataFrame(
                {"part": part, "k": table["k"], "n_qm": table["n_qm"], "seconds": seconds, "calls": calls}
            )
        )
    found = pd.concat(parts, ignore_index=True)
    return found[found["seconds"] > 0].reset_index(drop=True)


def exponent(table: pd.DataFrame, part: str) -> Rate | None:
    """seconds ~ N_QM^exponent of a part, of the solve per QM call; None for fewer than three iterations."""
    chosen = table[table["part"] == part]
    if chosen["n_qm"].nunique() < 3:
        return None
    seconds = chosen["seconds"] / chosen["calls"].fillna(1.0).clip(lower=1.0)
    return fit_slope(chosen["n_qm"].to_numpy(), seconds.to_numpy())


def shares(table: pd.DataFrame) -> pd.DataFrame:
    """Seconds of every part over those of the solve, at the largest N_QM that has both: columns part, ratio."""
    last = table[table["part"] == "solve"].nlargest(1, "n_qm").iloc[0]
    rows = []
    for part, own in table.groupby("part", sort=False):
        near = own[own["n_qm"] <= last["n_qm"]].nlargest(1, "n_qm").iloc[0]
        solve = table[(table["part"] == "solve") & (table["k"] == near["k"])].iloc[0]
        rows.append({"part": part, "ratio": near["seconds"] / solve["seconds"]})
    return pd.DataFrame(rows)
