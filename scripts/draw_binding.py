"""Binding energies over position: energy.json of several cases -> {figure}.png, .pdf, .csv."""

import json
from collections.abc import Sequence
from pathlib import Path

from qmfront.analysis.binding import binding_table
from qmfront.config.section import Vector
from qmfront.figures.binding import binding_figure
from qmfront.figures.style import FigureFiles
from qmfront.storage.job import given
from qmfront.storage.logs import logged


def main(
    paths: Sequence[str], labels: Sequence[str], places: Sequence[Sequence[Vector]], files: FigureFiles
) -> None:
    energies = [json.loads(Path(path).read_text(encoding="utf-8")) for path in paths]
    data = binding_table(energies, labels, places)
    files.write(binding_figure(data), data)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        i, p = snakemake.input, snakemake.params
        main(i.energies, p.labels, p.places, given(FigureFiles, snakemake.output))
