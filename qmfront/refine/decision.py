"""When Algorithm 1 stops."""

from collections.abc import Mapping
from typing import Any

from qmfront.config.stages import Adapt
from qmfront.estimate.trust import verdict_words


def decision(estimate: Mapping[str, Any], k: int, settings: Adapt) -> dict[str, Any]:
    """Stop or go on after iteration k (Algorithm 1, line 5), with the reason in words.

    Parameters
    ----------
    estimate : {eta (Å), n_qm, settled}
        An eta that the next iteration may contradict ends nothing.
    k : int
        Counted from 0.
    settings : Adapt
    """
    eta, n_qm, tolerance = estimate["eta"], estimate["n_qm"], settings.tolerance
    max_iterations, max_qm_atoms = settings.max_iterations, settings.max_qm_atoms
    if eta < tolerance and estimate.get("settled", True):
        reason = f"eta = {eta:.3e} Å is below the tolerance of {tolerance:g} Å"
    elif k + 1 >= max_iterations:
        reason = f"{max_iterations} iterations are done, eta = {eta:.3e} Å"
    elif n_qm >= max_qm_atoms:
        reason = f"{n_qm} QM atoms reach the limit of {max_qm_atoms}, eta = {eta:.3e} Å"
    else:
        why = f"is above the tolerance of {tolerance:g} Å" if eta >= tolerance else "is not settled"
        return {"k": k, "stop": False, "reason": f"eta = {eta:.3e} Å {why}"}
    return {"k": k, "stop": True, "reason": reason}


def ended(decision: Mapping[str, Any], error: Exception) -> dict[str, Any]:
    """The same decision where the next partition does not fit into the domain: the loop ends, and keeps what it has."""
    return {
        "k": decision["k"],
        "stop": True,
        "reason": f"{decision['reason']}, but the domain is used up. {error}",
    }


def report(case: str, decision: Mapping[str, Any], estimate: Mapping[str, Any]) -> str:
    """One line on an iteration for people who watch: sizes, estimate, QM calls, what comes next, and the verdict."""
    sizes = f"N_QM = {estimate['n_qm']}, eta = {estimate['eta']:.3e} Å, {estimate['qm_calls']} QM calls"
    next_step = f"stops: {decision['reason']}" if decision["stop"] else "goes on"
    told = [*estimate.get("reasons", []), *estimate.get("notes", [])]
    verdict = verdict_words(estimate.get("trusted"), told).replace("not trusted", "NOT TRUSTED")
    return f"{case}, iteration {decision['k']}: " + "; ".join([sizes, next_step, *[verdict] * bool(verdict)])
