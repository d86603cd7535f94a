"""When Algorithm 1 stops."""

import json
from dataclasses import dataclass, replace

from qmfront.config.stages import Adapt


@dataclass(frozen=True)
class Decision:
    """Stop or go on after iteration k, counted from 0, with the reason in words."""

    k: int
    stop: bool
    reason: str

    def ended(self, error: Exception) -> "Decision":
        """The same where the next partition does not fit into the domain: the loop ends, and keeps what it has."""
        return replace(self, stop=True, reason=f"{self.reason}, but the domain is used up. {error}")

    def resumed(self, why: str) -> "Decision":
        """The same where the loop goes on for another reason."""
        return replace(self, stop=False, reason=f"{self.reason}, and {why}")

    def text(self, partition: str) -> str:
        """The file decision.json, with the hash of the next partition."""
        content = {"k": self.k, "stop": self.stop, "reason": self.reason, "next": partition}
        return json.dumps(content, indent=2) + "\n"


def decision(eta: float, n_qm: int, k: int, settings: Adapt, *, settled: bool = True) -> Decision:
    """Stop or go on after iteration k (Algorithm 1, line 5).

    Parameters
    ----------
    eta : float, Å
    n_qm : int
    k : int
        Counted from 0.
    settings : Adapt
    settled : bool
        An eta that the next iteration may contradict ends nothing.
    """
    tolerance, max_iterations, max_qm_atoms = (
        settings.tolerance,
        settings.max_iterations,
        settings.max_qm_atoms,
    )
    if eta < tolerance and settled:
        return Decision(k, True, f"eta = {eta:.3e} Å is below the tolerance of {tolerance:g} Å")
    if k + 1 >= max_iterations:
        return Decision(k, True, f"{max_iterations} iterations are done, eta = {eta:.3e} Å")
    if n_qm >= max_qm_atoms:
        reason = f"{n_qm} QM atoms reach the limit of {max_qm_atoms}, eta = {eta:.3e} Å"
        return Decision(k, True, reason)
    why = f"is above the tolerance of {tolerance:g} Å" if eta >= tolerance else "is not settled"
    return Decision(k, False, f"eta = {eta:.3e} Å {why}")
