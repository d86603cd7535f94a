"""The reference model is examined before anything is computed with it: material -> preflight.json, .md."""

import logging

from qmfront.config.material import Crystal, ForceConstantSteps, Preflight, StressSamples
from qmfront.crystal.lattice import crystal_of
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.preflight.page import page
from qmfront.preflight.report import refuse, report
from qmfront.preflight.subject import Subject
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


def main(material: str, crystal: dict, spec: ModelSpec, settings: dict, outputs: dict) -> None:
    preflight = Preflight.model_validate(settings["preflight"])
    found = report(
        material,
        Subject(spec.build, spec.calculator),
        crystal_of(Crystal.model_validate(crystal)),
        preflight,
        ForceConstantSteps.model_validate(settings["force_constants"]),
        StressSamples.model_validate(settings["stress_samples"]),
    )
    logging.getLogger(__name__).info("\n%s", page(found))
    refuse(found, strictly=preflight.refuse)
    write_file(outputs["page"], page(found))
    write_file(outputs["table"], found.json())


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        main(
            snakemake.wildcards.material,
            p.crystal,
            ModelSpec(**p.qm),
            p.settings,
            dict(snakemake.output.items()),
        )
