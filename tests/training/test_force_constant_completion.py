"""What a small supercell cuts off is given back by the potential, and only that."""

from dataclasses import replace

import numpy as np
import pytest
from matscipy.calculators.manybody import Manybody
from matscipy.calculators.manybody.explicit_forms import StillingerWeber
from matscipy.calculators.manybody.explicit_forms.stillinger_weber import Stillinger_Weber_PRB_31_5262_Si

from qmfront.config.material import ForceConstantSteps, ModuliSteps, Probe, StressSamples
from qmfront.config.potential import Training
from qmfront.elasticity.bulk import bulk_of
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.models.force_constants import force_constants
from qmfront.training.force_constant_completion import completed
from qmfront.training.observations import observations_of
from tests.silicon import REACH, silicon, stillinger_weber

STILLINGER_WEBER = ModelSpec("tests.silicon.stillinger_weber")
NEIGHBOURS = 2.5
"""Å; a reach that leaves out the second neighbours."""


class Ranged(Manybody):
    """Stillinger-Weber silicon that says how far its force constants reach."""

    force_range = REACH


def test_short_force_constants_are_continued() -> None:
    """The same model beyond: the force constants and moduli of the whole, which the short ones miss."""
    bulk = silicon()
    short = replace(bulk, force_constants=bulk.force_constants.truncated(NEIGHBOURS))
    potential = Ranged(**StillingerWeber(Stillinger_Weber_PRB_31_5262_Si))
    whole = completed(short, potential, displacement=1e-3).force_constants
    scale, volume = np.abs(bulk.moduli).max(), bulk.crystal.volume
    assert np.abs(whole.moduli(volume) - bulk.moduli).max() < 1e-3 * scale
    assert np.abs(short.force_constants.moduli(volume) - bulk.moduli).max() > 0.1 * scale


def test_what_is_known_stays() -> None:
    """Another model beyond changes nothing but self terms within the reach."""
    bulk = silicon()
    doubled = replace(bulk.force_constants, matrix=2 * bulk.force_constants.matrix).truncated(NEIGHBOURS)
    potential = Ranged(**StillingerWeber(Stillinger_Weber_PRB_31_5262_Si))
    mixed = completed(replace(bulk, force_constants=doubled), potential, displacement=1e-3).force_constants
    size = np.linalg.norm(mixed.vector, axis=1)
    near = (size > 1e-3) & (size < NEIGHBOURS)
    for vector, matrix in zip(mixed.vector[near], mixed.matrix[near], strict=True):
        place = np.abs(doubled.vector - vector).max(axis=1).argmin()
        assert np.abs(matrix - doubled.matrix[place]).max() < 1e-9
    assert np.abs(mixed.matrix[size > 3.0]).max() > 0.1
    rows = np.zeros((2, 3, 3))
    np.add.at(rows, mixed.basis_first, mixed.matrix)
    assert np.abs(rows).max() < 1e-9


def test_longer_ones_than_the_potential_has_stay_as_they_are() -> None:
    """Nothing is beyond them."""
    short = Ranged(**StillingerWeber(Stillinger_Weber_PRB_31_5262_Si))
    short.force_range = NEIGHBOURS
    assert completed(silicon(), short, displacement=1e-3) is silicon()


@pytest.mark.parametrize("supercell", ["primitive", "cubic"])
def test_training_asks_for_no_force_constants_again(tmp_path, supercell: str) -> None:
    """The same cell and the same step as in the bulk: everything is in the journal."""
    probe = Probe(
        force_constants=ForceConstantSteps(reach=REACH, displacement=1e-2, supercell=supercell),
        stress_samples=StressSamples(amplitude=0.02, count=8, seed=3),
        moduli=ModuliSteps(step=None, rest_force=1e-6),
    )
    journal, tally = Journal(tmp_path), Tally()
    bulk = bulk_of(silicon().crystal, Journaled(STILLINGER_WEBER, journal, tally), probe)
    later = Tally()
    model = Journaled(STILLINGER_WEBER, journal, later)
    observations_of(bulk, model, Training(matching=0), probe.force_constants)
    assert later.computed == 0 < later.cached


def test_cubic_supercells_give_the_same_force_constants() -> None:
    """For a model of finite range; only the order of the pairs differs."""
    crystal, model = silicon().crystal, stillinger_weber()
    assert np.allclose(crystal.cubic @ crystal.cell, crystal.cubic[0] @ crystal.cell[:, 0] * np.eye(3))
    found = force_constants(crystal.to_atoms(), model, reach=REACH, step=1e-3, transform=crystal.cubic)
    known = silicon().force_constants
    volume = crystal.volume
    assert len(found.vector) == len(known.vector)
    assert np.abs(found.moduli(volume) - known.moduli(volume)).max() < 1e-8
    waves = np.random.default_rng(0).normal(size=(5, 3))
    assert np.abs(found.dynamical_matrix(waves) - known.dynamical_matrix(waves)).max() < 1e-8
