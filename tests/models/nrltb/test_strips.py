"""Strips: only neighbours meet, every atom is in one, and what cannot be cut is refused with the reason."""

import numpy as np
import pytest

from qmfront.models.bonds import bond_list
from qmfront.models.nrltb.strips import NoStripsError, cut_strips
from tests.models.nrltb.structures import cluster, disc, sheared

REACH = 6.6147  # Å


def slab():
    atoms = sheared((1, 1, 5))
    atoms.pbc = (True, True, False)
    return atoms


def two_far_apart():
    atoms = disc(5.0)
    other = atoms.copy()
    other.positions[:, 0] += 45.0
    return atoms + other


STRUCTURES = {
    "disc": lambda: disc(15.0),
    "slab": slab,
    "cluster": lambda: cluster(200),
    "two parts": two_far_apart,
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_bonds_stay_within_a_strip_or_reach_the_next(name):
    atoms = STRUCTURES[name]()
    reach = 5.0 if name == "cluster" else REACH
    strips = cut_strips(atoms.positions, atoms.cell.array, atoms.pbc, reach)
    assert sorted(strips.order) == list(range(len(atoms)))
    assert strips.sizes.sum() == 4 * len(atoms) and np.all(strips.sizes > 0) and len(strips.sizes) >= 3
    number = np.empty(len(atoms), int)
    number[strips.order] = np.repeat(np.arange(len(strips.sizes)), np.diff(strips.starts))
    bonds = bond_list(atoms.positions, atoms.cell.array, atoms.pbc, reach).within(atoms.positions, reach)
    step = np.abs(number[bonds.first] - number[bonds.second])
    assert step.max() == 1 or name == "two parts"
    assert step.max() <= 1


def test_the_long_direction_is_cut_whatever_the_frame():
    atoms = disc(20.0)[np.abs(disc(20.0, rattle=0.0).positions[:, 1] - 25.0) < 9.0]
    strips = cut_strips(atoms.positions, atoms.cell.array, atoms.pbc, REACH)
    extent = np.ptp(atoms.positions[:, 0])
    assert len(strips.sizes) == int(extent / REACH) > 4
    turn = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))[0]
    other = cut_strips(atoms.positions @ turn.T, atoms.cell.array @ turn.T, atoms.pbc, REACH)
    assert sorted(other.sizes) == sorted(strips.sizes)


def test_what_cannot_be_cut_is_refused():
    atoms = disc(15.0)
    with pytest.raises(NoStripsError, match="All three directions are periodic"):
        cut_strips(atoms.positions, atoms.cell.array, [True] * 3, REACH)
    small = disc(6.0)
    with pytest.raises(NoStripsError, match=r"which is 1 strips of 6.61 Å; 3 are needed. Use solver='dense'"):
        cut_strips(small.positions, small.cell.array, small.pbc, REACH)
    single = small[:1]
    with pytest.raises(NoStripsError, match="extend 0.0 Å"):
        cut_strips(single.positions, single.cell.array, single.pbc, REACH)
