"""The iterations of a case one by one: those that are finished, and those to come until it stops."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from qmfront.plan.decay import Decay
from qmfront.plan.geometry import Ground
from qmfront.plan.price import JOB_SECONDS, Price
from qmfront.preflight.recommendation import WARM_SOLVE
from qmfront.refine.decision import decision
from qmfront.refine.regions import Thresholds

FIRST_SOLVE = {"dislocation": 18, "crack": 27, "point": 10, "file": 15}
"""QM calls of a first solve: measured on W, vacancies (6, 7) and a di-interstitial (13); for a file one in between."""
FIRST_DESCENT = 44
"""QM calls of a first solve that goes downhill before root finding: silicon (README)."""
FRONT_SPEED = {"dislocation": 1.6, "crack": 0.7, "point": 1.0, "file": 1.0}
"""Å per unit of T at the edge of the QM region, over the mean speed; measured on figures 4, 6, assumed for others."""
WARM_LOOKS = 3
"""Looks of a solve at the model error: at its start and about twice at its end; after every call of the first one where
the start is the perfect lattice."""
JOBS = 2
"""Jobs of an iteration: solve and adapt."""
ENERGY_CALLS = 16
"""Of `work_energy`."""
SPEED_OVER_MAXIMUM = 0.3
"""The same where the speed is over its maximum: silicon, figure 9."""


@dataclass(frozen=True)
class Loop:
    """What the iterations of a case are predicted from.

    case : plain values of the sections
    residuals : names of the residuals that are computed
    is_matched : whether the force constants of the potential agree with those of the QM model, so that a solve leaves
        them out of its looks
    """

    ground: Ground
    price: Price
    thresholds: Thresholds
    case: Mapping[str, Any]
    residuals: Sequence[str]
    is_matched: bool = False

    @property
    def kind(self) -> str:
        """Of the defect; a column of point defects in a file is "point"."""
        return "point" if self.ground.is_local else self.case["defect"]["kind"]

    @property
    def calls_per_cluster(self) -> int:
        """One, two where the forces of the perfect crystal are subtracted."""
        return 2 if self.case["embedding"]["subtract_lattice"] else 1

    @property
    def layer(self) -> float:
        """Å; see `exact_core`."""
        return self.case["estimate"]["layer_r0"] * self.ground.r0

    def cluster(self, n_qm: int) -> int:
        """Atoms of QM region and buffer."""
        return self._seen(n_qm, layer=0.0, width=self.thresholds.buffer_width)

    @property
    def answer_calls(self) -> int:
        """QM calls of the answer of the Hessian in every iteration, see `hessian_answer`."""
        return self.calls_per_cluster * self.answer_steps if self._answers == "mixed" else 0

    @property
    def answer_steps(self) -> int:
        """Force calls of that answer, of the QM model or of the potential alone."""
        return self.case["estimate"]["hessian"]["steps"] + 1 if self._answers else 0

    @property
    def _answers(self) -> str | None:
        """Whose Hessian answers, if one does."""
        estimate = self.case["estimate"]
        return estimate["hessian"]["model"] if estimate["norm"] == "hessian" else None

    def exact_cluster(self, n_qm: int, *, layer: float) -> int:
        """Atoms of QM region, a layer (Å) and the wide buffer."""
        width = self.thresholds.exact_factor * self.thresholds.buffer_width
        return self._seen(n_qm, layer=layer, width=width)

    def residual_clusters(self, n_qm: int) -> list[int]:
        """Atoms of each cluster of a residual."""
        layers = {"paper": self.thresholds.buffer_width}
        if self.layer > 0 or self.ground.faces.any():
            layers["cauchy_born"] = self.layer
        found = [self.exact_cluster(n_qm, layer=layers[name]) for name in self.residuals if name in layers]
        return found + [len(self.ground.numbers)] * ("exact" in self.residuals)

    def next(self, n_qm: int, finished: Sequence[Mapping[str, Any]]) -> int:
        """N_QM of the next iteration."""
        settings, sizes = self.case["refine"], [row["n_qm"] for row in finished]
        if settings["method"] == "circle":
            return int(np.ceil(settings["circle"]["growth"] * n_qm))
        if settings["method"] == "benefit":
            return self._least(n_qm)
        if len(sizes) > 1:
            if all(new <= self._least(old) for old, new in pairwise(sizes)):
                return self._least(n_qm)  # the front has never taken more than the minimum growth
            advance = float(np.mean([self.ground.advance(old, new) for old, new in pairwise(sizes)]))
        else:
            by_mean = FRONT_SPEED[self.kind]
            advance = settings["t_new"] * (
                by_mean if settings["normalisation"] == "mean" else SPEED_OVER_MAXIMUM
            )
        return max(self.ground.grown(n_qm, advance), self._least(n_qm))

    def _least(self, n_qm: int) -> int:
        """N_QM after the minimum growth."""
        return n_qm + max(int(np.ceil(self.case["refine"]["minimum_growth"] * n_qm)), 1)

    def _seen(self, n_qm: int, *, layer: float, width: float) -> int:
        embedding = self.case["embedding"]
        if embedding["kind"] == "box":
            cells, shape = embedding["minimum_cells"], embedding["shape"]
            return self.ground.boxed(n_qm, layer=layer, width=width, minimum_cells=cells, shape=shape)
        return self.ground.around(n_qm, layer=layer, width=width)


def finished_iterations(folder: Path) -> list[dict[str, Any]]:
    """What the iterations in results/{case} that have an estimate cost, from k = 0 without a gap.

    Rows {k, n_qm, cluster, eta, qm_calls, residual_calls, answer_calls, solve_seconds, qm_seconds, residual_seconds,
    rest_seconds}; processor seconds as if no call had come from the journal.
    """
    rows = []
    while (path := folder / str(len(rows)) / "estimate.json").is_file():
        estimate = json.loads(path.read_text(encoding="utf-8"))
        solution, residual, own, partition = (
            json.loads((path.parent / f"{name}.zarr" / "zarr.json").read_text(encoding="utf-8"))["attributes"]
            for name in ("solution", "residual", "estimate", "partition")
        )
        rest = (*own.get("seconds", {}).values(), *partition.get("seconds", {}).values())
        rows.append(
            {
                "k": len(rows),
                "n_qm": estimate["n_qm"],
                "cluster": estimate["n_qm"] + estimate["n_buf"],
                "eta": estimate["eta"],
                "qm_calls": solution["qm_calls"],
                "residual_calls": residual["qm_calls"],
                "answer_calls": own.get("qm_calls", 0),
                "solve_seconds": solution["seconds"]["solve"],
                "qm_seconds": solution["qm_seconds"],
                "residual_seconds": sum(residual["seconds"].values()),
                "rest_seconds": sum(rest),
            }
        )
    return rows


def predicted_iterations(
    loop: Loop, decay: Decay, first: int, finished: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], str]:
    """Rows of all iterations, and why the last one is the last.

    Rows {k, n_qm, cluster, eta, calls, solve_seconds, residual_seconds, seconds, memory, finished}.

    Parameters
    ----------
    decay : eta(N)
    first : N_QM of iteration 0
    finished : rows of `finished_iterations`
    """
    rows = [_done(row, loop) for row in finished]
    surcharge = _surcharge(loop, finished)
    widening = finished[-1]["cluster"] / loop.cluster(finished[-1]["n_qm"]) if finished else 1.0
    limits = loop.case["adapt"]
    while True:
        if rows:
            made = decision(rows[-1], rows[-1]["k"], **limits)
            if made["stop"]:
                return rows, made["reason"]
        n_qm = loop.next(rows[-1]["n_qm"], finished) if rows else first
        if refusal := loop.ground.refused(n_qm, loop.thresholds):
            return rows, f"{n_qm} QM atoms do not fit: {refusal}"
        row = _predicted(loop, len(rows), n_qm, decay, finished, widening)
        row["residual_seconds"] *= surcharge
        row["seconds"] = row["solve_seconds"] + row["residual_seconds"] + row.pop("rest")
        rows.append(row)


def energy_of(loop: Loop, rows: Sequence[Mapping[str, Any]], *, done: bool) -> list[dict[str, Any]]:
    """The row of the energy of the last iteration, as those of `preparation`; none if the case does not ask for it.

    Parameters
    ----------
    rows : of `predicted_iterations`
    done : whether it is there, of the iterations that are finished
    """
    if not (rows and loop.case["energy"]["compute"]):
        return []
    atoms = loop.exact_cluster(rows[-1]["n_qm"], layer=loop.layer)
    calls = ENERGY_CALLS * loop.calls_per_cluster
    return [
        {
            "stage": "energy",
            "calls": calls,
            "atoms": atoms,
            "seconds": loop.price.job(calls, atoms),
            "memory": loop.price.memory(atoms),
            "finished": done and all(row["finished"] for row in rows),
        }
    ]


def _done(row: Mapping[str, Any], loop: Loop) -> dict[str, Any]:
    seconds = row["solve_seconds"] + row["residual_seconds"] + row["rest_seconds"] + JOBS * JOB_SECONDS
    return {
        "k": row["k"],
        "n_qm": row["n_qm"],
        "cluster": row["cluster"],
        "eta": row["eta"],
        "calls": row["qm_calls"] + row["residual_calls"] + row["answer_calls"],
        "solve_seconds": row["solve_seconds"],
        "residual_seconds": row["residual_seconds"],
        "seconds": seconds,
        "memory": loop.price.memory(max([row["cluster"], *loop.residual_clusters(row["n_qm"])])),
        "finished": True,
    }


def _predicted(
    loop: Loop,
    k: int,
    n_qm: int,
    decay: Decay,
    finished: Sequence[Mapping[str, Any]],
    widening: float,
) -> dict[str, Any]:
    cluster = round(widening * loop.cluster(n_qm))
    calls = _solve_calls(loop, k, finished)
    looks = 0 if loop.is_matched else calls + 1 if k == 0 and loop.ground.is_local else WARM_LOOKS
    residual, each = loop.residual_clusters(n_qm), loop.calls_per_cluster
    asked = loop.answer_calls
    answer = loop.price.answer(loop.answer_steps, asked, cluster)
    estimate_and_front = 2 * (loop.price.job(0, 0) - JOB_SECONDS)
    return {
        "k": k,
        "n_qm": n_qm,
        "cluster": cluster,
        "eta": decay.at(n_qm),
        "calls": calls + each * len(residual) + asked,
        "solve_seconds": loop.price.job(calls, cluster, looks=looks),
        "residual_seconds": loop.price.job(0, 0, looks=1)
        + each * sum(loop.price.call(atoms) for atoms in residual),
        "rest": estimate_and_front + answer,
        "memory": loop.price.memory(max([cluster, *residual])),
        "finished": False,
    }


def _solve_calls(loop: Loop, k: int, finished: Sequence[Mapping[str, Any]]) -> int:
    later = [row["qm_calls"] for row in finished[1:]]
    if k == 0:
        downhill = loop.case["solve"]["descent_force"] is not None
        return FIRST_DESCENT if downhill else FIRST_SOLVE[loop.kind]
    return round(float(np.mean(later))) if later else WARM_SOLVE + loop.calls_per_cluster - 1


def _surcharge(loop: Loop, finished: Sequence[Mapping[str, Any]]) -> float:
    """Seconds of finished residuals over those that the price predicts for them; one without any."""
    ratios = []
    for row in finished:
        atoms = loop.residual_clusters(row["n_qm"])
        told = loop.calls_per_cluster * sum(loop.price.call(n) for n in atoms) + loop.price.job(0, 0)
        ratios.append((row["residual_seconds"] + JOB_SECONDS) / told)
    return float(np.exp(np.mean(np.log(ratios)))) if ratios else 1.0
