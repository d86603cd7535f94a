"""`qmfront export`: what other programs read of a finished study, and finished QM calls as extended XYZ."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from qmfront.command.output import Exit, complain, say, say_json
from qmfront.command.project import JOURNAL, Place
from qmfront.evaluate.exchange import export_entries

if TYPE_CHECKING:
    from qmfront.config.study import Study

KINDS = {
    "xyz": "structures as extended XYZ, for ASE and OVITO",
    "lammps": "data file, input script and potentials for LAMMPS",
}
"""What can be written, and for whom."""
STRUCTURES, LAMMPS = KINDS


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
    study = None if wanted.kind == STRUCTURES else place.study()
    folder, written = place.folder / wanted.output, Written()
    folder.mkdir(parents=True, exist_ok=True)
    for case in wanted.cases or known:
        try:
            files = _export_case(place.folder, study, case, wanted)
        except ValueError as error:
            written.refused[case] = str(error)
        else:
            written.files[case] = [str(file) for file in files]
    return written.tell(wanted.kind, as_json=as_json)


def _export_case(root: Path, study: "Study | None", case: str, wanted: Wanted) -> list[Path]:
    """The files that were written; ValueError says why there are none."""
    from qmfront.analysis.structure import finished_iteration, solved_iterations, write_iteration
    from qmfront.export.case import write_lammps

    results, output = root / "results" / case, root / wanted.output
    solved = solved_iterations(results)
    if wanted.k is not None and wanted.k not in solved:
        raise ValueError(f"iteration {wanted.k} is not solved. Choose one of {', '.join(map(str, solved))}")
    k = solved[-1] if wanted.k is None else wanted.k
    if study is None:
        path = output / f"{case}.extxyz"
        write_iteration(path, finished_iteration(results, k))
        return [path]
    if case not in study.cases:
        raise ValueError("the study does not have this case. Name its study with --study")
    return write_lammps(root, study, case, k, output / f"{case}.lammps")


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
