"""Locality: locality.zarr -> {figure}.png, .pdf, .csv."""

from qmfront.coupling.buffer_error import BufferErrors
from qmfront.figures.locality import locality_figure, locality_table
from qmfront.figures.style import save
from qmfront.storage import store
from qmfront.storage.layouts.locality import LOCALITY
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


def main(path: str, outputs: dict) -> None:
    found = store.load(path, LOCALITY)
    table = locality_table(BufferErrors.from_arrays(found, found.attrs["alternatives"]))
    write_file(outputs["csv"], table.to_csv(index=False))
    width, tolerance = found.attrs["buffer"], found.attrs["tolerance"]
    save(locality_figure(table, width=width, tolerance=tolerance), outputs["png"])


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(snakemake.input.locality, dict(snakemake.output.items()))
