"""Every study of config/ is a configuration that can be used, if its calculator is installed."""

from pathlib import Path
from typing import Any

import pytest
from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

from qmfront.config.errors import ConfigError
from qmfront.config.load import load

CONFIG = Path(__file__).parents[2] / "config"
BELOW = {"points_large": ["points"]}
"""Files on top of which a study is computed, beside config.yaml."""


@pytest.mark.parametrize("name", sorted(path.stem for path in CONFIG.glob("*.yaml")))
def test_it_can_be_loaded(name: str) -> None:
    config = load_configfile(str(CONFIG / "config.yaml"))
    for file in [*BELOW.get(name, []), name]:
        update_config(config, load_configfile(str(CONFIG / f"{file}.yaml")))
    assert [problem for problem in problems_in(config) if "in this environment" not in problem] == []


def problems_in(config: dict[str, Any]) -> tuple[str, ...]:
    try:
        load(config, CONFIG.parent)
    except ConfigError as error:
        return error.problems
    return ()
