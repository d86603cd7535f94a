"""The command line of `qmfront`: its subcommands, their options, and the exit codes that they end with."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from qmfront.command.output import Exit, complain, say, say_json
from qmfront.command.project import JOURNAL, STUDY, Place, compute, prepare_environment, project
from qmfront.config.errors import ConfigError
from qmfront.storage.holders import HeldError

INTERRUPTED = 130
SHELLS = ("bash", "zsh")
CODES = (
    "exit codes: 0 done; 1 a computation or a check failed; 2 wrong command line; 3 the study, or a file of it, is "
    "wrong, and nothing was computed; 4 another run is at work in the folder; 130 interrupted"
)
HANDED_ON = "Every other option, and names of targets, are handed on to Snakemake."

Options = argparse.Namespace
Action = Callable[[Options, list[str]], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    at = words.index("--") if "--" in words else len(words)
    parser = parser_of_command()
    options, others = parser.parse_known_args(words[:at])
    others += words[at + 1 :]
    if others and not options.hands_on:
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    prepare_environment()
    try:
        return int(options.action(options, others))
    except ConfigError as error:
        complain(str(error))
        return Exit.MISTAKE
    except HeldError as error:
        complain(str(error))
        return Exit.HELD
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE


def parser_of_command() -> argparse.ArgumentParser:
    """All subcommands with their options."""
    parser = argparse.ArgumentParser(
        prog="qmfront",
        description="Adaptive QM/MM for crystalline defects.",
        epilog=CODES,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"qmfront {_version()}")
    parser.add_argument("-C", "--folder", default=".", help="work there instead of here")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, action: Action, text: str, *, hands_on: bool = False) -> argparse.ArgumentParser:
        more = f" {HANDED_ON}" if hands_on else ""
        found = commands.add_parser(
            name, help=text, description=f"{text}.{more}", epilog=CODES, allow_abbrev=False
        )
        found.set_defaults(action=action, hands_on=hands_on)
        return found

    _add_init(command)
    check = command("check", _check, "look for mistakes, and examine the QM model", hands_on=True)
    check.add_argument("--dry", action="store_true", help="without the QM model: no QM call")
    plan = command("plan", _plan, "what the cases will cost, before it is spent", hands_on=True)
    run = command("run", _run, "compute the study, or go on with it", hands_on=True)
    status = command("status", _status, "where the cases stand")
    report = command(
        "report",
        _report,
        "write one HTML file: the answer, the structures to turn, the error, the cost",
        hands_on=True,
    )
    report.add_argument("-o", "--output", help="its name (report.html; with --workflow workflow.html)")
    report.add_argument(
        "--workflow",
        action="store_true",
        help="the report of Snakemake instead: every figure, and how each file was made",
    )
    doctor = command("doctor", _doctor, "look at the environment and at the folder")
    for each in (check, plan, run, status, report):
        each.add_argument("--study", default=STUDY, help="file of the study (%(default)s)")
    for each in (check, plan, status, doctor):
        each.add_argument("--json", action="store_true", help="for a program that reads it")
    _add_export(command)
    journal = command("journal", _journal, "what the journal of finished QM calls holds", hands_on=True)
    journal.epilog = (
        "--check reads every entry, --delete asks first, export FILE and import FILE exchange evaluations"
    )
    shell = command("completion", _completion, "the completion of a shell, to be evaluated by it")
    shell.add_argument("shell", choices=SHELLS)
    return parser


def _add_init(command: Callable[..., argparse.ArgumentParser]) -> None:
    init = command("init", _init, "write a study for a structure file")
    init.add_argument("structure", nargs="?", help="file with the atoms, in any format that ASE reads")
    init.add_argument("--calculator", metavar="PATH", help="dotted path of an ASE calculator")
    init.add_argument("--kwargs", metavar="JSON", default="{}", help="keyword arguments of the calculator")
    init.add_argument("--cutoff", metavar="Å", type=float, help="range of its interaction")
    init.add_argument(
        "--tolerance", metavar="Å", type=float, help="error of the structure that is good enough"
    )
    init.add_argument("--example", metavar="NAME", help="a study that comes with qmfront, such as minimal")
    init.add_argument("--study", default=STUDY, help="file that is written (%(default)s)")
    init.add_argument("--force", action="store_true", help="write over a study that is there")


def _add_export(command: Callable[..., argparse.ArgumentParser]) -> None:
    from qmfront.command.export import KINDS

    export = command("export", _export, "write results for other programs, or finished QM calls")
    kinds = "; ".join(f"{name}: {meaning}" for name, meaning in KINDS.items())
    export.description = f"Write results for other programs, or finished QM calls. {kinds}."
    export.add_argument(
        "what",
        nargs="*",
        metavar="KIND, CASE",
        help=f"{', '.join(KINDS)}, then cases ({next(iter(KINDS))}, all)",
    )
    export.add_argument("-k", "--iteration", type=int, help="iteration (the last one)")
    export.add_argument("-o", "--output", default="export", help="folder for the files (%(default)s)")
    export.add_argument("--journal", metavar="FILE", help="write the finished QM calls to this file instead")
    export.add_argument("--study", default=STUDY, help="file of the study (%(default)s)")
    export.add_argument("--json", action="store_true", help="for a program that reads it")


def _place(options: Options) -> Place:
    folder = Path(options.folder).resolve()
    if not folder.is_dir():
        raise ConfigError([f"there is no folder {folder}. Make it, or correct --folder"])
    return Place(folder, getattr(options, "study", STUDY))


def _init(options: Options, _: list[str]) -> int:
    from qmfront.command.init import Asked, initialise

    return initialise(_place(options), Asked.of(options))


def _check(options: Options, others: list[str]) -> int:
    from qmfront.command.check import check

    return check(_place(options), others, is_dry=options.dry, as_json=options.json)


def _plan(options: Options, others: list[str]) -> int:
    from qmfront.command.check import plan

    return plan(_place(options), others, as_json=options.json)


def _run(options: Options, others: list[str]) -> int:
    place = _place(options)
    place.study()
    failed = compute(place, others)
    if not failed and (place.folder / "results" / "summary.html").is_file():
        say("results/summary.html has the results: open it in a browser.")
    return Exit.FAILED if failed else Exit.DONE


def _status(options: Options, _: list[str]) -> int:
    from qmfront.command import status
    from qmfront.progress import state_of

    place = _place(options)
    is_there = (place.folder / place.file).is_file()
    named = list(place.written().get("cases") or []) if is_there else []
    state = state_of(place.folder)
    if options.json:
        say_json(status.plain(state, named))
    else:
        say(status.page(state, named))
    return Exit.DONE


def _report(options: Options, others: list[str]) -> int:
    place = _place(options)
    if options.workflow:
        return _workflow_report(place, options.output or "workflow.html", others)
    if others:
        complain(f"unrecognized arguments: {' '.join(others)}; only the report --workflow hands them on")
        return Exit.USAGE
    from qmfront.command.report import write_report

    return write_report(place, options.output or "report.html")


def _workflow_report(place: Place, output: str, others: list[str]) -> int:
    """Snakemake's own report."""
    place.study()
    shown = project() / "workflow" / "report"
    look = ["--report-metadata", str(shown / "front.yaml"), "--report-stylesheet", str(shown / "style.css")]
    failed = compute(place, ["--report", output, *look, *others])
    if not failed:
        say(f"The report of the workflow is {output}")
    return Exit.FAILED if failed else Exit.DONE


