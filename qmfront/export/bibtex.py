"""What a study used, as BibTeX: works that its cases really needed, with the versions of the programs that ran.

The works stand in `references.bib`. Which of them count follows from the settings of the cases with results, and from
what lies in their results: a study without a crack does not cite the field of one.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from qmfront.config.eam_text import EAM
from qmfront.config.material import QuantumModel
from qmfront.config.study import Case, Study
from qmfront.models.ace.io import load_potential

WORKS = Path(__file__).with_name("references.bib")
ALWAYS = {
    "wang2024": "the error estimate, and the loop that it drives",
    "drautz2019": "the form of the MM potential",
    "dusson2022": "the form of the MM potential",
    "larsen2017": "atoms and calculators",
    "moelder2021": "the workflow",
    "grigorev2024": "neighbours of atoms, fields of cracks",
    "harris2020": "arrays",
    "virtanen2020": "linear algebra",
}
VERSIONED = {"larsen2017": "ase", "grigorev2024": "matscipy", "harris2020": "numpy", "virtanen2020": "scipy"}
"""Works on programs, and the name of the program in the provenance of a store."""
CALCULATORS = {
    EAM: "daw1984",
    "qmfront.models.nrltb.": "bernstein2000",
    "ase.calculators.emt.": "jacobsen1996",
    "ase.calculators.lammps": "thompson2022",
    "gpaw.": "mortensen2024",
}
"""What the dotted path of a QM model begins with, and the work that it is from."""
DEFECTS = {
    "dislocation": ("stroh1958", "the far field of the dislocation"),
    "crack": ("sih1965", "the field of the crack"),
}
HEAD = 5
"""Lines of a file of a potential in which its authors may say where it comes from."""
SOURCE = re.compile(r"[A-Za-z]{3}.*(cit|doi|phys|acta|lett|journal|\b(19|20)\d\d\b|et al)", re.IGNORECASE)
"""A line that tells a source has words, and one of these."""


@dataclass(frozen=True)
class Cited:
    """An entry of BibTeX, and what the study used it for; an empty entry is a remark."""

    entry: str
    reason: str


def bibliography(root: Path, study: Study, cases: Iterable[str]) -> str:
    """The text of a BibTeX file for cases with results below a folder; each entry follows the reason for it."""
    found: dict[str, Cited] = {}
    for cited in _cited(root, study, list(cases)):
        found.setdefault(cited.entry or cited.reason, cited)
    parts = [f"% {each.reason}\n{each.entry}".rstrip() for each in found.values()]
    return "\n\n".join(parts) + "\n"


def works() -> dict[str, str]:
    """Key -> entry of all works that a study may use."""
    blocks = re.split(r"\n\s*\n", WORKS.read_text(encoding="utf-8").strip())
    entries = [block.strip() for block in blocks if block.startswith("@")]
    return {entry.partition("{")[2].partition(",")[0]: entry for entry in entries}


def _cited(root: Path, study: Study, cases: list[str]) -> Iterator[Cited]:
    known, versions = works(), _versions(root, cases)
    yield Cited(_software(versions.get("qmfront", "")), "the program")
    for key, reason in ALWAYS.items():
        yield Cited(_with_version(known[key], versions.get(VERSIONED.get(key, "none"))), reason)
    for name in cases:
        for key, reason in _of_case(root, study.cases[name]):
            yield Cited(known[key], reason)
    for material in sorted({study.cases[name].material for name in cases}):
        yield from _of_model(root, study.materials[material].qm, known)


def _of_case(root: Path, case: Case) -> Iterator[tuple[str, str]]:
    """Key and reason."""
    if case.refine.method == "fast_marching":
        yield "sethian1996", "the front that marks QM atoms"
    if case.defect.kind in DEFECTS:
        yield DEFECTS[case.defect.kind]
    potential = root / "results" / "potentials" / case.potential
    if (potential / "intervals.csv").is_file():
        yield "swinburne2025", "the intervals of the MM potential"
    if load_potential(potential / "potential.json").repulsion is not None:
        yield "ziegler1985", "the repulsion of the MM potential at short distances"


def _of_model(root: Path, model: QuantumModel, known: dict[str, str]) -> Iterator[Cited]:
    keys = [
        key for path in model.dotted_paths for start, key in CALCULATORS.items() if path.startswith(start)
    ]
    for key in dict.fromkeys(keys):
        yield Cited(known[key], f"the QM model {model.calculator}")
    if model.calculator == EAM and model.arguments(root).get("potential", "W_zhou") == "W_zhou":
        yield Cited(known["zhou2004"], "the parameters W_zhou of the QM model")
    if not keys:
        yield Cited("", f"The QM model is {model.calculator}: cite what its authors ask for.")
    for path in map(Path, model.files.values()):
        lines = _source(root / path)
        if lines:
            yield Cited(
                _misc(path.name, lines), f"{path.name}, a file of the QM model, says where it comes from"
            )


def _source(path: Path) -> list[str]:
    """Lines at the head of a file in which a source is told."""
    try:
        with path.open(encoding="utf-8") as stream:
            head = [line.strip("#/! \t\n") for line, _ in zip(stream, range(HEAD), strict=False)]
    except (OSError, UnicodeDecodeError):  # a folder, or no text
        return []
    return [line for line in head if SOURCE.search(line)]


def _misc(name: str, lines: list[str]) -> str:
    key = re.sub(r"\W+", "_", name).strip("_")
    return f"@misc{{{key},\n  title = {{{_plain(name)}}},\n  note = {{{_plain('; '.join(lines))}}}\n}}"


def _plain(text: str) -> str:
    """A text without what BibTeX or TeX would take for a command."""
    return re.sub(r"([&%$#_])", r"\\\1", re.sub(r"[{}\\]", "", text))


def _software(version: str) -> str:
    told = f",\n  version = {{{_plain(version)}}}" if version else ""
    return (
        "@software{qmfront,\n  author = {{qmfront authors}},\n  title = {qmfront: adaptive {QM/MM} for crystalline "
        f"defects}}{told}\n}}"
    )


def _with_version(entry: str, version: str | None) -> str:
    if not version or version == "absent":
        return entry
    return f"{entry.rstrip().removesuffix('}').rstrip()},\n  note = {{version {version}}}\n}}"


def _versions(root: Path, cases: list[str]) -> dict[str, str]:
    """Name -> version of what wrote the last estimate of the last of the cases."""
    runs = [
        path for case in cases for path in (root / "results" / case).glob("[0-9]*/estimate.zarr/run.json")
    ]
    if not runs:
        return {}
    last = max(runs, key=lambda path: path.stat().st_mtime)
    return dict(json.loads(last.read_text(encoding="utf-8")).get("versions", {}))
