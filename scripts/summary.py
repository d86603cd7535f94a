"""All that came out, on one page: tables and structures -> summary.html, far_field.csv, resources.csv."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from qmfront.analysis.checks import Checks
from qmfront.report.page import Results, page
from qmfront.report.results import CaseResult, PotentialResult, far_field_table, resources_table
from qmfront.report.unfinished import PAGE
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.logs import logged
from qmfront.storage.writing import cleared, write_file


@dataclass(frozen=True)
class Files:
    """What is read; the structures of a case lie beside its table, the rest of a potential beside its fit."""

    tables: tuple[str, ...]
    checks: str
    references: tuple[str, ...] = ()
    far_fields: tuple[str, ...] = ()
    fits: tuple[str, ...] = ()
    comparison: tuple[str, ...] = ()


@dataclass(frozen=True)
class Told:
    """What is said of a case beside its numbers."""

    title: str
    potential: str


@dataclass(frozen=True)
class Outputs:
    """What is written."""

    page: str
    far_field: str
    resources: str


def main(files: Files, cases: Mapping[str, Told], materials: Mapping[str, str], outputs: Outputs) -> None:
    references, far_fields = (
        {Path(store.directory(file)).parent.name: Path(file) for file in paths}
        for paths in (files.references, files.far_fields)
    )
    found = {
        name: CaseResult.read(
            case.title,
            case.potential,
            Path(table),
            reference=references.get(name),
            far_field=far_fields.get(name),
        )
        for (name, case), table in zip(cases.items(), files.tables, strict=True)
    }
    bulks = Path(outputs.page).parent / "bulk"
    fits = {
        name: PotentialResult.read(Path(fit).parent, bulks / f"{material}.zarr")
        for (name, material), fit in zip(materials.items(), files.fits, strict=True)
    }
    comparison = pd.read_csv(files.comparison[0]) if files.comparison else None
    checks = Checks.of_text(Path(files.checks).read_text(encoding="utf-8"))
    write_file(outputs.page, page(Results(found, fits, comparison, checks)))
    write_file(outputs.far_field, far_field_table(found, fits).to_csv(index=False))
    resources = resources_table(Path(outputs.resources).parent / "benchmarks")
    write_file(outputs.resources, resources.to_csv(index=False))
    cleared(Path(outputs.page).with_name(PAGE))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        s, p = snakemake, snakemake.params
        cases = {name: Told(**told) for name, told in p.cases.items()}
        main(given(Files, s.input), cases, p.materials, given(Outputs, s.output))
