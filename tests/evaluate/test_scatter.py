"""Jobs that fill a journal together: what the stage needs later is there, and nothing was computed twice."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk as crystal
from ase.build import molecule
from ase.calculators.emt import EMT

from qmfront.config.material import RelaxedSlab
from qmfront.config.potential import FlatSlabs, Rattled, RattledSlabs, Surfaces, Training
from qmfront.elasticity.bulk import Bulk
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.evaluate.scatter import Scattered, in_turn, job_of
from qmfront.training.observations import Observations, observations_of
from tests.settings import steps
from tests.silicon import silicon

EAM = ModelSpec("qmfront.models.eam.EAM", {"potential": "W_zhou"})
SW = ModelSpec("tests.silicon.stillinger_weber")
SURFACES = Surfaces(
    planes=((1, 1, 0),),
    layers=10,
    face_weight=1.0,
    flat=FlatSlabs(count=6, shift=0.05, strain=0.01),
    rattled=RattledSlabs(count=4, amplitudes=(0.05, 0.1), repeat=(2, 2)),
    seed=0,
)
CELLS = Rattled(repeat=(2, 2, 2), count=12, amplitudes=(0.01, 0.1), strain=0.02, seed=0)
SLAB = RelaxedSlab(vacuum=8.0, max_force=1e-3)


def observed(bulk: Bulk, model: Journaled, settings: Training) -> Observations:
    return observations_of(bulk, model, settings, steps(5.0), slab=SLAB)


def filled(journal: Journal, total: int, spec: ModelSpec, bulk: Bulk, settings: Training) -> list[Tally]:
    """What each job did."""
    tallies = [Tally() for _ in range(total)]
    for number, tally in enumerate(tallies):
        observed(bulk, Scattered(spec, journal, tally, number=number, total=total), settings)
    return tallies


@pytest.mark.parametrize("total", [1, 3])
def test_the_stage_finds_everything(total: int, tungsten, tmp_path: Path) -> None:
    """Strained lattices, their force constants, rattled cells, and slabs that follow from a relaxation."""
    settings = Training(matching=2, surfaces=SURFACES, rattled=CELLS)
    _same(total, tungsten, tmp_path, settings)


def test_a_stage_whose_order_follows_from_noise(tungsten, tmp_path: Path) -> None:
    """All jobs come to the same order, though each makes only its own calls."""
    _same(3, tungsten, tmp_path, Training(recipe="robust"))


def _same(total: int, tungsten: Bulk, tmp_path: Path, settings: Training) -> None:
    alone, late = Tally(), Tally()
    expected = observed(tungsten, Journaled(EAM, Journal(tmp_path / "alone"), alone), settings)
    journal = Journal(tmp_path / "scattered")
    tallies = filled(journal, total, EAM, tungsten, settings)
    found = observed(tungsten, Journaled(EAM, journal, late), settings)
    assert late.computed == 0 and alone.computed > 90
    assert sum(tally.computed for tally in tallies) == alone.computed, (
        "nothing twice, nothing that is not asked for"
    )
    assert min(tally.computed for tally in tallies) > 0.5 * alone.computed / total
    found, expected = found.arrays(), expected.arrays()
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert np.abs(found[name] - values).max() < 1e-9 * max(np.abs(values).max(), 1.0), name


def test_shifts_of_sublattices_are_found_in_turn(tmp_path: Path) -> None:
    """The strained lattices of a crystal with a basis stand where earlier results say."""
    journal, late = Journal(tmp_path), Tally()
    tallies = filled(journal, 2, SW, silicon(), Training())
    observed(silicon(), Journaled(SW, journal, late), Training())
    assert late.computed == 0 and all(tally.computed > 20 for tally in tallies)


def test_structures_fall_to_one_job_each() -> None:
    cells = []
    for step in range(300):
        cells.append(crystal("Cu", cubic=True) * (2, 2, 2))
        cells[-1].rattle(0.01, seed=step)
    jobs = [job_of(cell, 3) for cell in cells]
    assert jobs == [job_of(cell.copy(), 3) for cell in cells]
    assert min(Counter(jobs).values()) > 70 and set(jobs) == {0, 1, 2}


def test_calls_of_other_jobs_are_zero_and_not_made(tmp_path: Path) -> None:
    """And the plain model stands behind it for what must be true."""
    spec, atoms, tally = ModelSpec("ase.calculators.emt.EMT"), molecule("C2H6"), Tally()
    other = 1 - job_of(atoms, 2)
    part = Scattered(spec, Journal(tmp_path), tally, number=other, total=2)
    atoms.calc = part
    assert not atoms.get_forces().any() and atoms.get_potential_energy() == 0.0
    assert tally.calls == 0 and part.skipped == 1
    atoms.calc = in_turn(part)
    expected = atoms.copy()
    expected.calc = EMT()
    assert np.array_equal(atoms.get_forces(), expected.get_forces())
    assert tally.computed == 1 and in_turn(expected.calc) is expected.calc


def test_a_job_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Job 3 of 3 does not exist"):
        Scattered(EAM, Journal(tmp_path), Tally(), number=3, total=3)
