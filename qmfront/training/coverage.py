"""Which part of the observed values lies in the intervals of a fit, quantity by quantity."""

import numpy as np
import pandas as pd


def coverage(table: pd.DataFrame) -> pd.DataFrame:
    """By quantity: number of values, root mean square error, fractions inside, and mean half widths over that error."""
    rows = []
    for name, part in table.groupby("quantity", sort=False):
        error = float(np.sqrt(np.mean((part["mm"] - part["qm"]) ** 2)))
        row = {"quantity": name, "values": len(part), "unit": part["unit"].iloc[0], "error": error}
        for kind in ("ard", "pops"):
            width = float((part[f"{kind}_high"] - part[f"{kind}_low"]).mean() / 2)
            row |= {f"inside_{kind}": float(part[f"inside_{kind}"].mean()), f"width_{kind}": width}
        rows.append(row)
    return pd.DataFrame(rows)
