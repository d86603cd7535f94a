"""Configurations are read by us, also where Snakemake reads them, which would run the expressions in a file.

Snakemake reads the files behind --configfile before the Snakefile, and hands a file with the key __use_yte__ to YTE, a
template engine that evaluates Python. The profile of this folder (profiles/default) is what Snakemake reads earlier
still; it calls `guard_snakemake`, so that such a file is refused before a line of it is run. Who switches the profile
off (--workflow-profile none) switches this off: then `config.load` refuses the file, after Snakemake has run it.
"""

from pathlib import Path
from typing import Any

from qmfront.config.errors import ConfigError
from qmfront.config.reading import read_yaml


def guard_snakemake() -> None:
    """Replace Snakemake's reader of configurations in this process by ours; schemas are read as before."""
    from snakemake.common import configfile
    from snakemake_interface_common.exceptions import WorkflowError

    of_snakemake = configfile._load_configfile
    if getattr(of_snakemake, "runs_nothing", False):
        return

    def read(source: Any, filetype: str = "Config") -> Any:
        if filetype != "Config" or not isinstance(source, str | Path):
            return of_snakemake(source, filetype)
        try:
            return read_yaml(Path(source), shown=str(source))
        except ConfigError as error:
            raise WorkflowError(str(error)) from None

    read.runs_nothing = True  # type: ignore[attr-defined]
    configfile._load_configfile = read
