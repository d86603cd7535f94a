"""Internal shifts of diamond: force balance, linear response, envelope theorem, moduli by two routes."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from ase.units import GPa
from scipy.spatial.transform import Rotation

from qmfront.crystal.lattice import cubic_crystal
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.internal import Shifts, internal_forces, internal_stiffness, relaxed_shifts
from qmfront.elasticity.moduli import elastic_moduli, piola_stress, to_voigt
from qmfront.elasticity.strain_vectors import equivariants, monomial_values
from qmfront.models.lattice_symmetry import crystal_operations
from tests.elasticity.test_moduli import PowerPair
from tests.models.ace.step_sweep import assert_derivative
from tests.silicon import silicon, stillinger_weber

RANDOM = np.random.default_rng(0).normal(size=(3, 3))


class Counted:
    """The calculator, with a record of the calls."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str):
        self.calls[name] += 1
        return getattr(stillinger_weber(), name)


def relaxed_energy(gradient: np.ndarray) -> float:
    shifts = relaxed_shifts(silicon().crystal, stillinger_weber(), gradient)
    return stillinger_weber().get_potential_energy(shifts.deformed(silicon().crystal, gradient).to_atoms())


def test_forces_vanish_at_the_shifts_with_few_calls():
    gradients, calculator = np.eye(3) + 0.01 * np.random.default_rng(1).normal(size=(5, 3, 3)), Counted()
    crystal = silicon().crystal
    found = relaxed_shifts(crystal, calculator, gradients)
    assert calculator.calls["get_forces"] <= 6 + 5 * 9
    assert np.abs(found.shifts.sum(axis=1)).max() < 1e-12 and np.abs(found.shifts).max() > 1e-3
    for F in gradients:
        left = internal_forces(found.deformed(crystal, F), stillinger_weber())
        clamped = internal_forces(crystal.strained(F), stillinger_weber())
        assert np.abs(left).max() < 1e-11 and np.abs(clamped).max() > 1e-2


def test_shifts_turn_with_the_crystal():
    """s(Q F) = Q s(F)."""
    F, Q = np.eye(3) + 0.02 * RANDOM, Rotation.random(random_state=3).as_matrix()
    one, turned = relaxed_shifts(silicon().crystal, stillinger_weber(), np.array([F, Q @ F])).shifts
    assert np.abs(turned - one @ Q.T).max() < 1e-11


def test_linear_response_is_that_of_the_force_constants():
    """s(I + h e) - h Lambda : e falls off as h^2; a rotation shifts nothing."""
    Lambda, sizes = silicon().force_constants.internal_strain(), np.array([4e-3, 2e-3, 1e-3])
    found = relaxed_shifts(silicon().crystal, stillinger_weber(), np.eye(3) + sizes[:, None, None] * RANDOM)
    linear = sizes[:, None, None] * np.einsum("bijk,jk->bi", Lambda, RANDOM)
    errors = np.abs(found.shifts - linear).max(axis=(1, 2))
    assert np.all(np.abs(np.diff(np.log2(errors)) + 2) < 0.1), errors
    assert errors[-1] < 1e-2 * np.abs(linear[-1]).max()
    assert np.abs(np.einsum("bijk,jk->bi", Lambda, RANDOM - RANDOM.T)).max() < 1e-5 * np.abs(Lambda).max()


def test_stress_at_relaxed_shifts_is_the_derivative_of_the_relaxed_energy():
    """Envelope theorem: P(F, s(F)) = dW_cb/dF although s moves."""
    F, crystal = np.eye(3) + 0.02 * RANDOM, silicon().crystal
    direction = np.random.default_rng(5).normal(size=(3, 3))
    shift = relaxed_shifts(crystal, stillinger_weber(), F).shifts[0]
    P = crystal.volume * piola_stress(crystal, stillinger_weber(), F, shift=shift)
    clamped = crystal.volume * piola_stress(crystal, stillinger_weber(), F)
    assert np.abs(P - clamped).max() > 1e-2 * np.abs(P).max()
    assert_derivative(lambda t: relaxed_energy(F + t * direction), np.sum(P * direction), scale=0.03)


