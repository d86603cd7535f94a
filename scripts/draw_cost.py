"""Cost: convergence table -> {figure}.png, .pdf, .csv."""

import pandas as pd

from qmfront.analysis.cost import cost_table
from qmfront.figures.cost import cost_figure
from qmfront.figures.style import FigureFiles
from qmfront.storage.job import given
from qmfront.storage.logs import logged


def main(table: str, files: FigureFiles) -> None:
    data = cost_table(pd.read_csv(table))
    files.write(cost_figure(data), data)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(snakemake.input.tables[0], given(FigureFiles, snakemake.output))
