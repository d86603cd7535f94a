import numpy as np
import pytest
from ase import units
from ase.data import atomic_masses

from qmfront.crystal.lattice import Crystal
from qmfront.elasticity.certificate import Certificate
from qmfront.elasticity.moduli import cubic_moduli, to_voigt
from qmfront.elasticity.strain_polynomial import StrainPolynomial
from qmfront.training.certificate import mass_weights
from qmfront.training.certificate_table import DW, consistency_table, frequencies, shells

EV_PER_AMU = 15.633302  # THz, sqrt(eV/Å^2/amu) / (2 pi), CODATA
TUNGSTEN = 183.84  # amu


def test_frequencies():
    found = frequencies(np.array([[4.0, -1.0, 0.0]]), np.array([74]))
    np.testing.assert_allclose(
        found, EV_PER_AMU / np.sqrt(TUNGSTEN) * np.array([[2.0, -1.0, 0.0]]), rtol=1e-6
    )


def test_long_waves_travel_at_the_speed_of_sound(tungsten):
    q = 0.01  # 1/Å along [100]
    constants = tungsten.force_constants
    omega2 = np.linalg.eigvalsh(constants.dynamical_matrix(np.array([[q, 0.0, 0.0]])))
    density = TUNGSTEN * 1.66053907e-27 / (abs(np.linalg.det(tungsten.crystal.cell)) * 1e-30)  # kg/m^3
    moduli = np.array([tungsten.moduli[1, 2, 1, 2], tungsten.moduli[0, 0, 0, 0]]) * 160.2176634e9  # Pa
    expected = np.sqrt(moduli / density) * q * 1e10 / (2 * np.pi) / 1e12
    np.testing.assert_allclose(frequencies(omega2, tungsten.crystal.numbers)[0, [0, 2]], expected, rtol=1e-3)


def test_masses_of_a_compound_are_in_its_eigenvalues():
    """Two atoms on a spring k: omega^2 = k (1 / m1 + 1 / m2), as eigenvalues with masses relative to their mean."""
    crystal = Crystal(np.eye(3), np.zeros((2, 3)), np.array([14, 6]))
    masses = atomic_masses[crystal.numbers]
    spring = np.kron([[1.0, -1.0], [-1.0, 1.0]], np.eye(3))
    omega2 = np.linalg.eigvalsh(mass_weights(crystal) * spring)
    wanted = np.sqrt(np.sum(1 / masses)) / (2 * np.pi) * units.s * 1e-12
    assert frequencies(omega2, crystal.numbers)[-1] == pytest.approx(wanted)


def test_shells_hold_the_largest_value_and_no_self_term():
    distance = np.array([4.0, 0.0, 2.5, 2.5 + 1e-6, 4.0])
    length, qm, difference = shells(distance, np.arange(5.0), np.array([3.0, 9.0, 1.0, 0.5, 4.0]))
    np.testing.assert_allclose(length, [2.5, 4.0])
    np.testing.assert_array_equal(qm, [3.0, 4.0])
    np.testing.assert_array_equal(difference, [1.0, 4.0])


def test_table():
    certificate = Certificate(
        distance=np.array([0.0, 2.5]),
        fc_qm=np.array([9.0, 2.0]),
        fc_mismatch=np.array([1.0, 0.1])[:, None, None] * np.eye(3) / np.sqrt(3),
        path=np.array([0.0, 1.0]),
        ticks=np.array([0.0, 1.0]),
        omega2_qm=np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]),
        omega2_mm=np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 3.5]]),
        moduli_qm=to_voigt(cubic_moduli(3.0, 1.0, 1.0)),
        moduli_mm=to_voigt(cubic_moduli(3.3, 1.0, 1.0)),
        polynomial=StrainPolynomial(np.zeros((0, 6), int), np.zeros(0)),
        mismatch_residual=0.03,
        mismatch_size=0.02,
    )
    parts = dict(list(consistency_table(certificate, np.array([74])).groupby("quantity")))
    assert {name: len(part) for name, part in parts.items()} == {
        "force constants": 1,
        "phonons": 6,
        "elastic constants": 3,
        DW: 1,
    }
    assert parts[DW]["difference"].tolist() == [0.03] and "nothing to do" in parts[DW]["name"].iloc[0]
    assert parts["force constants"]["difference"].tolist() == pytest.approx([0.1])
    c11 = parts["elastic constants"].set_index("name").loc["C11"]
    assert (c11["qm"], c11["difference"]) == pytest.approx((3 * 160.2176634, 0.3 * 160.2176634))
    changed = parts["phonons"].query("difference != 0")
    assert changed[["name", "x"]].to_numpy().tolist() == [["3", 1.0]]
