"""A model behind the journal answers as the model itself, and is asked once."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.emt import EMT

from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.model_spec import ModelSpec

SPEC = ModelSpec("ase.calculators.emt.EMT")


def crystal() -> Atoms:
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.05, seed=3)
    return atoms


def test_values_are_those_of_the_model(tmp_path: Path) -> None:
    direct, through = crystal(), crystal()
    direct.calc = EMT()
    through.calc = Journaled(SPEC, Journal(tmp_path), Tally())
    assert np.array_equal(through.get_stress(), direct.get_stress())
    assert np.array_equal(through.get_forces(), direct.get_forces())
    assert through.get_potential_energy() == direct.get_potential_energy()


def test_what_was_asked_once_comes_from_the_journal(tmp_path: Path) -> None:
    first, second = Tally(), Tally()
    for tally in (first, second):
        atoms = crystal()
        atoms.calc = Journaled(SPEC, Journal(tmp_path), tally)
        atoms.get_forces()
        atoms.get_potential_energy()
        atoms.get_stress()
        atoms.positions[0, 0] += 0.01
        atoms.get_forces()
    assert (first.computed, first.cached) == (3, 0)  # forces with energy, stress, moved
    assert (second.computed, second.cached) == (0, 3)


def test_a_property_that_the_model_lacks_is_said_to_be_missing(tmp_path: Path) -> None:
    atoms = crystal()
    atoms.calc = Journaled(SPEC, Journal(tmp_path), Tally())
    with pytest.raises(PropertyNotImplementedError):
        atoms.get_magnetic_moment()


def test_the_range_of_the_model_is_handed_on(tmp_path: Path) -> None:
    spec = ModelSpec("qmfront.models.eam.EAM", {"potential": "W_zhou"})
    through = Journaled(spec, Journal(tmp_path), Tally())
    assert through.force_range > 10.0
    assert not hasattr(Journaled(SPEC, Journal(tmp_path), Tally()), "force_range")
