"""`qmfront check` and `qmfront plan`: what is wrong with a study, and what it will cost."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qmfront.command.output import Exit, complain, say, say_json, table
from qmfront.command.project import Place, ask, compute
from qmfront.config.errors import ConfigError
from qmfront.config.study import Study
from qmfront.plan.dry_run import problems_of_files
from qmfront.preflight.construction import problems_of_models

HEAD = ("case", "iterations", "N_QM", "eta, Å", "QM calls", "hours left", "ends because")


def check(place: Place, options: Sequence[str], *, is_dry: bool, as_json: bool) -> int:
    """Look at the settings, the models and the files of a study, then examine every QM model.

    Parameters
    ----------
    options : of Snakemake
    is_dry : whether no QM model is examined, so that Snakemake is not started
    as_json : whether one document of JSON is written, on whatever is found
    """
    try:
        study = place.study()
        found = [*problems_of_files(study, place.folder), *problems_of_models(study, place.folder)]
        if problems := list(dict.fromkeys(found)):
            raise ConfigError(problems)
    except ConfigError as error:
        if not as_json:
            raise
        say_json({"passed": False, "problems": list(error.problems), "preflight": {}})
        return Exit.MISTAKE
    if not as_json:
        say(f"{place.file}: {', '.join(study.cases)}: no mistakes.")
    if is_dry:
        if as_json:
            say_json({"passed": True, "problems": [], "preflight": {}})
        return Exit.DONE
    return _examined(place, study, options, as_json=as_json)


def plan(place: Place, options: Sequence[str], *, as_json: bool) -> int:
    """Predict QM calls, time and memory of every case, and show them."""
    study = place.study()
    if as_json:
        done = ask(place, ["plans", *options])
        if done.returncode:
            complain(done.stdout)
            return Exit.FAILED
    elif compute(place, ["plans", *options]):
        return Exit.FAILED
    found = {case: _read(place.folder / "results" / "plan" / f"{case}.json") for case in study.cases}
    if as_json:
        say_json(found)
        return Exit.DONE
    say(table(HEAD, [_row(case, content["scenarios"]["expected"]) for case, content in found.items()]))
    say("results/plan has a page for every case.")
    return Exit.DONE


def _examined(place: Place, study: Study, options: Sequence[str], *, as_json: bool) -> int:
    """The verdicts on all QM models of a study."""
    if as_json:
        done = ask(place, ["all_preflight", *options])
        if done.returncode:
            return _failed(done.stdout, as_json, code=Exit.FAILED)
    elif compute(place, ["all_preflight", *options]):
        return Exit.FAILED
    pages = {name: Path("results") / "preflight" / f"{name}.json" for name in study.materials}
    found = {name: _read(place.folder / path) for name, path in pages.items()}
    is_passed = all(content["passed"] for content in found.values())
    if as_json:
        say_json({"passed": is_passed, "problems": [], "preflight": found})
    else:
        for name, path in pages.items():
            verdict = "passed" if found[name]["passed"] else "refused"
            say(
                f"{found[name]['calculator']} for {name}: {verdict}; {path.with_suffix('.md')} has the numbers."
            )
    return Exit.DONE if is_passed else Exit.FAILED


def _failed(said: str, as_json: bool, *, code: Exit = Exit.MISTAKE) -> int:
    """What Snakemake said of a run that failed is told."""
    if as_json:
        say_json({"passed": False, "problems": [said.strip()], "preflight": {}})
    else:
        complain(said.strip())
    return code


def _row(case: str, expected: dict[str, Any]) -> tuple[str, ...]:
    eta = expected["eta"]
    return (
        case,
        str(expected["iterations"]),
        str(expected["n_qm"]),
        "-" if eta is None else f"{eta:.1e}",
        str(expected["qm_calls"]),
        f"{expected['hours_left']:.2g}",
        expected["reason"],
    )


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
