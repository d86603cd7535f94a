"""Certificate: certificate.zarr and bulk.zarr of several potentials -> {figure}.png, .pdf, .csv."""

import pandas as pd

from qmfront.elasticity.certificate import Certificate
from qmfront.figures.certificate import certificate_figure
from qmfront.figures.simple_defects import simple_defects_table
from qmfront.figures.style import FigureFiles
from qmfront.figures.surfaces import ComparedSurfaces, surface_table
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.potential import POTENTIAL
from qmfront.storage.logs import logged
from qmfront.training.certificate_table import consistency_table


def main(labels: list[str], certificates: list[str], bulks: list[str], files: FigureFiles) -> None:
    stores = [store.load(path, POTENTIAL) for path in certificates]
    numbers = [store.load(path, BULK)["numbers"] for path in bulks]
    parts = []
    for found, atoms in zip(stores, numbers, strict=True):
        bulk = consistency_table(Certificate.from_arrays(found), atoms)
        surfaces = surface_table(ComparedSurfaces.from_arrays(found), atoms)
        parts.append(pd.concat([bulk, simple_defects_table(found), surfaces], ignore_index=True))
    tables = dict(zip(labels, parts, strict=True))
    data = pd.concat(tables, names=["potential", None]).reset_index(level=0)
    files.write(certificate_figure(tables, ticks=stores[0]["ticks"]), data)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        i = snakemake.input
        main(snakemake.params.labels, i.certificates, i.bulks, given(FigureFiles, snakemake.output))
