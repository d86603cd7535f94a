"""How sure a fit is: uncertainty.zarr and cells that it has not seen -> intervals.csv."""

from qmfront.config.potential import Rattled
from qmfront.elasticity.bulk import Bulk
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.models.ace.io import load_potential
from qmfront.storage import store
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.potential import POTENTIAL, TRAINING
from qmfront.storage.logs import logged, tell
from qmfront.storage.writing import write_file
from qmfront.training.intervals import coverage, interval_table, quantities
from qmfront.training.observations import Observations
from qmfront.training.observe.rattled import observe_rattled
from qmfront.training.uncertainty import Uncertainty


def main(inputs: dict, model: tuple[ModelSpec, Journal], held_out: dict | None, path: str) -> None:
    bulk = Bulk.from_arrays(store.load(inputs["bulk"], BULK))
    fitted = Observations.from_arrays(store.load(inputs["training"], TRAINING))
    cells = {"rattled forces, fitted": fitted.cells}
    if held_out is not None:
        calculator, settings = Journaled(*model, Tally()), Rattled.model_validate(held_out)
        cells["rattled forces, held out"] = observe_rattled(bulk.crystal, calculator, settings)
    found = quantities(bulk, load_potential(inputs["potential"]), cells)
    spread = Uncertainty.from_arrays(store.load(inputs["uncertainty"], POTENTIAL))
    table = interval_table(found, spread)
    write_file(path, table.to_csv(index=False))
    tell(coverage(table).to_string(index=False))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        journal = Journal.of_job(p.journal, snakemake.resources)
        main(dict(snakemake.input.items()), (ModelSpec(**p.qm), journal), p.settings, snakemake.output.table)
