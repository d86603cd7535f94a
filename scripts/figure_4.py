"""Figure 4: convergence tables of several cases -> figure_4.png, .pdf, .csv."""

import pandas as pd

from qmfront.durable import write_file
from qmfront.estimate.curves import curves
from qmfront.figures.studies import convergence_figure
from qmfront.figures.style import save
from qmfront.logs import logged


def main(tables: list[str], labels: list[str], outputs: dict) -> None:
    data = curves([pd.read_csv(path) for path in tables], labels)
    write_file(outputs["csv"], data.to_csv(index=False))
    save(convergence_figure(data), outputs["png"])


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(snakemake.input.tables, snakemake.params.labels, dict(snakemake.output.items()))
