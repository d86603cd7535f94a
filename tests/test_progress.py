"""What is reported of a run is what its files say, on a terminal as a live line and elsewhere as lines."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from dataclasses import replace
from pathlib import Path

from qmfront.estimate.numbers import IterationNumbers
from qmfront.estimate.trust import Trust
from qmfront.progress import State, cases, lines, live_line, running_jobs, state_of
from qmfront.refine.decision import Decision
from qmfront.refine.report import report
from qmfront.storage.lock import exclusive

ROOT = Path(__file__).parents[1]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def a_run(root: Path) -> Path:
    """Iteration 0 of a case is decided, iteration 1 is estimated; Snakemake has done 7 of 20 steps."""
    for k, (n_qm, eta, calls) in enumerate([(56, 0.11787, 15), (126, 0.0525, 7)]):
        estimate = {"n_qm": n_qm, "eta": eta, "qm_calls": calls}
        write(root / f"results/edge/{k}/estimate.json", json.dumps(estimate))
    write(root / "results/edge/0/decision.json", json.dumps({"k": 0, "stop": False, "reason": "above"}))
    write(root / "logs/edge/2/solve.log", "x: QM call 1: 230 atoms\nx: QM call 2: 230 atoms\n")
    write(root / "logs/edge/1/solve.log.lock", "")  # of a job that was killed
    write(root / "logs/edge/1/solve.log", "")
    write(root / ".snakemake/log/2026.snakemake.log", "3 of 9 steps (33%) done\n7 of 20 steps (35%) done\n")
    return root


def test_state_of_a_run(tmp_path: Path) -> None:
    root = a_run(tmp_path)
    with exclusive(root / "logs/edge/2/solve.log.lock", what="test"):
        state = state_of(root)
    (job,) = state.jobs
    assert (job.rule, job.subject, job.k, job.qm_calls) == ("solve", "edge", 2, 2)
    assert 0 <= job.seconds < 60
    assert state.steps == (7, 20)
    assert [str(case) for case in state.cases] == ["edge k=1: N_QM 126, eta 5.25e-02 Å, 22 QM calls"]
    assert lines(state)[0] == "7 of 20 steps"
    assert lines(state)[-1].startswith("running: solve edge k=2 (0:0")
    assert "solve edge k=2" in live_line(state) and "N_QM 126" in live_line(state)


def test_a_finished_case_says_why(tmp_path: Path) -> None:
    root = a_run(tmp_path)
    made = {"k": 1, "stop": True, "reason": "2 iterations are done"}
    write(root / "results/edge/1/decision.json", json.dumps(made))
    assert str(cases(root)[0]).endswith("22 QM calls, done: 2 iterations are done")
    estimate = {"n_qm": 126, "eta": 0.05, "qm_calls": 7, "trusted": False}
    write(root / "results/edge/1/estimate.json", json.dumps(estimate))
    assert "eta 5.00e-02 Å (not trusted), 22 QM" in str(cases(root)[0])


def test_time_left_is_that_of_the_plan(tmp_path: Path) -> None:
    """Iterations 0 and 1 have an estimate: what the plan says of 2 and 3 is left."""
    root = a_run(tmp_path)
    rows = [{"k": k, "seconds": seconds} for k, seconds in enumerate([900.0, 600.0, 300.0, 301.0])]
    write(root / "results/plan/edge.json", json.dumps({"iterations": rows}))
    assert str(cases(root)[0]).endswith("22 QM calls, 10:01 left by the plan")
    made = {"k": 1, "stop": True, "reason": "2 iterations are done"}
    write(root / "results/edge/1/decision.json", json.dumps(made))
    assert "left" not in str(cases(root)[0])


def test_both_jobs_of_an_iteration_are_seen(tmp_path: Path) -> None:
    root = a_run(tmp_path)
    write(root / "logs/edge/1/adapt.log", "x: QM call 1: 480 atoms\n")
    solve, adapt = (root / f"logs/edge/{name}.log.lock" for name in ("2/solve", "1/adapt"))
    with exclusive(solve, what="test"), exclusive(adapt, what="test"):
        found = {(job.rule, job.k, job.qm_calls) for job in running_jobs(root)}
    assert found == {("solve", 2, 2), ("adapt", 1, 1)}


def test_nothing_and_half_written_files(tmp_path: Path) -> None:
    assert lines(state_of(tmp_path)) == ["Nothing was computed here yet."]
    write(tmp_path / "results/edge/0/estimate.json", '{"n_qm": 5')
    assert state_of(tmp_path) == State((), (), (0, 0))
    assert running_jobs(tmp_path) == []


def test_a_line_per_iteration() -> None:
    trust = Trust((), (), settled=True, lowest_eigenvalue=0.3)
    numbers = IterationNumbers(56, 100, 2000, 0.11787, {}, "hessian", "exact", 1e-3, 15, {}, trust)
    goes_on = report("edge", Decision(0, False, "r"), numbers)
    assert goes_on == "edge, iteration 0: N_QM = 56, eta = 1.179e-01 Å, 15 QM calls; goes on; trusted"
    assert report("edge", Decision(0, True, "r"), numbers).endswith("; stops: r; trusted")
    doubted = replace(numbers, trust=Trust(("saddle",), ("n",), settled=True, lowest_eigenvalue=-0.1))
    assert report("edge", Decision(0, False, "r"), doubted).endswith("; goes on; NOT TRUSTED: saddle; n")


def test_on_a_terminal_a_line_stays_below_the_output(tmp_path: Path) -> None:
    """On a pseudo-terminal; the status is that of the command."""
    root = a_run(tmp_path)
    script = "import time\nfor n in range(3):\n    print('line', n, flush=True)\n    time.sleep(0.9)\nexit(3)"
    command = [sys.executable, "-m", "qmfront.progress", "--", sys.executable, "-c", script]
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 150, 0, 0))
    process = subprocess.Popen(
        command,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    said = b""
    while True:
        try:
            said += os.read(master, 4096)
        except OSError:  # the other end is closed
            break
    os.close(master)
    assert process.wait(30) == 3
    assert all(f"line {n}".encode() in said for n in range(3))
    assert b"7/20 steps" in said


def test_elsewhere_the_command_runs_as_it_is(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "qmfront.progress", "--", sys.executable, "-c", "print('plain')"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("plain\n", "")
    once = subprocess.run(
        command[:3],
        cwd=a_run(tmp_path),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert once.stdout.splitlines()[0] == "7 of 20 steps"
