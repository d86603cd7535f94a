"""Errors: convergence tables of several cases -> {figure}.png, .pdf, .csv."""

import pandas as pd

from qmfront.analysis.convergence import ERROR, curves
from qmfront.analysis.rate import WINDOW, Window
from qmfront.figures.studies import errors_figure
from qmfront.figures.style import FigureFiles
from qmfront.storage.job import given
from qmfront.storage.logs import logged


def main(
    tables: list[str], labels: list[str], slope: float | None, window: Window | None, files: FigureFiles
) -> None:
    data = curves([pd.read_csv(path) for path in tables], labels, quantities=[ERROR])
    files.write(errors_figure(data, slope=slope, window=window or WINDOW), data)


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
