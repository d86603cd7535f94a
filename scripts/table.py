"""The figures in numbers beside the paper's: CSV files of figures -> comparison.csv."""

import pandas as pd

from qmfront.durable import write_file
from qmfront.estimate.comparison import comparison_table
from qmfront.logs import logged


def main(names: list[str], paths: list[str], path: str) -> None:
    tables = {name: pd.read_csv(source) for name, source in zip(names, paths, strict=True)}
    write_file(path, comparison_table(tables).to_csv(index=False, float_format="%.4g"))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(snakemake.params.names, snakemake.input.tables, snakemake.output.table)
