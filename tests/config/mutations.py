"""Configurations as strangers would break them: one change of a complete study each, by class, from a seed."""

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import yaml

Path = tuple[str | int, ...]

ODD_KEYS = (
    "t new", "", "a.b", "[key]", "tagged-union[x]", "é", "function-after[f(), x]", "x" * 300, "a/b",
    "$(touch made)", "kind ", "0", "-", "None", "\u202ekey", "a\tb", "a\nb", "__class__", "{}",
)  # fmt: skip
ODD_NAMES = (
    "x" * 300, "..", "../../etc", "a/b", "a b", "$(touch made)", "", "é", "a.b", "-n", "*", "all",
    "bulk", "structure", "solve", "plans", "potentials", "0", "NUL", "a;b", "~", "zarr.json",
    "ab" * 25, "crystal",
)  # fmt: skip
ODD_TEXTS = (
    "broken $\\frac{a$ math", "costs $5 or $6", "$\\alpha", "ü \u202e rtl", "a\nb", "x" * 3000,
    "$(touch made)", "😀", "<script>", "{potential}", "%s%n", "\x07", "_under_", "$x_$", "C:\\new",
    "$\\undefined$", " ", "", "$" + "{" * 60 + "}" * 60 + "$",
)  # fmt: skip
ODD_FILES = (
    "/etc/passwd", "../../etc/passwd", "config", "/", "", "no/such.file", "a\x00b", "~/.ssh/id_rsa",
    "x" * 5000, "config/structures", "mysql://host/db", "-",
)  # fmt: skip
ODD_NUMBERS = (
    -1, 0, 1, 2, 1e300, -1e300, 1e-300, 5e-324, float("nan"), float("inf"), -float("inf"), 10**17,
    -(10**17), 0.5, 1e6, 12345.678, -0.0, 3,
)  # fmt: skip
ODD_VALUES = (
    "text", "", [], [1], {}, {"a": 1}, None, True, False, 3, 2.5, -1, "1e-4", "5 Å", [[]], ["a", "b"],
    "x" * 400, list(range(40)), {"kind": "x"}, {"kind": 3}, [None], "null", "nan",
)  # fmt: skip
ABSURD: dict[str, tuple[Any, ...]] = {
    "clamp_width": (50000.0, 1e300, 1e5),
    "radius_r0": (2000.0, 1e300, 1999.0, 500.0),
    "core_offset": ([1e6, 0.0], [1e300, 0.0], [0.0, -1e5]),
    "tip_offset": ([1e5, 0.0], [0.0, 30.0], [1e300, 1e300]),
    "cells": (100, 99, 10**9),
    "mesh": (1e-6, 1e-300, 1e-3),
    "added": ([[1e300, 0, 0]], [[0.0, 0.0, 0.0]], [[1e6, 0.0, 0.0]], [[1e-9, 0, 0]]),
    "removed": ([[0.1, 0.2, 0.3]], [[0, 0, 0], [0, 0, 0]], [[1e9, 0, 0]], [[1e300, 0, 0]]),
    "position": ([1e9, 0, 0], [1e300, 0, 0]),
    "layer_r0": (1e300, 1e4),
    "line": ([0, 1000000, 0], [0, 1009, 1], [0, 0, 0], [10**15, 1, 0]),
    "plane": ([0, 0, -7], [1009, 1, 0], [10**15, 0, 0], [0, 0, 0, 1]),
    "burgers": ([0.3, 0.0, 0.0], [0.0, 0.0, 0.0], [20.0, 0.0, 0.0], [1e300, 0.0, 0.0]),
    "axes": ([[1000, 0, 0], [0, 1, 0], [0, 0, 1]], [[1, 0, 0], [1, 0, 0], [0, 0, 1]], [[10**17, 0, 0]] * 3),
    "lattice_constant": (36.0, 1e300, 1e-300),
    "lattice_constant_guess": (1.01, 19.9),
    "centre_r0": ([0, 0, 50], [1e6, 0], [1e300, 0.0]),
    "max_calls": (10**17, 10**9),
    "count": (10000, 10**9),
    "max_degree": ([40] * 5, [40, 40, 40], [1], [60, 60], [9] * 6),
    "angular_weight": (0.1, 1e-9, 5.0),
    "repeat": ([20, 20, 20], [20, 20]),
    "width": (199.0, 1e300),
    "reach": (49.9, 1e-9),
    "cutoff": (49.9, 19.9, 1e-9),
    "layers": (400, 100),
    "far_field_samples": (100000, 10**12),
    "n_qm": ([1, 2, 10**15], list(range(1, 400))),
    "core": ([1e9, 1e9], [1e300, 0.0]),
    "slope": (-10.0, 1e300),
    "memory": (200, 10**6),
    "phonon_cells": (64,),
    "vacuum": (200.0,),
    "atoms": (500,),
    "tries": (100,),
}  # fmt: skip
CODE = (
    "os.system", "subprocess.getoutput", "antigravity.X", "ase.calculators.vasp.Vasp", "builtins.exec",
    "gpaw.GPAW", "qmfront.models.remote.Remote", "importlib.import_module", "ase.io.read", "x.y", "os",
    "os.", ".os", "a b.c",
)  # fmt: skip
YAML = (
    "1:30", "060", "2024-01-01", "yes", "off", "0x1F", "!!python/object/apply:os.system ['touch made']",
    "!!binary aGk=", "!!set {a, b}", "!x 1", "*nothing", "&a {b: *a}", "9" * 5000, "1e-4", ".nan",
    ".inf", "1_0", "=", "<<", "|\n a", ">-\n b", "[" * 200 + "]" * 200, "[" + "1, " * 30000 + "1]",
    "{a: 1, a: 2}", "? [1]", "%TAG", "@x", "`x`", "!!float x", "0b1", "!!int x", "!!null x", "-",
    "&a [&b [*a]]", "__import__('os').system('touch made')",
)  # fmt: skip
CHARACTERS = "{}[]:,#&*!|>%@`\t\"'-?\\ \x00\x07é0a."


