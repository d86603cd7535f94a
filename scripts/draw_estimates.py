"""Estimates: convergence tables of cases without a reference -> {figure}.png, .pdf, .csv."""

import pandas as pd

from qmfront.analysis.convergence import estimates_table
from qmfront.analysis.rate import WINDOW
from qmfront.figures.estimates import estimates_figure
from qmfront.figures.style import save
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


def main(
    tables: list[str], labels: list[str], slope: float | None, window: list[int] | None, outputs: dict
) -> None:
    read = [pd.read_csv(path) for path in tables]
    data = estimates_table(read, labels, window=window or WINDOW)
    write_file(outputs["csv"], data.to_csv(index=False))
    save(estimates_figure(data, slope=slope), outputs["png"])


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        main(snakemake.input.tables, p.labels, p.slope, p.window, dict(snakemake.output.items()))
