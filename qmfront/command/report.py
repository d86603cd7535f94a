"""`qmfront report`: the page of a study, of what is computed by now."""

import os

from qmfront.command.output import Exit, complain, say
from qmfront.command.project import Place
from qmfront.report.page import page
from qmfront.report.study import results_so_far
from qmfront.storage.writing import write_file


def write_report(place: Place, output: str) -> int:
    """Write the page; its exit code.

    Parameters
    ----------
    place : with results
    output : path of the page, from the folder of the study
    """
    results, path = place.folder / "results", place.folder / output
    found = results_so_far(place.study(), results)
    if found is None:
        complain(
            "no case has a result yet. Compute the study with qmfront run; qmfront status shows how far it is"
        )
        return Exit.FAILED
    write_file(path, page(found, folder=f"{os.path.relpath(results, path.parent)}/"))
    say(f"The report is {output}")
    return Exit.DONE
