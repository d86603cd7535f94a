"""QM forces on the tiles of one job at a QM/MM solution: tiles.zarr, solution.zarr -> patches/{job}.zarr."""

from qmfront.coupling.divide_and_conquer import Shares, patch
from qmfront.crystal.defect import Defect
from qmfront.evaluate.forces import journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.storage import store
from qmfront.storage.layouts.divided import PATCH, TILES
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds


def main(inputs: dict, spec: ModelSpec, share: dict, journal: Journal, path: str) -> None:
    seconds = Seconds(tally := Tally())
    with seconds.of("patch"):
        found = patch(
            Defect.from_arrays(store.load(inputs["structure"], STRUCTURE)).body,
            journaled_forces(spec, journal, tally),
            store.load(inputs["solution"], SOLUTION)["displacement"],
            Shares.from_arrays(store.load(inputs["tiles"], TILES)),
            **share,
        )
    run = {"seconds": dict(seconds), "qm_seconds": tally.cpu_seconds}
    store.save(
        path, PATCH, found.arrays(), {"qm_calls": tally.calls}, run=run, config={"qm": spec, "share": share}
    )


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p, o = snakemake.params, snakemake.output
        journal = Journal.of_job(p.journal, snakemake.resources)
        share = {"job": int(snakemake.wildcards.job), "box_cells": p.box_cells}
        main(dict(snakemake.input.items()), ModelSpec(**p.qm), share, journal, o.store)
