"""The operators of a case: H_FC, L and the linearised forces at the predictor; see `assembly`."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from qmfront.operators.riesz import ForceConstantMap, LaplacianMap, force_constant_map, laplacian_map


@dataclass(frozen=True)
class Operators:
    """H_FC, L and the linearised forces on the sites of a case.

    force_constants : (3n, 3n) bsr_matrix, eV/Å^2
        H_FC.
    laplacian : (n, n) csr_matrix, eV/Å^2
        L of (3.2) without stabilisation.
    linear_predictor : (n, 3) float, eV/Å
        Linearised QM forces at u = 0, see `linear_residual`.
    mu, nearest : float, eV/Å^2 and Å
        Scale and y_nn of (3.2).
    """

    force_constants: sparse.bsr_matrix
    laplacian: sparse.csr_matrix
    linear_predictor: np.ndarray
    mu: float
    nearest: float

    def arrays(self) -> dict[str, np.ndarray | float]:
        """Arrays of a store of kind "operators"."""
        return {
            "blocks": self.force_constants.data,
            "columns": self.force_constants.indices,
            "pointer": self.force_constants.indptr,
            "laplacian": self.laplacian.data,
            "laplacian_columns": self.laplacian.indices,
            "laplacian_pointer": self.laplacian.indptr,
            "linear_predictor": self.linear_predictor,
            "mu": self.mu,
            "nearest": self.nearest,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Operators":
        """The inverse of `arrays`."""
        n = len(arrays["linear_predictor"])
        blocks = (arrays["blocks"], arrays["columns"], arrays["pointer"])
        entries = (arrays["laplacian"], arrays["laplacian_columns"], arrays["laplacian_pointer"])
        return cls(
            sparse.bsr_matrix(blocks, shape=(3 * n, 3 * n)),
            sparse.csr_matrix(entries, shape=(n, n)),
            arrays["linear_predictor"],
            float(arrays["mu"]),
            float(arrays["nearest"]),
        )

    def linear_residual(self, displacement: np.ndarray) -> np.ndarray:
        """Second row of (3.7), F_lin(u0 + u) = F_lin(u0) - H_FC u, for u (n, 3) Å: (n, 3) eV/Å."""
        return self.linear_predictor - (self.force_constants @ displacement.ravel()).reshape(-1, 3)

    def laplacian_map(self, free: np.ndarray, *, stabilisation: float) -> LaplacianMap:
        """The Riesz map of L + mu C_stab with phi = 0 outside free (n,) bool."""
        shift = self.mu * stabilisation * sparse.identity(self.laplacian.shape[0], format="csr")
        return laplacian_map(self.laplacian + shift, free)

    def force_constant_map(self, free: np.ndarray, *, tolerance: float) -> ForceConstantMap:
        """The Riesz map of H_FC; tolerance: relative residual of the conjugate gradients."""
        laplacian = self.laplacian_map(free, stabilisation=0.0)
        return force_constant_map(self.force_constants, laplacian, tolerance=tolerance)
