"""The acceptance of surfaces: a good fit passes, and each way to be wrong is told with its numbers."""

from dataclasses import replace

import numpy as np
import pytest

from qmfront.storage.layout import checked
from qmfront.storage.layouts.potential import POTENTIAL
from qmfront.training.surface_certificate import (
    DECLARED,
    ENERGY,
    JOULE_PER_SQUARE_METRE,
    RELAXATION,
    SurfaceComparison,
    compare_surfaces,
    surface_problems,
)


@pytest.fixture(scope="module")
def comparison(tungsten, small_fit, reference_surface, surface_slab) -> SurfaceComparison:
    return compare_surfaces(tungsten, small_fit, [reference_surface], surface_slab, displacement=1e-3)


def test_good_fit_is_accepted(comparison, reference_surface):
    (fitted,) = comparison.mm
    assert abs(fitted.energy - reference_surface.energy) / JOULE_PER_SQUARE_METRE < 0.01
    assert fitted.relaxation == pytest.approx(reference_surface.relaxation, abs=RELAXATION)
    errors = comparison.errors()
    assert set(errors) == {f"surface_{what}_1_1_0" for what in ("energy", "relaxation", "eigenvalue")}
    assert 0 < errors["surface_energy_1_1_0"] < 2e-3
    assert 0 < errors["surface_eigenvalue_1_1_0"] < 0.05


def test_one_joule_per_square_metre():
    np.testing.assert_allclose(JOULE_PER_SQUARE_METRE, 1 / 16.02176634, rtol=1e-8)


def test_certificate_holds_both_models(comparison, reference_surface):
    arrays = checked(comparison.arrays(), POTENTIAL.including(comparison.declared()))
    assert set(arrays) == set(DECLARED)
    assert arrays["surface_plane"].tolist() == [[1, 1, 0]]
    assert arrays["surface_energy_qm"][0] == reference_surface.energy != arrays["surface_energy_mm"][0]
    assert arrays["flat_energy_qm"][0] == reference_surface.energy_unrelaxed
    # without slabs the energy of the face is an extrapolation
    assert abs(arrays["flat_energy_untrained"][0] / arrays["flat_energy_qm"][0] - 1) > 0.1
    assert abs(arrays["flat_energy_mm"][0] / arrays["flat_energy_qm"][0] - 1) < 0.002
    omega2 = arrays["surface_omega2_qm"], arrays["surface_omega2_mm"]
    assert omega2[0].shape == (1, 2, 24)
    assert 0 < np.abs(omega2[1] - omega2[0]).max() < 0.02 * omega2[0].max()
    assert arrays["surface_eigenvalue_mm"][0] == arrays["surface_omega2_mm"][0, 0, 3] > 0


def test_without_surfaces_there_is_nothing(tungsten, small_fit, surface_slab):
    nothing = compare_surfaces(tungsten, small_fit, [], surface_slab, displacement=1e-3)
    assert nothing.arrays() == nothing.errors() == nothing.declared() == {}


def test_the_reference_is_accepted_and_bounds_are_sharp(reference_surface):
    assert surface_problems(reference_surface, reference_surface) == []
    for name, bound in (("energy", ENERGY), ("relaxation", RELAXATION)):
        field = {"energy": "cut_energies"}.get(name, name)
        value = getattr(reference_surface, field)
        for sign in (1, -1):
            good = replace(reference_surface, **{field: value + 0.99 * sign * bound})
            bad = replace(reference_surface, **{field: value + 1.01 * sign * bound})
            assert surface_problems(good, reference_surface) == []
            assert len(surface_problems(bad, reference_surface)) == 1


@pytest.mark.parametrize("wave, branch", [(0, 3), (0, 5), (1, 0)])
def test_soft_modes_are_noticed(reference_surface, wave, branch):
    """At the zone centre behind the translations, and at any other wave."""
    omega2 = reference_surface.omega2.copy()
    omega2[wave, branch] = -1e-3
    omega2.sort(axis=1) if wave else omega2[0, 3:].sort()
    (problem,) = surface_problems(replace(reference_surface, omega2=omega2), reference_surface)
    assert problem == "the relaxed slab is unstable, lowest eigenvalue -1.00e-03 eV/Å^2"


def test_a_reference_that_reconstructs_may_be_soft_itself(reference_surface):
    """Its 1 x 1 face has a negative eigenvalue; that of a fit may be twice as low, and no lower."""
    for eigenvalue, problems in ((-1.9e-3, 0), (-2.1e-3, 1)):
        own, fitted = reference_surface.omega2.copy(), reference_surface.omega2.copy()
        own[1, 0], fitted[1, 0] = -1e-3, eigenvalue
        found = surface_problems(
            replace(reference_surface, omega2=fitted), replace(reference_surface, omega2=own)
        )
        assert len(found) == problems


def test_not_a_number_is_no_pass(reference_surface):
    bad = replace(reference_surface, cut_energies=np.array([np.nan]), relaxation=np.nan)
    assert len(surface_problems(bad, reference_surface)) == 2


def test_fit_without_slabs_is_refused(tungsten, small_fit, reference_surface, surface_slab):
    """What is wrong, in numbers, and which settings to change."""
    untrained = replace(small_fit, potential=small_fit.lattice_only)
    with pytest.raises(RuntimeError) as caught:
        compare_surfaces(tungsten, untrained, [reference_surface], surface_slab, displacement=1e-3)
    text = str(caught.value)
    assert "The fit has poor surfaces. (1, 1, 0): " in text
    assert "instead of 2.542 J/m^2" in text or "collapsed" in text or "keeps a force" in text
    for setting in ("weights.surface_energy", "surfaces.rattled.count", "max_degree"):
        assert setting in text


def test_collapse_is_refused(tungsten, small_fit, reference_surface, surface_slab, monkeypatch):
    monkeypatch.setattr("qmfront.elasticity.surface.COLLAPSED", 1e-3)
    with pytest.raises(RuntimeError, match=r"poor surfaces.*collapsed.*Raise weights"):
        compare_surfaces(tungsten, small_fit, [reference_surface], surface_slab, displacement=1e-3)
