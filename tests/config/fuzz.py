"""Mutated configurations, each read as Snakemake reads it: `python -m tests.config.fuzz [--count 5000] [--csv FILE]`.

Every one ends within five seconds in a study that differs, or in an error that `clearness` calls clear. Prints what
does not, and writes a table by class.
"""

import argparse
import json
import resource
import signal
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jsonschema

from qmfront.config.errors import ConfigError
from qmfront.config.load import load
from qmfront.config.reading import read_yaml
from qmfront.config.study import Study
from tests.config.clearness import unclear
from tests.config.mutations import CLASSES, Mutation, mutations

ROOT = Path(__file__).parents[2]
FIGURES: dict[str, dict[str, Any]] = {
    "minimal": {"kind": "convergence", "cases": ["minimal"], "slope": -1.0},
    "minimal_crack": {"kind": "stages", "case": "minimal_crack", "n_qm": [4, 8]},
    "w_vacancy": {"kind": "certificate", "potentials": ["forces_only"]},
}
"""One of each case whose study is mutated; beside them that of a user's own structure."""
HANGS = 5.0
"""Seconds."""
OUTCOMES = ("clear", "unclear", "traceback", "hang", "accepted")


@dataclass(frozen=True)
class Outcome:
    """What became of a mutation: one of OUTCOMES, and the words that say why."""

    mutation: Mutation
    what: str
    why: str
    seconds: float


@dataclass(frozen=True)
class Base:
    """A study that is mutated: as it is written, and as it is loaded."""

    written: dict[str, Any]
    study: Study


def fuzzed(count: int, seed: int) -> Iterator[Outcome]:
    """What becomes of so many mutations; those that change no value are none."""
    studies = {case: {"cases": [case], "figures": {"one": figure}} for case, figure in FIGURES.items()}
    studies["own"] = read_yaml(ROOT / "config/studies/own.yaml", shown="own")
    bases = [Base(found := complete(study), read(found)) for study in studies.values()]
    with TemporaryDirectory() as folder:
        every = (
            outcome(mutation, bases, Path(folder, "study.yaml"))
            for mutation in mutations([base.written for base in bases], seed)
        )
        yield from islice((one for one in every if one is not None), count)


def complete(study: Mapping[str, Any]) -> dict[str, Any]:
    """A study with every key of its cases, materials and potentials written out."""
    found = load(study, ROOT).model_dump(mode="json")
    del found["trust"]
    return found


def read(config: dict[str, Any]) -> Study:
    """A study from what is written, by all that the Snakefile does with it."""
    study = load(config, ROOT)
    try:
        _schema().validate(config)
    except jsonschema.ValidationError as error:
        raise AssertionError(f"the schema refuses what is accepted: {error.message[:200]}") from None
    return study


def outcome(mutation: Mutation, bases: list[Base], path: Path) -> Outcome | None:
    """What becomes of one mutation, written to a path; None if it changes no value."""
    path.write_bytes(mutation.text)
    before = time.process_time()
    try:
        with limited(HANGS):
            config = read_yaml(path, shown=path.name)
            if any(config == base.written for base in bases):
                return None
            study = read(config)
    except ConfigError as error:
        reason = unclear(error.problems, mutation.key)
        what, why = ("unclear" if reason else "clear"), "; ".join([reason, *error.problems])
    except TimeoutError:
        what, why = "hang", ""
    except BaseException:
        what, why = "traceback", traceback.format_exc()
    else:
        ignored = any(study == base.study and not _says_less(config, base.written) for base in bases)
        what, why = ("unclear", "accepted without effect") if ignored else ("accepted", "")
    seconds = time.process_time() - before
    return Outcome(mutation, "hang" if seconds > HANGS else what, why, seconds)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in a block that takes longer."""

    def late(*_: object) -> None:
        raise TimeoutError

    old = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, old)


def table(found: list[Outcome]) -> str:
    """CSV: class, tried, and how many ended how."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in found:
        counts[one.mutation.kind][one.what] += 1
    rows = [(kind, counts[kind]) for kind in CLASSES] + [("all", Counter(one.what for one in found))]
    lines = [[kind, count.total(), *(count[what] for what in OUTCOMES)] for kind, count in rows]
    return "".join(",".join(map(str, line)) + "\n" for line in [["class", "tried", *OUTCOMES], *lines])


def _says_less(part: Any, whole: Any) -> bool:
    """Whether a study holds nothing that another does not: what it leaves open may have the same default."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and _says_less(value, whole[name]) for name, value in part.items())
    return bool(part == whole) or (part is None and whole == {})


@cache
def _schema() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        json.loads((ROOT / "workflow/schemas/config.schema.json").read_text(encoding="utf-8"))
    )


def main(arguments: list[str]) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.config.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--csv", type=Path, help="such as benchmarks/fuzz.csv")
    options = parser.parse_args(arguments)
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    found = []
    for one in fuzzed(options.count, options.seed):
        found.append(one)
        if one.what not in ("clear", "accepted"):
            sys.stdout.write(f"{len(found)} {one.mutation.kind}, {one.what}: {one.why[-1500:]}\n")
    text = table(found)
    sys.stdout.write(f"{text}longest: {max(one.seconds for one in found):.2f} s\n")
    if options.csv:
        options.csv.write_text(text, encoding="utf-8")
    return int(any(one.what not in ("clear", "accepted") for one in found))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
