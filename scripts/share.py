"""One share of the QM calls of a training stage, into the journal: bulk.zarr -> share.json."""

import json

from qmfront.elasticity.bulk import Bulk
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.share import Share
from qmfront.storage import store
from qmfront.storage.durable import write_file
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.logs import logged
from qmfront.training.observations import field_strains, training_arrays
from qmfront.training.observe.rattled import RattledSampling
from qmfront.training.observe.slabs import SurfaceSampling


def main(inputs: dict, calculator: Share, tally: Tally, lattice: dict, others: dict, path: str) -> None:
    training_arrays(
        Bulk.from_arrays(store.load(inputs["bulk"], BULK)),
        calculator,
        **lattice,
        surfaces=others["surfaces"] and SurfaceSampling(**others["surfaces"]),
        rattles=others["rattled"] and RattledSampling(**others["rattled"]),
        strains=field_strains(inputs.get("field"), others["field_samples"]),
    )
    content = {"qm_calls": tally.calls, "computed": tally.computed, "skipped": calculator.skipped}
    write_file(path, json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p, tally = snakemake.params, Tally()
        journal = Journal.of_job(p.journal, snakemake.resources)
        share = Share(p.qm, journal, tally, number=int(snakemake.wildcards.share), total=p.total)
        main(dict(snakemake.input.items()), share, tally, p.lattice, p.others, snakemake.output.table)
