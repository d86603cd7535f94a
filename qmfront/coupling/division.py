"""What a division of the QM forces into tiles cost, how far it is from one call on the whole, and how it scales."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from qmfront.coupling.divide_and_conquer import force_difference


class Residual(Protocol):
    """A loaded store of kind "residual"."""

    attrs: Mapping[str, Any]

    def __getitem__(self, name: str) -> np.ndarray:
        """The residual of that name, (n, 3) eV/Å."""


def summary_of(
    forces: np.ndarray, jobs: Sequence[Mapping[str, Any]], dense: Residual | None
) -> dict[str, Any]:
    """n_atoms, boxes, jobs, cpu_seconds, longest_job (s), and None or: dense_cpu_seconds, largest_error, rms_error.

    Parameters
    ----------
    forces : (n, 3) float, eV/Å
    jobs : {seconds: {patch}, qm_calls} of every patch
    dense : the exact residual of the same solution, if there is one
    """
    seconds = [job["seconds"]["patch"] for job in jobs]
    known = {"dense_cpu_seconds": None, "largest_error": None, "rms_error": None}
    if dense is not None:
        known = {
            "dense_cpu_seconds": dense.attrs["seconds"]["exact"],
            **force_difference(forces, dense["exact"]),
        }
    return {
        "n_atoms": len(forces),
        "boxes": sum(job["qm_calls"] for job in jobs),
        "jobs": len(jobs),
        "cpu_seconds": sum(seconds),
        "longest_job": max(seconds),
        **known,
    }


def scaling_exponent(n_atoms: np.ndarray, seconds: np.ndarray) -> float | None:
    """p of seconds ~ n^p from the smallest to the largest domain; None for one alone."""
    first, last = int(np.argmin(n_atoms)), int(np.argmax(n_atoms))
    if n_atoms[first] == n_atoms[last]:
        return None
    return float(np.log(seconds[last] / seconds[first]) / np.log(n_atoms[last] / n_atoms[first]))
