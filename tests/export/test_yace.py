"""A `.yace` file has the energy of the potential that it comes from."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from qmfront.export.yace import complex_products, yace
from qmfront.models.ace.basis import build_basis
from qmfront.models.ace.calculator import ACE
from qmfront.models.ace.potential import Potential
from tests.export.pace_reader import Pace


def potential(*species: str, degrees: tuple[int, ...], taper: float | None = None) -> Potential:
    """Random coefficients of all functions, those of smooth ones larger."""
    rng = np.random.default_rng(7)
    basis = build_basis(species, cutoff=4.6, max_degree=degrees, decay=1.7, taper=taper)
    coefficients = rng.normal(size=len(basis)) / (1.0 + basis.smoothness)
    return Potential(basis, coefficients, rng.normal(size=len(basis.species)))


def rattled(*species: str) -> Atoms:
    """A triclinic cell of six atoms without a symmetry, with images within the cut-off."""
    rng = np.random.default_rng(3)
    atoms = bulk("Cu", a=3.6).repeat((1, 2, 3))
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.05 * rng.normal(size=(3, 3))), scale_atoms=True)
    atoms.positions += 0.2 * rng.normal(size=atoms.positions.shape)
    atoms.symbols = [species[k % len(species)] for k in range(len(atoms))]
    return atoms


POTENTIALS = {
    "one species": potential("W", degrees=(6, 6, 6)),
    "four factors": potential("W", degrees=(3, 4, 4, 5)),
    "two species, other taper": potential("Al", "Ni", degrees=(4, 4, 3), taper=1.4),
}


@pytest.mark.parametrize("name", POTENTIALS)
def test_the_file_read_literally_has_the_same_energies(name: str) -> None:
    """Site by site, and so do the forces, as differences of energies."""
    chosen = POTENTIALS[name]
    atoms, read = rattled(*chosen.basis.species), Pace.of(yace(chosen))
    atoms.calc = ACE(chosen)
    ours = atoms.get_potential_energies()
    assert np.ptp(ours) > 0.01 and max(len(f.ns) for f in chosen.basis.functions) >= 3
    np.testing.assert_allclose(read.energies(atoms), ours, rtol=0, atol=1e-11)


def test_all_products_but_one_of_two_mirrored_ones_are_left_out() -> None:
    """Half of them: the others have the same real part."""
    functions = POTENTIALS["one species"].basis.functions
    for function in functions:
        products = complex_products(function)
        assert all(sum(ms) == 0 for ms in products)
        assert all(next((m for m in ms if m), 1) > 0 for ms in products)
    assert any(max(function.ls) >= 2 and function.order == 3 for function in functions)


def test_a_function_that_turns_with_the_atoms_is_refused() -> None:
    functions = POTENTIALS["one species"].basis.functions
    function = next(each for each in functions if each.order == 3 and len(each.ms) > 2)
    changed = function.coefficients.copy()
    changed[0] *= 2.0
    with pytest.raises(ValueError, match="no invariant"):
        complex_products(replace(function, coefficients=changed))
