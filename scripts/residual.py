"""Residual forces of one iteration: solution.zarr -> residual.zarr."""

from qmfront import store
from qmfront.coupling.embedding import Embedding
from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.strain_polynomial import StrainPolynomial
from qmfront.estimate.linear_mismatch import linear_mismatch
from qmfront.estimate.operators import Operators
from qmfront.estimate.residuals import ResidualSettings, residual_arrays
from qmfront.evaluate.forces import journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.logs import logged
from qmfront.timing import Seconds


def main(inputs: dict, spec: dict, settings: dict, journal: Journal, path: str) -> None:
    seconds = Seconds(tally := Tally())
    certificate = store.load(inputs["certificate"], "potential")
    arrays = residual_arrays(
        store.load(inputs["solution"], "solution"),
        Defect.from_arrays(store.load(inputs["structure"], "structure")),
        Operators.from_arrays(store.load(inputs["operators"], "operators")),
        store.load(inputs["partition"], "partition")["region"],
        journaled_forces(spec, journal, tally),
        mismatch=StrainPolynomial.from_certificate(certificate),
        linear=linear_mismatch(Bulk.from_arrays(store.load(inputs["bulk"], "bulk")), certificate),
        settings=ResidualSettings(**settings["residual"]),
        embedding=Embedding(**settings["embedding"]),
        seconds=seconds,
    )
    attrs = {"seconds": dict(seconds), "qm_calls": tally.calls}
    store.save(path, "residual", arrays, attrs, config={"qm": spec, **settings})


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        journal = Journal.of_job(p.journal, snakemake.resources)
        main(dict(snakemake.input.items()), p.qm, p.settings, journal, snakemake.output.store)
