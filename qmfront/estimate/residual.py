"""Residual forces F(u^H) outside the clamp: exact, approximated by the Cauchy-Born difference, or as in (3.7).

All three are exact inside a core of sites, where a QM force costs what it must, and differ outside.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qmfront.coupling.embedding import VACUUM, Embedding, Forces, embedded_forces
from qmfront.coupling.force_mixing import model_forces
from qmfront.coupling.partition import BUFFER, QM
from qmfront.crystal.body import Body
from qmfront.crystal.cluster import Cluster, cluster_around, surrounded
from qmfront.crystal.defect import Defect
from qmfront.crystal.neighbours import Pairs, separations
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.operators.force_constant_operator import linear_forces
from qmfront.operators.operators import Operators
from qmfront.storage.timing import Seconds


def core_residual(
    body: Body,
    displacement: np.ndarray,
    core: np.ndarray,
    qm: Forces,
    *,
    buffer: float,
    embedding: Embedding = VACUUM,
) -> tuple[np.ndarray, Cluster]:
    """Exact residual forces on the core sites, from one QM call in a cluster with an extended buffer (3.2.2).

    Parameters
    ----------
    body : Body
    displacement : (n, 3) float, Å
    core : (n,) bool
    qm : Atoms -> (c, 3) eV/Å
    buffer : float, Å
        Width of the shell of atoms around the core.
    embedding : Embedding
        How the QM model sees that cluster.

    Returns
    -------
    (n, 3) float, eV/Å
        Zero outside the core.
    Cluster
        The atoms that the QM call saw.
    """
    included = surrounded(core, body.reference + displacement, body.cell, body.pbc, width=buffer)
    cluster = cluster_around(core, included)
    forces = np.zeros_like(displacement)
    forces[core] = embedded_forces(body, cluster, qm, embedding)(displacement)
    return forces, cluster


def linearised_residual(
    body: Body, displacement: np.ndarray, labelled: Pairs, matrices: np.ndarray
) -> np.ndarray:
    """Second row of (3.7): the homogeneous QM force constants applied to u0 + u, slip removed, (n, 3) eV/Å."""
    current = separations(body.reference + displacement, body.cell, body.pbc, labelled)
    return linear_forces(labelled, matrices, current, len(displacement))


def combined(core: np.ndarray, inside: np.ndarray, outside: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Residual that is `inside` on the core (n,) bool, `outside` elsewhere and zero on the clamp, (n, 3) eV/Å."""
    forces = np.where(core[:, None], inside, outside)
    return np.where(free[:, None], forces, 0.0)


@dataclass(frozen=True)
class ResidualSettings:
    """Which residuals are computed, and how.

    names : any of "exact", "cauchy_born", "paper"
    layer_r0 : float, r0
        Width of the layer around the QM region in which the Cauchy-Born variant is exact; without layer and faces the
        forces of the solve stand for those on the QM region, and no QM call is made.
    layer_tolerance : float
        Relative change of eta up to which the layer may become thinner, see `layer`; 0: it does not.
    face_layer : float, Å
        Width of the layer at crack faces in which every variant is exact: neither strain nor linear forces know faces.
    buffer : float, Å
        Buffer of the exact forces, (3.2.2).
    """

    names: tuple[str, ...]
    layer_r0: float
    face_layer: float
    buffer: float
    layer_tolerance: float = 0.0


def residual_arrays(
    solution: Mapping[str, Any],
    defect: Defect,
    operators: Operators,
    region: np.ndarray,
    qm: Forces,
    *,
    difference: ModelDifference,
    settings: ResidualSettings,
    seconds: Seconds,
    embedding: Embedding = VACUUM,
) -> dict[str, np.ndarray]:
    """Arrays of a store of kind "residual", (n, 3) eV/Å each.

    exact : QM forces on all sites.
    cauchy_born : exact on the QM region, a layer and crack faces; beyond, mixed forces plus the Cauchy-Born difference
        and what the force constants of the fit miss.
    paper : (3.7), exact on QM + buffer and at crack faces; beyond it the force constants applied to u0 + u.

    Parameters
    ----------
    solution : {displacement, forces}
    difference : ModelDifference
        Of the two models, beyond the exact sites of the variant cauchy_born.
    seconds : Seconds
        Gets the processor time of each residual.
    embedding : Embedding
        How the QM model sees the clusters.
    """
    u, mixed = solution["displacement"], solution["forces"]
    found = {}
    faces = _faces(u, defect, settings)
    if "exact" in settings.names:
        with seconds.of("exact"):
            found["exact"] = model_forces(defect.body, defect.free, qm, embedding)(u)
    if "cauchy_born" in settings.names:
        with seconds.of("cauchy_born"):
            core, inside = exact_core(u, defect, region, settings), mixed
            if settings.layer_r0 > 0 or faces.any():
                inside, _ = core_residual(
                    defect.body, u, core, qm, buffer=settings.buffer, embedding=embedding
                )
            beyond = mixed + difference.forces(u)
            found["cauchy_born"] = combined(core, inside, beyond, defect.free)
    if "paper" in settings.names:
        with seconds.of("paper"):
            core = (region <= BUFFER) | faces
            inside, _ = core_residual(defect.body, u, core, qm, buffer=settings.buffer, embedding=embedding)
            found["paper"] = combined(core, inside, operators.linear_residual(u), defect.free)
    return found


def exact_core(
    displacement: np.ndarray, defect: Defect, region: np.ndarray, settings: ResidualSettings
) -> np.ndarray:
    """Sites on which the variant cauchy_born is exact: QM region, its layer, crack faces; (n,) bool."""
    layer = _layer(displacement, defect, region == QM, settings.layer_r0 * defect.r0)
    return layer | _faces(displacement, defect, settings) | (region == QM)


def _faces(u: np.ndarray, defect: Defect, settings: ResidualSettings) -> np.ndarray:
    return _layer(u, defect, defect.face_sites(), settings.face_layer)


def _layer(u: np.ndarray, defect: Defect, inner: np.ndarray, width: float) -> np.ndarray:
    """Free sites within a width (Å) of inner ones; none for no width."""
    if width == 0:
        return np.zeros(defect.n_sites, bool)
    positions = defect.body.reference + u
    return surrounded(inner, positions, defect.cell, defect.pbc, width=width) & defect.free
