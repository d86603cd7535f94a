"""Where iteration 0 starts: the minimum of the potential alone -> start.zarr."""

from pydantic import TypeAdapter

from qmfront.config.defect import AnyDefect, AnyDomain
from qmfront.config.stages import Buffer, Embedding, Start
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.mm_minimum import mm_minimum
from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.defective_sites import defective_sites
from qmfront.elasticity.defects import cores_of
from qmfront.evaluate.forces import calculator_energy, calculator_forces
from qmfront.models.ace.calculator import ACE
from qmfront.operators.operators import Operators
from qmfront.refine.next_partition import region_of_start
from qmfront.refine.regions import PartitionSettings
from qmfront.storage import store
from qmfront.storage.extxyz import write_extxyz
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.operators import OPERATORS
from qmfront.storage.layouts.start import START
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds


def main(inputs: dict, sections: dict, outputs: dict) -> None:
    seconds, settings = Seconds(), Start.model_validate(sections["start"])
    structure = store.load(inputs["structure"], STRUCTURE)
    defect, potential = Defect.from_arrays(structure), ACE.load(inputs["potential"])
    forces = calculator_forces(potential)
    operators = Operators.from_arrays(store.load(inputs["operators"], OPERATORS))
    hybrid = Hybrid(defect, operators, Models(forces, forces))
    energy = calculator_energy(potential)
    bulk = Bulk.from_arrays(store.load(inputs["bulk"], BULK))
    described = TypeAdapter(AnyDefect).validate_python(sections["defect"])
    domain = TypeAdapter(AnyDomain).validate_python(sections["domain"])
    others = cores_of(bulk, described, domain, defect)
    with seconds.of("start"):
        found = mm_minimum(hybrid, lambda u: energy(defect.body.atoms(u)), settings, others=others)
    defective = defective_sites(defect, found.displacement, bulk.crystal)
    region = structure["region"]
    if found.at_rest and sections["initial_region"] is None:
        partition = PartitionSettings(
            buffer=Buffer.model_validate(sections["buffer"]),
            embedding=Embedding.model_validate(sections["embedding"]),
        )
        region = region_of_start(defect, found.displacement, defective, partition, shell_r0=settings.shell_r0)
    arrays = {**found.arrays(), "defective": defective, "region": region}
    store.save(outputs["store"], START, arrays, run={"seconds": dict(seconds)}, config=sections)
    atoms = defect.body.atoms(found.displacement)
    write_extxyz(outputs["xyz"], atoms, region=region, arrays={"defective": defective.astype(int)})


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(dict(snakemake.input.items()), snakemake.params.sections, dict(snakemake.output.items()))
