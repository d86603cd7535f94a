"""Slabs in the training: which they are, that rows and numbers agree, and what they cost the lattice."""

from dataclasses import fields, replace

import numpy as np
import pytest

from qmfront.config.material import RelaxedSlab
from qmfront.config.potential import FlatSlabs, RattledSlabs, Surfaces
from qmfront.crystal.neighbours import pairs_within
from qmfront.crystal.slab import Slab, flat_slab
from qmfront.elasticity.surface import energy_of, excess_energy
from qmfront.models.ace.basis import build_basis
from qmfront.models.ace.calculator import ACE
from qmfront.models.ace.potential import Potential
from qmfront.storage.layout import checked
from qmfront.storage.layouts.potential import TRAINING
from qmfront.training.observations import DECLARED
from qmfront.training.observe.slabs import ObservedSlabs, observe_surfaces, rattled_slabs, strained_slabs
from tests.settings import changed
from tests.silicon import silicon, stillinger_weber


@pytest.fixture(scope="module")
def data(tungsten, eam, surfaces, slab) -> ObservedSlabs:
    return observe_surfaces(tungsten.crystal, eam, surfaces, slab)


def test_relaxed_and_flat_slab_come_first(data, reference_surface, slab):
    """The relaxed one is at rest and holds twice the surface energy; the flat one is pulled inwards."""
    assert len(data.slabs) == 2 + 3 + 6
    assert data.importance.tolist() == [30.0] * 2 + [1.0] * 9
    relaxed, flat = data.forces[:2]
    assert np.abs(relaxed).max() < slab.max_force
    assert flat[0, 2] > 0.05 and flat[-1, 2] == pytest.approx(-flat[0, 2])
    assert data.energy[0] == pytest.approx(2 * data.slabs[0].area * reference_surface.energy, rel=1e-7)
    assert data.energy[1] > data.energy[0]
    assert [len(slab.numbers) for slab in data.slabs] == [6] * 5 + [24] * 6


def test_every_slab_has_its_own_forces_and_energy(data, eam, tungsten):
    whole = energy_of(tungsten.crystal.to_atoms(), eam)
    for slab, energy, forces in zip(data.slabs, data.energy, data.forces, strict=True):
        np.testing.assert_allclose(forces, eam.get_forces(slab.to_atoms()), atol=1e-12)
        assert energy == pytest.approx(excess_energy(slab, eam, whole), rel=1e-12)
        np.testing.assert_allclose(forces.sum(axis=0), 0.0, atol=1e-10)
    assert len({round(energy, 9) for energy in data.energy}) == len(data.energy)


def test_slabs_of_silicon_part_where_their_surface_is_cheapest():
    """One bond per cell is broken at each of both faces, or three where that is asked; rows are those of the fit."""
    basis = build_basis(["Si"], cutoff=4.5, max_degree=(6, 4), l_weight=1.5, decay=0.5)
    few = {"flat": FlatSlabs(count=1), "rattled": RattledSlabs(count=1, repeat=(1, 1))}
    for termination, broken in ((None, 1), (0.9, 3)):
        surfaces = Surfaces(planes=((1, 1, 1),), layers=8, termination=termination, **few)
        found = observe_surfaces(
            silicon().crystal, stillinger_weber(), surfaces, RelaxedSlab(vacuum=8.0, max_force=1e-3)
        )
        flat = found.slabs[1]
        bonds = pairs_within(flat.positions, flat.cell, np.array([True, True, False]), 2.5)
        assert 2 * len(flat.numbers) - len(bonds.first) // 2 == broken
        # a pair of atoms is bound by 2.168 eV, and angles of the cut faces are those of the crystal
        assert found.energy[1] == pytest.approx(2.168 * broken, rel=0.01)
        coefficients = np.random.default_rng(5).normal(size=len(basis))
        calculator = ACE(Potential(basis, coefficients, np.zeros(1)))
        per_atom = energy_of(silicon().crystal.to_atoms(), calculator) / 2
        values = [excess_energy(slab, calculator, per_atom) for slab in found.slabs]
        rows = found.design(silicon(), basis)["surface_energy"] @ coefficients
        assert rows == pytest.approx(np.sqrt(found.importance) * values, rel=1e-8)


def test_strained_slabs_stay_within_their_bounds(tungsten):
    slab = flat_slab(tungsten.crystal, (1, 1, 0), layers=6, vacuum=9.0)
    strains, shifts = [], []
    for strained in strained_slabs(
        slab, np.random.default_rng(1), FlatSlabs(count=200, shift=0.03, strain=0.02)
    ):
        F = np.linalg.solve(slab.cell, strained.cell).T
        strains.append(F - np.eye(3))
        shifts.append(np.linalg.solve(F, strained.positions.T).T - slab.positions)
    strains, shifts = np.array(strains), np.array(shifts)
    np.testing.assert_allclose(strains, strains.transpose(0, 2, 1), atol=1e-12)
    np.testing.assert_allclose(strains[:, 2, :2], 0.0, atol=1e-12)
    for axes in ((0, 0), (1, 1), (2, 2), (0, 1)):
        assert 0.017 < np.abs(strains[:, axes[0], axes[1]]).max() <= 0.02 + 1e-12
    largest = np.abs(shifts).max(axis=0)
    assert np.all((largest > 0.027) & (largest <= 0.03 + 1e-12))


