"""Sites, predictor, first partition and operators: bulk.zarr -> structure.zarr, structure.extxyz, operators.zarr."""

import logging
from dataclasses import dataclass

import numpy as np

from qmfront.config.job_settings import StructureSettings
from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.defects import defect_of
from qmfront.elasticity.surface import Surface
from qmfront.models.ace.calculator import ACE
from qmfront.operators.assembly import assemble
from qmfront.plan.choices import choices
from qmfront.refine.next_partition import first_region
from qmfront.refine.regions import PartitionSettings
from qmfront.storage import store
from qmfront.storage.extxyz import write_extxyz
from qmfront.storage.job import given
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.operators import OPERATORS
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.layouts.surface import SURFACE
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds
from qmfront.training.force_constant_completion import completed


@dataclass(frozen=True)
class Files:
    """What is read: operators that a case shares, or a potential whose force constants go on beyond the QM model's."""

    bulk: str
    surface: str | None = None
    operators: str | None = None
    potential: str | None = None


@dataclass(frozen=True)
class Outputs:
    """What is written."""

    store: str
    xyz: str
    operators: str


def main(files: Files, settings: StructureSettings, outputs: Outputs) -> None:
    surface = None if files.surface is None else Surface.from_arrays(store.load(files.surface, SURFACE))
    bulk, described = Bulk.from_arrays(store.load(files.bulk, BULK)), settings.described
    kind, domain = described.defect, described.domain
    with (seconds := Seconds()).of("sites"):
        defect, seeds = defect_of(bulk, kind, domain, surface=surface, rim=described.rim)
    partition = PartitionSettings(buffer=settings.buffer, embedding=settings.embedding)
    lines = choices(bulk, kind, domain, defect, buffer=settings.buffer, cutoff=settings.cutoff)
    for line in [*([] if surface is None else [str(surface)]), *lines]:
        logging.getLogger(__name__).info(line)
    region = first_region(defect, settings.initial_region, partition, seeds=seeds)
    config = (described, settings.initial_region)
    layout = STRUCTURE.including(defect.state.declared())
    told = {} if surface is None else {"surface": str(surface)}
    arrays, run = {**defect.arrays(), "region": region}, {"seconds": dict(seconds)}
    store.save(outputs.store, layout, arrays, told, run=run, config=config)
    atoms = defect.body.atoms(np.zeros_like(defect.predictor))
    write_extxyz(outputs.xyz, atoms, region=region, arrays={"predictor": defect.predictor})
    if files.operators is None:
        save_operators(files, defect, bulk, settings, outputs.operators)
    else:
        store.link(files.operators, outputs.operators)


def save_operators(files: Files, defect: Defect, bulk: Bulk, settings: StructureSettings, path: str) -> None:
    """H_FC, L and the linearised forces -> operators.zarr."""
    seconds, steps, laplacian = Seconds(), settings.force_constants, settings.laplacian
    reach = steps.reach
    if files.potential is not None:
        potential = ACE.load(files.potential)
        with seconds.of("force constants"):
            bulk = completed(bulk, potential, displacement=steps.displacement)
        reach = max(reach, potential.force_range)
    with seconds.of("operators"):
        operators = assemble(defect, bulk, reach=reach, decay=laplacian.A, cutoff_r0=laplacian.cutoff_r0)
    run = {"seconds": dict(seconds)}
    store.save(path, OPERATORS, operators.arrays(), run=run, config=(reach, laplacian))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        s, settings = snakemake, given(StructureSettings, snakemake.params.settings)
        main(given(Files, s.input), settings, given(Outputs, s.output))
