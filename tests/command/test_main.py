"""The command line: what it hands on to Snakemake, what it writes for machines, and its exit codes."""

import fcntl
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from qmfront.command import main as command
from qmfront.command.main import main
from qmfront.command.project import Place, project
from qmfront.storage.holders import HOLDERS, LOCKS
from tests.test_progress import a_run

STUDY = """
cases: {vacancy: {defect: {kind: point, removed: [[0, 0, 0]]}, domain: {cells: 6}}}
materials: {copper: {crystal: {symbol: Cu}, qm: {calculator: ase.calculators.emt.EMT, cutoff: 4.5}}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a study, in which the command is used."""
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """What Snakemake was called with; it is not started."""
    calls: list[list[str]] = []

    def compute(place: Place, options: list[str]) -> int:
        calls.append(place.snakemake(options))
        return 0

    monkeypatch.setattr(command, "compute", compute)
    return lambda: calls[-1]


def test_options_of_snakemake_are_handed_on(folder: Path, handed: Callable[[], list[str]]) -> None:
    """After those of the command, in their order, what follows -- as well."""
    assert main(["run", "--cores", "3", "-n", "all_bulk", "--", "--rerun-triggers", "mtime"]) == 0
    call = handed()
    assert call[:3] == [sys.executable, "-m", "snakemake"]
    assert call[-6:] == ["--cores", "3", "-n", "all_bulk", "--rerun-triggers", "mtime"]
    assert call[call.index("--configfile") + 1] == "study.yaml"
    assert call[call.index("--directory") + 1] == str(folder)
    assert Path(call[call.index("--snakefile") + 1]) == project() / "Snakefile"
    assert call.count("--cores") == 1


def test_all_processors_are_used_unless_something_else_is_said(
    folder: Path, handed: Callable[[], list[str]]
) -> None:
    main(["run"])
    assert handed()[handed().index("--cores") + 1] == str(len(os.sched_getaffinity(0)))
    for sized in (["-j", "4"], ["-c4"], ["--profile", "slurm"], ["--cores=2"]):
        main(["run", *sized])
        assert "--cores" not in handed()[: -len(sized)]


@pytest.mark.parametrize("words", [["--profile", "slurm"], ["--profile=slurm"]])
def test_a_profile_of_ours_is_named_by_its_name(
    words: list[str], folder: Path, handed: Callable[[], list[str]]
) -> None:
    """And one of the folder is that of the user."""
    main(["run", *words])
    ours = project() / "workflow" / "profiles" / "slurm"
    assert (ours / "config.yaml").is_file()
    assert handed()[-1] in (str(ours), f"--profile={ours}")
    (folder / "slurm").mkdir()
    main(["run", *words])
    assert handed()[-len(words) :] == words


def test_python_below_a_folder_with_blanks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is reached by a link without: Snakemake does not quote it."""
    environment = folder / "my environment"
    environment.mkdir()
    (environment / "bin").symlink_to(Path(sys.prefix) / "bin")
    monkeypatch.setattr(sys, "prefix", str(environment))
    monkeypatch.setattr(sys, "executable", str(environment / "bin" / "python3"))
    python = Place(folder).snakemake([])[0]
    assert " " not in python
    assert os.path.samefile(python, environment / "bin" / "python3")


def test_exit_codes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as usage:
        main(["status", "--nonsense"])
    assert usage.value.code == 2
    (folder / "study.yaml").write_text(STUDY.replace("cutoff", "cut_off"), encoding="utf-8")
    assert main(["run"]) == 3
    assert "did you mean 'cutoff'?" in capsys.readouterr().err
    (folder / "study.yaml").unlink()
    assert main(["plan"]) == 3
    assert "qmfront init" in capsys.readouterr().err
    assert main(["-C", "nowhere", "status"]) == 3


def test_a_folder_in_which_a_run_is_at_work(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for part in (LOCKS, HOLDERS):
        (folder / part).mkdir(parents=True)
    (folder / LOCKS / "0.input.lock").touch()
    holder = folder / HOLDERS / "4242@here"
    descriptor = os.open(holder, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert main(["run"]) == 4
    assert "process 4242 on here" in capsys.readouterr().err
    os.close(descriptor)
    assert main(["doctor", "--json"]) == 0
    runs = next(each for each in json.loads(capsys.readouterr().out)["findings"] if each["what"] == "runs")
    assert runs["state"] == "note"


def test_mistakes_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "study.yaml").write_text(STUDY.replace("cutoff: 4.5", "cutoff: far"), encoding="utf-8")
    assert main(["check", "--json"]) == 3
    said = json.loads(capsys.readouterr().out)
    assert not said["passed"] and "materials.copper.qm.cutoff" in said["problems"][0]


def test_status(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row for each case of the study, and for others that have results."""
    a_run(folder)
    assert main(["status"]) == 0
    steps, head, vacancy, edge = capsys.readouterr().out.splitlines()
    assert steps == "7 of 20 steps"
    assert re.split(r"  +", head)[:7] == ["case", "k", "N_QM", "eta, Å", "trust", "QM calls", "time left"]
    assert vacancy.split()[:2] == ["vacancy", "-"] and vacancy.endswith("no estimate yet")
    assert edge.split()[:7] == ["edge", "1", "126", "5.25e-02", "yes", "22", "-"]
    assert main(["status", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["steps"] == {"done": 7, "known": 20}
    assert [case["case"] for case in said["cases"]] == ["vacancy", "edge"]
    assert said["cases"][1]["eta"] == 0.0525 and said["cases"][1]["done"] is False
    assert said["cases"][0]["k"] is None


def test_status_where_nothing_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(tmp_path), "status"]) == 0
    assert capsys.readouterr().out == "Nothing was computed here yet.\n"
    assert main(["-C", str(tmp_path), "journal"]) == 0
    assert main(["-C", str(tmp_path), "export"]) == 1


def test_doctor(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"note +OMP_NUM_THREADS: 7: every job takes so many", said)
    assert re.search(r"ok +locks: flock holds\n", said)
    monkeypatch.setattr("qmfront.command.doctor.is_held", lambda path: False)
    assert main(["doctor"]) == 1
    assert "jobs would not see each other" in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_the_commands(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in ("init", "check", "doctor", "--tolerance"))
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=said, text=True, check=True)


def test_output_that_nobody_reads_to_its_end(folder: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m qmfront.command completion zsh | head -n 1",
        shell=True,
        check=True,
        capture_output=True,
        text=True,
        cwd=project(),
    )
    assert done.stderr == ""
