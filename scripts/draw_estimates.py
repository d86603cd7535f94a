"""Estimates: convergence tables of cases without a reference -> {figure}.png, .pdf, .csv."""

import pandas as pd

from qmfront.analysis.convergence import estimates_table
from qmfront.analysis.rate import WINDOW, Window
from qmfront.figures.estimates import estimates_figure
from qmfront.figures.style import FigureFiles
from qmfront.storage.job import given
from qmfront.storage.logs import logged


def main(
    tables: list[str], labels: list[str], slope: float | None, window: Window | None, files: FigureFiles
) -> None:
    read = [pd.read_csv(path) for path in tables]
    data = estimates_table(read, labels, window=window or WINDOW)
    files.write(estimates_figure(data, slope=slope), data)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        main(
            snakemake.input.tables,
            p.labels,
            p.slope,
            p.window and tuple(p.window),
            given(FigureFiles, snakemake.output),
        )
