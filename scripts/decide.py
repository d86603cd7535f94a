"""Stop or go on: estimate.json -> decision.json."""

import json
from pathlib import Path

from qmfront.refine.decision import decision, told
from qmfront.storage.durable import write_file
from qmfront.storage.logs import logged, tell


def main(estimate: str, case: str, k: int, settings: dict, path: str) -> None:
    found = json.loads(Path(estimate).read_text())
    content = decision(found, k, **settings)
    write_file(path, json.dumps(content, indent=2) + "\n")
    tell(told(case, content, found))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(
            snakemake.input.estimate,
            snakemake.wildcards.case,
            int(snakemake.wildcards.k),
            snakemake.params.settings,
            snakemake.output.decision,
        )
