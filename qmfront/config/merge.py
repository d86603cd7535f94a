"""Case files: reading, inheritance by `extends`, and merging with the defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from qmfront.config.errors import ConfigError, Location, did_you_mean

FOLDER = Path("config") / "cases"


@dataclass(frozen=True)
class Layer:
    """What one file says.

    source : the file, relative to the root of the project
    content : its keys, without `extends`
    """

    source: str
    content: dict[str, Any]


class _Loader(yaml.SafeLoader):
    """YAML that refuses a key written twice; plain YAML keeps the last one silently."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        name = loader.construct_object(key_node, deep=True)
        if name in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {name!r} occurs twice", key_node.start_mark
            )
        seen.add(name)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path, *, shown: str) -> dict[str, Any]:
    """The mapping in a YAML file; `shown` is its name in errors."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except yaml.YAMLError as error:
        raise ConfigError([f"{shown} is not valid YAML: {' '.join(str(error).split())}"]) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError([f"{shown} holds a {type(content).__name__}; it should hold keys with values"])
    return content


def layers_of(case: str, root: Path) -> list[Layer]:
    """The files that define a case, the most general first.

    Raises
    ------
    ConfigError : a file is missing or not YAML, or cases extend each other in a circle
    """
    layers: list[Layer] = []
    trail: list[str] = []
    name: Any = case
    while name is not None:
        trail.append(name)
        if name in trail[:-1]:
            raise ConfigError([f"cases extend each other in a circle: {' -> '.join(trail)}"])
        content = dict(_read_case(name, root, wanted_by=trail[-2] if len(trail) > 1 else None))
        name = content.pop("extends", None)
        if name is not None and not isinstance(name, str):
            raise ConfigError(
                [f"{_shown(trail[-1])}: extends = {name!r} should be the name of one other case"]
            )
        layers.insert(0, Layer(_shown(trail[-1]), content))
    return layers


def _read_case(name: str, root: Path, *, wanted_by: str | None) -> dict[str, Any]:
    path = root / FOLDER / f"{name}.yaml"
    if not path.is_file():
        known = sorted(file.stem for file in (root / FOLDER).glob("*.yaml"))
        who = f"{_shown(wanted_by)} extends" if wanted_by else "cases lists"
        raise ConfigError([f"{who} {name!r}, but there is no file {_shown(name)}{did_you_mean(name, known)}"])
    return read_yaml(path, shown=_shown(name))


def _shown(name: str) -> str:
    return (FOLDER / f"{name}.yaml").as_posix()


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """base with the keys of over; mappings merge key by key, everything else is replaced.

    Mappings whose `kind` differs describe different things: the one of over replaces that of base.
    """
    result = dict(base)
    for name, value in over.items():
        old = result.get(name)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and _same_kind(old, value):
            result[name] = merged(old, value)
        else:
            result[name] = value
    return result


def _same_kind(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return "kind" not in old or "kind" not in new or old["kind"] == new["kind"]


def source_of(location: Location, layers: list[Layer]) -> str:
    """The file that said what stands at a location: the last of the layers that holds it, or its parent."""
    for end in range(len(location), 0, -1):
        for layer in reversed(layers):
            if _holds(layer.content, location[:end]):
                return layer.source
    return layers[-1].source


def _holds(content: Any, location: Location) -> bool:
    for name in location:
        in_mapping = isinstance(content, Mapping) and name in content
        in_list = isinstance(content, list) and isinstance(name, int) and name < len(content)
        if not (in_mapping or in_list):
            return False
        content = content[name]
    return True
