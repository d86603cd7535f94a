"""Slip systems: the cell with a fault is the crystal everywhere but across one plane."""

from itertools import product

import numpy as np
import pytest

from qmfront.crystal.lattice import cubic_crystal
from qmfront.crystal.neighbours import pairs_within
from qmfront.crystal.slip import HEIGHT, SYSTEMS, fault, faults, slip_systems, structure_of
from qmfront.models.eam import EAM
from tests.silicon import silicon, stillinger_weber

CRYSTALS = {
    "fcc": cubic_crystal("Cu", "fcc", 3.615),
    "bcc": cubic_crystal("W", "bcc", 3.165),
    "sc": cubic_crystal("Po", "sc", 3.35),
    "diamond": cubic_crystal("Si", "diamond", 5.431),
    "rocksalt": cubic_crystal("NaCl", "rocksalt", 5.64),
    "b2": cubic_crystal("NiAl", "b2", 2.88),
}
PATHS = [(name, system) for name in CRYSTALS for system in SYSTEMS[name]]


@pytest.mark.parametrize("name", CRYSTALS)
def test_a_crystal_is_known_by_its_neighbours(name):
    assert structure_of(CRYSTALS[name]) == name
    assert structure_of(cubic_crystal("GaAs", "zincblende", 5.65)) == "diamond"


@pytest.mark.parametrize(("name", "system"), PATHS)
def test_without_a_slip_it_is_the_perfect_crystal(name, system):
    """Same distances around every atom, and the whole slip is in the plane."""
    crystal = CRYSTALS[name]
    assert np.dot(system.plane, system.path) == pytest.approx(0.0)
    found = fault(crystal, system, 0.0)
    assert np.linalg.det(found.atoms.cell.array) == pytest.approx(
        len(found.atoms) / len(crystal.basis) * crystal.volume
    )
    assert np.linalg.det(found.atoms.cell.array) / found.area >= HEIGHT * (1 - 1e-9)
    reach = 2.1 * crystal.nearest_neighbour_distance
    perfect = pairs_within(crystal.basis, crystal.cell, np.ones(3, bool), reach)
    slipped = pairs_within(found.atoms.positions, found.atoms.cell.array, np.ones(3, bool), reach)
    layers = len(found.atoms) // len(crystal.basis)
    lengths = [np.sort(np.linalg.norm(pairs.vector, axis=1)) for pairs in (perfect, slipped)]
    np.testing.assert_allclose(np.repeat(lengths[0], layers), lengths[1], atol=1e-9)


@pytest.mark.parametrize(("name", "system"), PATHS)
def test_atoms_away_from_the_plane_see_the_perfect_crystal(name, system):
    crystal = CRYSTALS[name]
    found = fault(crystal, system, 0.5)
    reach = 1.05 * crystal.nearest_neighbour_distance
    pairs = pairs_within(found.atoms.positions, found.atoms.cell.array, np.ones(3, bool), reach)
    perfect = pairs_within(crystal.basis, crystal.cell, np.ones(3, bool), reach)
    coordination = np.bincount(pairs.first, minlength=len(found.atoms))
    inside = coordination == np.bincount(perfect.first)[0]
    assert len(found.atoms) / 2 <= inside.sum() or name == "sc"


def test_copper_and_silicon_have_the_known_faults():
    """Rigid slip: Si (Stillinger-Weber) has no energy of its stacking fault, and a shuffle of 1.39 J/m^2."""
    model, crystal = stillinger_weber(), silicon().crystal
    glide, shuffle = slip_systems(crystal)
    at_rest, stacking, slipped = (
        fault(crystal, system, t) for system, t in ((glide, 0.0), (glide, 1.0), (shuffle, 0.5))
    )
    energy = [
        (model.get_potential_energy(f.atoms) - model.get_potential_energy(at_rest.atoms)) / f.area
        for f in (stacking, slipped)
    ]
    assert energy[0] == pytest.approx(0.0, abs=1e-9)
    assert 16.0217663 * energy[1] == pytest.approx(1.387, abs=0.01)


def test_slips_of_a_half_path_are_symmetric():
    """To the last digit for {110}; the layers next to a {112} plane tell both senses apart by 0.1 meV."""
    eam, crystal = EAM(potential="W_zhou"), CRYSTALS["bcc"]
    for system, t in product(slip_systems(crystal), (0.2, 0.4)):
        energies = [eam.get_potential_energy(fault(crystal, system, s).atoms) for s in (t, 1 - t)]
        assert energies[0] == pytest.approx(energies[1], abs=1e-8 if system.plane == (1, 1, 0) else 2e-4)


def test_half_of_the_points_are_between():
    systems = slip_systems(CRYSTALS["fcc"])
    seen, between = faults(CRYSTALS["fcc"], systems), faults(CRYSTALS["fcc"], systems, between=True)
    assert [f.shift for f in seen] == [0.25, 0.5, 0.75, 1.0]
    assert [f.shift for f in between] == [0.125, 0.375, 0.625, 0.875]
    assert slip_systems(silicon().crystal.strained(np.diag([1.1, 1.0, 1.0]))) == ()
