"""What a case will cost, before it is spent: preflight.json (and what is finished) -> plan.json, .md."""

from pathlib import Path

from ase import Atoms

from qmfront.config.material import Material
from qmfront.config.potential import Potential
from qmfront.config.study import Case
from qmfront.evaluate.evaluation import Evaluation, ask
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.plan.case import planned_case
from qmfront.plan.finished import finished_in
from qmfront.plan.page import page, summary
from qmfront.plan.plan import plan
from qmfront.preflight.report import Report
from qmfront.storage.logs import logged, tell
from qmfront.storage.writing import write_file


def main(preflight: str, spec: ModelSpec, sections: dict, name: str, outputs: dict) -> None:
    calculator = spec.build()

    def call(atoms: Atoms) -> Evaluation:
        return ask(atoms, calculator, ("energy", "forces"), name=spec.calculator)

    planned = planned_case(
        Case.model_validate(sections["case"]),
        Potential.model_validate(sections["potential"]),
        Material.model_validate(sections["material"]),
        Report.read(preflight),
        call,
    )
    found = plan(planned, finished_in(Path("results") / name))
    write_file(outputs["page"], page(name, found))
    write_file(outputs["table"], found.json())
    tell(summary(name, found))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p, case = snakemake.params, snakemake.wildcards.case
        main(snakemake.input.preflight, ModelSpec(**p.qm), p.sections, case, dict(snakemake.output.items()))
