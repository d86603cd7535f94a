"""The crystal of a file is recognised in spite of defects, surfaces, strain and noise; what is none is left alone."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell

from qmfront.config.material import Crystal
from qmfront.crystal.lattice import crystal_of
from qmfront.crystal.recognition import recognised

CRYSTALS = {
    "fcc": ("Cu", 3.61, None),
    "bcc": ("W", 3.165, None),
    "diamond": ("Si", 5.43, None),
    "sc": ("Po", 3.35, None),
    "hcp": ("Mg", 3.2, 1.62),
    "b2": ("NiAl", 2.88, None),
    "l1_2": ("NiAl", 3.57, None),
    "rocksalt": ("MgO", 4.21, None),
    "zincblende": ("GaAs", 5.65, None),
}
TURN = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]


def block(structure: str, *, rattle: float) -> Atoms:
    """A turned, rattled block of the crystal that ends at surfaces, with a vacancy."""
    symbol, a, ratio = CRYSTALS[structure]
    crystal = crystal_of(
        Crystal(structure=structure, symbol=symbol, lattice_constant_guess=a, ratio_guess=ratio)
    )
    cell = make_supercell(crystal.to_atoms(), crystal.supercell)
    atoms = cell.repeat(tuple(int(np.ceil(26.0 / length)) for length in cell.cell.lengths()))
    del atoms[len(atoms) // 2]
    atoms.positions = atoms.positions @ TURN.T + np.random.default_rng(7).normal(
        scale=rattle, size=atoms.positions.shape
    )
    atoms.pbc = False
    return atoms


@pytest.mark.parametrize("structure", CRYSTALS)
def test_crystals_are_recognised(structure: str) -> None:
    """Structure, species and lattice constant, which noise of a fiftieth of r0 shifts by less than a per cent."""
    symbol, a, ratio = CRYSTALS[structure]
    found = recognised(block(structure, rattle=0.05))
    assert found is not None
    assert found.crystal.structure == structure
    assert sorted(found.crystal.species) == sorted(bulk_species(symbol))
    assert found.crystal.lattice_constant_guess == pytest.approx(a, rel=0.01)
    if ratio is not None:
        assert found.crystal.ratio_guess == pytest.approx(ratio, rel=0.01)
    if structure == "l1_2":
        assert found.crystal.symbol == symbol  # three Ni for one Al


def bulk_species(symbol: str) -> list[str]:
    return sorted(set(Atoms(symbol).get_chemical_symbols()))


def test_few_foreign_atoms_are_none_of_the_crystal() -> None:
    atoms = bulk("Al", cubic=True, a=4.05).repeat(4)
    atoms.numbers[[3, 77]] = 29
    found = recognised(atoms)
    assert found is not None
    assert (found.crystal.structure, found.crystal.symbol, found.foreign) == ("fcc", "Al", ("Cu",))


def test_what_is_no_crystal_is_not_recognised() -> None:
    """Random places, a random alloy, and a single atom."""
    rng = np.random.default_rng(3)
    grid = np.stack(np.meshgrid(*[np.arange(6) * 2.5] * 3), axis=-1).reshape(-1, 3)
    liquid = Atoms(f"Cu{len(grid)}", grid + rng.uniform(-1.2, 1.2, grid.shape), cell=[15.0] * 3, pbc=True)
    assert recognised(liquid) is None
    alloy = bulk("Cu", cubic=True, a=3.7).repeat(4)
    alloy.numbers[rng.random(len(alloy)) < 0.5] = 79
    assert recognised(alloy) is None
    assert recognised(Atoms("Cu", positions=[[0, 0, 0]])) is None
