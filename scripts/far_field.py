"""How well dW speaks for the far field of a case: structure.zarr and both models -> far_field.zarr."""

from dataclasses import dataclass

import numpy as np

from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.certificate import Certificate
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.mismatch.far_field import far_field, field_strains
from qmfront.mismatch.linear import linear_mismatch
from qmfront.models.ace.calculator import ACE
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.far_field import FAR_FIELD
from qmfront.storage.layouts.potential import POTENTIAL
from qmfront.storage.layouts.start import START
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged


@dataclass(frozen=True)
class Files:
    """What is read; without a start the strains are those of the predictor."""

    structure: str
    bulk: str
    potential: str
    certificate: str
    begun: str | None = None


def main(files: Files, qm: ModelSpec, journal: Journal, samples: int, path: str) -> None:
    tally = Tally()
    bulk = Bulk.from_arrays(store.load(files.bulk, BULK))
    certificate = Certificate.from_arrays(store.load(files.certificate, POTENTIAL))
    defect = Defect.from_arrays(store.load(files.structure, STRUCTURE))
    relaxed = None if files.begun is None else store.load(files.begun, START)["displacement"]
    u = np.zeros_like(defect.predictor) if relaxed is None else relaxed
    found = far_field(
        field_strains(defect, u, bulk.crystal, samples=samples),
        bulk.crystal,
        (Journaled(qm, journal, tally), ACE.load(files.potential)),
        certificate.polynomial,
        moduli=linear_mismatch(bulk, certificate).moduli_difference(certificate),
    )
    attrs = {**found.attrs(), "qm_calls": tally.calls}
    store.save(path, FAR_FIELD, found.arrays(), attrs, config=(qm, samples))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p, files = snakemake.params, given(Files, snakemake.input)
        journal = Journal.of_job(p.journal, snakemake.resources)
        main(files, ModelSpec(**p.qm), journal, p.samples, snakemake.output.store)
