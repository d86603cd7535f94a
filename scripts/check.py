"""Doubts about the finished results: every test of tests/results -> checks.txt, which says what failed."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from qmfront.analysis.checks import Checks
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file

TOLD = (0, 1)
"""Exit codes of pytest when all tests were run; a failed one is a result, which rule `verdict` judges."""


def main(tests: Path, study: Mapping[str, object], path: str) -> None:
    with TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        options = ["-p", "no:cacheprovider", "--color=no", f"--junitxml={report}"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", str(tests), *options],
            env={**os.environ, "QMFRONT_STUDY": json.dumps(study)},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        sys.stderr.write(done.stdout)
        if done.returncode not in TOLD:
            raise RuntimeError(
                "The tests of the finished results did not run to their end; the lines above say why. "
                f"{done.stdout.strip().splitlines()[-1]}"
            )
        write_file(path, Checks.of_junit(report.read_text(encoding="utf-8")).text())


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(
            Path(snakemake.scriptdir).parent / "tests" / "results",
            {"cases": snakemake.params.cases, "potentials": snakemake.params.potentials},
            snakemake.output.report,
        )
