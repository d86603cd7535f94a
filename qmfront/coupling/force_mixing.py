"""Hybrid forces (2.11): QM on the QM region, computed in QM + buffer; MM everywhere else."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qmfront.config.stages import Embedding
from qmfront.coupling.embedding import VACUUM, Forces, embedded_forces
from qmfront.coupling.partition import FAR_FIELD, QM, qm_cluster
from qmfront.crystal.body import Body
from qmfront.operators.translations import balanced


@dataclass(frozen=True)
class Models:
    """The two models of a case: ASE atoms (m,) -> forces (m, 3), eV/Å."""

    qm: Forces
    mm: Forces


def hybrid_forces(
    body: Body, region: np.ndarray, models: Models, embedding: Embedding = VACUUM
) -> Callable[[np.ndarray], np.ndarray]:
    """The map u -> F^H(u), Eq. (2.11), zero on the far field; without a far field their sum is taken off.

    Parameters
    ----------
    body : Body
    region : (n,) int
        See `Region`.
    models : Models
        Called once per u each: QM with the QM + buffer cluster, MM with all sites.
    embedding : Embedding
        How the QM model sees its cluster.
    """
    inside, clamped = region == QM, region == FAR_FIELD
    quantum = embedded_forces(body, qm_cluster(region), models.qm, embedding)

    def force(displacement: np.ndarray) -> np.ndarray:
        forces = models.mm(body.atoms(displacement)).copy()
        forces[inside] = quantum(displacement)
        forces[clamped] = 0.0
        return balanced(forces, ~clamped)

    return force


def model_forces(
    body: Body, free: np.ndarray, model: Forces, embedding: Embedding = VACUUM
) -> Callable[[np.ndarray], np.ndarray]:
    """The map u -> F(u) of one model on all sites, (2.7), zero where not free (n,) bool."""
    everywhere = embedded_forces(body, body.whole, model, embedding)

    def force(displacement: np.ndarray) -> np.ndarray:
        return balanced(np.where(free[:, None], everywhere(displacement), 0.0), free)

    return force
