"""The text of a configuration as plain values: nothing in it is executed, repeated, or read as something else.

JSON and YAML 1.1 are read. A file of strangers may be of any size and shape, so that it is counted before it is built:
aliases as often as they are used, since nine lines of them can stand for a billion values.
"""

import json
from pathlib import Path
from typing import Any, NoReturn

import yaml

from qmfront.config.errors import ConfigError, shown_value
from qmfront.config.section import Yaml

MOST_BYTES = 1_000_000
"""Of a file; a study has kilobytes."""
MOST_VALUES = 20_000
"""Keys and values of a file, those behind aliases counted wherever they are used."""
DEEPEST = 30
"""Levels of keys and lists."""
MOST_DIGITS = 18
"""Of a whole number."""
TEMPLATE = "__use_yte__"
"""The key by which a file asks Snakemake to run the expressions in it."""
PLAIN = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map")
)
MERGE = "tag:yaml.org,2002:merge"
TEXT = "tag:yaml.org,2002:str"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML 1.1 in plain values, by the C library where it is there."""


def read_yaml(path: Path, *, shown: str) -> Yaml:
    """The keys with values in a JSON or YAML file; `shown` is its name in errors.

    Raises
    ------
    ConfigError : it cannot be read, is no UTF-8, too large or too deep, no YAML, repeats a key, refers to itself, holds
        tags of objects, asks for code to be run, or a value that YAML 1.1 reads as another one than is written
    """
    content = _values(_text(path, shown), shown)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError([f"{shown} holds a {type(content).__name__}; it should hold keys with values"])
    if TEMPLATE in content:
        raise ConfigError(
            [
                f"{shown}: {TEMPLATE} asks Snakemake to run the expressions in the file. A configuration runs no code: "
                "remove the key, and write the values that the expressions stand for"
            ]
        )
    return content


def _text(path: Path, shown: str) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise ConfigError([f"{shown}: there is no such file. Correct the path"]) from error
    except OSError as error:
        raise ConfigError(
            [f"{shown} cannot be read ({error.strerror}). Name a text file that you may read"]
        ) from error
    if len(content) > MOST_BYTES:
        raise ConfigError(
            [f"{shown} is larger than {MOST_BYTES} bytes: a configuration has kilobytes. Is it another file?"]
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            [f"{shown} is not text in UTF-8 (byte {error.start}): save it in that encoding"]
        ) from error


def _values(text: str, shown: str) -> Any:
    """As Snakemake does: what is JSON is read as such, where 1e-4 is a number, everything else as YAML."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            json.loads(text, parse_int=len, parse_constant=len)
        except (ValueError, RecursionError):
            pass
        else:
            return _json(text, shown)
    try:
        loader = _counted(text, shown)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _Doubt(shown).extent(node)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise ConfigError([_syntax(error, text, shown)]) from error
    except yaml.YAMLError as error:
        raise ConfigError(
            [f"{shown} is not valid YAML: {' '.join(str(error).split())}. Correct the file"]
        ) from error


def _json(text: str, shown: str) -> Any:
    content = json.loads(
        text,
        object_pairs_hook=lambda pairs: _once(pairs, shown),
        parse_int=lambda digits: _integer(digits, shown),
    )
    level, size = [content], 0
    for depth in range(1, DEEPEST + 2):
        size += len(level)
        _refuse_large(shown, size, depth if level else 0)
        inner = [list(value.values()) if isinstance(value, dict) else value for value in level]
        level = [item for values in inner if isinstance(values, list) for item in values]
    return content


