"""The figures in numbers beside the paper's: CSV files of figures -> comparison.csv."""

import pandas as pd

from qmfront.analysis.comparison import FigureTable, comparison_table
from qmfront.analysis.rate import WINDOW
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


def main(figures: dict, paths: list[str], path: str) -> None:
    tables = {
        name: FigureTable(
            figure["kind"], pd.read_csv(source, dtype={"label": str}), figure["window"] or WINDOW
        )
        for (name, figure), source in zip(figures.items(), paths, strict=True)
    }
    write_file(path, comparison_table(tables).to_csv(index=False, float_format="%.4g"))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(snakemake.params.figures, snakemake.input.tables, snakemake.output.table)
