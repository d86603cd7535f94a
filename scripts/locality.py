"""Force error against buffer width: structure.zarr -> locality.zarr."""

from qmfront.config.stages import Embedding
from qmfront.coupling.buffer_error import buffer_errors, refuse_thin_buffer
from qmfront.crystal.defect import Defect
from qmfront.evaluate.forces import journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.storage import store
from qmfront.storage.layouts.locality import LOCALITY
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged


def main(
    structure: str, specs: dict[str, ModelSpec], embedding: dict, settings: dict, journal: Journal, path: str
) -> None:
    tally, chosen = Tally(), Embedding.model_validate(embedding)
    stored = store.load(structure, STRUCTURE)
    forces = {label: journaled_forces(spec, journal, tally) for label, spec in specs.items()}
    qm = forces.pop("")
    found = buffer_errors(
        Defect.from_arrays(stored),
        stored["region"],
        qm,
        forces,
        widths=(settings["width"], *settings["widths"]),
        embedding=chosen,
    )
    refuse_thin_buffer(found, chosen, width=settings["width"], tolerance=settings["tolerance"])
    attrs = {"alternatives": list(forces), "qm_calls": tally.calls}
    attrs |= {"buffer": settings["width"], "tolerance": settings["tolerance"]}
    attrs["subtract_lattice"] = chosen.subtract_lattice
    config = {"specs": specs, "embedding": embedding, "settings": settings}
    store.save(path, LOCALITY, found.arrays(), attrs, run={"qm_seconds": tally.cpu_seconds}, config=config)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        journal = Journal.of_job(p.journal, snakemake.resources)
        main(
            snakemake.input.structure,
            {label: ModelSpec(**spec) for label, spec in p.specs.items()},
            p.embedding,
            p.settings,
            journal,
            snakemake.output.store,
        )
