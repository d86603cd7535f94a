"""A screw dislocation in tungsten on its saddle, 0.256 eV per Burgers vector above its easy core, and the way off."""

from collections.abc import Callable

import numpy as np
import pytest

from qmfront.config.stages import Solve, Start
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.mm_minimum import MMMinimum, minimum_from, mm_minimum
from qmfront.coupling.partition import BUFFER, FAR_FIELD, MM, QM
from qmfront.coupling.solve import solve
from qmfront.elasticity.defective_sites import defective_sites
from qmfront.elasticity.straight import StraightDislocation, cores_beside, dislocation_defect
from qmfront.operators.assembly import assemble
from qmfront.storage import store
from qmfront.storage.layouts.start import START

ABOVE = 0.256
"""eV per Burgers vector."""


SCREW = StraightDislocation(
    line=(1, 1, 1),
    plane=(1, -1, 0),
    burgers=(0.5, 0.5, 0.5),
    core_offset=(0.0, 0.0),
    core_map_radius_r0=3.0,
    radius_r0=8.0,
    clamp_width=5.4,
)


@pytest.fixture(scope="module")
def screw(tungsten, eam, eam_forces) -> Hybrid:
    """1/2<111>, the predictor between two easy cores; both models are the same."""
    defect = dislocation_defect(tungsten, SCREW)
    operators = assemble(defect, tungsten, reach=eam.force_range, decay=3.0, cutoff_r0=2.5)
    return Hybrid(defect, operators, Models(eam_forces, eam_forces))


@pytest.fixture(scope="module")
def energy(screw, eam) -> Callable[[np.ndarray], float]:
    def of(u: np.ndarray) -> float:
        atoms = screw.defect.body.atoms(u)
        atoms.calc = eam
        return atoms.get_potential_energy()

    return of


@pytest.fixture(scope="module")
def on_the_saddle(screw, energy) -> MMMinimum:
    """A descent that keeps the symmetry of the predictor."""
    return mm_minimum(screw, energy, Start(noise=0.0, tries=1))


def test_noise_finds_the_way_down(screw, energy, on_the_saddle):
    found = mm_minimum(screw, energy, Start(noise=0.02, tries=2))
    assert found.energies.min() == pytest.approx(on_the_saddle.energies[0] - ABOVE, abs=5e-3)
    assert energy(found.displacement) - energy(0 * found.displacement) == found.energies.min()
    assert np.abs(screw.mm_forces()(found.displacement)).max() < 1e-3
    assert found.modes.eigenvalues[0] > 0.2 and on_the_saddle.modes.eigenvalues[0] < -0.1


def test_a_solve_leaves_the_saddle_where_it_is_tested(screw, energy, on_the_saddle):
    """Root finding stays on it. The second solution is a minimum, and proven one."""
    defect = screw.defect
    distance = np.linalg.norm(defect.sites[:, :2], axis=1)
    region = np.where(defect.free, MM, FAR_FIELD)
    region[defect.free & (distance < 20.0)] = BUFFER
    region[distance < 8.5] = QM

    def difference(u: np.ndarray) -> np.ndarray:
        return np.where(defect.free[:, None], 1e-4, 0.0) * np.ones_like(u)

    stays = solve(screw, region, difference, start=on_the_saddle, settings=Solve(modes=0))
    leaves = solve(screw, region, difference, start=on_the_saddle, settings=Solve(modes=3))
    assert stays.modes is None and stays.test_calls == 0
    assert energy(stays.displacement) - energy(leaves.displacement) == pytest.approx(ABOVE, abs=5e-3)
    assert leaves.modes is not None and leaves.modes.eigenvalues[0] > 0.2 and 15 < leaves.test_calls < 40


def test_without_a_minimum_the_iteration_starts_at_the_predictor(screw, energy, caplog):
    found = mm_minimum(screw, energy, Start(tries=2, max_calls=3))
    assert not found.at_rest and np.isinf(found.energies).all() and found.modes is None
    assert not found.displacement.any() and "none of 2 starts" in caplog.text
    assert not MMMinimum.from_arrays(found.arrays()).at_rest


def test_a_known_state_comes_to_rest_in_the_potential(screw, energy, on_the_saddle):
    """From beside the saddle to the easy core; as it is where the potential is not to be relaxed, or does not rest."""
    beside = on_the_saddle.displacement + 0.1 * on_the_saddle.modes.softest
    found = minimum_from(screw, energy, Start(), begin=beside)
    assert found.energies[0] == pytest.approx(on_the_saddle.energies[0] - ABOVE, abs=5e-3)
    assert found.at_rest and found.modes.eigenvalues[0] > 0.2
    assert np.abs(screw.mm_forces()(found.displacement)).max() < 1e-3
    for settings in (Start(relax=False), Start(max_calls=2)):
        kept = minimum_from(screw, energy, settings, begin=beside)
        assert np.array_equal(kept.displacement, beside) and kept.modes is None
        assert kept.energies[0] == energy(beside) - energy(np.zeros_like(beside))


def test_cores_beside_that_of_the_predictor(screw, tungsten, energy):
    """The predictor sits between two easy cores; half a row to either side lie equal places."""
    forward, back = cores_beside(tungsten, SCREW, screw.defect)
    free = screw.defect.free
    assert not forward[~free].any() and np.abs(forward[free]).max() > 0.3
    assert energy(forward) == pytest.approx(energy(back), abs=0.05)
    found = mm_minimum(screw, energy, Start(noise=0.0, tries=3), others=(forward, back))
    centre = mm_minimum(screw, energy, Start(noise=0.02, tries=1))
    assert found.energies.min() == pytest.approx(centre.energies.min(), abs=1e-3)
    assert found.energies[0] > found.energies.min() + 0.5 * ABOVE


def test_the_core_is_defective_and_the_rest_is_not(screw, tungsten, on_the_saddle, energy):
    """The sites of the screw lie within 3 r0 of its line, the predictor's as well as the relaxed one's."""
    found = mm_minimum(screw, energy, Start(tries=1))
    for u in (found.displacement, np.zeros_like(found.displacement)):
        marked = defective_sites(screw.defect, u, tungsten.crystal)
        distance = np.linalg.norm(screw.defect.coordinates[marked], axis=1) / screw.defect.r0
        assert 3 <= marked.sum() <= 40 and distance.max() < 3.0


def test_a_minimum_survives_its_store(on_the_saddle, tmp_path):
    region = np.zeros(len(on_the_saddle.displacement), int)
    arrays = {**on_the_saddle.arrays(), "region": region, "defective": region > 0}
    path = store.save(tmp_path / "start.zarr", START, arrays)
    again = MMMinimum.from_arrays(store.load(path, START))
    assert np.array_equal(again.modes.vectors, on_the_saddle.modes.vectors)
    assert np.array_equal(again.displacement, on_the_saddle.displacement)
