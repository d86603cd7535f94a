"""How QM and MM model differ beyond the QM region, as far as strains and force constants know it: no QM call.

    F^QM - F^MM = -grad sum_l dW(F_l) / nb  +  what the force constants of the fit miss

`cauchy_born` has the first term, `linear` the second. Where homogeneous lattices at the strains of the case contradict
the dW of the certificate, `far_field` has a better one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.certificate import Certificate
from qmfront.elasticity.strain_polynomial import StrainPolynomial
from qmfront.mismatch.cauchy_born import cauchy_born_difference
from qmfront.mismatch.far_field import FarField
from qmfront.mismatch.linear import AssembledMismatch, linear_mismatch

SLIGHT = 1e-3
"""Relative difference of force constants."""


@dataclass(frozen=True)
class ModelDifference:
    """F^QM - F^MM on the sites of a case.

    defect : Defect
    polynomial : StrainPolynomial
        dW, beyond the orders of strain that the fit matched.
    linear : AssembledMismatch, optional
        The difference to first order; None if the force constants are the same.
    polynomial_error : float
        Relative error of dW at strains of the case, see `FarField`; NaN if it was not asked.
    """

    defect: Defect
    polynomial: StrainPolynomial
    linear: AssembledMismatch | None = None
    polynomial_error: float = np.nan

    def forces(self, displacement: np.ndarray) -> np.ndarray:
        """F^QM - F^MM (n, 3), eV/Å, at u (n, 3) Å."""
        forces = cauchy_born_difference(self.defect, displacement, self.polynomial)
        return forces + self.linear.forces(self.defect, displacement) if self.linear else forces

    def for_stop(self) -> "ModelDifference":
        """What a solve needs to know: without the linear part if force constants agree to SLIGHT."""
        slight = self.linear is not None and self.linear.relative <= SLIGHT
        return replace(self, linear=None) if slight else self

    def arrays(self) -> dict[str, np.ndarray | float]:
        """Arrays of a store of kind "mismatch"."""
        found: dict[str, np.ndarray | float] = {
            "exponents": self.polynomial.exponents,
            "coefficients": self.polynomial.coefficients,
        }
        if not np.isnan(self.polynomial_error):
            found["polynomial_error"] = self.polynomial_error
        return found | ({} if self.linear is None else self.linear.arrays())

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], defect: Defect) -> "ModelDifference":
        """The inverse of `arrays`."""
        return cls(
            defect,
            StrainPolynomial(arrays["exponents"], arrays["coefficients"]),
            AssembledMismatch.from_arrays(arrays) if "blocks" in arrays else None,
            float(arrays["polynomial_error"]) if "polynomial_error" in arrays else np.nan,
        )


def model_difference(
    bulk: Bulk, certificate: Certificate, defect: Defect, far_field: FarField | None = None
) -> ModelDifference:
    """From the bulk of the QM model, the certificate of the fit, and what the far field of the case said, if asked."""
    linear = linear_mismatch(bulk, certificate).assembled(defect)
    if far_field is None:
        return ModelDifference(defect, certificate.polynomial, linear)
    better = far_field.polynomial
    return ModelDifference(
        defect, certificate.polynomial if better is None else better, linear, far_field.error
    )
