"""Residual forces F(u^H) outside the clamp: exact, approximated by the Cauchy-Born difference, or as in (3.7).

All three are exact inside a core of sites, where a QM force costs what it must, and differ outside.
"""

from dataclasses import dataclass, replace

import numpy as np

from qmfront.config.stages import Buffer, Embedding, Estimate
from qmfront.coupling.embedding import VACUUM, Forces, embedded_forces
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import BUFFER, QM
from qmfront.coupling.solution import Solution
from qmfront.crystal.body import Body
from qmfront.crystal.cluster import Cluster, cluster_around, surrounded
from qmfront.crystal.defect import Defect
from qmfront.crystal.neighbours import Pairs, separations
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.operators.force_constant_operator import linear_forces
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
    estimate : Estimate
        Its layers: without layer and faces the forces of the solve stand for those on the QM region, and the variant
        cauchy_born makes no QM call.
    buffer : Buffer
        The buffer of the exact forces, (3.2.2), is residual_factor times as wide.
    """

    names: tuple[str, ...]
    estimate: Estimate
    buffer: Buffer

    @property
    def width(self) -> float:
        """Width of the buffer of the exact forces, Å."""
        return self.buffer.width * self.buffer.residual_factor

    def with_layer(self, layer_r0: float) -> "ResidualSettings":
        """The same with another exact layer, r0."""
        return replace(self, estimate=self.estimate.model_copy(update={"layer_r0": layer_r0}))


def residual_arrays(
    hybrid: Hybrid,
    region: np.ndarray,
    solution: Solution,
    difference: ModelDifference,
    *,
    settings: ResidualSettings,
    seconds: Seconds,
) -> dict[str, np.ndarray]:
    """Arrays of a store of kind "residual", (n, 3) eV/Å each.

    exact : QM forces on all sites.
    cauchy_born : exact on the QM region, a layer and crack faces; beyond, mixed forces plus the Cauchy-Born difference
        and what the force constants of the fit miss.
    paper : (3.7), exact on QM + buffer and at crack faces; beyond it the force constants applied to u0 + u.

    Parameters
    ----------
    region : (n,) int
    difference : ModelDifference
        Of the two models, beyond the exact sites of the variant cauchy_born.
    seconds : Seconds
        Gets the processor time of each residual.
    """
    defect, u, mixed = hybrid.defect, solution.displacement, solution.forces
    found = {}
    faces = _faces(u, defect, settings)

    def exact_on(core: np.ndarray) -> np.ndarray:
        inside, _ = core_residual(
            defect.body, u, core, hybrid.models.qm, buffer=settings.width, embedding=hybrid.embedding
        )
        return inside

    if "exact" in settings.names:
        with seconds.of("exact"):
            found["exact"] = hybrid.qm_forces()(u)
    if "cauchy_born" in settings.names:
        with seconds.of("cauchy_born"):
            core = exact_core(u, defect, region, settings)
            inside = exact_on(core) if settings.estimate.layer_r0 > 0 or faces.any() else mixed
            found["cauchy_born"] = combined(core, inside, mixed + difference.forces(u), defect.free)
    if "paper" in settings.names:
        with seconds.of("paper"):
            core = (region <= BUFFER) | faces
            found["paper"] = combined(core, exact_on(core), hybrid.operators.linear_residual(u), defect.free)
    return found


def exact_core(
    displacement: np.ndarray, defect: Defect, region: np.ndarray, settings: ResidualSettings
) -> np.ndarray:
    """Sites on which the variant cauchy_born is exact: QM region, its layer, crack faces; (n,) bool."""
    layer = _layer(displacement, defect, region == QM, settings.estimate.layer_r0 * defect.r0)
    return layer | _faces(displacement, defect, settings) | (region == QM)


def _faces(u: np.ndarray, defect: Defect, settings: ResidualSettings) -> np.ndarray:
    return _layer(u, defect, defect.face_sites(), settings.estimate.face_layer)


def _layer(u: np.ndarray, defect: Defect, inner: np.ndarray, width: float) -> np.ndarray:
    """Free sites within a width (Å) of inner ones; none for no width."""
    if width == 0:
        return np.zeros(defect.n_sites, bool)
    positions = defect.body.reference + u
    return surrounded(inner, positions, defect.cell, defect.pbc, width=width) & defect.free
