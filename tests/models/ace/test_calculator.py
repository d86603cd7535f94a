import json

import numpy as np
import pytest
from ase import Atoms

from qmfront.models.ace import ACE
from qmfront.models.ace.evaluate import energy_forces
from qmfront.models.ace.io import load_potential, save_potential
from qmfront.models.ace.potential import Repulsion
from tests.models.ace.structures import KINDS, cluster, crystal, potential


@pytest.mark.parametrize("kind", KINDS)
def test_saved_potential_is_the_same_to_the_last_bit(kind, tmp_path):
    path, atoms = tmp_path / "potential.json", crystal(kind)
    model = potential(kind, repulsion=Repulsion(0.1, 2.3) if kind == "WC" else None)
    ACE(model).save(path, metadata={"trained on": "nothing"})
    read = ACE.load(path)
    atoms.calc = ACE(model)
    expected = {name: atoms.calc.get_property(name, atoms) for name in ACE.implemented_properties}
    for name, value in expected.items():
        np.testing.assert_array_equal(read.get_property(name, atoms), value)
    assert read.potential.basis.species == model.basis.species
    assert read.potential.basis.bonds == model.basis.bonds
    np.testing.assert_array_equal(read.potential.basis.smoothness, model.basis.smoothness)
    assert json.loads(path.read_text())["metadata"] == {"trained on": "nothing"}


def test_results_agree_with_the_array_function_along_a_path():
    """The kept neighbour list never shows."""
    model, atoms = potential("W"), crystal("W", (2, 2, 2))
    atoms.calc = ACE(model, skin=0.3)
    rng = np.random.default_rng(0)
    for step in range(8):
        atoms.positions += rng.normal(size=atoms.positions.shape) * 0.05
        if step == 5:
            atoms.set_cell(atoms.cell.array * 1.02, scale_atoms=True)
        if step == 6:
            atoms.pbc = [True, False, True]
        result = energy_forces(model, atoms.positions, atoms.cell.array, atoms.pbc, atoms.numbers)
        np.testing.assert_allclose(atoms.get_potential_energy(), result.energy, rtol=1e-12)
        np.testing.assert_allclose(
            atoms.get_forces(), result.forces, atol=1e-11 * np.abs(result.forces).max()
        )
        assert atoms.get_potential_energy(force_consistent=True) == atoms.get_potential_energy()
        np.testing.assert_allclose(atoms.get_potential_energies().sum(), atoms.get_potential_energy())
        np.testing.assert_allclose(
            atoms.get_stress(voigt=False), result.virial / atoms.get_volume(), rtol=1e-9, atol=1e-12
        )


def test_stress_of_a_cluster_is_refused_and_its_forces_are_not():
    atoms = cluster("W")
    atoms.calc = ACE(potential("W"))
    assert np.abs(atoms.get_forces().sum(0)).max() < 1e-10
    with pytest.raises(NotImplementedError, match="cell"):
        atoms.get_stress()


def test_one_atom():
    model = potential("W")
    atom = Atoms("W", calculator=ACE(model))
    assert atom.get_potential_energy() == model.reference_energies[0]
    assert np.all(atom.get_forces() == 0)


def test_damaged_files_are_named(tmp_path):
    path = tmp_path / "potential.json"
    with pytest.raises(ValueError, match="There is no potential file"):
        load_potential(path)
    save_potential(potential("W"), path)
    text = path.read_text()
    cases = {
        "not JSON": text[: len(text) // 2],
        "is no potential": '{"format": "other"}',
        "version 99": text.replace('"version": 1', '"version": 99'),
        "KeyError: 'bonds'": text.replace('"bonds"', '"bond"'),
        "radial functions that their bonds have": text.replace('"n_radial": 10', '"n_radial": 2'),
        "not distinct and sorted": text.replace('"species": [', '"species": ["W",'),
    }
    for message, damaged in cases.items():
        assert damaged != text, message
        path.write_text(damaged)
        with pytest.raises(ValueError, match=message):
            load_potential(path)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="ACE.load"):
        ACE("potential.json")
    with pytest.raises(ValueError, match="skin"):
        ACE(potential("W"), skin=-1.0)
