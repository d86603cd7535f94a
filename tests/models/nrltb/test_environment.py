"""On-site levels: free atom, symmetric sums, slopes."""

import numpy as np
import pytest

from qmfront.models.bonds import bond_list
from qmfront.models.nrltb import environment
from qmfront.models.nrltb.parameters import RYDBERG, from_mapping, load_parameters
from qmfront.models.nrltb.radial import radial_functions
from tests.models.ace.step_sweep import assert_derivative
from tests.models.nrltb.structures import sheared, silicon_content, two_species_content

MIXED = from_mapping(two_species_content())


def test_the_free_atom_keeps_its_levels_and_has_no_infinite_slope():
    silicon = load_parameters("silicon")
    free = environment.levels(silicon, np.zeros(1, int), np.zeros((1, 1)))
    entry = silicon_content()["species"]["Si"]
    assert free.energy[0] == pytest.approx([RYDBERG * entry["s"], RYDBERG * entry["p"]], rel=1e-14)
    np.testing.assert_array_equal(free.slope, 0.0)


def test_slopes_of_the_levels():
    kind, rho = np.array([0, 1, 1]), np.array([[0.02, 0.013], [0.004, 0.031], [0.0017, 0.02]])
    found = environment.levels(MIXED, kind, rho)
    for by, unit in enumerate(np.eye(2)):
        assert_derivative(
            lambda h, e=unit: environment.levels(MIXED, kind, rho + h * e).energy,
            found.slope[:, :, by],
            scale=0.01,
        )


def test_density_is_the_sum_over_neighbours_of_each_species():
    atoms = sheared()
    atoms.numbers[[1, 4, 6]] = 32
    kind = MIXED.kind(atoms.numbers)
    bonds = bond_list(atoms.positions, atoms.cell.array, atoms.pbc, MIXED.cutoff).within(
        atoms.positions, MIXED.cutoff
    )
    rho = environment.density(kind, bonds, radial_functions(MIXED, kind, bonds)[0], 2)
    expected = np.zeros((len(atoms), 2))
    for cell in np.ndindex(7, 7, 7):
        shift = (np.array(cell) - 3) @ atoms.cell.array
        for i in range(len(atoms)):
            for j in range(len(atoms)):
                x = np.linalg.norm(atoms.positions[j] + shift - atoms.positions[i]) / 0.52917721067
                if 0.1 < x < 12.5:
                    decay = (1.2178584715159753, 1.13)[kind[j]]
                    taper = 1.0 if x < 12.0 else 0.5 * (1 + np.cos(np.pi * (x - 12.0) / 0.5))
                    expected[i, kind[j]] += np.exp(-decay * x) * taper / (1 + np.exp((x - 12.5) / 0.5 + 5))
    np.testing.assert_allclose(rho, expected, rtol=1e-12)


def test_pull_of_the_levels_on_the_bonds():
    atoms = sheared()
    atoms.numbers[[1, 4, 6]] = 32
    kind = MIXED.kind(atoms.numbers)
    charge = np.random.default_rng(4).uniform(0.3, 2.0, size=(len(atoms), 2))
    bonds = bond_list(atoms.positions, atoms.cell.array, atoms.pbc, MIXED.cutoff).within(
        atoms.positions, MIXED.cutoff
    )
    # Short of the taper, where third derivatives jump and the slope of the error would not be two.
    stretch = np.random.default_rng(5).normal(size=len(bonds)) * (bonds.distance < 6.2)

    def energy(h):
        moved = type(bonds)(bonds.first, bonds.second, bonds.vector, bonds.distance + h * stretch)
        values, slopes = radial_functions(MIXED, kind, moved)
        found = environment.levels(MIXED, kind, environment.density(kind, moved, values, 2))
        return np.sum(charge * found.energy), environment.bond_slope(kind, moved, slopes, charge, found)

    assert_derivative(lambda h: energy(h)[0], energy(0.0)[1] @ stretch, scale=0.4)
