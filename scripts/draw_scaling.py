"""Cost and error of divide and conquer: divided.json of several cases -> {figure}.png, .pdf, .csv."""

import json
from pathlib import Path

import pandas as pd

from qmfront.figures.scaling import scaling_figure
from qmfront.figures.style import save
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


def main(divisions: list[str], outputs: dict) -> None:
    table = pd.DataFrame([json.loads(Path(path).read_text(encoding="utf-8")) for path in divisions])
    write_file(outputs["csv"], table.to_csv(index=False))
    save(scaling_figure(table), outputs["png"])


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(list(snakemake.input.divisions), dict(snakemake.output.items()))
