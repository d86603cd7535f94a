"""The QM solution on the whole domain: structure.zarr, operators.zarr -> reference.zarr."""

from qmfront.config.stages import Embedding, Reference
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.reference import reference_solution
from qmfront.crystal.defect import Defect
from qmfront.evaluate.forces import journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.operators.operators import Operators
from qmfront.storage import store
from qmfront.storage.layouts.operators import OPERATORS
from qmfront.storage.layouts.reference import REFERENCE
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.start import START
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds


def main(inputs: dict, spec: ModelSpec, sections: tuple[dict, dict], journal: Journal, path: str) -> None:
    seconds, (settings, embedding) = Seconds(tally := Tally()), sections
    qm = journaled_forces(spec, journal, tally)
    hybrid = Hybrid(
        Defect.from_arrays(store.load(inputs["structure"], STRUCTURE)),
        Operators.from_arrays(store.load(inputs["operators"], OPERATORS)),
        Models(qm, qm),
        Embedding.model_validate(embedding),
    )
    known = [(name, kind) for name, kind in (("start", SOLUTION), ("begun", START)) if name in inputs]
    start = store.load(inputs[known[0][0]], known[0][1])["displacement"] if known else None
    with seconds.of("reference"):
        found = reference_solution(hybrid, Reference.model_validate(settings), start)
    run = {"seconds": dict(seconds), "qm_seconds": tally.cpu_seconds}
    config = {"qm": spec, "reference": settings, "embedding": embedding}
    store.save(path, REFERENCE, found.arrays(), {"qm_calls": tally.calls}, run=run, config=config)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        journal = Journal.of_job(p.journal, snakemake.resources)
        sections = (p.settings, p.embedding)
        main(dict(snakemake.input.items()), ModelSpec(**p.qm), sections, journal, snakemake.output.store)
