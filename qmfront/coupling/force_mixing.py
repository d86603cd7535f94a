"""Hybrid forces (2.11): QM on the QM region, computed in QM + buffer; MM everywhere else."""

from collections.abc import Callable

import numpy as np

from qmfront.coupling.embedding import VACUUM, Embedding, Forces, embedded_forces
from qmfront.coupling.partition import FAR_FIELD, QM, qm_cluster
from qmfront.crystal.body import Body
from qmfront.operators.translations import balanced


def hybrid_forces(
    body: Body, region: np.ndarray, *, qm: Forces, mm: Forces, embedding: Embedding = VACUUM
) -> Callable[[np.ndarray], np.ndarray]:
    """The map u -> F^H(u), Eq. (2.11), zero on the far field; without a far field their sum is taken off.

    Parameters
    ----------
    body : Body
    region : (n,) int
        0 QM, 1 buffer, 2 MM, 3 far field.
    qm : Atoms -> (c, 3) eV/Å
        Called once per u with the QM + buffer cluster.
    mm : Atoms -> (n, 3) eV/Å
        Called once per u with all sites.
    embedding : Embedding
        How the QM model sees its cluster.
    """
    inside, clamped = region == QM, region == FAR_FIELD
    quantum = embedded_forces(body, qm_cluster(region), qm, embedding)

    def force(displacement: np.ndarray) -> np.ndarray:
        forces = mm(body.atoms(displacement)).copy()
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