@dataclass(frozen=True)
class Mutation:
    """One change.

    kind : its class
    text : the study
    key : what a message must name: the key, a name or a value; empty if any place will do
    """

    kind: str
    text: bytes
    key: str = ""


def mutations(bases: Sequence[dict[str, Any]], seed: int) -> Iterator[Mutation]:
    """Endless, the classes in turn."""
    random = Random(seed)
    while True:
        for kind, make in CLASSES.items():
            base = random.choice(bases)
            found = make(base, random)
            if found is not None:
                yield Mutation(kind, *found)


def written(study: Any) -> bytes:
    """A study as YAML."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump(study, Dumper=dumper, sort_keys=False, allow_unicode=True, width=1000).encode()


Found = tuple[bytes, str] | None


def _misspelt(study: dict[str, Any], random: Random) -> Found:
    path, _ = random.choice(list(_keys(study)))
    name = str(path[-1])
    at = random.randrange(len(name))
    other = random.choice(
        [name[:at] + name[at + 1 :], name[:at] + name[at] + name[at:], name + "s", name.upper()]
    )
    if not other or other == name:
        return None
    return written(_renamed(study, path, other)), other if len(path) != 2 else ""


def _odd_key(study: dict[str, Any], random: Random) -> Found:
    sections = [path for path, value in _nodes(study) if isinstance(value, dict)]
    path, name = random.choice([(), *sections]), random.choice(ODD_KEYS)
    return written(_with(study, (*path, name), random.choice(ODD_VALUES))), name


def _missing(study: dict[str, Any], random: Random) -> Found:
    path, _ = random.choice(list(_keys(study)))
    return written(_without(study, path)), ""


def _wrong_value(study: dict[str, Any], random: Random) -> Found:
    path, old = random.choice(list(_nodes(study)))
    value = random.choice(ODD_VALUES)
    return None if value == old else (written(_with(study, path, value)), _key_of(path))


def _wrong_section(study: dict[str, Any], random: Random) -> Found:
    path, old = random.choice([(path, value) for path, value in _nodes(study) if isinstance(value, dict)])
    value = random.choice(ODD_VALUES)
    return None if value == old else (written(_with(study, path, value)), _key_of(path))


def _number(study: dict[str, Any], random: Random) -> Found:
    numbers = [(path, value) for path, value in _nodes(study) if isinstance(value, int | float)]
    path, old = random.choice(numbers)
    value = random.choice(ODD_NUMBERS)
    return None if value == old else (written(_with(study, path, value)), "")


def _absurd(study: dict[str, Any], random: Random) -> Found:
    places = [(path, value) for path, value in _keys(study) if path[-1] in ABSURD]
    path, old = random.choice(places)
    value = random.choice(ABSURD[str(path[-1])])
    return None if value == old else (written(_with(study, path, value)), "")


def _name(study: dict[str, Any], random: Random) -> Found:
    kind = random.choice(
        [name for name in ("cases", "materials", "potentials", "figures") if study.get(name)]
    )
    return (
        written(_renamed(study, (kind, random.choice(list(study[kind]))), random.choice(ODD_NAMES))),
        "",
    )


def _reference(study: dict[str, Any], random: Random) -> Found:
    """A name that something else is found by."""
    wanted = ("material", "potential", "extends", "case", "cases", "potentials")
    places = [(path, value) for path, value in _keys(study) if path[-1] in wanted and len(path) > 2]
    path, _ = random.choice(places)
    name = random.choice(ODD_NAMES)
    return (
        written(_with(study, path, [name] if path[-1] in ("cases", "potentials") else name)),
        _key_of(path),
    )


def _file(study: dict[str, Any], random: Random) -> Found:
    places = [
        path for path, value in _nodes(study) if path[-1] == "file" or (len(path) > 1 and path[-2] == "files")
    ]
    path = random.choice(
        places or [("materials", next(iter(study["materials"])), "qm", "files", "potential")]
    )
    return written(_with(study, path, random.choice(ODD_FILES))), _key_of(path)


def _title(study: dict[str, Any], random: Random) -> Found:
    path = random.choice([path for path, value in _nodes(study) if path[-1] == "title"])
    value = random.choice(ODD_TEXTS)
    return written(_with(study, path, value)), "title"


def _code(study: dict[str, Any], random: Random) -> Found:
    material = next(iter(study["materials"]))
    case = next(iter(study["cases"]))
    name = random.choice(CODE)
    spec: dict[str, Any] = {"calculator": name, "kwargs": {"command": "touch made"}}
    where = random.randrange(4)
    if where == 0:
        return written(_with(study, ("materials", material, "qm", "calculator"), name)), "calculator"
    if where == 1:
        return (
            written(_with(study, ("materials", material, "qm", "kwargs", "model"), spec)),
            "calculator",
        )
    if where == 2:
        return written(_with(study, ("cases", case, "qm_kwargs"), {"model": spec})), "calculator"
    expression = '__use_yte__: true\n?__import__("os").system("touch made"): 1\n'
    return expression.encode() + written(study), "__use_yte__"


def _swapped(study: dict[str, Any], random: Random) -> Found:
    nodes = list(_nodes(study))
    (path, old), (_, other) = random.choice(nodes), random.choice(nodes)
    return None if old == other else (written(_with(study, path, copy.deepcopy(other))), "")


def _yaml(study: dict[str, Any], random: Random) -> Found:
    """A value in the text that is special in YAML."""
    path, _ = random.choice(
        [(path, value) for path, value in _keys(study) if not isinstance(value, dict | list)]
    )
    value = random.choice(YAML)
    text = written(_with(study, path, "PLACE")).replace(b"PLACE", value.encode())
    return text, ""


def _characters(study: dict[str, Any], random: Random) -> Found:
    text = list(written(study).decode())
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(text))
        text[at] = random.choice(["", text[at] + random.choice(CHARACTERS), random.choice(CHARACTERS)])
    return "".join(text).encode(), ""


def _lines(study: dict[str, Any], random: Random) -> Found:
    lines = written(study).decode().splitlines()
    at = random.randrange(len(lines))
    change: Callable[[], list[str]] = random.choice(
        [
            lambda: [lines[at], lines[at]],
            list,
            lambda: [f" {lines[at]}"],
            lambda: [f"\t{lines[at]}"],
            lambda: [lines[at].lstrip()],
            lambda: [lines[at], *lines[random.randrange(len(lines)) :][:3]],
        ]
    )
    return "\n".join([*lines[:at], *change(), *lines[at + 1 :], ""]).encode(), ""


def _bytes(study: dict[str, Any], random: Random) -> Found:
    text = written(study)
    at = random.randrange(len(text))
    changes = (
        text[:at],
        text[:at] + bytes([random.randrange(128, 256)]) + text[at:],
        text[:at] + b"\x00" + text[at:],
        text.decode().encode("utf-16"),
        text.replace(b"a", "å".encode("latin-1"), 1),
        bytes(random.randrange(256) for _ in range(200)),
        json.dumps(study).encode()[: -random.randrange(1, 50)],
        b"",
    )
    return random.choice(changes), ""


def _shape(study: dict[str, Any], random: Random) -> Found:
    """Values that are long or deep."""
    path, _ = random.choice(list(_keys(study)))
    deep: Any = 1
    for _ in range(random.choice([8, 25, 28])):
        deep = {"a": deep} if random.random() < 0.5 else [deep]
    value = random.choice([deep, [0.5] * 2000, "y" * 50_000, {f"k{n}": n for n in range(500)}, 10**17])
    return written(_with(study, path, value)), ""


CLASSES: dict[str, Callable[[dict[str, Any], Random], Found]] = {
    "misspelt key": _misspelt,
    "odd key": _odd_key,
    "missing key": _missing,
    "wrong value": _wrong_value,
    "wrong section": _wrong_section,
    "odd number": _number,
    "absurd size": _absurd,
    "odd name": _name,
    "odd reference": _reference,
    "odd file": _file,
    "odd title": _title,
    "code": _code,
    "swapped value": _swapped,
    "special YAML": _yaml,
    "changed characters": _characters,
    "changed lines": _lines,
    "changed bytes": _bytes,
    "long or deep": _shape,
}


def _nodes(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """All values below the root, sections and entries of lists too."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inner:
        yield (*path, name), item
        yield from _nodes(item, (*path, name))


def _keys(study: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    return ((path, value) for path, value in _nodes(study) if isinstance(path[-1], str))


def _key_of(path: Path) -> str:
    """The last part of a path that is a key."""
    return str(next(name for name in reversed(path) if isinstance(name, str)))


def _with(study: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(study)
    section: Any = changed
    for name in path[:-1]:
        section = section.setdefault(name, {}) if isinstance(section, dict) else section[name]
    section[path[-1]] = value
    return changed


def _without(study: dict[str, Any], path: Path) -> dict[str, Any]:
    changed = copy.deepcopy(study)
    section: Any = changed
    for name in path[:-1]:
        section = section[name]
    del section[path[-1]]
    return changed


def _renamed(study: dict[str, Any], path: Path, name: str) -> dict[str, Any]:
    """The same with the last key of a path renamed, in its place."""
    changed = copy.deepcopy(study)
    section: Any = changed
    for part in path[:-1]:
        section = section[part]
    items = [(name if key == path[-1] else key, value) for key, value in section.items()]
    section.clear()
    section.update(items)
    return changed
