"""A case as both models see it: its sites, its operators, the models, and how the QM model sees its part."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from qmfront.config.stages import Embedding
from qmfront.coupling.embedding import VACUUM
from qmfront.coupling.force_mixing import Models, hybrid_forces, model_forces
from qmfront.crystal.defect import Defect
from qmfront.operators.operators import Operators
from qmfront.operators.riesz import ForceConstantMap

Field = Callable[[np.ndarray], np.ndarray]
"""u (n, 3) Å -> F (n, 3) eV/Å, zero on clamped sites."""

RIESZ_TOLERANCE = 1e-6
"""Relative residual of H_FC^-1 F in estimates."""


@dataclass(frozen=True)
class Hybrid:
    """A QM/MM model of one case.

    defect : Defect
    operators : Operators
        H_FC and L on its sites.
    models : Models
    embedding : Embedding
        How the QM model sees QM region and buffer.
    """

    defect: Defect
    operators: Operators
    models: Models
    embedding: Embedding = VACUUM

    def forces(self, region: np.ndarray) -> Field:
        """Mixed forces F^H, Eq. (2.11), for regions (n,) int."""
        return hybrid_forces(self.defect.body, region, self.models, self.embedding)

    def qm_forces(self) -> Field:
        """Forces of the QM model on all free sites, (2.7)."""
        return model_forces(self.defect.body, self.defect.free, self.models.qm, self.embedding)

    def mm_forces(self) -> Field:
        """Forces of the MM model on all free sites."""
        return model_forces(self.defect.body, self.defect.free, self.models.mm)

    @cached_property
    def riesz(self) -> ForceConstantMap:
        """F -> H_FC^-1 F to RIESZ_TOLERANCE; its factor of L is made once."""
        return self.operators.force_constant_map(self.defect.free, tolerance=RIESZ_TOLERANCE)

    def inexact(self, tolerance: float) -> ForceConstantMap:
        """The same map to another tolerance."""
        return replace(self.riesz, tolerance=tolerance)
