"""The tables of docs/crystals.md that stand between MARKS, from benchmarks/crystals.csv alone."""

import re
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
TABLE = HERE / "crystals.csv"
PAGE = HERE.parent / "docs" / "crystals.md"
MARKS = ("<!-- from crystals.csv -->", "<!-- to here -->")
ETA = re.compile(r"eta with (\d+) QM atoms \(Å\)")
CRYSTAL = r"^(?:point group|[abc] at rest|C\d\d )"
DIGITS = 1e-6
"""Seven digits are kept in the table."""
TRUSTED, TIME, FAILS = "trusted", "processor time (s)", ("does not run", "stops")


def tables(known: pd.DataFrame) -> str:
    """Perfect crystals, loops beside QM minima, numbers beside other codes, and what does not run."""
    crystal = known["quantity"].str.contains(CRYSTAL)
    eta = known["quantity"].str.fullmatch(ETA.pattern)
    fails = known["quantity"].str.startswith(FAILS)
    told = known["quantity"].str.startswith(TRUSTED) | (known["quantity"] == TIME)
    lines = [
        "| crystal, beside LAMMPS and spglib | largest relative difference of lattice parameters | of moduli |",
        "| --- | --- | --- |",
    ]
    for name, rows in known[crystal].groupby("system", sort=False):
        apart = (rows["ours"] / rows["other"] - 1).abs()
        rest = rows["quantity"].str.endswith("(Å)")
        moduli = rows["quantity"].str.endswith("(GPa)")
        lines.append(f"| {name} | {_small(apart[rest].max())} | {_small(apart[moduli].max())} |")
    lines += [
        "",
        "| loop | QM atoms | eta / error | last error (Å) | trusted | processor time (s) |",
        f"|{' --- |' * 6}",
    ]
    for name, rows in known[eta].groupby("system", sort=False):
        lines.append(_loop(str(name), rows, known[told & (known["system"] == name)]))
    lines += ["", "| system | quantity | ours | bar | other | by |", f"|{' --- |' * 6}"]
    for one in known[~eta & ~fails & ~told & ~crystal].itertuples():
        outside = ", exceeded" if abs(one.ours - one.other) > one.bar else ""
        number = f"| {one.ours:.6g} | {one.bar:.1g}{outside} | {one.other:.6g} | {one.other_code} |"
        lines.append(f"| {_words(one.system)} | {one.quantity} {number}")
    if fails.any():
        lines += ["", "| does not run | the program's words |", "| --- | --- |"]
        for one in known[fails].itertuples():
            reason = str(one.quantity).split(": ", 1)[1].replace("|", "/").replace("\n", " ")
            lines.append(f"| {_words(one.system)} | {reason} |")
    return "\n".join(lines)


def with_tables(page: str, known: pd.DataFrame) -> str:
    """The page with its tables as they follow from the rows."""
    before, _, rest = page.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    return f"{before}{MARKS[0]}\n\n{tables(known)}\n\n{MARKS[1]}{after}"


def _loop(name: str, rows: pd.DataFrame, told: pd.DataFrame) -> str:
    atoms = ", ".join(ETA.fullmatch(quantity)[1] for quantity in rows["quantity"])
    ratios = ", ".join(f"{ratio:.2f}" for ratio in rows["ours"] / rows["other"])
    trust = told[told["quantity"].str.startswith(TRUSTED)]
    verdict, seconds = "", ""
    if len(trust):
        reasons = trust["quantity"].iloc[0].removeprefix(TRUSTED).lstrip("; ").replace("|", "/")
        verdict = "yes" if trust["ours"].iloc[0] else f"no: {reasons}"
    if (told["quantity"] == TIME).any():
        seconds = f"{told.loc[told['quantity'] == TIME, 'ours'].iloc[0]:.0f}"
    return f"| {_words(name)} | {atoms} | {ratios} | {rows['other'].iloc[-1]:.2g} | {verdict} | {seconds} |"


def _small(number: float) -> str:
    return f"{number:.0e}" if number >= DIGITS else f"below {DIGITS:g}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), pd.read_csv(TABLE)), encoding="utf-8")


if __name__ == "__main__":
    main()
