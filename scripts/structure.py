"""Sites, predictor and first partition: bulk.zarr (and surface.zarr) -> structure.zarr, .extxyz."""

import logging
from dataclasses import dataclass

import numpy as np

from qmfront.config.defect import AnyDefect, AnyDomain
from qmfront.config.stages import Buffer, Embedding, InitialRegion
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.defects import defect_of
from qmfront.elasticity.surface import Surface
from qmfront.plan.choices import choices
from qmfront.refine.next_partition import first_region
from qmfront.refine.regions import PartitionSettings
from qmfront.storage import store
from qmfront.storage.extxyz import write_extxyz
from qmfront.storage.job import given
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.layouts.surface import SURFACE
from qmfront.storage.logs import logged


@dataclass(frozen=True)
class Files:
    """What is read."""

    bulk: str
    surface: str | None = None


@dataclass(frozen=True)
class Described:
    """The defect, its domain, and how far (Å) free atoms of a file stay from its surface."""

    defect: AnyDefect
    domain: AnyDomain
    rim: float


@dataclass(frozen=True)
class Settings:
    """What the first partition depends on; the range (Å) of the QM model is told beside the buffer."""

    initial_region: InitialRegion
    buffer: Buffer
    embedding: Embedding
    cutoff: float


@dataclass(frozen=True)
class Outputs:
    """What is written."""

    store: str
    xyz: str


def main(files: Files, described: Described, settings: Settings, outputs: Outputs) -> None:
    surface = None if files.surface is None else Surface.from_arrays(store.load(files.surface, SURFACE))
    bulk, defect, domain = Bulk.from_arrays(store.load(files.bulk, BULK)), described.defect, described.domain
    case, seeds = defect_of(bulk, defect, domain, surface=surface, rim=described.rim)
    partition = PartitionSettings(buffer=settings.buffer, embedding=settings.embedding)
    for line in choices(bulk, defect, domain, case, buffer=settings.buffer, cutoff=settings.cutoff):
        logging.getLogger(__name__).info(line)
    region = first_region(case, settings.initial_region, partition, seeds=seeds)
    config = (described, settings.initial_region)
    store.save(outputs.store, STRUCTURE, {**case.arrays(), "region": region}, config=config)
    atoms = case.body.atoms(np.zeros_like(case.predictor))
    write_extxyz(outputs.xyz, atoms, region=region, arrays={"predictor": case.predictor})


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        s, p = snakemake, snakemake.params
        described, settings = given(Described, p.described), given(Settings, p.settings)
        main(given(Files, s.input), described, settings, given(Outputs, s.output))
