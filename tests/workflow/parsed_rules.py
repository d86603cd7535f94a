"""Every rule of the default study as Snakemake understands it, with what it takes over from others, as JSON.

Run in the project's folder, with --lint among the arguments: the folder is not locked.
"""

import json
import sys
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.settings.types import ResourceSettings


def main() -> None:
    with SnakemakeApi() as api:
        workflow = api.workflow(ResourceSettings(cores=1), snakefile=Path("Snakefile"))._workflow
        found = {rule.name: described(rule) for rule in workflow.rules}
    sys.stdout.write(json.dumps(found))


def described(rule: Any) -> dict[str, Any]:
    return {
        "message": rule.message,
        "log": [str(path) for path in rule.log],
        "conda": str(rule.conda_env or ""),
        "threads": int(rule.resources["_cores"].value),
        "script": str(rule.script or ""),
        "code": str(rule.input.get("code", "")),
        "runs": rule.is_run,
        "output": [str(path) for path in rule.output],
    }


if __name__ == "__main__":
    main()
