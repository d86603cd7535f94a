"""Convergence: convergence tables of several cases -> {figure}.png, .pdf, .csv."""

import pandas as pd

from qmfront.analysis.convergence import curves, shown_quantities
from qmfront.analysis.rate import WINDOW
from qmfront.figures.studies import convergence_figure
from qmfront.figures.style import save
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


def main(
    tables: list[str], labels: list[str], slope: float | None, window: list[int] | None, outputs: dict
) -> None:
    read = [pd.read_csv(path) for path in tables]
    data = curves(read, labels, quantities=shown_quantities(read))
    write_file(outputs["csv"], data.to_csv(index=False))
    save(convergence_figure(data, slope=slope, window=window or WINDOW), outputs["png"])


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        main(snakemake.input.tables, p.labels, p.slope, p.window, dict(snakemake.output.items()))