def _counted(text: str, shown: str) -> _Loader:
    """A loader of a text that is neither too long nor too deep to be built."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        _refuse_large(shown, count // 2, depth, event)
    return _Loader(text)


class _Doubt:
    """Looks at every node of a text once, before any value is built."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.known: dict[int, tuple[int, int]] = {}
        self.open: set[int] = set()
        self.resolver = yaml.SafeLoader("")

    def extent(self, node: yaml.Node) -> tuple[int, int]:
        """Values in a node, those behind aliases as often as they are used, and levels of them."""
        name = id(node)
        if name in self.open:
            _refuse(self.shown, node, "an anchor (&) holds an alias (*) of itself. Write the values out")
        if name not in self.known:
            self.open.add(name)
            self._doubt(node)
            inner = [self.extent(value) for value in _inside(node)]
            self.known[name] = (
                1 + sum(size for size, _ in inner),
                1 + max((deep for _, deep in inner), default=0),
            )
            self.open.discard(name)
            _refuse_large(self.shown, *self.known[name])
        return self.known[name]

    def _doubt(self, node: yaml.Node) -> None:
        if node.tag not in PLAIN:
            self._refuse_tag(node)
        if isinstance(node, yaml.MappingNode):
            self._doubt_keys(node)
        elif isinstance(node, yaml.ScalarNode):
            self._doubt_scalar(node)

    def _doubt_keys(self, node: yaml.MappingNode) -> None:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag == MERGE:
                continue
            if key.tag != TEXT:
                written = (
                    shown_value(key.value)
                    if isinstance(key, yaml.ScalarNode)
                    else "that is a list or a group"
                )
                meant = key.tag.removeprefix("tag:yaml.org,2002:")
                _refuse(
                    self.shown, key, f"the key {written} is no text for YAML, but {meant}. Write it in quotes"
                )
            if key.value in seen:
                _refuse(self.shown, key, f"the key {shown_value(key.value)} occurs twice. Keep one of them")
            seen.add(key.value)

    def _doubt_scalar(self, node: yaml.ScalarNode) -> None:
        """Values that mean something else in YAML 1.1 than most readers think."""
        kind, text = node.tag.removeprefix("tag:yaml.org,2002:"), node.value
        if kind != "str" and self.resolver.resolve(yaml.ScalarNode, text, (True, False)) != node.tag:
            _refuse(
                self.shown,
                node,
                f"{shown_value(text)} is no {kind}, as its tag !!{kind} says. Write it without a tag",
            )
        if kind == "int":
            digits = text.lstrip("+-")
            _integer(digits, self.shown, node)
            if ":" in digits or (len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()):
                value = self.resolver.construct_yaml_int(node)
                _refuse(
                    self.shown,
                    node,
                    f"{text} means {value} in YAML 1.1: write {value}, or '{text}' for a text",
                )
        if kind == "float" and ":" in text:
            _refuse(
                self.shown, node, f"{text} is a number to the base of 60 in YAML 1.1. Write it with a point"
            )
        if kind == "bool" and text.lower() not in ("true", "false"):
            meant = "true" if text.lower() in ("yes", "on") else "false"
            _refuse(
                self.shown, node, f"{text} means {meant} in YAML 1.1: write {meant}, or '{text}' for a text"
            )

    def _refuse_tag(self, node: yaml.Node) -> NoReturn:
        if node.tag == MERGE:
            _refuse(self.shown, node, "<< is no value. Write '<<' for the text")
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind == "timestamp":
            _refuse(
                self.shown, node, f"{node.value} is a date in YAML 1.1. Write '{node.value}' for the text"
            )
        _refuse(
            self.shown,
            node,
            f"the tag {shown_value(node.tag)} asks for an object. A configuration holds numbers, texts, lists and keys "
            "alone: write the value without a tag",
        )


def _inside(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [value for _, value in node.value]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _integer(digits: str, shown: str, node: yaml.Node | None = None) -> int:
    """A whole number as JSON writes it; of a node of YAML only its length is looked at."""
    if len(digits) > MOST_DIGITS:
        text = (
            f"a whole number of {len(digits)} digits ({shown_value(digits)}), and no setting needs more than "
        )
        _refuse(shown, node, f"{text}{MOST_DIGITS}. Correct it, or write a text in quotes")
    return int(digits) if node is None else 0


def _once(pairs: list[tuple[str, Any]], shown: str) -> Yaml:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        _refuse(shown, None, f"the key {shown_value(twice)} occurs twice. Keep one of them")
    return content


def _syntax(error: yaml.MarkedYAMLError, text: str, shown: str) -> str:
    """File, line, and what a parser of YAML says; tabs, the most frequent cause, are told as such."""
    mark = error.problem_mark or error.context_mark
    line = mark.line if mark is not None else 0
    written = (text.splitlines() or [""])[min(line, len(text.splitlines()) - 1)] if text.strip() else ""
    what = " ".join(part for part in (error.context, error.problem) if part)
    if "\t" in written[: len(written) - len(written.lstrip())]:
        what = "the line is indented with a tab. Indent with blanks"
    else:
        what += ". Correct what stands there or before it: quotes, brackets, colons, indentation"
    return f"{shown} is not valid YAML, line {line + 1}: {what}"


def _refuse_large(shown: str, size: int, depth: int, place: Any = None) -> None:
    if depth > DEEPEST:
        what = f"keys and lists are nested more than {DEEPEST} deep, and no setting is. Is a bracket missing?"
        _refuse(shown, place, what)
    if size > MOST_VALUES:
        raise ConfigError(
            [
                f"{shown} holds more than {MOST_VALUES} values, those of aliases counted wherever they are used. A "
                "study has some hundreds: is it another file, or a list that belongs into a file of its own?"
            ]
        )


def _refuse(shown: str, place: Any, what: str) -> NoReturn:
    line = f", line {place.start_mark.line + 1}" if place is not None else ""
    raise ConfigError([f"{shown}{line}: {what}"])
