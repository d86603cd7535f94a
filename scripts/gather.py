"""QM forces by divide and conquer: patches/*.zarr -> divided.zarr, divided.json."""

import json

from qmfront.coupling.divide_and_conquer import DenseForces, Patch, division, gathered_forces
from qmfront.storage import store
from qmfront.storage.layouts.divided import DIVIDED, PATCH
from qmfront.storage.layouts.residual import RESIDUAL
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


def main(inputs: dict, path: str, summary: str) -> None:
    patches = [_patch(store.load(name, PATCH)) for name in inputs["patches"]]
    free = store.load(inputs["structure"], STRUCTURE)["free"]
    forces = gathered_forces(patches, free)
    dense = None
    if "residual" in inputs:
        residual = store.load(inputs["residual"], RESIDUAL)
        dense = DenseForces(residual["exact"], residual.run["seconds"]["exact"])
    found = division(forces, patches, dense).numbers()
    write_file(summary, json.dumps(found, indent=1) + "\n")
    store.save(path, DIVIDED, {"forces": forces}, run=found)


def _patch(found: store.Store) -> Patch:
    return Patch(found["sites"], found["forces"], found.attrs["qm_calls"], found.run["seconds"]["patch"])


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(dict(snakemake.input.items()), snakemake.output.store, snakemake.output.summary)
