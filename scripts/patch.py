"""QM forces on the tiles of one job at a QM/MM solution: tiles.zarr, solution.zarr -> patches/{job}.zarr."""

from dataclasses import dataclass

from qmfront.coupling.divide_and_conquer import Shares, patch
from qmfront.crystal.defect import Defect
from qmfront.evaluate.forces import journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.divided import PATCH, TILES
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds


@dataclass(frozen=True)
class Files:
    """What is read."""

    structure: str
    solution: str
    tiles: str


@dataclass(frozen=True)
class Share:
    """The number of the job, and cubic cells along the edge of a box."""

    job: int
    box_cells: int


def main(files: Files, qm: ModelSpec, share: Share, journal: Journal, path: str) -> None:
    seconds = Seconds(tally := Tally())
    with seconds.of("patch"):
        found = patch(
            Defect.from_arrays(store.load(files.structure, STRUCTURE)).body,
            journaled_forces(qm, journal, tally),
            store.load(files.solution, SOLUTION)["displacement"],
            Shares.from_arrays(store.load(files.tiles, TILES)),
            job=share.job,
            box_cells=share.box_cells,
        )
    run = {"seconds": dict(seconds), "qm_seconds": tally.cpu_seconds}
    store.save(path, PATCH, found.arrays(), {"qm_calls": tally.calls}, run=run, config=(qm, share))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p, files = snakemake.params, given(Files, snakemake.input)
        journal = Journal.of_job(p.journal, snakemake.resources)
        share = Share(int(snakemake.wildcards.number), p.box_cells)
        main(files, ModelSpec(**p.qm), share, journal, snakemake.output.store)
