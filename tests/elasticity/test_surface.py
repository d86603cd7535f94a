"""Surfaces: broken bonds by hand, known values, LAMMPS, derivative of the energy, the store."""

from dataclasses import fields

import numpy as np
import pytest
from ase.calculators.calculator import Calculator, all_changes
from ase.optimize import LBFGS
from ase.units import J, m

from qmfront.config.material import SurfaceSlab
from qmfront.crystal.lattice import Crystal, cubic_crystal
from qmfront.crystal.neighbours import pairs_within
from qmfront.crystal.slab import Slab, flat_slab
from qmfront.crystal.termination import terminations
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.surface import (
    Surface,
    cleavages,
    energy_of,
    first_layer_relaxation,
    relaxed_slab,
    surface_of,
)
from qmfront.models.eam_zhou import packaged_zhou
from tests.models.lammps_oracle import judge, lammps_module, potential_file, write_setfl
from tests.settings import changed
from tests.silicon import silicon, stillinger_weber

JOULE = J / m**2
SILICON_SLAB = SurfaceSlab(layers=8, vacuum=8.0, max_force=1e-5, phonon_cells=2)
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


def test_relaxation_of_a_crystal_with_a_basis_is_over_the_mean_spacing():
    """NiAl (100): Ni and Al in turn, 1.44 Å apart. Si (110): two atoms in a layer, of which the mean counts."""
    alloy, silicon = cubic_crystal("NiAl", "b2", 2.88), cubic_crystal("Si", "diamond", 5.43)
    cut = terminations(alloy, np.array([1.0, 0.0, 0.0]))[0]
    for slab, spacing in (
        (flat_slab(alloy, (1, 0, 0), layers=6, vacuum=5.0, cut=cut), 1.44),
        (flat_slab(silicon, (1, 1, 0), layers=6, vacuum=5.0), 5.43 / np.sqrt(8)),
    ):
        lift = np.zeros_like(slab.positions)
        lift[np.argmax(slab.positions[:, 2]), 2] = 0.02 * spacing
        atoms = len(slab.numbers) / 6  # in a layer
        assert first_layer_relaxation(slab, slab.moved(lift)) == pytest.approx(0.01 / atoms, rel=1e-9)


def by_lammps(crystal: Crystal) -> list[float]:
    """J/m^2 of both terminations of Si (111): a slab that ASE cuts, and the same with its first layer put on top."""
    lammps_module()
    from ase.build import bulk, surface
    from ase.calculators.lammpslib import LAMMPSlib

    commands = ["pair_style sw", f"pair_coeff * * {potential_file('Si.sw')} Si"]
    calculator = LAMMPSlib(lmpcmds=commands, atom_types={"Si": 1}, keep_alive=True)
    conventional, found = bulk("Si", "diamond", crystal.lattice_constant, cubic=True), []
    whole = calculator.get_potential_energy(crystal.to_atoms()) / len(crystal.numbers)
    for first_on_top in (False, True):
        slab = surface(conventional, (1, 1, 1), 3, periodic=True)
        height = slab.get_scaled_positions()[:, 2]
        first = (height + 0.01) % 1.0 < 0.02  # rounding may have put atoms of it on top
        slab.positions += np.outer(np.where(first, first_on_top, height) - height, slab.cell.array[2])
        slab.center(vacuum=8.0, axis=2)
        slab.pbc = (True, True, False)
        slab.calc = calculator
        LBFGS(slab, logfile=None).run(fmax=1e-5, steps=200)
        area = np.linalg.norm(np.cross(*slab.cell.array[:2]))
        found.append((slab.get_potential_energy() - len(slab) * whole) / (2 * area) / JOULE)
    return sorted(found)


def test_silicon_parts_at_shuffle_with_the_energy_of_lammps():
    """(111): one bond of 2.168 eV is broken per cell for shuffle, three for glide, which is too dear to be relaxed."""
    found = surface_of(silicon(), stillinger_weber(), (1, 1, 1), SILICON_SLAB, displacement=STEP)
    shuffle, glide = by_lammps(silicon().crystal)
    assert found.energy / JOULE == pytest.approx(shuffle, abs=0.001)
    assert [cut.width for cut in found.cuts] == pytest.approx([0.75, 0.25])
    assert found.cut_energies_unrelaxed[1] == pytest.approx(3 * found.energy, rel=0.01)
    assert np.isinf(found.cut_energies[1])
    assert str(found).startswith(
        "surface (1, 1, 1) (Si below, Si above) between layers at 0 and 0.75 of the period 1.360 J/m^2; next: "
        "between layers at 0.75 and 1 of the period not relaxed (4.08"
    )
    crystal = silicon().crystal
    (wanted,) = cleavages(crystal, stillinger_weber(), (1, 1, 1), SILICON_SLAB, layers=8, termination=0.9)
    assert wanted.cut == found.cuts[1] and wanted.energy / JOULE == pytest.approx(glide, abs=0.001)


def test_terminations_that_are_images_are_relaxed_once():
    """Si (100): both gaps are the same by symmetry; the first one in the crystal is taken."""
    tried = cleavages(silicon().crystal, stillinger_weber(), (1, 0, 0), SILICON_SLAB, layers=8)
    assert [each.cut.lower for each in tried] == pytest.approx([0.0, 0.5])
    assert tried[0].energy == tried[1].energy and tried[0].relaxed is not None and tried[1].relaxed is None


def test_a_termination_that_collapses_is_left(monkeypatch, caplog):
    """The next one is taken, and a warning says so; where none is left, an error has all of them."""
    collapsing = [0.0]

    def relaxed(slab, calculator, *, max_force):
        lift = np.zeros_like(slab.positions)
        lift[0, 2] = -5.0 if len(collapsing) else 0.0
        collapsing[:] = collapsing[1:]
        return slab.moved(lift)

    monkeypatch.setattr("qmfront.elasticity.surface.relaxed_slab", relaxed)
    monkeypatch.setattr("qmfront.elasticity.surface.FAR", 10.0)
    found = cleavages(silicon().crystal, stillinger_weber(), (1, 1, 1), SILICON_SLAB, layers=8)
    assert [each.cut.width for each in found] == pytest.approx([0.25, 0.75])
    assert "collapsed" in caplog.text and "Another termination is taken." in caplog.text
    collapsing[:] = [0.0, 0.0]
    with pytest.raises(
        RuntimeError, match=r"Parted between layers at 0 and 0.75.*Parted between layers at 0.75"
    ):
        cleavages(silicon().crystal, stillinger_weber(), (1, 1, 1), SILICON_SLAB, layers=8)


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
