"""The bulk record: what it measures and that it survives its store."""

from dataclasses import fields

import numpy as np
import pytest

from qmfront.config.material import ModuliSteps, Probe, StressSamples
from qmfront.crystal.lattice import cubic_crystal
from qmfront.elasticity.bulk import Bulk, bulk_of
from qmfront.elasticity.moduli import lattice_constant, piola_stress, sampled_moduli
from tests.elasticity.test_internal import Counted
from tests.settings import steps
from tests.silicon import silicon


def test_record_is_at_rest_and_consistent(tungsten, eam):
    """Zero stress, moduli of the long waves equal to those of strained cells, stresses those of the samples."""
    atoms = tungsten.crystal.to_atoms()
    assert np.abs(eam.get_stress(atoms)).max() < 1e-9
    waves = tungsten.force_constants.moduli(tungsten.crystal.volume)
    assert np.abs(waves - tungsten.moduli).max() < 1e-4 * np.abs(tungsten.moduli).max()
    F = tungsten.gradients[7]
    assert tungsten.stresses[7] == pytest.approx(
        tungsten.crystal.volume * piola_stress(tungsten.crystal, eam, F)
    )
    assert len(tungsten.gradients) == 40 and np.abs(tungsten.gradients - np.eye(3)).max() <= 0.02
    reach = np.linalg.norm(tungsten.force_constants.vector, axis=1).max()
    assert eam.cutoff < reach <= eam.force_range


def test_moduli_of_strain_samples_are_those_of_differences():
    """Within the truncation of the polynomial; noise of the stresses that ruins differences hardly matters."""
    bulk = silicon()
    exact, scale = bulk.moduli, np.abs(bulk.moduli).max()
    few = bulk.gradients[:8], bulk.stresses[:8]
    assert np.abs(sampled_moduli(*few, bulk.crystal) - exact).max() < 5e-3 * scale
    noise = 1e-6 * bulk.crystal.volume * np.random.default_rng(0).normal(size=few[1].shape)
    change = sampled_moduli(few[0], few[1] + noise, bulk.crystal) - sampled_moduli(*few, bulk.crystal)
    assert 0 < np.abs(change).max() < 1e-3 * scale
    with pytest.raises(ValueError, match="too few"):
        sampled_moduli(bulk.gradients[:3], bulk.stresses[:3], bulk.crystal)


def test_a_probe_without_a_step_asks_for_no_moduli():
    """All calls that moduli by differences need are saved, and the record is the same but for them."""
    settings = Probe(
        force_constants=steps(5.0),
        stress_samples=StressSamples(count=8, amplitude=0.02, seed=3),
        moduli=ModuliSteps(step=None, rest_force=1e-6),
    )
    counted = Counted()
    bulk = bulk_of(cubic_crystal("Si", "diamond", 5.43), counted, settings)
    assert counted.calls["get_stress"] < 30
    assert np.abs(bulk.moduli - silicon().moduli).max() < 5e-3 * np.abs(bulk.moduli).max()
    assert np.abs(bulk.force_constants.matrix - silicon().force_constants.matrix).max() < 1e-6


def test_lattice_constant_does_not_depend_on_the_guess(tungsten, eam):
    again = lattice_constant(cubic_crystal("W", "bcc", 3.11), eam)
    assert again.lattice_constant == pytest.approx(tungsten.crystal.lattice_constant, rel=1e-10)


def test_round_trip_keeps_every_entry(tungsten):
    """Through arrays alone; entries that the store derives are what they are called."""
    arrays = tungsten.arrays()
    assert all(isinstance(value, float | np.ndarray) for value in arrays.values())
    again = Bulk.from_arrays(arrays)
    assert np.array_equal(again.crystal.cell, tungsten.crystal.cell)
    assert np.array_equal(again.crystal.basis, tungsten.crystal.basis)
    assert np.array_equal(again.crystal.numbers, tungsten.crystal.numbers)
    for name in ("basis_first", "basis_second", "vector", "matrix"):
        assert np.array_equal(getattr(again.force_constants, name), getattr(tungsten.force_constants, name))
    assert np.array_equal(again.moduli, tungsten.moduli)
    assert np.allclose(again.gradients, tungsten.gradients, rtol=0, atol=1e-15)
    assert np.allclose(again.stresses, tungsten.stresses, rtol=1e-14, atol=0)
    assert np.array_equal(again.shifts, tungsten.shifts) and tungsten.shifts.shape == (40, 1, 3)
    assert {field.name for field in fields(Bulk)} == {
        "crystal", "moduli", "force_constants", "gradients", "stresses", "shifts"
    }, "a new field needs a place in the store"  # fmt: skip
    assert arrays["r0"] == pytest.approx(arrays["lattice_constant"] * np.sqrt(3) / 2, rel=1e-12)
    assert arrays["lattice_constant"] == pytest.approx((2 * tungsten.crystal.volume) ** (1 / 3), rel=1e-12)


@pytest.mark.parametrize("structure, cells", [("bcc", 2), ("fcc", 4), ("diamond", 4), ("sc", 1)])
def test_cubic_lattice_constant(structure, cells):
    assert cubic_crystal("Si", structure, 5.43).lattice_constant == pytest.approx(5.43, rel=1e-12)
    assert cubic_crystal("Si", structure, 5.43).volume == pytest.approx(5.43**3 / cells, rel=1e-12)


def test_crystal_without_cubic_axes_is_refused():
    crystal = cubic_crystal("W", "bcc", 3.16).rotated(
        np.linalg.qr(np.arange(9.0).reshape(3, 3) ** 2 + np.eye(3))[0]
    )
    with pytest.raises(ValueError, match="No cubic cell"):
        _ = crystal.lattice_constant
