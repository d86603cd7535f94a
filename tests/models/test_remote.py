"""A calculator in another program gives the same answers, fails with words, and leaves nothing behind."""

import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from qmfront.evaluate.evaluation import EvaluationError, ask
from qmfront.evaluate.forces import journaled_forces
from qmfront.evaluate.journal import Tally
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.models.calculator import identity
from qmfront.models.remote import Remote

PYTHON = shlex.quote(sys.executable)
ROUNDING = 1e-11
"""eV, eV/Å, eV/Å^3; a model that remembers its neighbour lists adds them up in another order."""
MODEL = {"calculator": "ase.calculators.emt.EMT", "kwargs": {}}


@pytest.fixture(scope="module")
def remote():
    calculator = Remote(launch=PYTHON, model=MODEL)
    yield calculator
    calculator.close()


def test_answers_are_those_of_the_model(remote):
    atoms = bulk("Cu", cubic=True).repeat(2)
    for seed in range(2):
        atoms.rattle(0.05, seed=seed)
        here = EMT().get_forces(atoms)
        assert np.abs(remote.get_forces(atoms) - here).max() < ROUNDING < 0.1 < np.abs(here).max()
        assert abs(remote.get_potential_energy(atoms) - EMT().get_potential_energy(atoms)) < ROUNDING
        assert np.abs(remote.get_stress(atoms) - EMT().get_stress(atoms)).max() < ROUNDING
    assert remote.implemented_properties == ["energy", "free_energy", "forces", "stress"]


def test_through_the_journal(tmp_path):
    spec = ModelSpec("qmfront.models.remote.Remote", {"launch": PYTHON, "model": MODEL})
    atoms, tally = bulk("Cu", cubic=True), Tally()
    atoms.rattle(0.1, seed=1)
    found = journaled_forces(spec, tmp_path, tally)(atoms)
    assert np.abs(found - EMT().get_forces(atoms)).max() < ROUNDING and tally.computed == 1


def test_how_it_is_launched_does_not_change_what_the_journal_knows():
    """Sixteen processes or thirty-two; but the version of the model and its arguments do."""
    spec = {
        "calculator": "qmfront.models.remote.Remote",
        "kwargs": {"launch": "mpiexec -n 16 python", "model": MODEL},
    }
    one = identity(spec)
    assert one == identity({**spec, "kwargs": {**spec["kwargs"], "launch": "mpiexec -n 32 python"}})
    assert one["model"]["code"] == identity(MODEL)["code"]
    other = {**MODEL, "kwargs": {"asap_cutoff": True}}
    assert one != identity({**spec, "kwargs": {**spec["kwargs"], "model": other}})


def test_failures_have_words(remote):
    with pytest.raises(RuntimeError, match="NotImplementedError: No EMT-potential for Si"):
        remote.get_forces(bulk("Si"))
    atoms = bulk("Cu", cubic=True)
    assert np.isfinite(remote.get_forces(atoms)).all(), "it goes on"
    with pytest.raises(
        RuntimeError, match="ended with 3 before the model was ready. Its last words: no licence"
    ):
        Remote(launch=f"{PYTHON} -c \"import sys; print('no licence'); sys.exit(3)\"", model=MODEL)


def test_a_program_whose_time_is_up_is_ended():
    calculator = Remote(launch=PYTHON, model={"calculator": "tests.models.sleepy.Sleepy", "kwargs": {}})
    with pytest.raises(EvaluationError, match="no answer within 0.5 s"):
        ask(bulk("Cu"), calculator, ("forces",), name="Remote", time_limit=0.5)
    assert calculator._program.wait(timeout=5.0) != 0
    calculator.close()


def test_a_program_that_dies_is_missed_and_nothing_is_left_behind():
    calculator = Remote(launch=PYTHON, model=MODEL)
    folder = Path(calculator._folder)
    assert folder.is_dir()
    calculator._program.kill()
    with pytest.raises(RuntimeError, match="ended without an answer"):
        calculator.get_forces(bulk("Cu"))
    calculator.close()
    assert not folder.exists()
