"""Sites, predictor and first partition: bulk.zarr (and surface.zarr) -> structure.zarr, .extxyz."""

import logging

import numpy as np
from pydantic import TypeAdapter

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
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.layouts.surface import SURFACE
from qmfront.storage.logs import logged


def main(inputs: dict, described: dict, settings: dict, outputs: dict) -> None:
    surface = Surface.from_arrays(store.load(inputs["surface"], SURFACE)) if "surface" in inputs else None
    bulk = Bulk.from_arrays(store.load(inputs["bulk"], BULK))
    defect = TypeAdapter(AnyDefect).validate_python(described["defect"])
    domain = TypeAdapter(AnyDomain).validate_python(described["domain"])
    case, seeds = defect_of(bulk, defect, domain, surface=surface, rim=described["rim"])
    partition = PartitionSettings(
        buffer=Buffer.model_validate(settings["buffer"]),
        embedding=Embedding.model_validate(settings["embedding"]),
    )
    for line in choices(bulk, defect, domain, case, buffer=partition.buffer, cutoff=settings["cutoff"]):
        logging.getLogger(__name__).info(line)
    initial = InitialRegion.model_validate(settings["initial_region"])
    region = first_region(case, initial, partition, seeds=seeds)
    config = {**described, "initial_region": settings["initial_region"]}
    store.save(outputs["store"], STRUCTURE, {**case.arrays(), "region": region}, config=config)
    atoms = case.body.atoms(np.zeros_like(case.predictor))
    write_extxyz(outputs["xyz"], atoms, region=region, arrays={"predictor": case.predictor})


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        main(dict(snakemake.input.items()), p.described, p.settings, dict(snakemake.output.items()))
