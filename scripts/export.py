"""The relaxed structure of a case with regions and error, for OVITO -> relaxed.extxyz."""

from qmfront.crystal.defect import Defect
from qmfront.storage import store
from qmfront.storage.extxyz import write_extxyz
from qmfront.storage.logs import logged


def main(inputs: dict, path: str) -> None:
    defect = Defect.from_arrays(store.load(inputs["structure"], "structure"))
    displacement = store.load(inputs["solution"], "solution")["displacement"]
    write_extxyz(
        path,
        defect.body.atoms(displacement).positions,
        defect.numbers,
        cell=defect.cell,
        pbc=defect.pbc,
        region=store.load(inputs["partition"], "partition")["region"],
        arrays={
            "eta": store.load(inputs["estimate"], "estimate")["eta_site"],
            "displacement": displacement,
        },
    )


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(dict(snakemake.input.items()), snakemake.output.xyz)
