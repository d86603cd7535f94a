"""QM forces by divide and conquer: patches/*.zarr -> divided.zarr, divided.json."""

import json
from dataclasses import dataclass

from qmfront.coupling.divide_and_conquer import DenseForces, Patch, division, gathered_forces
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.divided import DIVIDED, PATCH
from qmfront.storage.layouts.residual import RESIDUAL
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


@dataclass(frozen=True)
class Files:
    """What is read."""

    structure: str
    patches: tuple[str, ...]
    residual: str | None = None


def main(files: Files, path: str, summary: str) -> None:
    patches = [_patch(store.load(name, PATCH)) for name in files.patches]
    forces = gathered_forces(patches, store.load(files.structure, STRUCTURE)["free"])
    dense = None
    if files.residual is not None:
        residual = store.load(files.residual, RESIDUAL)
        dense = DenseForces(residual["exact"], residual.run["seconds"]["exact"])
    found = division(forces, patches, dense).numbers()
    write_file(summary, json.dumps(found, indent=1) + "\n")
    store.save(path, DIVIDED, {"forces": forces}, run=found)


def _patch(found: store.Store) -> Patch:
    return Patch(found["sites"], found["forces"], found.attrs["qm_calls"], found.run["seconds"]["patch"])


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(given(Files, snakemake.input), snakemake.output.store, snakemake.output.summary)
