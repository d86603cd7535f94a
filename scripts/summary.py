"""All that came out, on one page: tables of cases and potentials -> summary.html."""

from pathlib import Path

import pandas as pd

from qmfront import store
from qmfront.durable import write_file
from qmfront.logs import logged
from qmfront.summary import CaseResult, page


def main(inputs: dict, titles: dict, potentials: list[str], path: str) -> None:
    references = {Path(store.directory(file)).parent.name: file for file in inputs["references"]}
    cases = {
        name: CaseResult(
            title,
            pd.read_csv(table),
            store.attributes(references[name]) if name in references else {},
        )
        for (name, title), table in zip(titles.items(), inputs["tables"], strict=True)
    }
    fits = dict(zip(potentials, map(pd.read_csv, inputs["fits"]), strict=True))
    comparison = pd.read_csv(inputs["comparison"][0]) if inputs["comparison"] else None
    checks = Path(inputs["checks"]).read_text(encoding="utf-8").strip().splitlines()[-1]
    write_file(path, page(cases, fits, comparison, checks))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        main(dict(snakemake.input.items()), p.titles, p.potentials, snakemake.output.page)
