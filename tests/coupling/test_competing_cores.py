"""Which of several cores is the lowest: virtual work against energies."""

import numpy as np
import pytest

from qmfront.coupling.competing_cores import preferred_core, work_between
from qmfront.coupling.force_mixing import model_forces
from qmfront.coupling.mm_minimum import _competing


@pytest.fixture
def bumps(edge):
    """Two displacements near the core, and that of the predictor."""
    generator = np.random.default_rng(11)
    near = (np.linalg.norm(edge.coordinates - edge.core[:2], axis=1) < 2.0 * edge.r0) & edge.free
    one, two = (
        np.where(near[:, None], generator.normal(scale=s, size=edge.sites.shape), 0.0) for s in (0.05, 0.08)
    )
    return [np.zeros_like(one), one, two]


def test_the_work_of_a_model_is_its_difference_of_energies(edge, eam, eam_forces, bumps):
    force = model_forces(edge.body, edge.free, eam_forces)
    energies = [eam.get_potential_energy(edge.body.atoms(u)) for u in bumps]
    for u, energy in zip(bumps[1:], energies[1:], strict=True):
        assert work_between(force, bumps[0], u) == pytest.approx(energy - energies[0], abs=2e-4)
    assert abs(energies[1] - energies[0]) > 0.05
    assert preferred_core(force, bumps) == int(np.argmin(energies))
    assert preferred_core(force, bumps[::-1]) == int(np.argmin(energies[::-1]))


def test_minima_that_are_alike_do_not_compete():
    """Nor those beyond the error of the potential, nor starts that found none."""
    best, same, other, third = (np.full((2, 3), x) for x in (0.0, 0.01, 0.5, 1.0))
    found = [(-1.0, best), (-0.999, same), (-0.97, other), (-0.99, third), (np.inf, best)]
    kept = _competing(found, best, 0.05, 0.1)
    assert [one[0, 0] for one in kept] == [1.0, 0.5]
    assert _competing(found, best, 0.005, 0.1) == ()
