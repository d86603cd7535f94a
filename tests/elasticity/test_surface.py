"""Surfaces: broken bonds by hand, known values, LAMMPS, derivative of the energy, the store."""

from dataclasses import fields

import numpy as np
import pytest
from ase.calculators.calculator import Calculator, all_changes
from ase.units import J, m

from qmfront.config.material import SurfaceSlab
from qmfront.crystal.lattice import cubic_crystal
from qmfront.crystal.neighbours import pairs_within
from qmfront.crystal.slab import Slab, flat_slab
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.surface import (
    Surface,
    energy_of,
    first_layer_relaxation,
    relaxed_slab,
    surface_of,
)
from qmfront.models.eam_zhou import packaged_zhou
from tests.models.lammps_oracle import judge, write_setfl
from tests.settings import changed

JOULE = J / m**2
SETTINGS = SurfaceSlab(layers=12, vacuum=10.0, max_force=1e-6, phonon_cells=2)
STEP = 1e-3


class Bonds(Calculator):
    """Minus one eV per nearest-neighbour pair of bcc tungsten at 3.165 Å, no forces; energy is not the free energy."""

    implemented_properties = ("energy", "free_energy", "forces")

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        pairs = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, 3.0)
        energy = -0.5 * len(pairs.first)
        self.results = {"energy": 2 * energy, "free_energy": energy, "forces": np.zeros((len(atoms), 3))}


def resting(crystal) -> Bulk:
    return Bulk(crystal, None, None, None, None)


@pytest.mark.parametrize("plane, broken", [((1, 1, 0), 2), ((1, 0, 0), 4), ((1, 1, 1), 6), ((1, 1, 2), 4)])
def test_energy_counts_the_broken_bonds(plane, broken):
    """A bond n.v that leads v.n/d layers up is broken in as many places: gamma = sum over v.n > 0 of v.n / (2 d A)."""
    crystal = cubic_crystal("W", "bcc", 3.165)
    found = surface_of(resting(crystal), Bonds(), plane, SETTINGS, displacement=STEP)
    signs = np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1).T
    along = signs @ np.array(plane)
    unit = 2 if sum(plane) % 2 == 0 else 1  # spacing a / (2 |hkl|), but a / |hkl| for an even sum
    count = along[along > 0].sum() / unit
    assert count == broken
    assert found.energy == pytest.approx(count / (2 * found.slab.area), rel=1e-12)
    assert found.energy_unrelaxed == found.energy and abs(found.relaxation) < 1e-12


@pytest.mark.parametrize("plane, gamma, d12", [((1, 1, 0), 2.54, -0.5), ((1, 0, 0), 2.73, 4.7)])
def test_tungsten(plane, gamma, d12, tungsten, eam):
    """Values of an independent prototype, J/m^2 and per cent."""
    found = surface_of(tungsten, eam, plane, SETTINGS, displacement=STEP)
    assert found.energy / JOULE == pytest.approx(gamma, abs=0.005)
    assert 100 * found.relaxation == pytest.approx(d12, abs=0.05)
    assert found.energy < found.energy_unrelaxed
    atoms = found.slab.to_atoms()
    atoms.calc = eam
    assert np.linalg.norm(atoms.get_forces(), axis=1).max() < 1e-6


def test_equal_planes_have_equal_surfaces(tungsten, eam):
    first, second = (
        surface_of(tungsten, eam, plane, SETTINGS, displacement=STEP) for plane in ((1, 1, 0), (0, -1, 1))
    )
    assert first.energy == pytest.approx(second.energy, rel=1e-9)
    assert first.relaxation == pytest.approx(second.relaxation, rel=1e-4)


def test_energy_does_not_depend_on_thickness(tungsten, eam):
    thin, thick = (
        surface_of(tungsten, eam, (1, 0, 0), changed(SETTINGS, layers=layers), displacement=STEP)
        for layers in (16, 24)
    )
    assert thin.energy == pytest.approx(thick.energy, rel=1e-7)


def test_relaxed_surface_is_a_minimum(tungsten, eam):
    """Any move of the layers costs energy, of second order in its size."""
    found = surface_of(tungsten, eam, (1, 0, 0), SETTINGS, displacement=STEP)
    move = np.random.default_rng(2).normal(size=found.slab.positions.shape)
    rest, small, large = (
        energy_of(found.slab.moved(size * move).to_atoms(), eam) for size in (0, 1e-3, 2e-3)
    )
    assert small - rest > 1e-6
    assert (large - rest) / (small - rest) == pytest.approx(4.0, rel=0.02)


def test_lammps_has_the_same_surface(tungsten, eam, tmp_path):
    """Energy and zero forces of our relaxed slab, by LAMMPS with the tabulated model."""
    found = surface_of(tungsten, eam, (1, 1, 0), SETTINGS, displacement=STEP)
    setfl = write_setfl(tmp_path / "W.eam.alloy", packaged_zhou("W_zhou"))
    atoms = found.slab.to_atoms()
    atoms.pbc = True  # the vacuum is wider than the cutoff
    verdict, whole = judge(atoms, setfl), judge(tungsten.crystal.to_atoms(), setfl)
    gamma = (verdict.energies.sum() - len(atoms) * whole.energies.sum()) / (2 * found.slab.area)
    assert gamma == pytest.approx(found.energy, rel=1e-5)
    assert np.abs(verdict.forces).max() < 1e-5


def test_relaxation_is_the_change_of_the_outer_spacings():
    slab = flat_slab(cubic_crystal("W", "bcc", 3.165), (1, 1, 0), layers=6, vacuum=5.0)
    spacing = slab.positions[1, 2] - slab.positions[0, 2]
    lift = np.zeros((6, 3))
    lift[0, 2], lift[-1, 2], lift[2, 2] = 0.02 * spacing, 0.01 * spacing, 0.3
    assert first_layer_relaxation(slab, slab.moved(lift)) == pytest.approx(-0.005, rel=1e-9)


def test_store_keeps_every_entry(tungsten, eam):
    found = surface_of(tungsten, eam, (1, 1, 0), SETTINGS, displacement=STEP)
    again = Surface.from_arrays(found.arrays())
    for field in fields(Surface):
        mine, theirs = getattr(found, field.name), getattr(again, field.name)
        if isinstance(mine, Slab):
            for part in fields(Slab):
                np.testing.assert_array_equal(getattr(mine, part.name), getattr(theirs, part.name))
        else:
            np.testing.assert_array_equal(mine, theirs)


def test_unfinished_and_collapsed_slabs_are_errors(tungsten, eam, monkeypatch):
    slab = flat_slab(tungsten.crystal, (1, 0, 0), layers=8, vacuum=8.0)
    monkeypatch.setattr("qmfront.elasticity.surface.MAX_STEPS", 1)
    with pytest.raises(RuntimeError, match="keeps a force"):
        relaxed_slab(slab, eam, max_force=1e-6)
    monkeypatch.undo()
    monkeypatch.setattr("qmfront.elasticity.surface.COLLAPSED", 0.01)
    with pytest.raises(RuntimeError, match=r"collapsed: its first spacing changed by 5 %"):
        surface_of(tungsten, eam, (1, 0, 0), SETTINGS, displacement=STEP)
