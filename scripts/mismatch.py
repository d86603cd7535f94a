"""How the models of a case differ beyond its QM region: bulk, certificate (and far_field.zarr) -> mismatch.zarr."""

from dataclasses import dataclass

from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.certificate import Certificate
from qmfront.mismatch.far_field import FarField
from qmfront.mismatch.model_difference import model_difference
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.far_field import FAR_FIELD
from qmfront.storage.layouts.mismatch import MISMATCH
from qmfront.storage.layouts.potential import POTENTIAL
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds


@dataclass(frozen=True)
class Files:
    """What is read."""

    bulk: str
    certificate: str
    structure: str
    far_field: str | None = None


def main(files: Files, path: str) -> None:
    asked = None if files.far_field is None else store.load(files.far_field, FAR_FIELD)
    given_to = (
        Bulk.from_arrays(store.load(files.bulk, BULK)),
        Certificate.from_arrays(store.load(files.certificate, POTENTIAL)),
        Defect.from_arrays(store.load(files.structure, STRUCTURE)),
    )
    with (seconds := Seconds()).of("mismatch"):
        found = model_difference(
            *given_to, None if asked is None else FarField.from_store(asked, asked.attrs)
        )
    store.save(path, MISMATCH, found.arrays(), run={"seconds": dict(seconds)})


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(given(Files, snakemake.input), snakemake.output.store)
