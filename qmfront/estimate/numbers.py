"""The numbers of an iteration that decisions and tables need, as in results/{case}/{k}/estimate.json."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from qmfront.config.stages import Estimate
from qmfront.coupling.partition import BUFFER, MM, QM
from qmfront.estimate.estimator import Estimates
from qmfront.estimate.trust import Trust


@dataclass(frozen=True)
class IterationNumbers:
    """Plain numbers of one iteration.

    n_qm, n_buf, n_mm : int
        Sites of each region.
    eta : float, Å
        The chosen estimate.
    parts : "mismatch", "buffer", "algebra" -> float, Å
        See `residual_parts`.
    norm, residual : str
        What the chosen estimate is made of.
    algebraic : float, Å
        ||D H_FC^-1 F^H|| at the end of the solve.
    qm_calls : int
        Of the solve.
    eta_table : "norm/residual" -> float, Å
        All estimates.
    trust : Trust
        Whether eta is to be trusted, and why not.
    proof_calls : int, optional
        QM calls of the proof of a minimum, where there was one.
    """

    n_qm: int
    n_buf: int
    n_mm: int
    eta: float
    parts: Mapping[str, float]
    norm: str
    residual: str
    algebraic: float
    qm_calls: int
    eta_table: Mapping[str, float]
    trust: Trust
    proof_calls: int | None = None

    def text(self) -> str:
        """The file, in JSON."""
        trust = self.trust
        content = {
            "n_qm": self.n_qm,
            "n_buf": self.n_buf,
            "n_mm": self.n_mm,
            "eta": self.eta,
            **{f"eta_{name}": value for name, value in self.parts.items()},
            "norm": self.norm,
            "residual": self.residual,
            "algebraic": self.algebraic,
            "qm_calls": self.qm_calls,
            "eta_table": dict(self.eta_table),
            "lowest_eigenvalue": None if np.isnan(trust.lowest_eigenvalue) else trust.lowest_eigenvalue,
            "trusted": trust.trusted,
            "reasons": list(trust.reasons),
            "notes": list(trust.notes),
            "settled": trust.settled,
        }
        proof = {} if self.proof_calls is None else {"proof_calls": self.proof_calls}
        return json.dumps(content | proof, indent=2) + "\n"


def iteration_numbers(
    found: Estimates, region: np.ndarray, settings: Estimate, trust: Trust, *, algebraic: float, qm_calls: int
) -> IterationNumbers:
    """The numbers of an iteration with regions (n,) int; algebraic (Å) and qm_calls are those of its solve."""
    return IterationNumbers(
        n_qm=int(np.sum(region == QM)),
        n_buf=int(np.sum(region == BUFFER)),
        n_mm=int(np.sum(region == MM)),
        eta=found.chosen,
        parts=found.parts,
        norm=settings.norm,
        residual=settings.residual,
        algebraic=float(algebraic),
        qm_calls=int(qm_calls),
        eta_table=found.eta,
        trust=trust,
    )
