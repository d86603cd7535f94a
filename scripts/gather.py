"""QM forces by divide and conquer: patches/*.zarr -> divided.zarr, divided.json."""

import json

from qmfront.coupling.divide_and_conquer import gathered_forces, summary_of
from qmfront.storage import store
from qmfront.storage.layouts.divided import DIVIDED, PATCH
from qmfront.storage.layouts.residual import RESIDUAL
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


def main(inputs: dict, path: str, summary: str) -> None:
    patches = [store.load(name, PATCH) for name in inputs["patches"]]
    free = store.load(inputs["structure"], STRUCTURE)["free"]
    forces = gathered_forces(patches, free)
    dense = store.load(inputs["residual"], RESIDUAL) if "residual" in inputs else None
    found = summary_of(forces, [{**patch.attrs, **patch.run} for patch in patches], dense)
    write_file(summary, json.dumps(found, indent=1) + "\n")
    store.save(path, DIVIDED, {"forces": forces}, run=found)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(dict(snakemake.input.items()), snakemake.output.store, snakemake.output.summary)
