"""Observations at the strains of a predictor."""

import numpy as np
import pytest

from qmfront.config.potential import Training
from qmfront.crystal.defect import Defect
from qmfront.elasticity.internal import relaxed_shifts
from qmfront.elasticity.moduli import piola_stress
from qmfront.elasticity.predictor_strains import INNER_R0, core_distance, predictor_gradients, spread_sites
from qmfront.elasticity.straight import StraightDislocation, dislocation_defect
from qmfront.models.ace.basis import build_basis
from qmfront.models.ace.calculator import ACE
from qmfront.models.ace.potential import Potential
from qmfront.storage.layout import checked
from qmfront.storage.layouts.potential import TRAINING
from qmfront.training.fit import fit_potential
from qmfront.training.observations import Observations, observations_of
from qmfront.training.observe.predictor_strains import observe_field
from tests.settings import fitting, steps
from tests.silicon import silicon, stillinger_weber

SAMPLES = 12


def spread(defect: Defect, count: int) -> np.ndarray:
    return spread_sites(defect, core_distance(defect), count, inner=INNER_R0)


@pytest.fixture(scope="module")
def shuffled() -> Defect:
    """A small a/2[110](001) edge dislocation in Stillinger-Weber silicon."""
    straight = StraightDislocation(
        line=(1, -1, 0),
        plane=(0, 0, 1),
        burgers=(0.5, 0.5, 0.0),
        core_offset=(0.959, 0.0),
        core_map_radius_r0=4.0,
        radius_r0=9.0,
        clamp_width=8.0,
    )
    return dislocation_defect(silicon(), straight)


def same_arrays(one, two) -> bool:
    return set(one) == set(two) and all(np.allclose(one[k], two[k], rtol=0, atol=1e-15) for k in one)


def random_potential(basis) -> ACE:
    coefficients = np.random.default_rng(4).normal(size=len(basis)) / (1 + basis.smoothness)
    return ACE(Potential(basis, coefficients, np.zeros(1)))


def test_stresses_are_those_at_the_strains_of_the_sites(edge, tungsten, eam):
    found = observe_field(tungsten.crystal, eam, edge, SAMPLES)
    sites = spread(edge, SAMPLES)
    gradients = predictor_gradients(edge)[sites]
    np.testing.assert_allclose(found.strain + np.eye(3), gradients, atol=1e-15)
    radius = np.linalg.norm(edge.sites[sites, :2], axis=1) / edge.r0
    np.testing.assert_allclose(found.distance, radius, rtol=1e-12)
    assert len(sites) == SAMPLES and radius.max() > 1.5 * radius.min()
    P = tungsten.crystal.volume * piola_stress(tungsten.crystal, eam, gradients[3])
    np.testing.assert_allclose(found.stress[3], P, atol=1e-10)
    rows = found.targets(tungsten)["field_stress"].reshape(-1, 3, 3)
    np.testing.assert_allclose(rows, radius[:, None, None] ** 2 * found.stress, rtol=1e-12)


def test_rows_and_observations_of_a_random_potential_agree(edge, tungsten):
    basis = build_basis(["W"], cutoff=4.3, max_degree=(6, 5))
    potential = random_potential(basis)
    found = observe_field(tungsten.crystal, potential, edge, SAMPLES)
    rows = found.design(tungsten, basis)["field_stress"] @ potential.potential.coefficients
    expected = found.targets(tungsten)["field_stress"]
    assert np.abs(rows - expected).max() < 1e-9 * np.abs(expected).max()


def test_sublattices_of_diamond_are_at_rest(shuffled):
    """Rows of stresses are taken at the shifts of the model; internal forces there are asked to vanish."""
    basis = build_basis(["Si"], cutoff=3.75, max_degree=(6, 5), l_weight=1.0)
    found = observe_field(silicon().crystal, stillinger_weber(), shuffled, SAMPLES)
    gradients = found.strain + np.eye(3)
    shifts = relaxed_shifts(silicon().crystal, stillinger_weber(), gradients).shifts
    np.testing.assert_allclose(found.shift, shifts, atol=1e-12)
    assert np.abs(shifts).max() > 1e-3
    values, rows = found.targets(silicon())["field_stress"], found.design(silicon(), basis)["field_stress"]
    assert values.shape == (SAMPLES * (9 + 6),) and rows.shape == (len(values), len(basis))
    assert not values[9 * SAMPLES :].any() and np.abs(rows[9 * SAMPLES :]).max() > 1e-3


def test_a_fit_to_the_field_is_closer_there(edge, tungsten, eam):
    """The paper's observations, and the same with strains of the field: stresses at other sites of it."""
    basis = build_basis(["W"], cutoff=5.5, max_degree=(12, 10, 6), decay=0.5)
    settings = fitting(force_constants=10.0, field_stress=1e-2)
    others = np.setdiff1d(spread(edge, 60), spread(edge, 20))
    gradients = predictor_gradients(edge)[others]
    truth = tungsten.crystal.volume * np.array([piola_stress(tungsten.crystal, eam, F) for F in gradients])
    errors = {}
    for samples in (0, 20):
        asked = Training(field_samples=samples), steps(eam.force_range)
        observed = observations_of(tungsten, eam, *asked, defect=edge)
        again = Observations.from_arrays(checked(observed.arrays(), TRAINING.including(observed.declared())))
        assert same_arrays(again.arrays(), observed.arrays())
        fit = fit_potential(observed, tungsten, basis, settings)
        own = [piola_stress(tungsten.crystal, ACE(fit.potential), F) for F in gradients]
        errors[samples] = np.linalg.norm(tungsten.crystal.volume * np.array(own) - truth)
    assert errors[20] < 0.5 * errors[0]
    with pytest.raises(ValueError, match="the defect is missing"):
        observations_of(tungsten, eam, *asked)
