"""Stop or go on: estimate.json -> decision.json."""

import json
from pathlib import Path

from qmfront.durable import write_file
from qmfront.logs import logged
from qmfront.refine.decision import decision


def main(estimate: str, k: int, settings: dict, path: str) -> None:
    content = decision(json.loads(Path(estimate).read_text()), k, **settings)
    write_file(path, json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(
            snakemake.input.estimate,
            int(snakemake.wildcards.k),
            snakemake.params.settings,
            snakemake.output.decision,
        )
