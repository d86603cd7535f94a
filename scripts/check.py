"""Doubts about the finished results: every test of tests/results -> checks.txt."""

import json
import os
import subprocess
import sys
from pathlib import Path

from qmfront.storage.durable import write_file
from qmfront.storage.logs import logged


def main(tests: Path, study: dict, path: str) -> None:
    command = [sys.executable, "-m", "pytest", str(tests), "-p", "no:cacheprovider", "--color=no"]
    done = subprocess.run(
        command,
        env={**os.environ, "QMFRONT_STUDY": json.dumps(study)},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    sys.stderr.write(done.stdout)
    if done.returncode != 0:
        raise RuntimeError(
            "The finished results fail their checks; each is explained where it stands in tests/results. "
            f"Look at these cases before you use them. {done.stdout.strip().splitlines()[-1]}"
        )
    write_file(path, done.stdout)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(
            Path(snakemake.scriptdir).parent / "tests" / "results",
            snakemake.params.study,
            snakemake.output.report,
        )
