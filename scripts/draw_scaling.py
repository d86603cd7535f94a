"""Cost and error of divide and conquer: divided.json of several cases -> {figure}.png, .pdf, .csv."""

import json
from pathlib import Path

import pandas as pd

from qmfront.figures.scaling import scaling_figure
from qmfront.figures.style import FigureFiles
from qmfront.storage.job import given
from qmfront.storage.logs import logged


def main(divisions: list[str], files: FigureFiles) -> None:
    table = pd.DataFrame([json.loads(Path(path).read_text(encoding="utf-8")) for path in divisions])
    files.write(scaling_figure(table), table)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(list(snakemake.input.divisions), given(FigureFiles, snakemake.output))
