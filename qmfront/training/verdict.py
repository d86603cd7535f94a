"""What the certificate of a potential says about dW in words, and what to do.

    residual = |dP - dP_polynomial| / |dP|,    size = |dP| / |P^QM|,    dP = P^QM_cb(F) - P^MM_cb(F)

over the strain samples of the bulk, to which the polynomial dW was fitted. A polynomial that misses the samples misses
the far field; one that meets them can still be wrong at the smaller strains there, and only `far_field` sees that.
"""

import numpy as np

from qmfront.elasticity.certificate import Certificate

CLOSE = 0.2
"""Largest residual of a polynomial that is left alone, as for the strains of a far field (`estimate.far_field`)."""
LARGE = 0.1
"""Largest size of dP; beyond it the MM model is no model of the strained lattice, and no estimate mends that."""
SAMPLES = "estimate.far_field_samples: 300"
TRAINING = "more training data (rattled cells, a higher matching order) or a larger basis"


def mismatch_measures(
    stresses: np.ndarray, difference: np.ndarray, polynomial: np.ndarray
) -> tuple[float, float]:
    """mismatch_residual and mismatch_size of a certificate.

    Parameters
    ----------
    stresses : (s, 3, 3) float, eV
        P^QM at the strain samples.
    difference : (s, 3, 3) float, eV
        dP there.
    polynomial : (s, 3, 3) float, eV
        dP of the polynomial dW.
    """
    norm = float(np.linalg.norm(difference))
    residual = float(np.linalg.norm(difference - polynomial)) / norm if norm > 0.0 else 0.0
    return residual, norm / float(np.linalg.norm(stresses))


def mismatch_verdict(certificate: Certificate) -> str:
    """How well the polynomial dW describes the sampled strains, and what to do, in one sentence."""
    residual, size = certificate.mismatch_residual, certificate.mismatch_size
    advice = [words for words, wanted in ((TRAINING, size > LARGE), (SAMPLES, residual > CLOSE)) if wanted]
    todo = f"use {', and '.join(advice)}" if advice else "nothing to do"
    return (
        f"dW as a polynomial misses {residual:.2g} of the difference of the lattices at the sampled strains, "
        f"which is {size:.2g} of their stress: {todo}."
    )
