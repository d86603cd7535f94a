"""Effectivity: convergence table -> {figure}.png, .pdf, .csv."""

import pandas as pd

from qmfront.analysis.convergence import effectivities
from qmfront.figures.studies import effectivity_figure
from qmfront.figures.style import FigureFiles
from qmfront.storage.job import given
from qmfront.storage.logs import logged


def main(table: str, band: tuple[float, float], files: FigureFiles) -> None:
    data = effectivities(pd.read_csv(table))
    files.write(effectivity_figure(data, band=band), data)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(snakemake.input.tables[0], tuple(snakemake.params.band), given(FigureFiles, snakemake.output))
