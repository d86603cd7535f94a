"""How sure a fit is: uncertainty.zarr and cells that it has not seen -> intervals.csv."""

from dataclasses import dataclass

from qmfront.config.potential import Rattled
from qmfront.elasticity.bulk import Bulk
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.models.ace.io import load_potential
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.potential import POTENTIAL, TRAINING
from qmfront.storage.logs import logged, tell
from qmfront.storage.writing import write_file
from qmfront.training.intervals import coverage, interval_table, quantities
from qmfront.training.observations import Observations
from qmfront.training.observe.rattled import observe_rattled
from qmfront.training.uncertainty import Uncertainty


@dataclass(frozen=True)
class Files:
    """What is read."""

    bulk: str
    training: str
    potential: str
    uncertainty: str


def main(files: Files, qm: ModelSpec, journal: Journal, held_out: Rattled | None, path: str) -> None:
    bulk = Bulk.from_arrays(store.load(files.bulk, BULK))
    fitted = Observations.from_arrays(store.load(files.training, TRAINING))
    cells = {"rattled forces, fitted": fitted.cells}
    if held_out is not None:
        calculator = Journaled(qm, journal, Tally())
        cells["rattled forces, held out"] = observe_rattled(bulk.crystal, calculator, held_out)
    found = quantities(bulk, load_potential(files.potential), cells)
    spread = Uncertainty.from_arrays(store.load(files.uncertainty, POTENTIAL))
    table = interval_table(found, spread)
    write_file(path, table.to_csv(index=False))
    tell(coverage(table).to_string(index=False))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p, files = snakemake.params, given(Files, snakemake.input)
        journal = Journal.of_job(p.journal, snakemake.resources)
        held_out = None if p.settings is None else Rattled.model_validate(p.settings)
        main(files, ModelSpec(**p.qm), journal, held_out, snakemake.output.table)
