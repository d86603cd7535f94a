"""Which of several cores is the lowest: virtual work against energies."""

import numpy as np
import pytest

from qmfront.coupling import quadrature
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
        work = work_between(force, bumps[0], u)
        assert work.is_known and work.value == pytest.approx(energy - energies[0], abs=1e-3)
    assert abs(energies[1] - energies[0]) > 0.05
    assert preferred_core(force, bumps) == int(np.argmin(energies))
    assert preferred_core(force, bumps[::-1]) == int(np.argmin(energies[::-1]))


BARRIER, PLACE, WIDTH, HIGHER = 0.73, 0.29, 0.05, 0.009
"""eV, parts of the way, and eV: a bond that breaks between two cores of germanium."""


def across_a_barrier(u: np.ndarray, width: float = WIDTH) -> np.ndarray:
    """Forces along a path whose end lies HIGHER than its start, beyond a sharp barrier that is not in the middle."""
    t = u[0, 0]
    bump = BARRIER * np.exp(-(((t - PLACE) / width) ** 2))
    slope = HIGHER - 2.0 * (t - PLACE) / width**2 * bump
    return np.array([[-slope, 0.0, 0.0]])


def test_a_sharp_barrier_does_not_turn_the_order_of_cores(caplog, monkeypatch):
    """Four points of a rule, wherever they are, say that the higher core is the lower one, by more than its barrier."""
    cores = [np.zeros((1, 3)), np.array([[1.0, 0.0, 0.0]])]
    places, weights = np.polynomial.legendre.leggauss(4)
    slopes = [-across_a_barrier(0.5 * (1.0 + place) * cores[1])[0, 0] for place in places]
    assert 0.5 * np.dot(weights, slopes) < -10 * HIGHER
    work = work_between(across_a_barrier, *cores)
    assert work.is_known and work.value == pytest.approx(HIGHER, abs=1e-3)
    assert preferred_core(across_a_barrier, cores) == 0 and preferred_core(across_a_barrier, cores[::-1]) == 1
    assert "of the potential stands" not in caplog.text
    monkeypatch.setattr(quadrature, "FINEST", 16)
    assert not work_between(across_a_barrier, *cores).is_known
    assert preferred_core(across_a_barrier, cores[::-1]) == 0
    assert "The order of the potential stands" in caplog.text


def test_calls_of_a_coarser_rule_are_kept():
    asked = []

    def force(u: np.ndarray) -> np.ndarray:
        asked.append(float(u[0, 0]))
        return across_a_barrier(u, 0.3)

    assert work_between(force, np.zeros((1, 3)), np.array([[1.0, 0.0, 0.0]])).is_known
    assert len(asked) == len(set(asked)) in (9, 17)


def test_minima_that_are_alike_do_not_compete():
    """Nor those beyond the error of the potential, nor starts that found none."""
    best, same, other, third = (np.full((2, 3), x) for x in (0.0, 0.01, 0.5, 1.0))
    found = [(-1.0, best), (-0.999, same), (-0.97, other), (-0.99, third), (np.inf, best)]
    kept = _competing(found, best, 0.05, 0.1)
    assert [one[0, 0] for one in kept] == [1.0, 0.5]
    assert _competing(found, best, 0.005, 0.1) == ()
