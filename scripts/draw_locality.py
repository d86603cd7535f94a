"""Locality: locality.zarr -> {figure}.png, .pdf, .csv."""

from qmfront.coupling.buffer_error import BufferErrors
from qmfront.figures.locality import locality_figure, locality_table
from qmfront.figures.style import FigureFiles
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.locality import LOCALITY
from qmfront.storage.logs import logged


def main(path: str, files: FigureFiles) -> None:
    found = store.load(path, LOCALITY)
    table = locality_table(BufferErrors.from_arrays(found, found.attrs["alternatives"]))
    width, tolerance = found.attrs["buffer"], found.attrs["tolerance"]
    files.write(locality_figure(table, width=width, tolerance=tolerance), table)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(snakemake.input.locality, given(FigureFiles, snakemake.output))
