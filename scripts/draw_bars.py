"""The estimator by cause: convergence table (and clamp.json) -> {figure}.png, .pdf, .csv."""

import json
from pathlib import Path

import pandas as pd

from qmfront.figures.bars import bars_figure, bars_table
from qmfront.figures.style import FigureFiles
from qmfront.storage.job import given
from qmfront.storage.logs import logged


def main(table: str, clamp: list[str], files: FigureFiles) -> None:
    known = [json.loads(Path(path).read_text(encoding="utf-8"))["eta_clamp_unbounded"] for path in clamp]
    data = bars_table(pd.read_csv(table), *known)
    files.write(bars_figure(data), data)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        i = snakemake.input
        main(i.tables[0], list(i.clamp), given(FigureFiles, snakemake.output))
