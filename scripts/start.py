"""Where iteration 0 starts: the minimum of the potential alone, or the solution of a host -> start.zarr."""

from dataclasses import dataclass

import numpy as np

from qmfront.config.job_settings import StartSettings
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.mm_minimum import minimum_from, mm_minimum
from qmfront.crystal.defect import Defect
from qmfront.crystal.solutes import same_sites
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.defective_sites import defective_sites
from qmfront.elasticity.defects import cores_of
from qmfront.evaluate.forces import calculator_energy, calculator_forces
from qmfront.models.ace.calculator import ACE
from qmfront.operators.operators import Operators
from qmfront.refine.next_partition import region_of_start, united_region
from qmfront.refine.regions import PartitionSettings
from qmfront.storage import store
from qmfront.storage.extxyz import write_extxyz
from qmfront.storage.job import given
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.operators import OPERATORS
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.start import START
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds


@dataclass(frozen=True)
class Files:
    """What is read; of a host its sites and its last partition and solution."""

    structure: str
    operators: str
    bulk: str
    potential: str
    host_structure: str | None = None
    host_partition: str | None = None
    host_solution: str | None = None


@dataclass(frozen=True)
class Outputs:
    """What is written."""

    store: str
    xyz: str


def main(files: Files, settings: StartSettings, outputs: Outputs) -> None:
    seconds, structure = Seconds(), store.load(files.structure, STRUCTURE)
    defect, potential = Defect.from_arrays(structure), ACE.load(files.potential)
    forces, energy = calculator_forces(potential), calculator_energy(potential)
    operators = Operators.from_arrays(store.load(files.operators, OPERATORS))
    hybrid = Hybrid(defect, operators, Models(forces, forces))
    bulk = Bulk.from_arrays(store.load(files.bulk, BULK))
    partition = PartitionSettings(buffer=settings.buffer, embedding=settings.embedding)
    host = None if files.host_solution is None else _Host.of(files, defect)

    def of(u: np.ndarray) -> float:
        return energy(defect.body.atoms(u))

    with seconds.of("start"):
        if host is not None:
            found = minimum_from(hybrid, of, settings.start, begin=host.displacement)
        else:
            others = cores_of(bulk, settings.defect, settings.domain, defect)
            found = mm_minimum(hybrid, of, settings.start, others=others)
    defective = np.any([defective_sites(defect, u, bulk.crystal) for u in found.minima], axis=0)
    region = structure["region"]
    if host is not None or (found.at_rest and settings.initial_region is None):
        shell = settings.start.shell_r0
        region = region_of_start(defect, found.displacement, defective, partition, shell_r0=shell)
    if host is not None:
        region = united_region(defect, found.displacement, region, host.region, partition)
    arrays = {**found.arrays(), "defective": defective, "region": region}
    store.save(outputs.store, START, arrays, run={"seconds": dict(seconds)}, config=settings)
    atoms = defect.body.atoms(found.displacement)
    write_extxyz(outputs.xyz, atoms, region=region, arrays={"defective": defective.astype(int)})


@dataclass(frozen=True)
class _Host:
    """The last solution of a host on the sites of a case, (n, 3) Å, and its regions (n,) int."""

    displacement: np.ndarray
    region: np.ndarray

    @classmethod
    def of(cls, files: Files, defect: Defect) -> "_Host":
        assert files.host_structure and files.host_partition and files.host_solution, "they come together"
        known = Defect.from_arrays(store.load(files.host_structure, STRUCTURE))
        site = same_sites(defect, known)
        displacement = store.load(files.host_solution, SOLUTION)["displacement"]
        return cls(displacement[site], store.load(files.host_partition, PARTITION)["region"][site])


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        s, settings = snakemake, given(StartSettings, snakemake.params.settings)
        main(given(Files, s.input), settings, given(Outputs, s.output))
