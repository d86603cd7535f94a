"""The error estimator (3.9), its site contributions (4.1) and the stencil norm (2.2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from qmfront.config.stages import Estimate
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import QM
from qmfront.crystal.neighbours import Pairs
from qmfront.operators.norm import stencil_norm
from qmfront.operators.riesz import ForceConstantMap


def true_error(displacement: np.ndarray, reference: np.ndarray, stencil: Pairs) -> float:
    """||D u^H - D u_bar||, the error that (3.9) estimates, Å, for correctors (n, 3) Å of (2.10) and (2.7)."""
    return stencil_norm(displacement - reference, stencil)


def estimator(phi: np.ndarray, stencil: Pairs) -> float:
    """eta = ||D phi||, Eq. (3.9), Å, for phi (n, 3) Å of (3.8)."""
    return stencil_norm(phi, stencil)


def site_estimator(phi: np.ndarray, stencil: Pairs) -> np.ndarray:
    """Site contributions to the error estimator, Eq. (4.1).

        eta_l = |D phi(l)|_N^2 / eta

    Parameters
    ----------
    phi : (n, 3) float, Å
    stencil : Pairs

    Returns
    -------
    (n,) float, Å
        Non-negative, sums to eta; zero everywhere if phi is zero.
    """
    difference = phi[stencil.second] - phi[stencil.first]
    square = np.bincount(stencil.first, np.einsum("pi,pi->p", difference, difference), len(phi))
    eta = np.sqrt(square.sum())
    return square / eta if eta > 0 else square


NORMS = ("hessian", "force_constants", "laplacian", "laplacian_stabilised")

PART_TOLERANCE = 1e-3
"""Relative residual of H_FC^-1 F for the parts of a residual, which are compared with the whole."""

PAPER_STABILISATION = 0.1
"""C_stab of section 3.1."""


@dataclass(frozen=True)
class Estimates:
    """The estimators of one iteration.

    phi : (n, 3) float, Å
        Riesz representative, or correction, of the chosen norm and residual.
    eta_site : (n,) float, Å
        Site contributions (4.1); they add up to the chosen eta.
    marking_site : (n,) float, Å
        What the front follows: the same of an answer without soft modes. Along these the whole core moves, whatever
        its cause, and where the core is QM already more QM atoms do not help.
    work_site : (n,) float, eV
        F_l . phi_l of the chosen norm and residual.
    chosen : float, Å
        The eta that marks and stops: ||D phi||.
    eta : dict, Å
        "norm/residual" -> eta, all combinations.
    parts : dict, Å
        "mismatch", "buffer", "algebra" -> what each alone contributes, see `residual_parts`, in the norm of the force
        constants.
    """

    phi: np.ndarray
    eta_site: np.ndarray
    marking_site: np.ndarray
    work_site: np.ndarray
    chosen: float
    eta: dict[str, float]
    parts: dict[str, float]


@dataclass(frozen=True)
class Responses:
    """Residual forces of an iteration and the displacements that answer them.

    forces : name -> (n, 3) float, eV/Å
    phi : name -> (n, 3) float, Å
        H_FC^-1 F, Eq. (3.8).
    corrections : name -> (n, 3) float, Å
        What the norm "hessian" has in place of phi, see `hessian_correction`.
    local : name -> (n, 3) float, Å
        The same without soft modes, where it differs.
    """

    forces: Mapping[str, np.ndarray]
    phi: Mapping[str, np.ndarray]
    corrections: Mapping[str, np.ndarray] = field(default_factory=dict)
    local: Mapping[str, np.ndarray] = field(default_factory=dict)


def estimates(
    hybrid: Hybrid, region: np.ndarray, mixed: np.ndarray, responses: Responses, settings: Estimate
) -> Estimates:
    """Evaluate (3.9) for all residuals in all norms.

    Parameters
    ----------
    region : (n,) int
    mixed : (n, 3) float, eV/Å
        What the solve left.
    responses : Responses
    settings : Estimate
        Its norm and residual are the combination that marks; its stabilisation is C_stab of the norm "laplacian", where
        "laplacian_stabilised" always has the paper's 0.1.
    """
    defect, operators, residuals = hybrid.defect, hybrid.operators, responses.forces
    norm, residual = settings.norm, settings.residual
    if residual not in residuals:
        raise ValueError(f"Residual {residual!r} was not computed; there is {', '.join(sorted(residuals))}.")
    maps = {
        "laplacian": operators.laplacian_map(defect.free, stabilisation=settings.stabilisation)
        if settings.stabilisation
        else hybrid.riesz.laplacian,
        "laplacian_stabilised": operators.laplacian_map(defect.free, stabilisation=PAPER_STABILISATION),
    }
    found = {f"hessian/{name}": np.asarray(one) for name, one in responses.corrections.items()}
    found |= {f"force_constants/{name}": known for name, known in responses.phi.items()}
    for norm_name, riesz in maps.items():
        found |= {f"{norm_name}/{name}": riesz.solve(forces) for name, forces in residuals.items()}
    eta = {name: estimator(phi, defect.stencil) for name, phi in found.items()}
    if f"{norm}/{residual}" not in found:
        raise ValueError(f"There is no correction in the norm {norm!r} of the residual {residual!r}.")
    chosen = found[f"{norm}/{residual}"]
    inside = residuals.get("exact", residuals[residual])
    roughly = hybrid.inexact(PART_TOLERANCE)
    parts = {
        name: estimator(roughly.solve(forces), defect.stencil)
        for name, forces in residual_parts(residuals[residual], inside, mixed, region).items()
    }
    sites = site_estimator(chosen, defect.stencil)
    work = np.einsum("ni,ni->n", residuals[residual], chosen)
    local = responses.local.get(residual) if norm == "hessian" else None
    marking = sites if local is None else site_estimator(local, defect.stencil)
    return Estimates(chosen, sites, marking, work, estimator(chosen, defect.stencil), eta, parts)


def representatives(residuals: Mapping[str, np.ndarray], riesz: ForceConstantMap) -> dict[str, np.ndarray]:
    """Riesz representatives phi = H_FC^-1 F, Eq. (3.8), of residuals (n, 3) eV/Å by name: (n, 3) Å."""
    return {name: riesz.solve(np.asarray(forces)) for name, forces in residuals.items()}


def residual_parts(
    residual: np.ndarray, inside: np.ndarray, mixed: np.ndarray, region: np.ndarray
) -> dict[str, np.ndarray]:
    """Three forces that add up to the residual, each with one cause.

        algebra F^H,   buffer 1_QM (F - F^H),   mismatch 1_MM (F - F^H)

    F^H at the solution is what the solver left. On QM sites the models agree: what differs there is the force error of
    the buffer, which a wider buffer shows. Everywhere else it is the MM model.

    Parameters
    ----------
    residual, inside : (n, 3) float, eV/Å
        Of the estimator, and the one that is taken on the QM sites, the exact one if there is one.
    mixed : (n, 3) float, eV/Å
    region : (n,) int
    """
    own = (region == QM)[:, None]
    return {
        "mismatch": np.where(own, 0.0, residual - mixed),
        "buffer": np.where(own, inside - mixed, 0.0),
        "algebra": mixed,
    }
