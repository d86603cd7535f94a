"""The other end of `remote.Remote`: builds the model in every process, answers questions until the channel closes.

Process 0 has the channel and hands each question to the others, so that a calculator that is parallel by MPI is
asked by all of its processes at once.
"""

import importlib
import json
import pickle
import socket
import sys
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError

ALWAYS = ("energy", "free_energy", "forces")
"""Properties that come with every answer, where the model has them: they cost nothing beside the first."""


def main(folder: Path) -> None:
    """Serve one model until its owner hangs up."""
    from qmfront.models.calculator import build

    spec = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    importlib.import_module(spec["calculator"].split(".")[0])  # before ASE decides what its processes are
    from ase.parallel import broadcast, world

    channel = None
    if world.rank == 0:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(folder / "socket"))
        channel = connection.makefile("rwb")
    model = build(spec)
    known = list(getattr(model, "implemented_properties", ("energy", "forces", "stress")))
    wanted = [name for name in ("energy", "free_energy", "forces", "stress") if name in known]
    _send(channel, ("properties", wanted))
    while True:
        question = broadcast(_next(channel) if world.rank == 0 else None)
        if question is None:
            return
        _send(channel, answered(model, *question, wanted))  # type: ignore[call-arg]


def answered(model: Any, description: dict, properties: list[str], wanted: list[str]) -> tuple[str, Any]:
    """("results", name -> value) of one question, or the kind of its failure and words."""
    extra = {name: description.pop(name) for name in list(description) if name.startswith("initial_")}
    atoms = Atoms(**description)
    for name, values in extra.items():
        atoms.set_array(name, values)
    names = [name for name in wanted if name in ALWAYS or name in properties]
    try:
        return "results", {name: model.get_property(name, atoms) for name in names}
    except PropertyNotImplementedError as error:
        return "missing", str(error)
    except Exception as error:  # any calculator of the user may stand here, with any error of its own
        return "failed", f"{type(error).__name__}: {error}"


def _next(channel: Any) -> Any:
    """The next question; None when there will be none."""
    try:
        return pickle.load(channel)
    except EOFError:
        return None


def _send(channel: Any, message: tuple[str, Any]) -> None:
    if channel is not None:
        pickle.dump(message, channel)
        channel.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
