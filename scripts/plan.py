"""What a case will cost, before it is spent: preflight.json (and what is finished) -> plan.json, .md."""

import json
from pathlib import Path

from qmfront.crystal.lattice import cubic_crystal
from qmfront.plan.page import page, told
from qmfront.plan.plan import plan
from qmfront.storage.durable import write_file
from qmfront.storage.logs import logged, tell


def main(preflight: str, crystal: dict, spec: dict, study: dict, case: str, outputs: dict) -> None:
    guess = cubic_crystal(crystal["symbol"], crystal["structure"], crystal["lattice_constant_guess"])
    content = plan(guess, json.loads(Path(preflight).read_text()), spec, study, Path("results") / case)
    write_file(outputs["page"], page(case, content))
    write_file(outputs["table"], json.dumps(content, indent=2) + "\n")
    tell(told(case, content))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p, case = snakemake.params, snakemake.wildcards.case
        main(snakemake.input.preflight, p.crystal, p.qm, p.study, case, dict(snakemake.output.items()))
