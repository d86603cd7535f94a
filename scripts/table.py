"""The figures in numbers beside the paper's: CSV files of figures -> comparison.csv."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from qmfront.analysis.comparison import FigureTable, comparison_table
from qmfront.analysis.rate import WINDOW, Window
from qmfront.storage.job import given
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


@dataclass(frozen=True)
class Shown:
    """Kind of a figure, and the window of N_QM over which its numbers are read off."""

    kind: str
    window: Window | None


def main(figures: Mapping[str, Shown], paths: list[str], path: str) -> None:
    tables = {
        name: FigureTable(figure.kind, pd.read_csv(source, dtype={"label": str}), figure.window or WINDOW)
        for (name, figure), source in zip(figures.items(), paths, strict=True)
    }
    write_file(path, comparison_table(tables).to_csv(index=False, float_format="%.4g"))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        figures = {name: given(Shown, shown) for name, shown in snakemake.params.figures.items()}
        main(figures, snakemake.input.tables, snakemake.output.table)
