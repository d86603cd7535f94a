"""What is there of a case: its finished iterations, read from the attributes of their stores, and what comes after."""

import json
from dataclasses import dataclass
from pathlib import Path

from qmfront.storage.store import attributes


@dataclass(frozen=True)
class FinishedIteration:
    """What an iteration took; processor seconds as if no call had come from the journal.

    k : counted from 0
    n_qm, cluster : QM sites; atoms of QM region and buffer
    eta : Å
    qm_calls, residual_calls, correction_calls : QM calls of the solve, of the residual, of the Hessian correction
    solve_seconds, qm_seconds : of the solve, and of the QM calls in it
    residual_seconds : of the residual, its QM calls included
    rest_seconds : of Hessian correction, estimate and front
    """

    k: int
    n_qm: int
    cluster: int
    eta: float
    qm_calls: int
    residual_calls: int
    correction_calls: int
    solve_seconds: float
    qm_seconds: float
    residual_seconds: float
    rest_seconds: float

    @property
    def calls(self) -> int:
        """All QM calls."""
        return self.qm_calls + self.residual_calls + self.correction_calls


@dataclass(frozen=True)
class Finished:
    """What is finished of a case.

    iterations : from k = 0 without a gap
    reference, energy : whether they are there
    """

    iterations: tuple[FinishedIteration, ...] = ()
    reference: bool = False
    energy: bool = False


def finished_in(folder: Path) -> Finished:
    """What results/{case} holds."""
    return Finished(
        tuple(finished_iterations(folder)),
        reference=(folder / "reference.zarr" / "zarr.json").is_file(),
        energy=(folder / "energy.json").is_file(),
    )


def finished_iterations(folder: Path) -> list[FinishedIteration]:
    """The iterations in results/{case} that have a decision, from k = 0 without a gap."""
    found: list[FinishedIteration] = []
    while (folder / str(len(found)) / "decision.json").is_file():
        found.append(_iteration(folder / str(len(found)), len(found)))
    return found


def _iteration(folder: Path, k: int) -> FinishedIteration:
    table = json.loads((folder / "estimate.json").read_text(encoding="utf-8"))
    solution, residual, estimate, refined = (
        attributes(folder / f"{name}.zarr") for name in ("solution", "residual", "estimate", "refined")
    )
    return FinishedIteration(
        k=k,
        n_qm=table["n_qm"],
        cluster=table["n_qm"] + table["n_buf"],
        eta=table["eta"],
        qm_calls=solution["qm_calls"],
        residual_calls=residual["qm_calls"],
        correction_calls=estimate.get("qm_calls", 0),
        solve_seconds=solution["seconds"]["solve"],
        qm_seconds=solution["qm_seconds"],
        residual_seconds=sum(residual["seconds"].values()),
        rest_seconds=sum((*estimate.get("seconds", {}).values(), *refined.get("seconds", {}).values())),
    )
