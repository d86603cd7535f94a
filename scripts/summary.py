"""All that came out, on one page: tables of cases and potentials -> summary.html, far_field.csv, resources.csv."""

from pathlib import Path

import pandas as pd

from qmfront.analysis.checks import Checks
from qmfront.analysis.summary import CaseResult, PotentialResult, far_field_table, page, resources_table
from qmfront.elasticity.certificate import Certificate
from qmfront.storage import store
from qmfront.storage.layouts.potential import POTENTIAL
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file
from qmfront.training.verdict import mismatch_verdict


def main(inputs: dict, cases: dict, potentials: list[str], outputs: dict) -> None:
    told = {
        kind: {Path(store.directory(file)).parent.name: store.attributes(file) for file in inputs[kind]}
        for kind in ("references", "far_fields")
    }
    found = {}
    for (name, case), table in zip(cases.items(), inputs["tables"], strict=True):
        verdict = told["far_fields"].get(name, {}).get("verdict", "")
        reference = told["references"].get(name, {})
        found[name] = CaseResult(case["title"], pd.read_csv(table), reference, case["potential"], verdict)
    stores = (store.load(path, POTENTIAL) for path in inputs["certificates"])
    verdicts = [mismatch_verdict(Certificate.from_arrays(arrays)) for arrays in stores]
    tables = [map(pd.read_csv, inputs[name]) for name in ("fits", "intervals")]
    parts = zip(*tables, verdicts, strict=True)
    fits = dict(zip(potentials, (PotentialResult(*part) for part in parts), strict=True))
    comparison = pd.read_csv(inputs["comparison"][0]) if inputs["comparison"] else None
    checks = Checks.of_text(Path(inputs["checks"]).read_text(encoding="utf-8"))
    write_file(outputs["page"], page(found, fits, comparison, checks))
    write_file(outputs["far_field"], far_field_table(found, fits).to_csv(index=False))
    resources = resources_table(Path(outputs["resources"]).parent / "benchmarks")
    write_file(outputs["resources"], resources.to_csv(index=False))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        main(dict(snakemake.input.items()), p.cases, p.potentials, dict(snakemake.output.items()))
