"""The reference model is examined before anything is computed with it: material -> preflight.json, .md."""

import logging
from dataclasses import dataclass
from pathlib import Path

from qmfront.config.material import Crystal, ForceConstantSteps, Preflight, StressSamples
from qmfront.crystal.lattice import crystal_of
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.preflight.page import page
from qmfront.preflight.report import refuse, report
from qmfront.preflight.subject import Subject
from qmfront.storage.job import given
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


@dataclass(frozen=True)
class Settings:
    """How the model is doubted, and what will be asked of it."""

    preflight: Preflight
    force_constants: ForceConstantSteps
    stress_samples: StressSamples


@dataclass(frozen=True)
class Outputs:
    """What is written."""

    table: str
    page: str


def main(material: str, crystal: Crystal, qm: ModelSpec, settings: Settings, outputs: Outputs) -> None:
    found = report(
        material,
        Subject(qm.build, qm.calculator, qm.dressed),
        crystal_of(crystal),
        settings.preflight,
        settings.force_constants,
        settings.stress_samples,
    )
    logging.getLogger(__name__).info("\n%s", page(found))
    refused = Path(outputs.page).with_suffix(
        ".refused.md"
    )  # Snakemake deletes the outputs of a job that fails
    refused.unlink(missing_ok=True)
    if found.findings.problems and settings.preflight.refuse:
        write_file(refused, page(found))
    refuse(found, strictly=settings.preflight.refuse, page=str(refused))
    write_file(outputs.page, page(found))
    write_file(outputs.table, found.json())


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p, crystal = snakemake.params, Crystal.model_validate(snakemake.params.crystal)
        settings, outputs = given(Settings, p.settings), given(Outputs, snakemake.output)
        main(snakemake.wildcards.material, crystal, ModelSpec(**p.qm), settings, outputs)