def test_moduli_by_stresses_and_by_waves():
    """Relaxed moduli by two routes and as known for this potential; clamped ones exceed them by Lambda K Lambda / V."""
    bulk = silicon()
    scale = np.abs(bulk.moduli).max()
    voigt = to_voigt(bulk.moduli)[[0, 0, 3], [0, 1, 3]] / GPa
    assert voigt == pytest.approx([151.4, 76.4, 56.4], abs=0.06)
    waves = bulk.force_constants.moduli(bulk.crystal.volume)
    assert np.abs(waves - bulk.moduli).max() < 3e-6 * scale
    clamped = elastic_moduli(bulk.crystal, stillinger_weber(), internal="clamped")
    Lambda = bulk.force_constants.internal_strain().reshape(6, 3, 3)
    stiffness = internal_stiffness(bulk.crystal, stillinger_weber())
    gain = np.einsum("xij,xy,ykl->ijkl", Lambda, stiffness, Lambda) / bulk.crystal.volume
    assert gain[1, 2, 1, 2] > 0.3 * scale
    assert np.abs(clamped - bulk.moduli - gain).max() < 1e-5 * scale


def test_stiffness_is_the_dynamical_matrix_at_the_zone_centre():
    bulk = silicon()
    waves = bulk.force_constants.dynamical_matrix(np.zeros(3)).real
    found = internal_stiffness(bulk.crystal, stillinger_weber())
    assert np.abs(found - waves).max() < 1e-6 * np.abs(waves).max()


def test_bulk_record_has_the_shifts_of_its_samples():
    bulk, F = silicon(), silicon().gradients[7]
    again = Bulk.from_arrays(bulk.arrays())
    assert np.array_equal(again.shifts, bulk.shifts) and bulk.shifts.shape == (40, 2, 3)
    left = internal_forces(
        Shifts(again.gradients, again.shifts).deformed(bulk.crystal, F), stillinger_weber()
    )
    assert np.abs(left).max() < 1e-11
    P = piola_stress(bulk.crystal, stillinger_weber(), F, shift=bulk.shifts[7])
    assert bulk.stresses[7] == pytest.approx(bulk.crystal.volume * P, abs=1e-12)


@pytest.mark.parametrize("order, expected", [(1, 1), (2, 3)])
def test_internal_forces_are_equivariant_polynomials(order, expected):
    """Diamond: f_x ~ e_yz; then e_yz e_xx, e_yz (e_yy + e_zz), e_xy e_xz. Opposite on the two sublattices."""
    operations = crystal_operations(silicon().crystal.to_atoms())
    rotations = np.array([operation.rotation for operation in operations])
    permutations = np.array([operation.permutation for operation in operations])
    exponents, fields = equivariants(order, rotations, permutations)
    assert fields.shape[2] == expected
    E = (RANDOM + RANDOM.T)[None]
    f = np.einsum("nt,tai->nai", monomial_values(E, exponents), fields)[0].reshape(2, 3, -1)
    assert np.abs(f[0] + f[1]).max() < 1e-12 < np.abs(f).max()
    for R, permutation in zip(rotations, permutations, strict=True):
        g = np.einsum("nt,tai->nai", monomial_values(R @ E @ R.T, exponents), fields)[0].reshape(2, 3, -1)
        assert np.abs(g[permutation] - np.einsum("ij,bjk->bik", R, f)).max() < 1e-12


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="the calculator gives no forces"):
        relaxed_shifts(cubic_crystal("Si", "diamond", 5.4), PowerPair(), np.eye(3))
    with pytest.raises(ValueError, match="Make the training data again"):
        Shifts(np.eye(3)[None], np.zeros((1, 2, 3))).at(1.01 * np.eye(3))
    with pytest.raises(RuntimeError, match="do not come to rest"):
        relaxed_shifts(silicon().crystal, _noisy(1e-4), np.eye(3) + 0.01 * RANDOM)


def test_rounding_is_left_as_it_is():
    """A tolerance that no model meets: what is left is far below any force that matters."""
    F = np.eye(3) + 0.01 * RANDOM
    wanted = relaxed_shifts(silicon().crystal, stillinger_weber(), F).shifts
    found = relaxed_shifts(silicon().crystal, _noisy(1e-9), F, tolerance=1e-20).shifts
    assert np.abs(found - wanted).max() < 1e-8


def test_noise_ends_the_search_soon():
    """A self-consistent field leaves forces of 1e-7 eV/Å; waiting for less would cost many useless calls."""
    noisy, calls = _noisy(1e-7), Counter()

    def forces(atoms):
        calls["forces"] += 1
        return noisy.get_forces(atoms)

    relaxed_shifts(silicon().crystal, SimpleNamespace(get_forces=forces), np.eye(3) + 0.01 * RANDOM)
    assert calls["forces"] < 6 + 22


def _noisy(size: float) -> SimpleNamespace:
    generator = np.random.default_rng(0)

    def get_forces(atoms):
        return np.array(stillinger_weber().get_forces(atoms)) + size * generator.normal(size=(len(atoms), 3))

    return SimpleNamespace(get_forces=get_forces)
