"""Force error against buffer width: structure.zarr -> locality.zarr."""

from collections.abc import Mapping
from dataclasses import dataclass

from qmfront.config.stages import Buffer, Embedding, Locality
from qmfront.coupling.buffer_error import buffer_errors, refuse_thin_buffer
from qmfront.crystal.defect import Defect
from qmfront.evaluate.forces import journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.locality import LOCALITY
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged


@dataclass(frozen=True)
class Settings:
    """The buffer of the case, others to compare it with, and the force error that may be left."""

    buffer: Buffer
    embedding: Embedding
    locality: Locality


def main(
    structure: str, models: Mapping[str, ModelSpec], settings: Settings, journal: Journal, path: str
) -> None:
    tally, stored = Tally(), store.load(structure, STRUCTURE)
    forces = {label: journaled_forces(model, journal, tally) for label, model in models.items()}
    qm, width, embedding = forces.pop(""), settings.buffer.width, settings.embedding
    found = buffer_errors(
        Defect.from_arrays(stored),
        stored["region"],
        qm,
        forces,
        widths=(width, *settings.locality.widths),
        embedding=embedding,
    )
    refuse_thin_buffer(found, embedding, width=width, tolerance=settings.locality.tolerance)
    attrs = {"alternatives": list(forces), "qm_calls": tally.calls}
    attrs |= {"buffer": width, "tolerance": settings.locality.tolerance}
    attrs["subtract_lattice"] = embedding.subtract_lattice
    run, config = {"qm_seconds": tally.cpu_seconds}, (dict(models), settings)
    store.save(path, LOCALITY, found.arrays(), attrs, run=run, config=config)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p, structure = snakemake.params, snakemake.input.structure
        journal = Journal.of_job(p.journal, snakemake.resources)
        models = {label: ModelSpec(**spec) for label, spec in p.specs.items()}
        main(structure, models, given(Settings, p.settings), journal, snakemake.output.store)
