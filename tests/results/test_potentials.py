"""Every potential agrees with the QM model where the theory of the coupling needs it to."""

import numpy as np

MODULI = 1e-4  # 0.01 %: a larger mismatch would put a kink into the far field of a dislocation
FORCE_CONSTANTS = 1e-4
THIRD_DERIVATIVE = 1e-5


def test_force_constants_match(full_potential) -> None:
    certificate = full_potential.certificate
    difference = np.linalg.norm(certificate["fc_difference"]) / np.linalg.norm(certificate["fc_qm"])
    assert 0 < difference <= FORCE_CONSTANTS
    assert full_potential.fit["force_constants"] <= FORCE_CONSTANTS


def test_third_derivative_matches_where_it_was_asked_for(full_potential) -> None:
    assert full_potential.fit.get("third_derivative", 0.0) <= THIRD_DERIVATIVE


def test_elastic_moduli_match(full_potential) -> None:
    certificate = full_potential.certificate
    np.testing.assert_allclose(certificate["moduli_mm"], certificate["moduli_qm"], rtol=MODULI)


def test_both_lattices_are_stable(potential) -> None:
    """No phonon is imaginary; sqrt(1e-3) of the highest frequency is left for the zeros at Gamma."""
    for model in ("qm", "mm"):
        omega2 = potential.certificate[f"omega2_{model}"]
        assert omega2.max() > 0
        assert omega2.min() > -1e-3 * omega2.max(), model


def test_cubic_moduli_are_stable(potential) -> None:
    """Born's conditions: C44 > 0, C11 > |C12|, C11 + 2 C12 > 0."""
    for model in ("qm", "mm"):
        c11, c12, c44 = potential.certificate[f"moduli_{model}"]
        assert c44 > 0 and c11 > abs(c12) and c11 + 2 * c12 > 0, model