def test_rattled_slabs_have_their_amplitudes(tungsten):
    slab = flat_slab(tungsten.crystal, (1, 1, 0), layers=6, vacuum=9.0)
    settings = RattledSlabs(count=5, amplitudes=(0.01, 0.05), repeat=(6, 7))
    found = list(rattled_slabs(slab, np.random.default_rng(1), settings))
    size = [np.std(rattled.positions - slab.repeated(6, 7).positions, axis=0) for rattled in found]
    np.testing.assert_allclose(size, np.tile([[0.01], [0.02], [0.03], [0.04], [0.05]], 3), rtol=0.2)
    np.testing.assert_array_equal(found[0].cell, slab.repeated(6, 7).cell)


def test_slabs_are_reproducible(data, tungsten, eam, surfaces, slab):
    again = observe_surfaces(tungsten.crystal, eam, surfaces, slab)
    assert same(again, data, range(11), range(11))
    other = observe_surfaces(tungsten.crystal, eam, changed(surfaces, seed=1), slab)
    assert same(other, data, range(2), range(2))
    assert not any(same(other, data, [k], [k]) for k in range(2, 11))
    # a second plane changes nothing for the first one, and has random numbers of its own even if it is the same
    twice = surfaces.model_copy(
        update={"planes": ((1, 1, 0), (1, 1, 0))}
    )  # which a configuration may not ask for
    more = observe_surfaces(tungsten.crystal, eam, twice, slab)
    assert same(more, data, range(11), range(11)) and len(more.slabs) == 22
    assert not any(same(more, more, [k], [11 + k]) for k in range(2, 11))


def same(one: ObservedSlabs, two: ObservedSlabs, first, second) -> bool:
    return all(
        np.array_equal(one.slabs[i].positions, two.slabs[j].positions)
        and np.array_equal(one.forces[i], two.forces[j])
        and one.energy[i] == two.energy[j]
        for i, j in zip(first, second, strict=True)
    )


def test_rows_times_coefficients_are_the_values_of_the_potential(data, small_basis, tungsten):
    """Of a random potential, through its calculator, importance included; energies count from its own bulk."""
    coefficients = np.random.default_rng(5).normal(size=len(small_basis))
    calculator = ACE(Potential(small_basis, coefficients, np.zeros(1)))
    whole = energy_of(tungsten.crystal.to_atoms(), calculator)
    values = replace(
        data,
        energy=np.array([excess_energy(slab, calculator, whole) for slab in data.slabs]),
        forces=tuple(calculator.get_forces(slab.to_atoms()) for slab in data.slabs),
        importance=np.arange(1.0, 12.0),
    )
    rows, targets = values.design(tungsten, small_basis), values.targets(tungsten)
    for name in ("surface_energy", "surface_forces"):
        assert np.abs(targets[name]).max() > 0.1
        error = np.abs(rows[name] @ coefficients - targets[name]).max()
        assert error < 1e-9 * np.abs(targets[name]).max()
    assert targets["surface_energy"][3] == pytest.approx(2.0 * values.energy[3])
    assert targets["surface_forces"][3 * 18 : 4 * 18] == pytest.approx(2.0 * values.forces[3].ravel())


def test_store_keeps_every_slab(data):
    arrays = data.arrays()
    again = ObservedSlabs.from_arrays(
        checked(arrays, TRAINING.including({name: DECLARED[name] for name in arrays}))
    )
    assert same(again, data, range(11), range(11))
    np.testing.assert_array_equal(again.importance, data.importance)
    for mine, theirs in zip(again.slabs, data.slabs, strict=True):
        assert all(np.array_equal(getattr(mine, f.name), getattr(theirs, f.name)) for f in fields(Slab))


def test_surfaces_are_learnt_and_the_lattice_is_kept(small_fit):
    """The small basis fits slabs to a per cent; the lattice stays as good as facts ask for (1e-4)."""
    error = small_fit.relative_error
    assert error["surface_energy"] < 1e-3 and error["surface_forces"] < 0.02
    assert error["force_constants"] < 1e-4 and error["third_derivative"] < 1e-4


def test_weights_decide_between_lattice_and_surfaces(fit_with, small_fit):
    """Without a small weight the slabs spoil the force constants; without any they are not fitted at all."""
    equal = fit_with(surface_energy=10.0, surface_forces=1.0).relative_error
    assert equal["force_constants"] > 5 * small_fit.relative_error["force_constants"]
    assert equal["surface_forces"] < small_fit.relative_error["surface_forces"]
    none = fit_with(surface_energy=0.0, surface_forces=0.0)
    assert none.relative_error["surface_energy"] > 0.1
    np.testing.assert_allclose(
        none.relative_error["force_constants"], 0.0, atol=small_fit.relative_error["force_constants"]
    )


def test_unseen_rattled_slabs_are_predicted(small_fit, tungsten, eam, surfaces, slab):
    """Other random numbers and a thicker slab: forces within 2 % of their size, although the basis is small."""
    unseen = observe_surfaces(tungsten.crystal, eam, changed(surfaces, layers=8, seed=7), slab)
    calculator = ACE(small_fit.potential)
    wanted = np.concatenate(unseen.forces)
    found = np.concatenate([calculator.get_forces(slab.to_atoms()) for slab in unseen.slabs])
    assert np.linalg.norm(found - wanted) < 0.02 * np.linalg.norm(wanted)


def test_lattice_only_knows_nothing_of_surfaces(small_fit, tungsten, eam):
    """The same basis without slabs matches the lattice at least as well, and misses the excess energy by far."""
    slab = flat_slab(tungsten.crystal, (1, 1, 0), layers=6, vacuum=9.0)
    energies = []
    for calculator in (eam, ACE(small_fit.potential), ACE(small_fit.lattice_only)):
        energies.append(excess_energy(slab, calculator, energy_of(tungsten.crystal.to_atoms(), calculator)))
    reference, fitted, untrained = energies
    assert fitted == pytest.approx(reference, rel=1e-3)
    assert abs(untrained / reference - 1) > 0.1
