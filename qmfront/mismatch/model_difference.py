"""How QM and MM model differ beyond the QM region, put together from the stores that know it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.strain_polynomial import StrainPolynomial
from qmfront.mismatch.cauchy_born import cauchy_born_difference
from qmfront.mismatch.far_field import FarField
from qmfront.mismatch.linear import LinearMismatch, linear_mismatch

SLIGHT = 1e-3
"""Relative difference of force constants."""


def differences(
    bulk: Mapping[str, Any],
    certificate: Mapping[str, Any],
    defect: Defect,
    far_field: Any | None,
    *,
    assembled: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The arguments mismatch, linear and lacking of `residual_arrays`.

    Parameters
    ----------
    bulk, certificate : stores of kind "bulk" and "potential"
    defect : Defect
    far_field : store of kind "far_field", or None
    assembled : store of kind "mismatch", optional
        Saves the labelling of all pairs for every displacement.
    """
    mismatch = StrainPolynomial.from_certificate(certificate)
    lacking: np.ndarray | None = None
    if far_field is not None:
        lacking = FarField.from_store(far_field, far_field.attrs).correction(defect, mismatch.decay)
    return {
        "mismatch": mismatch,
        "linear": replace(linear_mismatch(Bulk.from_arrays(bulk), certificate), assembled=assembled),
        "lacking": lacking,
    }


def difference_map(
    bulk: Mapping[str, Any],
    certificate: Mapping[str, Any],
    defect: Defect,
    far_field: Any | None,
    *,
    assembled: Mapping[str, Any] | None = None,
) -> Callable[[np.ndarray], np.ndarray]:
    """The map u (n, 3) Å -> F^QM - F^MM (n, 3) eV/Å that tells a solve when to stop, see `model_difference`.

    What force constants that agree to SLIGHT miss is left out: a stop need not know it. Arguments as in `differences`.
    """
    known = differences(bulk, certificate, defect, far_field, assembled=assembled)
    if known["linear"].relative <= SLIGHT:
        known["linear"] = None
    return partial(model_difference, defect=defect, **known)


def model_difference(
    displacement: np.ndarray,
    defect: Defect,
    *,
    mismatch: StrainPolynomial,
    linear: LinearMismatch | None = None,
    lacking: np.ndarray | None = None,
) -> np.ndarray:
    """F^QM - F^MM (n, 3), eV/Å, as far as strains and force constants tell it; arguments as in residual_arrays."""
    forces = cauchy_born_difference(
        defect.body,
        displacement,
        defect.stencil,
        mismatch,
        defect.frame,
        basis_index=defect.basis_index,
        lacking=lacking,
    )
    return forces + (linear.forces(defect, displacement) if linear else 0.0)
