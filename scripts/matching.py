"""Errors with potentials of different matching: convergence tables -> matching.png, .pdf, .csv."""

import pandas as pd

from qmfront.durable import write_file
from qmfront.estimate.curves import ERROR, curves
from qmfront.figures.studies import errors_figure
from qmfront.figures.style import save
from qmfront.logs import logged


def main(tables: list[str], labels: list[str], outputs: dict) -> None:
    data = curves([pd.read_csv(path) for path in tables], labels, quantities=[ERROR])
    write_file(outputs["csv"], data.to_csv(index=False))
    save(errors_figure(data), outputs["png"])


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(snakemake.input.tables, snakemake.params.labels, dict(snakemake.output.items()))
