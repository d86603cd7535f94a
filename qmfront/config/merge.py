"""What a name stands for: the layers that define a case, a material or a potential, and how they merge.

A name is that of a file in config/cases, config/materials or config/potentials, of an entry in the study, or of both:
the entry then changes keys of the file. Either may start from another one by `extends`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from qmfront.config.errors import LONGEST, ConfigError, Location, did_you_mean, shown_value
from qmfront.config.reading import read_yaml
from qmfront.config.section import NAME, Yaml

Kind = Literal["case", "material", "potential"]
ABSENT = object()


@dataclass(frozen=True)
class Layer:
    """Some keys of a case, a material or a potential.

    source : what says them, a file relative to the root of the project or a section of the study
    content : the keys, without `extends`
    """

    source: str
    content: Yaml

    def place(self, location: Location) -> str:
        """Where a reader finds a key: 'config/cases/a.yaml: refine.t_new', 'case_defaults.refine.t_new'."""
        if self.source.endswith(".yaml"):
            return f"{self.source}: {dotted(location)}"
        return f"{self.source}.{dotted(location)}" if location else self.source


@dataclass(frozen=True)
class Definitions:
    """The cases, materials or potentials that can be named in a study.

    entries : those that the study itself defines or changes, by name
    root : folder of the study
    library : folder of the project, whose files count where the first folder has none of that name
    """

    kind: Kind
    entries: Mapping[str, Yaml]
    root: Path
    library: Path | None = None

    @property
    def names(self) -> list[str]:
        """All of them, sorted."""
        written = (name for name, entry in self.entries.items() if entry)
        return sorted({*written, *self._files})

    @cached_property
    def _files(self) -> set[str]:
        return {name for folder in self._folders for name in names_of_files(self.kind, folder)}

    def is_there(self, name: str) -> bool:
        """Whether something defines a name."""
        return bool(self.entries.get(name)) or name in self._files

    @property
    def _folders(self) -> list[Path]:
        return [self.root] if self.library is None else [self.root, self.library]

    def layers_of(self, name: str) -> list[Layer]:
        """The layers that define a name, the most general first.

        Raises
        ------
        ConfigError : there is no such name, a file is not YAML, or definitions extend each other in a circle
        """
        layers: list[Layer] = []
        trail: list[str] = []
        wanted: Any = name
        while wanted is not None:
            if wanted in trail:
                shown = " -> ".join([*trail, wanted])
                raise ConfigError([f"{self.kind}s extend each other in a circle: {shown}"])
            own, extended = self._own_layers(wanted, wanted_by=layers[0] if layers else None)
            layers = [*own, *layers]
            trail.append(wanted)
            wanted = extended
        return layers

    def _own_layers(self, name: str, *, wanted_by: Layer | None) -> tuple[list[Layer], str | None]:
        """What a name says itself, and the name that it extends."""
        if not re.fullmatch(NAME, str(name)):
            raise ConfigError(
                [f"{self._who(wanted_by)} {str(name)[:60]!r}: a name has up to 100 letters, digits and _"]
            )
        file, entry = self._file(name), self.entries.get(name, {})
        found = []
        if file.is_file() and "extends" not in entry:
            shown = self._shown(name)
            _refuse_link_outside(file, shown, file.parents[1])
            found.append(Layer(shown, read_yaml(file, shown=shown)))
        if entry:
            found.append(Layer(f"{self.kind}s.{name}", entry))
        if not found:
            raise ConfigError([self._absent(name, wanted_by)])
        extended = None
        for number, layer in enumerate(found):
            content = dict(layer.content)
            extended = content.pop("extends", extended)
            found[number] = Layer(layer.source, content)
        if extended is not None and not isinstance(extended, str):
            raise ConfigError(
                [
                    f"{found[-1].place(('extends',))} = {extended!r} should be the name of one other {self.kind}"
                ]
            )
        return found, extended

    def _absent(self, name: str, wanted_by: Layer | None) -> str:
        who = self._who(wanted_by)
        return f"{who} {name!r}, but there is no file {self._shown(name)}{did_you_mean(name, self.names)}"

    def _who(self, wanted_by: Layer | None) -> str:
        return f"{wanted_by.source} extends" if wanted_by else f"{self.kind}s lists"

    def _file(self, name: str) -> Path:
        """The first that there is; else that of the study."""
        files = [folder / self._shown(name) for folder in self._folders]
        return next((file for file in files if file.is_file()), files[0])

    def _shown(self, name: str) -> str:
        """The file, relative to the folder that it is in."""
        return f"config/{self.kind}s/{name}.yaml"


def _refuse_link_outside(file: Path, shown: str, folder: Path) -> None:
    """A name stands for a file of the project, not for any file that a link in its place leads to."""
    if not file.resolve().is_relative_to(folder.resolve()):
        raise ConfigError(
            [
                f"{shown} is a link to {shown_value(str(file.resolve()))}, which is outside of config/ and is not "
                "read. Put a copy of that file in the place of the link"
            ]
        )


def names_of_files(kind: Kind, root: Path) -> list[str]:
    """Names of the cases, materials or potentials that have a file in the project."""
    return sorted(file.stem for file in (root / "config" / f"{kind}s").glob("*.yaml"))


def no_such(kind: Kind, name: str, defined: Iterable[str], root: Path) -> str:
    """That a name stands for nothing: neither the study defines it, nor a file of the project."""
    known = {*defined, *names_of_files(kind, root)}
    return f"no {kind} {name!r}, neither under {kind}s nor in config/{kind}s{did_you_mean(name, known)}"


def merged(base: Yaml, over: Yaml) -> Yaml:
    """base with the keys of over; mappings merge key by key, everything else is replaced.

    Mappings whose `kind` differs describe different things: the one of over replaces that of base.
    """
    result = dict(base)
    for name, value in over.items():
        old = result.get(name)
        if isinstance(old, dict) and isinstance(value, dict) and _same_kind(old, value):
            result[name] = merged(old, value)
        else:
            result[name] = value
    return result


def _same_kind(old: Yaml, new: Yaml) -> bool:
    return "kind" not in old or "kind" not in new or old["kind"] == new["kind"]


def place_of(location: Location, layers: list[Layer]) -> str:
    """Where what stands at a location was said: in the last of the layers that holds it, or its parent."""
    standing = [
        layer
        for number, layer in enumerate(layers)
        if not any(_replaced(layer.content, later.content, location) for later in layers[number + 1 :])
    ]
    for end in range(len(location), 0, -1):
        for layer in reversed(standing):
            if _at(location[:end], layer.content) is not ABSENT:
                return layer.place(location)
    return layers[-1].place(location)


def dotted(location: Location) -> str:
    """Dotted path of a key."""
    return ".".join(_shown(name) for name in location) or "the whole configuration"


def _shown(name: str | int) -> str:
    """A key as it is written if it can be printed, shortened."""
    text = str(name)
    plain = text.isprintable() and text.strip() == text and text and "." not in text
    return text if plain and len(text) <= LONGEST else shown_value(name)


def _replaced(old: Yaml, new: Yaml, location: Location) -> bool:
    """Whether nothing that old says at a location survives a merge with new, since it is of another kind there."""
    pairs = ((_at(location[:end], old), _at(location[:end], new)) for end in range(1, len(location) + 1))
    return any(
        isinstance(one, dict) and isinstance(other, dict) and not _same_kind(one, other)
        for one, other in pairs
    )


def _at(location: Location, content: Any) -> Any:
    for name in location:
        in_mapping = isinstance(content, Mapping) and name in content
        in_list = isinstance(content, list) and isinstance(name, int) and name < len(content)
        if not (in_mapping or in_list):
            return ABSENT
        content = content[name]
    return content
