"""Estimators of one iteration: residual.zarr -> estimate.zarr, estimate.json."""

import json

from qmfront.crystal.defect import Defect
from qmfront.estimate.estimator import estimates, summary
from qmfront.operators.operators import Operators
from qmfront.storage import store
from qmfront.storage.durable import write_file
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds


def main(inputs: dict, settings: dict, path: str, table: str) -> None:
    seconds = Seconds()
    solution = store.load(inputs["solution"], "solution")
    region = store.load(inputs["partition"], "partition")["region"]
    with seconds.of("estimate"):
        result = estimates(
            dict(store.load(inputs["residual"], "residual")),
            Defect.from_arrays(store.load(inputs["structure"], "structure")),
            Operators.from_arrays(store.load(inputs["operators"], "operators")),
            region,
            solution["forces"],
            **settings,
            answers=dict(store.load(inputs["answer"], "answer")) if "answer" in inputs else None,
        )
    arrays = {"phi": result.phi, "eta_site": result.eta_site, "work_site": result.work_site}
    store.save(path, "estimate", arrays, {"seconds": dict(seconds)}, config=settings)
    chosen = f"{settings['norm']}/{settings['residual']}"
    content = summary(
        result, region, chosen=chosen, algebraic=solution["measure"][-1], qm_calls=solution.attrs["qm_calls"]
    )
    write_file(table, json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        o = snakemake.output
        main(dict(snakemake.input.items()), snakemake.params.settings, o.store, o.table)
