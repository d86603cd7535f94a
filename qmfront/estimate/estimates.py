"""Every combination of norm and residual, Eqs. (3.8), (3.9), and the one that drives the adaptive loop."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qmfront.coupling.partition import BUFFER, MM, QM
from qmfront.crystal.defect import Defect
from qmfront.estimate.estimator import estimator, site_estimator
from qmfront.estimate.operators import Operators

NORMS = ("force_constants", "laplacian", "laplacian_stabilised")
PAPER_STABILISATION = 0.1
"""C_stab of section 3.1."""

CG_TOLERANCE = 1e-8


@dataclass(frozen=True)
class Estimates:
    """The estimators of one iteration.

    phi : (n, 3) float, Å
        Riesz representative of the chosen norm and residual.
    eta_site : (n,) float, Å
        Site contributions (4.1); they add up to the chosen eta.
    eta : dict, Å
        "norm/residual" -> eta, all combinations.
    buffer : float, Å
        What the QM sites alone contribute, in the norm of the force constants: no model error there, only the force
        error of the buffer and the algebra.
    """

    phi: np.ndarray
    eta_site: np.ndarray
    eta: dict[str, float]
    buffer: float


def estimates(
    residuals: Mapping[str, np.ndarray],
    defect: Defect,
    operators: Operators,
    region: np.ndarray,
    *,
    norm: str,
    residual: str,
    stabilisation: float,
) -> Estimates:
    """Evaluate (3.9) for all residuals in all norms.

    Parameters
    ----------
    residuals : name -> (n, 3) float, eV/Å
    region : (n,) int
    norm, residual : str
        The combination that marks: "force_constants" or "laplacian", and a name in residuals.
    stabilisation : float
        C_stab of the norm "laplacian"; "laplacian_stabilised" always has the paper's 0.1.
    """
    if residual not in residuals:
        raise ValueError(f"Residual {residual!r} was not computed; there is {', '.join(sorted(residuals))}.")
    maps = {
        "force_constants": operators.force_constant_map(defect.free, tolerance=CG_TOLERANCE),
        "laplacian": operators.laplacian_map(defect.free, stabilisation=stabilisation),
        "laplacian_stabilised": operators.laplacian_map(defect.free, stabilisation=PAPER_STABILISATION),
    }
    eta, chosen = {}, None
    for norm_name, riesz in maps.items():
        for residual_name, forces in residuals.items():
            phi = riesz.solve(forces)
            eta[f"{norm_name}/{residual_name}"] = estimator(phi, defect.stencil)
            if (norm_name, residual_name) == (norm, residual):
                chosen = phi
    assert chosen is not None
    own = np.where((region == QM)[:, None], residuals.get("exact", residuals[residual]), 0.0)
    buffer = estimator(maps["force_constants"].solve(own), defect.stencil)
    return Estimates(chosen, site_estimator(chosen, defect.stencil), eta, buffer)


def summary(
    result: Estimates, region: np.ndarray, *, chosen: str, algebraic: float, qm_calls: int
) -> dict[str, Any]:
    """The numbers of an iteration that decisions and tables need: plain Python values.

    Parameters
    ----------
    region : (n,) int
    chosen : "norm/residual"
    algebraic : float, Å
        ||D H_FC^-1 F^H|| at the end of the solve.
    qm_calls : int
    """
    norm, residual = chosen.split("/")
    return {
        "n_qm": int(np.sum(region == QM)),
        "n_buf": int(np.sum(region == BUFFER)),
        "n_mm": int(np.sum(region == MM)),
        "eta": result.eta[chosen],
        "eta_buffer": result.buffer,
        "norm": norm,
        "residual": residual,
        "algebraic": float(algebraic),
        "qm_calls": int(qm_calls),
        "eta_table": result.eta,
    }
