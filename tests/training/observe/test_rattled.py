"""Rattled cells in the fit: the rows are those of the model, and a fit with them is good where one without is wild."""

from dataclasses import replace

import numpy as np
import pytest

from qmfront.config.potential import Rattled, Training
from qmfront.models.ace.basis import build_basis
from qmfront.models.ace.calculator import ACE
from qmfront.models.ace.potential import Potential
from qmfront.training.fit import fit_potential
from qmfront.training.observations import lattice_of, observations_of
from qmfront.training.observe.kinds import KIND, kinds_of
from qmfront.training.observe.rattled import ObservedCells, observe_rattled, rattled_cells
from tests.settings import changed, fitting, steps
from tests.silicon import REACH, silicon, stillinger_weber

SAMPLING = Rattled(repeat=(1, 1, 2), count=4, amplitudes=(0.02, 0.1), strain=0.02, seed=1)
SAMPLING_64 = changed(SAMPLING, repeat=(2, 2, 2))


@pytest.fixture(scope="module")
def basis():
    return build_basis(["Si"], cutoff=3.75, max_degree=(8, 6), l_weight=1.0, decay=1.0)


def test_cells_are_strained_supercells_with_the_asked_displacements():
    cells = rattled_cells(silicon().crystal, changed(SAMPLING, count=40, amplitudes=(0.05, 0.05)))
    a = silicon().crystal.lattice_constant
    perfect = rattled_cells(silicon().crystal, changed(SAMPLING, count=1, amplitudes=(0.0, 0.0), strain=0.0))[
        0
    ]
    assert len(perfect) == 16 and perfect.cell.lengths() == pytest.approx([a, a, 2 * a])
    assert np.abs(stillinger_weber().get_forces(perfect)).max() < 1e-9
    moves = np.concatenate(
        [c.positions - perfect.get_scaled_positions(wrap=False) @ c.cell.array for c in cells]
    )
    assert moves.std() == pytest.approx(0.05, rel=0.05)
    strains = [np.linalg.inv(perfect.cell.array) @ c.cell.array - np.eye(3) for c in cells]
    assert 0.01 < np.abs(strains).max() <= 0.02 and not np.allclose(strains[0], strains[1])


def test_added_atoms_keep_their_distance_and_leave_the_others_where_they_were():
    sampling = changed(SAMPLING, count=6, interstitials=2, repeat=(2, 2, 2))
    cells = rattled_cells(silicon().crystal, sampling)
    assert [len(cell) - 64 for cell in cells] == [0, 1, 2, 0, 1, 2]
    apart = cells[2].get_distances(65, range(65), mic=True)
    assert apart.min() >= 0.9 * silicon().crystal.nearest_neighbour_distance
    assert np.array_equal(cells[0].positions, rattled_cells(silicon().crystal, SAMPLING_64)[0].positions)
    with pytest.raises(ValueError, match="distance_r0"):
        rattled_cells(silicon().crystal, changed(sampling, distance_r0=1.5))


@pytest.mark.parametrize("interstitials", [0, 1])
def test_rows_of_the_basis_are_those_of_the_calculator(basis, interstitials):
    """For a potential of the basis, observed as a model, design times coefficients gives the targets."""
    coefficients = 0.1 * np.random.default_rng(3).normal(size=len(basis))
    model, bulk = ACE(Potential(basis, coefficients, np.zeros(1))), silicon()
    observed = observe_rattled(bulk.crystal, model, changed(SAMPLING, interstitials=interstitials))
    again = ObservedCells.from_arrays(observed.arrays())
    wanted, rows = observed.targets(bulk), again.design(bulk, basis)
    for name in ("rattled_energy", "rattled_forces"):
        found = rows[name] @ coefficients
        assert np.abs(found - wanted[name]).max() < 1e-9 * np.abs(wanted[name]).max(), name
    assert rows["sampled_stress"].shape == (len(wanted["sampled_stress"]), len(basis))


def test_moduli_are_observed_where_force_constants_end_early():
    """Silicon to its nearest neighbours only: the second derivatives are asked for by themselves."""
    bulk = silicon()
    short = replace(bulk, force_constants=bulk.force_constants.truncated(3.0))
    more = set(kinds_of(1, lattice_of(short, 2.5e-3))) - set(kinds_of(1, lattice_of(bulk, 2.5e-3)))
    assert {kind.name for kind in more} == {"second_derivative", "internal_first_derivative"}
    assert KIND["second_derivative"] not in kinds_of(0, lattice_of(short, 2.5e-3))


@pytest.mark.parametrize("rattled", [False, True])
def test_fit_is_sane_at_finite_distortion_with_rattled_cells_only(basis, rattled):
    """Forces on unseen cells of 0.1 Å; the force constants are as good as without."""
    weights = dict.fromkeys(("rattled_energy", "rattled_forces", "sampled_stress"), 0.1)
    settings = fitting(force_constants=10.0, **weights)
    training = Training(rattled=changed(SAMPLING, count=10) if rattled else None)
    observed = observations_of(silicon(), stillinger_weber(), training, steps(REACH))
    fit = fit_potential(observed, silicon(), basis, settings)
    errors, sizes, model = [], [], ACE(fit.potential)
    for cell in rattled_cells(silicon().crystal, changed(SAMPLING, amplitudes=(0.1, 0.1), seed=9)):
        wanted = np.array(stillinger_weber().get_forces(cell))
        errors.append(np.array(model.get_forces(cell)) - wanted)
        sizes.append(wanted)
    relative = np.linalg.norm(errors) / np.linalg.norm(sizes)
    assert relative < 0.1 if rattled else relative > 0.2
    assert fit.relative_error["force_constants"] < 1e-2
