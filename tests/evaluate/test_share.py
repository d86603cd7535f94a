"""Jobs that fill a journal together: what the stage asks for later is there, and nothing was computed twice."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk as crystal
from ase.build import molecule
from ase.calculators.emt import EMT

from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.share import Share, in_turn, share_of
from qmfront.training.observations import training_arrays
from qmfront.training.observe.rattled import RattledSampling
from qmfront.training.observe.slabs import SurfaceSampling
from tests.silicon import REACH, silicon

EAM = {"calculator": "qmfront.models.eam.EAM", "kwargs": {"potential": "W_zhou"}}
SW = {"calculator": "tests.silicon.stillinger_weber", "kwargs": {}}
SLABS = SurfaceSampling(
    planes=((1, 1, 0),),
    layers=10,
    vacuum=8.0,
    max_force=1e-3,
    face_weight=1.0,
    flat={"count": 6, "shift": 0.05, "strain": 0.01},
    rattled={"count": 4, "amplitudes": (0.05, 0.1), "repeat": (2, 2)},
    seed=0,
)
RATTLES = RattledSampling((2, 2, 2), 12, (0.01, 0.1), strain=0.02, seed=0, interstitials=0, distance_r0=0.9)


def filled(journal: Journal, total: int, spec: dict, bulk, **asked) -> list[Tally]:
    """What each job did."""
    tallies = [Tally() for _ in range(total)]
    for number, tally in enumerate(tallies):
        training_arrays(bulk, Share(spec, journal, tally, number=number, total=total), **asked)
    return tallies


@pytest.mark.parametrize("total", [1, 3])
def test_the_stage_finds_everything(total: int, tungsten, tmp_path: Path) -> None:
    """Strained lattices, their force constants, rattled cells, and slabs that follow from a relaxation."""
    asked = {
        "matching": 2,
        "strain_step": 2.5e-3,
        "reach": 5.0,
        "surfaces": SLABS,
        "rattles": RATTLES,
    }
    alone, late = Tally(), Tally()
    expected = training_arrays(tungsten, Journaled(EAM, Journal(tmp_path / "alone"), alone), **asked)
    journal = Journal(tmp_path / "shared")
    tallies = filled(journal, total, EAM, tungsten, **asked)
    found = training_arrays(tungsten, Journaled(EAM, journal, late), **asked)
    assert late.computed == 0 and alone.computed > 90
    assert sum(tally.computed for tally in tallies) == alone.computed, (
        "nothing twice, nothing that is not asked for"
    )
    assert min(tally.computed for tally in tallies) > 0.5 * alone.computed / total
    found, expected = found.arrays(), expected.arrays()
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert np.abs(found[name] - values).max() < 1e-9 * max(np.abs(values).max(), 1.0), name


def test_shifts_of_sublattices_are_asked_in_turn(tmp_path: Path) -> None:
    """The strained lattices of a crystal with a basis stand where earlier answers say."""
    asked = {"matching": 1, "strain_step": 2.5e-3, "reach": REACH}
    journal, late = Journal(tmp_path), Tally()
    tallies = filled(journal, 2, SW, silicon(), **asked)
    training_arrays(silicon(), Journaled(SW, journal, late), **asked)
    assert late.computed == 0 and all(tally.computed > 20 for tally in tallies)


def test_structures_fall_to_one_job_each() -> None:
    cells = []
    for step in range(300):
        cells.append(crystal("Cu", cubic=True) * (2, 2, 2))
        cells[-1].rattle(0.01, seed=step)
    shares = [share_of(cell, 3) for cell in cells]
    assert shares == [share_of(cell.copy(), 3) for cell in cells]
    assert min(Counter(shares).values()) > 70 and set(shares) == {0, 1, 2}


def test_what_is_not_its_share_is_zero_and_not_asked(tmp_path: Path) -> None:
    """And the plain model stands behind it for what must be true."""
    spec, atoms, tally = {"calculator": "ase.calculators.emt.EMT"}, molecule("C2H6"), Tally()
    other = 1 - share_of(atoms, 2)
    share = Share(spec, Journal(tmp_path), tally, number=other, total=2)
    atoms.calc = share
    assert not atoms.get_forces().any() and atoms.get_potential_energy() == 0.0
    assert tally.calls == 0 and share.skipped == 1
    atoms.calc = in_turn(share)
    expected = atoms.copy()
    expected.calc = EMT()
    assert np.array_equal(atoms.get_forces(), expected.get_forces())
    assert tally.computed == 1 and in_turn(expected.calc) is expected.calc


def test_a_share_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Job 3 of 3 does not exist"):
        Share(EAM, Journal(tmp_path), Tally(), number=3, total=3)
