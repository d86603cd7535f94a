"""`qmfront export`: what other programs read of a finished study, and finished QM calls as extended XYZ."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from qmfront.command.output import Exit, complain, say, say_json
from qmfront.command.project import JOURNAL, Place
from qmfront.config.study import Study
from qmfront.evaluate.exchange import export_entries
from qmfront.storage.writing import write_file

KINDS = {
    "xyz": "structures as extended XYZ, for ASE and OVITO",
    "lammps": "data file, input script and potentials for LAMMPS",
    "mlmix": "the same for ML-MIX, which mixes both potentials by region",
    "bibtex": "references.bib, the works that the study used",
    "crate": "study.crate.zip, the whole finished study as an RO-Crate",
}
"""What can be written, and for whom."""
STRUCTURES, LAMMPS, MLMIX, REFERENCES, CRATE = KINDS
WHOLE = "study"
"""Stands for the case of a file that is of all of them."""


@dataclass(frozen=True)
class Wanted:
    """What is exported.

    kind : one of KINDS
    cases : names; all that have results where none is named
    k : iteration; None for the last one
    output : folder, made where there is none, relative to that of the study
    """

    kind: str
    cases: tuple[str, ...]
    k: int | None
    output: Path

    @classmethod
    def of(cls, words: Sequence[str], k: int | None, output: str) -> "Wanted":
        """From the words of the command line: a kind, if the first of them is one, and cases."""
        named = list(words)
        kind = named.pop(0) if named and named[0] in KINDS else STRUCTURES
        return cls(kind, tuple(named), k, Path(output))


@dataclass
class Written:
    """Files by the case that they are of, and why a case has none."""

    files: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def add(self, case: str, write: Callable[[], Sequence[Path]]) -> None:
        """Write files of a case; a ValueError says why there are none."""
        try:
            self.files[case] = [str(path) for path in write()]
        except ValueError as error:
            self.refused[case] = str(error)

    def tell(self, kind: str, *, as_json: bool) -> int:
        """Say it; the exit code."""
        if as_json:
            say_json({"kind": kind, "files": self.files, "refused": self.refused})
        else:
            for case, files in self.files.items():
                say("\n".join(f"{case}: {file}" for file in files))
        for case, reason in self.refused.items():
            complain(f"{case}: {reason}")
        return Exit.FAILED if self.refused or not self.files else Exit.DONE


def export(place: Place, wanted: Wanted, *, as_json: bool = False) -> int:
    """Write what is wanted of the cases that have results."""
    known = sorted({path.parents[1].name for path in (place.folder / "results").glob("*/*/estimate.zarr")})
    lacking = [case for case in wanted.cases if case not in known]
    if lacking or not known:
        complain(
            f"no iteration of {', '.join(lacking) or 'any case'} is solved. There is: {', '.join(known) or 'nothing'}"
        )
        return Exit.FAILED
    (place.folder / wanted.output).mkdir(parents=True, exist_ok=True)
    cases, written = wanted.cases or tuple(known), Written()
    if wanted.kind == STRUCTURES:
        for case in cases:
            written.add(case, partial(_structure, place.folder, case, wanted))
        return written.tell(wanted.kind, as_json=as_json)
    study = place.study()
    foreign = [case for case in wanted.cases if case not in study.cases]
    if foreign:
        complain(f"the study {place.file} does not have {', '.join(foreign)}. Name its study with --study")
        return Exit.FAILED
    cases = tuple(case for case in cases if case in study.cases)
    if wanted.kind in (LAMMPS, MLMIX):
        for case in cases:
            written.add(case, partial(_lammps, place.folder, study, case, wanted))
    else:
        write = _references if wanted.kind == REFERENCES else _crate
        written.add(WHOLE, partial(write, place, study, cases, wanted))
    return written.tell(wanted.kind, as_json=as_json)


def _structure(root: Path, case: str, wanted: Wanted) -> list[Path]:
    from qmfront.analysis.structure import finished_iteration, write_iteration

    path = root / wanted.output / f"{case}.extxyz"
    results = root / "results" / case
    write_iteration(path, finished_iteration(results, _iteration(results, wanted.k)))
    return [path]


def _lammps(root: Path, study: Study, case: str, wanted: Wanted) -> list[Path]:
    from qmfront.export.case import write_lammps, write_mlmix

    k, write = _iteration(root / "results" / case, wanted.k), {LAMMPS: write_lammps, MLMIX: write_mlmix}
    return write[wanted.kind](root, study, case, k, root / wanted.output / f"{case}.{wanted.kind}")


def _references(place: Place, study: Study, cases: Sequence[str], wanted: Wanted) -> list[Path]:
    from qmfront.export.bibtex import bibliography

    path = place.folder / wanted.output / "references.bib"
    write_file(path, bibliography(place.folder, study, cases))
    return [path]


def _crate(place: Place, study: Study, cases: Sequence[str], wanted: Wanted) -> list[Path]:
    from qmfront.export.crate import write_crate

    path = place.folder / wanted.output / "study.crate.zip"
    write_crate(place.folder, place.file, study, path)
    return [path]


def _iteration(results: Path, wanted: int | None) -> int:
    """The one that is wanted, or the last; ValueError if it is not solved."""
    from qmfront.analysis.structure import solved_iterations

    solved = solved_iterations(results)
    if wanted is not None and wanted not in solved:
        raise ValueError(f"iteration {wanted} is not solved. Choose one of {', '.join(map(str, solved))}")
    return solved[-1] if wanted is None else wanted


def export_journal(folder: Path, file: str) -> int:
    """Write every sound evaluation of the journal to a file."""
    if not (folder / JOURNAL).is_dir():
        complain(f"there is no journal {JOURNAL}: nothing was computed here yet")
        return Exit.FAILED
    done = export_entries(folder / JOURNAL, folder / file)
    say(f"{done.written} evaluations are in {file}")
    for path in done.unsound:
        complain(f"{path} is damaged and was left out")
    return Exit.FAILED if done.unsound else Exit.DONE
