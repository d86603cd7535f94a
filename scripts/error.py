"""True error of one iteration: solution.zarr, reference.zarr -> error.json."""

import json

from qmfront.crystal.defect import Defect
from qmfront.estimate.estimator import true_error
from qmfront.storage import store
from qmfront.storage.durable import write_file
from qmfront.storage.logs import logged


def main(structure: str, solution: str, reference: str, path: str) -> None:
    defect = Defect.from_arrays(store.load(structure, "structure"))
    found = store.load(solution, "solution")["displacement"]
    wanted = store.load(reference, "reference")["displacement"]
    write_file(path, json.dumps({"error": true_error(found, wanted, defect.stencil)}) + "\n")


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        i = snakemake.input
        main(i.structure, i.solution, i.reference, snakemake.output.error)
