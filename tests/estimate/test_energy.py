"""Energies by virtual work against energies of a model that has one."""

import numpy as np
import pytest

from qmfront.config.stages import Buffer, Estimate
from qmfront.coupling.force_mixing import Models, model_forces
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import FAR_FIELD, MM, QM
from qmfront.elasticity.strain_polynomial import StrainPolynomial
from qmfront.estimate.energy import kronrod, solution_energy, work_energy
from qmfront.estimate.residual import ResidualSettings
from qmfront.mismatch.model_difference import ModelDifference


@pytest.fixture(scope="module")
def riesz(edge, edge_operators):
    return edge_operators.force_constant_map(edge.free, tolerance=1e-9)


@pytest.fixture(scope="module")
def field(edge) -> np.ndarray:
    """A rough displacement of the free sites, Å."""
    drawn = np.random.default_rng(7).normal(size=edge.sites.shape)
    return np.where(edge.free[:, None], 0.03 * drawn, 0.0)


def energy(edge, eam, u: np.ndarray) -> float:
    atoms = edge.body.atoms(u)
    atoms.calc = eam
    return atoms.get_potential_energy()


def unmixed(force):
    """One model everywhere: nothing differs."""
    return lambda u: (force(u), np.zeros_like(u))


def test_the_rules():
    """Kronrod's 15 points integrate degree 22 exactly, the 7 of Gauss degree 13 and no more."""
    t, fine, coarse = np.array(kronrod()).T
    for degree in (0, 1, 13, 14, 22):
        exact = 1 / (degree + 1)
        assert abs(fine @ t**degree - exact) < 1e-14
        assert (abs(coarse @ t**degree - exact) < 1e-14) == (degree <= 13), degree
    assert abs(fine @ t**24 - 1 / 25) > 1e-16 and np.count_nonzero(coarse) == 7


def test_the_short_rules():
    """Kronrod's 7 points integrate degree 11 exactly, the 3 of Gauss degree 5 and no more."""
    t, fine, coarse = np.array(kronrod(7)).T
    for degree in (0, 1, 5, 6, 11):
        exact = 1 / (degree + 1)
        assert abs(fine @ t**degree - exact) < 1e-14
        assert (abs(coarse @ t**degree - exact) < 1e-14) == (degree <= 5), degree
    assert abs(fine @ t**12 - 1 / 13) > 1e-9 and np.count_nonzero(coarse) == 3


def test_work_of_a_model_is_its_energy(edge, eam, eam_forces, riesz, field):
    force = model_forces(edge.body, edge.free, eam_forces)
    found = work_energy(unmixed(force), riesz, start=0 * field, end=field)
    true = energy(edge, eam, field) - energy(edge, eam, 0 * field)
    assert abs(true) > 0.1
    assert found.work == pytest.approx(true, abs=1e-8)
    assert found.difference == 0.0 and found.quadrature < 1e-4


def test_the_difference_repairs_mixed_forces(edge, eam, eam_forces, riesz, field):
    """Forces that are wrong outside a core, by 20 %: work is off, and what dF adds is what is missing."""
    exact = model_forces(edge.body, edge.free, eam_forces)
    outside = (np.linalg.norm(edge.sites[:, :2], axis=1) > 3 * edge.r0)[:, None]

    def parts(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.where(outside, 0.8, 1.0) * exact(u), np.where(outside, 0.2, 0.0) * exact(u)

    found = work_energy(parts, riesz, start=0 * field, end=field)
    true = energy(edge, eam, field) - energy(edge, eam, 0 * field)
    assert abs(found.work - true) > 0.05
    assert found.work + found.difference == pytest.approx(true, abs=1e-8)
    assert found.bar >= abs(found.work - true)


def test_relaxation_is_of_second_order(perfect, perfect_operators, eam, eam_forces, field):
    """About the perfect crystal E(u) - E(0) = 1/2 <r, H^-1 r> + O(|u|^3): what is missed has slope three."""
    riesz = perfect_operators.force_constant_map(perfect.free, tolerance=1e-11)
    force = model_forces(perfect.body, perfect.free, eam_forces)
    smooth = riesz.solve(np.random.default_rng(1).normal(size=perfect.sites.shape) * perfect.free[:, None])
    smooth /= np.abs(smooth).max()
    missed = []
    sizes = np.array([0.04, 0.02, 0.01])
    for size in sizes:
        found = work_energy(unmixed(force), riesz, start=0 * smooth, end=size * smooth)
        assert found.relaxation < 0
        missed.append(abs(found.work + found.relaxation))
        assert missed[-1] < 0.2 * found.work
    slopes = np.diff(np.log(missed)) / np.diff(np.log(sizes))
    assert np.all(slopes > 2.7), (missed, slopes)


def test_of_a_solution(edge, edge_operators, eam, eam_forces, field):
    """With one model everywhere, mixed forces from clusters do the work of the whole: 16 QM calls."""
    calls, radius = [], np.linalg.norm(edge.sites[:, :2], axis=1)

    def counted(atoms) -> np.ndarray:
        calls.append(len(atoms))
        return eam_forces(atoms)

    buffer = Buffer(width=eam.force_range, residual_factor=1.0)
    nowhere = ModelDifference(edge, StrainPolynomial(np.zeros((1, 6), int), np.zeros(1)))
    found = solution_energy(
        Hybrid(edge, edge_operators, Models(counted, eam_forces)),
        np.select([~edge.free, radius < 2.5 * edge.r0], [FAR_FIELD, QM], MM),
        field,
        nowhere,
        ResidualSettings((), Estimate(layer_r0=1.0, face_layer=0.0), buffer),
    )
    true = energy(edge, eam, field) - energy(edge, eam, 0 * field)
    assert found.work == pytest.approx(true, abs=1e-7) and abs(found.difference) < 1e-7
    assert len(calls) == 16 and max(calls) < edge.n_sites
    assert found.numbers()["energy"] == pytest.approx(found.work + found.relaxation, abs=1e-7)
