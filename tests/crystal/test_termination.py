"""Where planes part crystals with a basis: gaps by hand, slabs from cut to cut, bonds that they break."""

import numpy as np
import pytest
from ase.build import diamond111

from qmfront.config.material import Crystal as CrystalSettings
from qmfront.crystal.disc import default_origin, straight_line_cell
from qmfront.crystal.lattice import Crystal, crystal_of, cubic_crystal
from qmfront.crystal.neighbours import pairs_within
from qmfront.crystal.slab import Slab, flat_slab, slab_size
from qmfront.crystal.termination import Termination, termination_at, terminations

A0 = 5.43
PERIODIC = np.array([True, True, False])


def diamond() -> Crystal:
    return cubic_crystal("Si", "diamond", A0)


def named(structure: str, symbol: str, a0: float) -> Crystal:
    return crystal_of(CrystalSettings(structure=structure, symbol=symbol, lattice_constant_guess=a0))


def gaps(crystal: Crystal, plane: tuple[int, int, int]) -> list[tuple[float, float]]:
    return [(cut.lower, cut.upper) for cut in terminations(crystal, crystal.plane_normal(plane))]


def bonds(slab: Slab, cutoff: float) -> int:
    return len(pairs_within(slab.positions, slab.cell, PERIODIC, cutoff)) // 2


@pytest.mark.parametrize(
    ("structure", "symbol", "plane", "expected"),
    [
        ("bcc", "W", (1, 1, 0), [(0, 1)]),
        ("diamond", "Si", (1, 1, 1), [(0, 3 / 4), (3 / 4, 1)]),
        ("diamond", "Si", (1, 1, 0), [(0, 1)]),
        ("diamond", "Si", (1, 0, 0), [(0, 1 / 2), (1 / 2, 1)]),
        ("b2", "NiAl", (1, 1, 0), [(0, 1)]),
        ("b2", "NiAl", (1, 0, 0), [(0, 1 / 2), (1 / 2, 1)]),
        ("hcp", "Mg", (0, 0, 1), [(0, 1 / 2), (1 / 2, 1)]),
        ("hcp", "Mg", (1, 0, 0), [(1 / 3, 1), (0, 1 / 3)]),
        ("rocksalt", "NaCl", (1, 1, 1), [(0, 1 / 2), (1 / 2, 1)]),
        ("wurtzite", "GaN", (0, 0, 1), [(0, 0.375), (0.5, 0.875), (0.375, 0.5), (0.875, 1)]),
    ],
)
def test_gaps_of_known_crystals_the_widest_first(structure, symbol, plane, expected):
    found = gaps(named(structure, symbol, 4.0), plane)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_layers_that_are_nearly_one_are_not_parted():
    """A buckled layer, 0.1 Å high, has no cut inside; one of 0.5 Å has."""
    for height, expected in ((0.1, 1), (0.5, 2)):
        buckled = Crystal(4.0 * np.eye(3), np.array([[0.0, 0, 0], [2.0, 2.0, height]]), np.array([14, 14]))
        assert len(terminations(buckled, np.array([0.0, 0.0, 1.0]))) == expected


def test_a_height_names_the_gap_that_holds_it():
    wide, narrow = terminations(diamond(), np.array([1.0, 1.0, 1.0]))
    assert termination_at((wide, narrow), 0.4) == termination_at((wide, narrow), 0.7) == wide
    assert termination_at((wide, narrow), 0.9) == narrow == termination_at((wide, narrow), narrow.middle)
    assert termination_at((Termination(0.5, 1.2),), 0.1).middle == pytest.approx(0.85)  # across the period
    with pytest.raises(ValueError, match=r"0.3 lies inside a layer; .* between layers at 0.5 and 1.2"):
        termination_at((Termination(0.5, 1.2),), 0.3)


@pytest.mark.parametrize(("height", "broken"), [(0.4, 1), (0.9, 3)])
def test_a_slab_breaks_the_bonds_of_its_termination(height, broken):
    """Per surface cell: one bond for shuffle, three for glide; in the middle every atom has its four."""
    crystal = diamond()
    cut = termination_at(terminations(crystal, np.array([1.0, 1.0, 1.0])), height)
    slab = flat_slab(crystal, (1, 1, 1), layers=24, vacuum=10.0, cut=cut)
    assert len(slab.numbers) == 24 == slab_size(crystal, (1, 1, 1), 24)
    assert 2 * len(slab.numbers) - bonds(slab, 2.5) == broken
    assert slab.area == pytest.approx(A0**2 * np.sqrt(3) / 4)
    pairs = pairs_within(slab.positions, slab.cell, PERIODIC, 6.0)
    middle = np.sort(np.linalg.norm(pairs.vector[pairs.first == 12], axis=1))
    whole = pairs_within(crystal.basis, crystal.cell, np.ones(3, bool), 6.0)
    np.testing.assert_allclose(
        middle, np.sort(np.linalg.norm(whole.vector[whole.first == 0], axis=1)), rtol=1e-9
    )


def test_same_slab_as_ase():
    """All distances up to 7 Å, both faces included; ASE cuts glide."""
    cut = termination_at(terminations(diamond(), np.array([1.0, 1.0, 1.0])), 0.9)
    slab = flat_slab(diamond(), (1, 1, 1), layers=12, vacuum=10.0, cut=cut)
    other = diamond111("Si", (1, 1, 12), a=A0, vacuum=5.0)
    theirs = Slab(other.cell.array, other.positions, other.numbers)
    assert len(other) == len(slab.numbers) and slab.area == pytest.approx(theirs.area)
    found, expected = (
        np.sort(np.linalg.norm(pairs_within(s.positions, s.cell, PERIODIC, 7.0).vector, axis=1))
        for s in (slab, theirs)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("plane", [(1, 1, 1), (1, 1, 0), (1, 0, 0), (2, 1, 1), (3, -1, 2)])
def test_slabs_of_compounds_have_the_composition_of_the_crystal(plane):
    """And their two faces are the two sides of the cut: what is missing above the last layer is the first one."""
    for crystal in (named("zincblende", "GaAs", 5.65), named("l1_2", "NiAl", 3.57)):
        for cut in terminations(crystal, crystal.plane_normal(plane)):
            slab = flat_slab(crystal, plane, layers=6, vacuum=9.0, cut=cut)
            counts = {n: np.sum(slab.numbers == n) for n in np.unique(crystal.numbers)}
            share = len(slab.numbers) / len(crystal.numbers)
            assert all(count == share * np.sum(crystal.numbers == n) for n, count in counts.items())
            heights = np.unique(np.round(slab.positions[:, 2], 6))
            spacing = crystal.volume / slab.area
            gap = spacing * share - (heights[-1] - heights[0])  # up to where the first layer would repeat
            assert gap == pytest.approx(cut.width * spacing, abs=1e-5)


@pytest.mark.parametrize(("height", "gap"), [(0.4, 3 / 4), (0.9, 1 / 4)])
def test_a_crack_runs_midway_in_the_gap_that_is_named(height, gap):
    """The nearest layers above and below are half a gap away, and the tip is between two rows of the layers."""
    cell = straight_line_cell(diamond(), (1, -1, 0), (1, 1, 1))
    cut = termination_at(terminations(cell.crystal, np.array([0.0, 1.0, 0.0])), height)
    origin = default_origin(cell, cut)
    spacing = A0 / np.sqrt(3)
    places = cell.crystal.basis[:, 1] - origin[1]
    above, below = places % spacing, -places % spacing
    assert above.min() == pytest.approx(gap * spacing / 2) == pytest.approx(below.min())
