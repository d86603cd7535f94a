"""Efficiency: convergence tables, the first one to compare with -> {figure}.png, .pdf, .csv."""

import pandas as pd

from qmfront.analysis.convergence import ERROR, curves
from qmfront.analysis.efficiency import efficiency_table
from qmfront.analysis.rate import WINDOW
from qmfront.figures.studies import efficiency_figure
from qmfront.figures.style import save
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


def main(
    tables: list[str], labels: list[str], slope: float | None, window: list[int] | None, outputs: dict
) -> None:
    data = curves([pd.read_csv(path) for path in tables], labels, quantities=[ERROR])
    result = efficiency_table(data, reference=labels[0], window=window or WINDOW)
    write_file(outputs["csv"], result.to_csv(index=False))
    save(efficiency_figure(result, slope=slope), outputs["png"])


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        main(snakemake.input.tables, p.labels, p.slope, p.window, dict(snakemake.output.items()))
