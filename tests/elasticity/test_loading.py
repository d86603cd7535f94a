"""Loads of straight defects: a homogeneous shear, or more of the field of a crack."""

import numpy as np
import pytest

from qmfront.config.defect import Crack, Dislocation, Point
from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.deformation import deformation_gradients
from qmfront.elasticity.loading import loading_of, shear_stress
from qmfront.elasticity.moduli import rotated_moduli

MIXED = Dislocation(line=(1, 1, 1), burgers=(-0.5, -0.5, 0.5), plane=(1, -1, 0))


def test_a_dislocation_is_sheared_as_a_whole(mixed: Defect, tungsten: Bulk) -> None:
    """F(gamma) F_l at every site, the clamp included: (1 + gamma b n) after the strains that are there."""
    loading, gamma = loading_of(tungsten, MIXED, mixed), 0.013
    loaded, still = loading.changed(mixed, gamma), np.zeros_like(mixed.predictor)
    before, after = (deformation_gradients(one, still) for one in (mixed, loaded))
    inner = np.bincount(mixed.stencil.first, minlength=mixed.n_sites) == 14
    expected = loading.gradient(gamma) @ before
    np.testing.assert_allclose(after[inner], expected[inner], atol=1e-9)
    assert np.linalg.det(loading.gradient(gamma)) == pytest.approx(1.0)
    np.testing.assert_allclose(loading.changed(loaded, -gamma).predictor, mixed.predictor, atol=1e-12)


def test_stress_is_that_of_the_moduli_at_small_loads(mixed: Defect, tungsten: Bulk, eam) -> None:
    """tau = gamma C_b2b2, of second order in gamma to within third-order moduli."""
    loading = loading_of(tungsten, MIXED, mixed)
    along = loading.burgers / np.linalg.norm(loading.burgers)
    modulus = np.einsum("ijkl,i,k->jl", rotated_moduli(tungsten.moduli, mixed.frame), along, along)[1, 1]
    assert shear_stress(loading, mixed, tungsten.crystal, eam, 0.0) == pytest.approx(0.0, abs=1e-6)
    both = [shear_stress(loading, mixed, tungsten.crystal, eam, gamma) for gamma in (1e-3, -1e-3)]
    assert (both[0] - both[1]) / 2e-3 == pytest.approx(modulus, rel=1e-3)


def test_a_crack_opens_in_proportion(crack: Defect, tungsten: Bulk) -> None:
    described = Crack(front=(0, 0, 1), plane=(1, 1, 0), load=0.8)
    loading = loading_of(tungsten, described, crack)
    assert loading.initial == 0.8 and not loading.burgers.any()
    np.testing.assert_allclose(loading.changed(crack, 0.2).predictor, 1.25 * crack.predictor, atol=1e-12)


def test_what_no_load_drives_is_refused(mixed: Defect, tungsten: Bulk) -> None:
    with pytest.raises(ValueError, match="A point has no load"):
        loading_of(tungsten, Point(removed=((0.0, 0.0, 0.0),)), mixed)
