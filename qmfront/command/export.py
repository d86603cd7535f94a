"""`qmfront export`: structures and finished QM calls as extended XYZ, which ASE and OVITO read."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from qmfront.command.output import Exit, complain, say
from qmfront.command.project import JOURNAL
from qmfront.evaluate.exchange import export_entries


def export_structures(folder: Path, cases: Sequence[str], k: int | None, output: Path) -> int:
    """Write the relaxed structures of cases, or those of an iteration, into a folder.

    Parameters
    ----------
    folder : with results
    cases : names; all that have results where none is named
    k : iteration; None for the last one
    output : folder, made where there is none
    """
    from qmfront.analysis.structure import write_iteration

    known = sorted(path.parents[1].name for path in (folder / "results").glob("*/0/estimate.zarr"))
    lacking = [case for case in cases if case not in known]
    if lacking or not known:
        complain(
            f"no iteration of {', '.join(lacking) or 'any case'} is solved. There is: {', '.join(known) or 'nothing'}"
        )
        return Exit.FAILED
    output = folder / output
    output.mkdir(parents=True, exist_ok=True)
    for case in cases or known:
        results = folder / "results" / case
        finished, path = results / "relaxed.extxyz", output / f"{case}.extxyz"
        if k is None and finished.is_file():
            shutil.copyfile(finished, path)
        else:
            last = max(int(each.parent.name) for each in results.glob("[0-9]*/estimate.zarr"))
            write_iteration(results, last if k is None else k, path)
        say(f"{case}: {path}")
    return Exit.DONE


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