def _export(options: Options, _: list[str]) -> int:
    from qmfront.command.export import Wanted, export, export_journal

    place = _place(options)
    if options.journal:
        return export_journal(place.folder, options.journal)
    wanted = Wanted.of(options.what, options.iteration, options.output)
    return export(place, wanted, as_json=options.json)


def _journal(options: Options, others: list[str]) -> int:
    from qmfront.evaluate import inventory

    folder = _place(options).folder / JOURNAL
    if not folder.is_dir() and others[:1] != ["import"]:
        say("0 evaluations: nothing was computed here yet.")
        return Exit.DONE
    return inventory.main([str(folder), *others])


def _doctor(options: Options, _: list[str]) -> int:
    from qmfront.command.doctor import findings

    found = findings(_place(options).folder)
    is_ill = any(finding.state == "problem" for finding in found)
    if options.json:
        say_json({"well": not is_ill, "findings": [vars(finding) for finding in found]})
    else:
        say("\n".join(f"{each.state:<8} {each.what}: {each.told}" for each in found))
    return Exit.FAILED if is_ill else Exit.DONE


def _completion(options: Options, _: list[str]) -> int:
    import shtab

    say(shtab.complete(parser_of_command(), options.shell))
    return Exit.DONE


def _version() -> str:
    try:
        return version("qmfront")
    except PackageNotFoundError:
        return "of a clone"
