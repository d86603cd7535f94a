"""Any ASE calculator in a program of its own, started by a command: an MPI-parallel one, or one of another environment.

    qm:
      calculator: qmfront.models.remote.Remote
      kwargs:
        launch: mpiexec -n 16 gpaw python
        model: {calculator: gpaw.GPAW, kwargs: {...}}

The command is followed by `-m qmfront.models.remote_worker FOLDER` and starts a Python that has this package's
dependencies and the model. The program lives as long as the calculator, so that a moved structure finds the density
of the last one. All processes of a launch read their question from a folder that they share; process 0 answers.
"""

import json
import os
import pickle
import shlex
import shutil
import socket
import subprocess
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes

WORKER = "qmfront.models.remote_worker"
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 0.2
"""Seconds between two looks at a program that has not yet called back."""
LAST_WORDS = 2000
"""Characters of the output of a failed program that an error shows."""


class Remote(Calculator):
    """A calculator behind a socket.

    launch : command that starts Python, in as many processes as it likes; it does not change the values, and is no part
        of what the journal knows them by
    model : {calculator: dotted path, kwargs: {...}}

    Raises
    ------
    RuntimeError if the program ends before it answers, with the end of its output; or if the model raises.
    """

    def __init__(self, *, launch: str, model: Mapping[str, Any]) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="remote-"))
        self._channel, self._program = _started(launch, dict(model), self._folder)
        self._finish = weakref.finalize(self, _ended, self._channel, self._program, self._folder)
        self.implemented_properties = self._received()

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: tuple[str, ...] = ("energy",),
        system_changes: list[str] = all_changes,
    ) -> None:
        """Fill `results`; called by ASE."""
        super().calculate(atoms, properties, system_changes)
        known = {"numbers": self.atoms.numbers, "positions": self.atoms.positions}
        known |= {"cell": self.atoms.cell.array, "pbc": self.atoms.pbc}
        for name in ("initial_magmoms", "initial_charges"):
            if self.atoms.has(name):
                known[name] = self.atoms.arrays[name]
        pickle.dump((known, list(properties)), self._channel)
        self._channel.flush()
        self.results = self._received()

    def close(self) -> None:
        """End the program."""
        self._finish()

    def _received(self) -> Any:
        """The next answer of the program."""
        try:
            kind, answer = pickle.load(self._channel)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise RuntimeError(
                f"The program of the model ended without an answer. {_words(self._folder)}"
            ) from error
        except BaseException:  # a time limit: nobody will listen to the answer
            self._program.terminate()
            raise
        if kind == "missing":
            raise PropertyNotImplementedError(answer)
        if kind == "failed":
            raise RuntimeError(answer)
        return answer


def _started(launch: str, model: dict[str, Any], folder: Path) -> tuple[Any, subprocess.Popen]:
    """The channel to a program that has called back, and the program."""
    (folder / "model.json").write_text(json.dumps(model), encoding="utf-8")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "socket"))
    listener.listen(1)
    listener.settimeout(PATIENCE)
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    with (folder / "output").open("wb") as output:
        program = subprocess.Popen(
            [*shlex.split(launch), "-m", WORKER, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": paths},
        )
    with listener:
        while True:
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                if program.poll() is None:
                    continue
                words = _words(folder)
                shutil.rmtree(folder, ignore_errors=True)
                raise RuntimeError(
                    f"{launch!r} ended with {program.returncode} before the model was ready. {words}"
                ) from None
            connection.settimeout(None)
            return connection.makefile("rwb"), program


def _words(folder: Path) -> str:
    """The end of what the program has printed."""
    output = folder / "output"
    text = output.read_text(encoding="utf-8", errors="replace").strip() if output.is_file() else ""
    return f"Its last words: {text[-LAST_WORDS:]}" if text else "It printed nothing."


def _ended(channel: Any, program: subprocess.Popen, folder: Path) -> None:
    """Close the channel, which tells the program to end, and insist on it."""
    try:
        channel.close()
        program.wait(timeout=5.0)
    except (OSError, subprocess.TimeoutExpired):
        program.kill()
        program.wait()
    shutil.rmtree(folder, ignore_errors=True)
