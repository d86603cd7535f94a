"""Effectivity: convergence table -> {figure}.png, .pdf, .csv."""

import pandas as pd

from qmfront.analysis.convergence import effectivities
from qmfront.figures.studies import effectivity_figure
from qmfront.figures.style import save
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


def main(table: str, band: tuple[float, float], outputs: dict) -> None:
    data = effectivities(pd.read_csv(table))
    write_file(outputs["csv"], data.to_csv(index=False))
    save(effectivity_figure(data, band=band), outputs["png"])


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(snakemake.input.tables[0], tuple(snakemake.params.band), dict(snakemake.output.items()))
