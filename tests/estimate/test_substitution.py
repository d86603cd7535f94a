"""The energy of a substitution against the energies of a model that has them."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms

from qmfront.config.stages import Buffer, Estimate
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import FAR_FIELD, MM, QM
from qmfront.crystal.defect import ADDED
from qmfront.crystal.solutes import with_solutes
from qmfront.elasticity.strain_polynomial import StrainPolynomial
from qmfront.estimate.residual import ResidualSettings
from qmfront.estimate.substitution import (
    HostState,
    SolutionState,
    SubstitutionEnergy,
    remaining_relaxation,
    substitution_energy,
)
from qmfront.evaluate.forces import calculator_energy, calculator_forces
from qmfront.mismatch.model_difference import ModelDifference
from tests.solute import TANTALUM, TUNGSTEN, Tantalum

PLACE = (2.0, 3.0, 0.0)


@pytest.fixture(scope="module")
def model() -> Tantalum:
    return Tantalum()


@pytest.fixture(scope="module")
def fields(edge) -> tuple[np.ndarray, np.ndarray]:
    """Displacements of the free sites without and with the solute, Å."""
    drawn = np.random.default_rng(3).normal(scale=0.03, size=(2, *edge.sites.shape))
    without, more = np.where(edge.free[:, None], drawn, 0.0)
    return without, without + more


def asked(edge, operators, model, fields, *, width: float, radius: float = 3.0) -> SubstitutionEnergy:
    """With one model on both sides, so that no model error is left."""
    defect, without, with_it = with_solutes(edge, [PLACE], [TANTALUM]), *fields
    near = np.linalg.norm(edge.coordinates - np.array(PLACE[:2]), axis=1) < radius * edge.r0
    forces = calculator_forces(model)
    return substitution_energy(
        Hybrid(defect, operators, Models(forces, forces)),
        SolutionState(np.select([~edge.free, near], [FAR_FIELD, QM], MM), with_it, -0.25),
        HostState(edge.numbers, without, -0.125),
        ModelDifference(defect, StrainPolynomial(np.zeros((1, 6), int), np.zeros(1))),
        calculator_energy(model),
        settings=ResidualSettings(
            (), Estimate(layer_r0=0.0, face_layer=0.0), Buffer(width=width, residual_factor=1.25)
        ),
    )


def whole(edge, model, u: np.ndarray, *, solute: bool) -> float:
    defect = with_solutes(edge, [PLACE], [TANTALUM]) if solute else edge
    return calculator_energy(model)(defect.body.atoms(u))


def test_it_is_the_difference_of_two_energies(edge, edge_operators, model, fields):
    """Of the whole body, at positions that differ everywhere; what either could still relax is added."""
    found = asked(edge, edge_operators, model, fields, width=model.force_range)
    exchange = whole(edge, model, fields[0], solute=True) - whole(edge, model, fields[0], solute=False)
    true = whole(edge, model, fields[1], solute=True) - whole(edge, model, fields[0], solute=False)
    assert abs(exchange) > 0.1 and abs(true - exchange) > 0.1
    assert found.exchange == pytest.approx(exchange, abs=1e-8) and found.buffer < 1e-8
    assert found.work == pytest.approx(true - exchange, abs=1e-6) and abs(found.difference) < 1e-6
    assert found.energy == pytest.approx(true - 0.125, abs=1e-6)
    assert found.bar == pytest.approx(0.375 + found.quadrature, abs=1e-6)
    assert found.beyond(found) == (0.0, 2 * found.bar)
    assert found.numbers()["energy"] == found.energy


def test_clusters_that_are_too_small_are_told(edge, edge_operators, model, fields):
    exchange = whole(edge, model, fields[0], solute=True) - whole(edge, model, fields[0], solute=False)
    found = asked(edge, edge_operators, model, fields, width=2.6, radius=1.2)
    error = abs(found.exchange - exchange)
    assert 1e-3 < error < 3 * found.buffer


def test_a_host_is_repeated_along_the_line(edge):
    """Three times the energy that it could still relax, and its atoms where the higher domain has them."""
    shift = np.array([0.0, 0.0, edge.cell[2, 2]])
    n, heights = edge.n_sites, np.repeat(np.arange(3), edge.n_sites)
    higher = replace(
        edge,
        cell=edge.cell * np.array([[1.0], [1.0], [3.0]]),
        **{name: np.tile(getattr(edge, name), 3) for name in ("numbers", "free", "basis_index")},
        sites=np.tile(edge.sites, (3, 1)) + heights[:, None] * shift,
        predictor=np.tile(edge.predictor, (3, 1)),
    )
    u = np.random.default_rng(0).normal(size=edge.sites.shape)
    state = HostState.repeated(higher, edge, SolutionState(np.zeros(n, int), u, -0.1))
    np.testing.assert_array_equal(state.displacement, np.tile(u, (3, 1)))
    assert state.relaxation == pytest.approx(-0.3)


def test_the_perfect_crystal_needs_no_host_and_is_not_taken_for_another(perfect):
    perfect = replace(perfect, pbc=np.ones(3, bool))
    changed = replace(perfect, numbers=np.where(np.arange(perfect.n_sites) == 5, TANTALUM, perfect.numbers))
    state = HostState.perfect(changed, np.array([TUNGSTEN]))
    assert np.all(state.numbers == TUNGSTEN) and not state.displacement.any() and state.relaxation == 0.0
    added = replace(changed, basis_index=np.where(np.arange(perfect.n_sites) == 7, ADDED, 0))
    with pytest.raises(ValueError, match="pass that step as host"):
        HostState.perfect(added, np.array([TUNGSTEN]))


def test_remaining_relaxation_is_half_the_work_of_a_harmonic_well():
    """E = k x^2 / 2: the residual -k x is answered by -x, and k x^2 / 2 is left."""
    x, k = np.array([[0.1, -0.2, 0.3]]), 5.0
    assert remaining_relaxation(-k * x, -x) == pytest.approx(-0.5 * k * np.sum(x**2))


def test_derivatives_of_the_model_of_these_tests(model):
    """Forces are minus the gradient of the energy, of an atom beside the solute too."""
    cell = Atoms("W2", [[0, 0, 0], [1.58, 1.6, 1.55]], cell=[3.16] * 3, pbc=True).repeat(3)
    cell.numbers[[0, 3]] = TANTALUM
    cell.rattle(0.05, seed=2)
    energy, direction = calculator_energy(model), np.random.default_rng(1).normal(size=cell.positions.shape)
    ends = []
    for step in (1e-4, -1e-4):
        moved = cell.copy()
        moved.positions += step * direction
        ends.append(energy(moved))
    cell.calc = model
    assert (ends[0] - ends[1]) / 2e-4 == pytest.approx(-np.vdot(cell.get_forces(), direction), rel=1e-6)
