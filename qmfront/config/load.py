"""From the configuration that Snakemake read to a complete, checked study."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from qmfront.config.case import Case
from qmfront.config.checks import problems_of_study
from qmfront.config.errors import ConfigError, Location, problems_of
from qmfront.config.material import Material
from qmfront.config.merge import layers_of, merged, source_of
from qmfront.config.potential import Potential
from qmfront.config.study import Configuration, Study

Part = TypeVar("Part", Case, Material, Potential)


def load(config: Mapping[str, Any], root: Path) -> Study:
    """Resolve and check a configuration.

    Parameters
    ----------
    config : the merged configuration, as Snakemake's `config`
    root : folder of the project, which holds config/cases and which relative paths start from

    Raises
    ------
    ConfigError : with every problem found: unknown keys, wrong types or ranges, missing files and
        settings that contradict each other
    """
    root = Path(root)
    written = _configuration(config)
    study = Study(
        cases=_resolved(lambda name: _case(name, config["case_defaults"], root), written.cases),
        materials=_resolved(lambda name: _merged("material", name, config, Material), written.materials),
        potentials=_resolved(lambda name: _merged("potential", name, config, Potential), written.potentials),
        figures={name: figure for name, figure in written.figures.items() if figure is not None},
    )
    problems = problems_of_study(study, root)
    if problems:
        raise ConfigError(problems)
    return study


def _configuration(config: Mapping[str, Any]) -> Configuration:
    try:
        return Configuration.model_validate({**config, "figures": config.get("figures") or {}})
    except ValidationError as error:
        raise ConfigError(problems_of(error, Configuration, name_of=_dotted)) from error


def _resolved(resolve: Callable[[str], Part], names: Iterable[str]) -> dict[str, Part]:
    """What resolve gives for every name, or one error with the problems of all of them."""
    parts: dict[str, Part] = {}
    problems: dict[str, None] = {}  # ordered, and a problem of a file that others extend is told once
    for name in names:
        try:
            parts[name] = resolve(name)
        except ConfigError as error:
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise ConfigError(problems)
    return parts


def _merged(kind: str, name: str, config: Mapping[str, Any], model: type[Part]) -> Part:
    """A material or potential with its defaults."""

    def in_group(location: Location) -> str:
        return _dotted((f"{kind}s", name, *location))

    try:
        return model.model_validate(merged(config[f"{kind}_defaults"], config[f"{kind}s"][name]))
    except ValidationError as error:
        raise ConfigError(problems_of(error, model, name_of=in_group)) from error


def _case(name: str, defaults: Mapping[str, Any], root: Path) -> Case:
    layers = layers_of(name, root)
    content: dict[str, Any] = dict(defaults)
    for layer in layers:
        content = merged(content, layer.content)

    def with_file(location: Location) -> str:
        return f"{source_of(location, layers)}: {_dotted(location)}"

    try:
        return Case.model_validate(content)
    except ValidationError as error:
        raise ConfigError(problems_of(error, Case, name_of=with_file)) from error


def _dotted(location: Location) -> str:
    return ".".join(str(name) for name in location) or "the whole configuration"
