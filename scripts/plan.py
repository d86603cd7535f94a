"""What a case will cost, before it is spent: preflight.json (and what is finished) -> plan.json, .md."""

from dataclasses import dataclass
from pathlib import Path

from ase import Atoms

from qmfront.config.job_settings import PlanSettings
from qmfront.evaluate.evaluation import Evaluation, ask
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.plan.case import planned_case
from qmfront.plan.finished import finished_in
from qmfront.plan.page import page, summary
from qmfront.plan.plan import plan
from qmfront.preflight.report import Report
from qmfront.storage.job import given
from qmfront.storage.logs import logged, tell
from qmfront.storage.writing import write_file


@dataclass(frozen=True)
class Outputs:
    """What is written."""

    table: str
    page: str


def main(preflight: str, qm: ModelSpec, settings: PlanSettings, name: str, outputs: Outputs) -> None:
    calculator = qm.build()

    def call(atoms: Atoms) -> Evaluation:
        return ask(qm.dressed(atoms), calculator, ("energy", "forces"), name=qm.calculator)

    report = Report.read(preflight)
    planned = planned_case(settings.case, settings.potential, settings.material, report, call)
    found = plan(planned, finished_in(Path("results") / name))
    write_file(outputs.page, page(name, found))
    write_file(outputs.table, found.json())
    tell(summary(name, found))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p, case = snakemake.params, snakemake.wildcards.case
        settings, outputs = given(PlanSettings, p.settings), given(Outputs, snakemake.output)
        main(snakemake.input.preflight, ModelSpec(**p.qm), settings, case, outputs)
