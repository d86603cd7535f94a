"""Tables of benchmarks: rows of one system take the place of those that are known of it."""

from pathlib import Path

import pandas as pd


def keep(rows: list[dict], table: Path) -> pd.DataFrame:
    """Write rows into a CSV file, in place of those of the same systems; returns the rows."""
    found = pd.DataFrame(rows)
    both = found
    if table.is_file() and table.stat().st_size:
        known = pd.read_csv(table)
        both = pd.concat([known[~known["system"].isin(found["system"])], found], ignore_index=True)
    both.to_csv(table, index=False, float_format="%.5g")
    return found
