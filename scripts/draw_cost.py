"""Cost: convergence table -> {figure}.png, .pdf, .csv."""

import pandas as pd

from qmfront.analysis.cost import cost_table
from qmfront.figures.cost import cost_figure
from qmfront.figures.style import save
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


def main(table: str, outputs: dict) -> None:
    data = cost_table(pd.read_csv(table))
    write_file(outputs["csv"], data.to_csv(index=False))
    save(cost_figure(data), outputs["png"])


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(snakemake.input.tables[0], dict(snakemake.output.items()))
