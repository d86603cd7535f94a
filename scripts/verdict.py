"""Whether the finished results pass their checks: checks.txt -> verdict.txt, or an error that names what fails."""

from pathlib import Path

from qmfront.analysis.checks import Checks
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


def main(checks: str, path: str) -> None:
    found = Checks.of_text(Path(checks).read_text(encoding="utf-8"))
    found.refuse_failures()
    write_file(path, f"All checks of the finished results passed: {found.line}.\n")


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(snakemake.input.checks, snakemake.output.verdict)
