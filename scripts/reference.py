"""The QM solution on the whole domain: structure.zarr, operators.zarr -> reference.zarr."""

from qmfront.coupling.anderson import AndersonSettings
from qmfront.coupling.embedding import Embedding
from qmfront.coupling.reference import ReferenceSettings, reference_arrays
from qmfront.coupling.stability import LanczosSettings
from qmfront.crystal.defect import Defect
from qmfront.evaluate.forces import journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.operators.operators import Operators
from qmfront.storage import store
from qmfront.storage.layouts.operators import OPERATORS
from qmfront.storage.layouts.reference import REFERENCE
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds


def main(inputs: dict, spec: dict, settings: dict, journal: Journal, path: str) -> None:
    seconds = Seconds(tally := Tally())
    with seconds.of("reference"):
        arrays = reference_arrays(
            Defect.from_arrays(store.load(inputs["structure"], STRUCTURE)),
            Operators.from_arrays(store.load(inputs["operators"], OPERATORS)),
            journaled_forces(spec, journal, tally),
            settings=ReferenceSettings(
                settings["max_force"],
                AndersonSettings(max_calls=settings["max_calls"]),
                LanczosSettings(**settings["stability"]),
            ),
            embedding=Embedding(**settings["embedding"]),
            start=store.load(inputs["start"], SOLUTION)["displacement"] if "start" in inputs else None,
        )
    run = {"seconds": dict(seconds), "qm_seconds": tally.cpu_seconds}
    config = {"qm": spec, "reference": settings}
    store.save(path, REFERENCE, arrays, {"qm_calls": tally.calls}, run=run, config=config)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        journal = Journal.of_job(p.journal, snakemake.resources)
        main(dict(snakemake.input.items()), p.qm, p.settings, journal, snakemake.output.store)
