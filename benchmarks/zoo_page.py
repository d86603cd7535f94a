"""docs/zoo.md, from benchmarks/zoo.csv."""

import pandas as pd

COLUMNS = (
    "system",
    "chosen on",
    "N_QM",
    "eta / error",
    "beside the softest mode",
    "last error (Å)",
    "its energy (meV)",
    "lowest eigenvalue",
    "above the lowest known basin (meV)",
    "QM calls, first and later",
    "test calls, first",
    "verdict on the last",
)
PAGE = """# Defects that no default was made on

One row per system, all with the defaults: a crystal, a calculator, a defect, a domain.
`python benchmarks/zoo.py` makes the [table](../benchmarks/zoo.csv), `python benchmarks/zoo.py page` this page.
The error is the distance to the QM minimum of the basin that was found.
*Beside the softest mode* is eta / error without the part of both along the softest mode of that minimum, the one along
which a core glides. *Its energy* is what the last solution lies above that minimum, with the QM model.
*Chosen on* marks the systems on which defaults were chosen, or faults found that were mended.

{rows}

{words}

## What it costs not to know the region

All solves of a loop over one cold solve at its last region, processor time, stability tests apart
(`python benchmarks/price.py`, [table](../benchmarks/price.csv)).

{price}

The median is {median:.1f}.
"""


def page(table: pd.DataFrame, price: pd.DataFrame) -> str:
    """docs/zoo.md, from the rows of benchmarks/zoo.csv and benchmarks/price.csv alone."""
    measured = ("stiff_effectivity", "energy_left")  # not in rows of old
    table = table.reindex(columns=[*dict.fromkeys((*table.columns, *measured))])
    rows = [f"| {' | '.join(COLUMNS)} |", f"|{' --- |' * len(COLUMNS)}"]
    rows += [_line(name, part) for name, part in table.groupby("system", sort=False)]
    ran = table[table["k"] >= 0]
    later = ran[(ran["k"] >= 1) & ran["trusted"].astype(bool)]
    ratio = later["effectivity"]
    fresh = later[~later["chosen_on"].astype(bool)]["effectivity"]
    first, warm = ran[ran["k"] == 0]["qm_calls"], ran[ran["k"] > 0]["qm_calls"]
    silent = ran[ran["trusted"].astype(bool) & ((ran["effectivity"] < 0.5) | (ran["effectivity"] > 2.0))]
    words = (
        f"{ran['system'].nunique()} of {table['system'].nunique()} systems ran. {len(later)} later iterations say "
        f"trusted: eta / error has the median {ratio.median():.2f} there and lies between {ratio.min():.2f} and "
        f"{ratio.max():.2f}, {int(ratio.between(0.67, 1.5).sum())} times within 0.67 and 1.5. "
        f"On systems on which nothing was chosen the median is {fresh.median():.2f}, between {fresh.min():.2f} and "
        f"{fresh.max():.2f}. "
        f"Trusted and outside 0.5 to 2: {len(silent)} of {len(ran)} iterations{_named(silent)}. "
        f"QM calls of a first solve: median {first.median():.0f}, at most 20 in {int((first <= 20).sum())} of "
        f"{len(first)}; of a later one: median {warm.median():.0f}, at most 8 in {int((warm <= 8).sum())} of "
        f"{len(warm)}."
    )
    paid = [
        "| system | iterations | N_QM, first and last | QM calls, loop and cold | price |",
        f"|{' --- |' * 5}",
    ]
    paid += [
        f"| {one.system} | {one.iterations} | {one.n_qm_first}, {one.n_qm_last} | {one.loop_calls}, {one.cold_calls} "
        f"| {one.price:.2f} |"
        for one in price.itertuples()
    ]
    median = price["price"].median()
    return PAGE.format(rows="\n".join(rows), words=words, price="\n".join(paid), median=median)


def _line(name: str, rows: pd.DataFrame) -> str:
    last = rows.iloc[-1]
    chosen = "yes" if last["chosen_on"] else ""
    if last["k"] < 0:
        return f"| {name} | {chosen}{' |' * (len(COLUMNS) - 2)} {_cell(last['reasons'])} |"
    verdict = "trusted" if last["trusted"] else f"not trusted: {_cell(last['reasons'])}"
    warm = ", ".join(f"{calls:.0f}" for calls in rows["qm_calls"][1:])
    return (
        f"| {name} | {chosen} | {', '.join(f'{n:.0f}' for n in rows['n_qm'])} "
        f"| {_ratios(rows['effectivity'])} | {_ratios(rows['stiff_effectivity'])} | {last['error']:.1e} "
        f"| {'' if pd.isna(last['energy_left']) else format(last['energy_left'], '.2g')} "
        f"| {last['lowest_eigenvalue']:.3f} | {last['energy_above']:.1f} | {rows['qm_calls'].iloc[0]:.0f}; {warm} "
        f"| {rows['test_calls'].iloc[0]:.0f} | {verdict} |"
    )


def _ratios(column: pd.Series) -> str:
    """The ratios of all iterations; "" where none was measured."""
    return "" if column.isna().all() else ", ".join(f"{ratio:.2f}" for ratio in column)


def _named(rows: pd.DataFrame) -> str:
    told = ", ".join(f"{one.system} {one.k}: {one.effectivity:.2f}" for one in rows.itertuples())
    return f" ({told})" if told else ""


def _cell(text: str) -> str:
    return str(text).replace("|", "/").replace("\n", " ")
