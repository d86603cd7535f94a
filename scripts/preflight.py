"""The reference model is doubted before anything is computed with it: material -> preflight.json, .md."""

import json
import logging

from qmfront.crystal.lattice import cubic_crystal
from qmfront.preflight.page import page
from qmfront.preflight.report import refuse, report
from qmfront.storage.durable import write_file
from qmfront.storage.logs import logged


def main(material: str, crystal: dict, spec: dict, settings: dict, outputs: dict) -> None:
    guess = cubic_crystal(crystal["symbol"], crystal["structure"], crystal["lattice_constant_guess"])
    content = {"material": material, **report(guess, spec, settings)}
    logging.getLogger(__name__).info("\n%s", page(content))
    refuse(content, settings["preflight"]["refuse"])
    write_file(outputs["page"], page(content))
    write_file(outputs["table"], json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        main(snakemake.wildcards.material, p.crystal, p.qm, p.settings, dict(snakemake.output.items()))
