"""Kills the processes of a workflow at one chosen point; every Python process below reads its plan on start.

Python announces file operations to audit hooks, so the code under test is not touched: a rename of `x.partial` to `x`
is announced after the write and before the rename. The plan is JSON in QMFRONT_FAULT: rule, where, number, victim, and
`spent`, a file that is made when the fault strikes, so that it strikes once.
"""

import atexit
import json
import os
import re
import signal
import sys


def _rule() -> str:
    """The rule whose script this process runs, "snakemake" for Snakemake itself, "" for anything else."""
    words = sys.orig_argv
    for word in words:
        if found := re.search(r"\.snakemake/scripts/tmp\w+\.(\w+)\.py$", word):
            return found.group(1)
    return "snakemake" if words[1:3] == ["-m", "snakemake"] else ""


def _snakemakes() -> list[int]:
    """Snakemake processes above this one, and this one if it is Snakemake."""
    found, pid = [], os.getpid()
    while pid > 1:
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            words = stream.read().split(b"\0")
        if words[1:3] == [b"-m", b"snakemake"]:
            found.append(pid)
        with open(f"/proc/{pid}/stat") as stream:
            pid = int(stream.read().rpartition(")")[2].split()[1])
    return found


class Fault:
    """Counts what happens at the chosen place, and strikes when the number is reached."""

    def __init__(self, plan: dict) -> None:
        self.where, self.number, self.victim = plan["where"], plan["number"], plan["victim"]
        self.spent, self.seen = plan["spent"], 0

    def happens(self, where: str) -> None:
        if where != self.where:
            return
        self.seen += 1
        if self.seen != self.number:
            return
        try:
            os.close(os.open(self.spent, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        if self.victim in ("snakemake", "both"):
            for pid in _snakemakes():
                os.kill(pid, signal.SIGKILL)
        if self.victim in ("job", "both"):
            os.kill(os.getpid(), signal.SIGKILL)

    def hear(self, event: str, arguments: tuple) -> None:
        """Audit hook."""
        if event == "os.rename":
            self._renamed(os.fspath(arguments[0]), os.fspath(arguments[1]))
        elif event == "open" and isinstance(arguments[0], str):
            if arguments[0].endswith("/decision.json"):
                self.happens("decision")
            elif re.search(r"work/journal/\w\w$", arguments[0]):
                self.happens("journaled")  # the folder is flushed once the entry has its name

    def _renamed(self, source: str, target: str) -> None:
        if "work/journal/" in target:
            self.happens("journal")
        elif ".zarr.partial/" in target:
            self.happens("chunk")
        elif source.endswith(".partial") and ".snakemake" not in target:
            self.happens("rename")


def _begin() -> None:
    if not (text := os.environ.get("QMFRONT_FAULT")):
        return
    plan = json.loads(text)
    if plan["rule"] != _rule():
        return
    fault = Fault(plan)
    sys.fault = fault  # the calculator of the tests tells of its calls
    sys.addaudithook(fault.hear)
    atexit.register(fault.happens, "end")
    fault.happens("start")


_begin()
