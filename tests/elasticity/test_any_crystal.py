"""Rest state, deformation gradients and moduli of crystals that are not cubic."""

from dataclasses import replace

import numpy as np
import pytest

from qmfront.config.defect import Disc, Dislocation
from qmfront.config.material import Crystal
from qmfront.crystal.lattice import crystal_of
from qmfront.crystal.neighbours import separations
from qmfront.crystal.point_defect import PointDefect, point_defect
from qmfront.elasticity.bulk import Bulk, bulk_of
from qmfront.elasticity.defects import defect_of
from qmfront.elasticity.deformation import gradient_pairs, non_affine, pair_forces, pair_gradients
from qmfront.elasticity.internal import internal_forces
from qmfront.elasticity.moduli import different_entries, elastic_moduli, stress_tensor, to_voigt
from qmfront.elasticity.rest_state import invariant_strains, rest_state
from qmfront.models.eam import EAM
from tests.settings import probe
from tests.silicon import stillinger_weber


def hcp(ratio: float = 1.6) -> Crystal:
    return Crystal(structure="hcp", symbol="W", lattice_constant_guess=2.8, ratio_guess=ratio)


def test_both_parameters_of_a_hexagonal_cell_come_to_rest(eam: EAM) -> None:
    """From two guesses the same cell, without stress; the moduli are those of a hexagonal crystal."""
    found = [rest_state(crystal_of(hcp(ratio)), eam) for ratio in (1.58, 1.7)]
    assert np.allclose(found[0].cell, found[1].cell, atol=1e-9)
    assert np.abs(stress_tensor(found[0], eam)).max() < 1e-10
    assert len(found[0].point_group()) == 24
    moduli = to_voigt(elastic_moduli(found[0], eam))
    assert {"C11", "C12", "C13", "C33", "C44"} <= set(different_entries(moduli))
    assert moduli[5, 5] == pytest.approx((moduli[0, 0] - moduli[0, 1]) / 2, rel=1e-6)


def test_free_internal_coordinates_come_to_rest() -> None:
    """Of lonsdaleite the parameter u, which is not where the ideal one is."""
    guess = crystal_of(
        Crystal(structure="wurtzite", symbol="SiC", lattice_constant_guess=3.9, ratio_guess=1.7)
    )
    guess, model = replace(guess, numbers=np.full(4, 14)), stillinger_weber()
    assert np.abs(internal_forces(guess, model)).max() > 0.01
    crystal = rest_state(guess, model)
    assert np.abs(internal_forces(crystal, model)).max() < 1e-9
    assert np.abs(stress_tensor(crystal, model)).max() < 1e-9
    assert len(crystal.point_group()) == 24


@pytest.mark.parametrize(("structure", "count"), [("b2", 1), ("hcp", 2), ("wurtzite", 2)])
def test_strains_that_keep_the_symmetry(structure: str, count: int) -> None:
    symbol = "W" if structure == "hcp" else "NiAl"
    crystal = crystal_of(Crystal(structure=structure, symbol=symbol, lattice_constant_guess=3.3))
    strains = invariant_strains(crystal)
    assert len(strains) == count
    assert len(crystal.strained(np.eye(3) + 0.01 * strains[-1]).point_group()) == len(crystal.point_group())


def test_gradients_where_one_sublattice_is_flat() -> None:
    """hcp: F and the internal shift are told apart exactly, and the forces are the adjoint of the gradients."""
    defect = point_defect(crystal_of(hcp()), PointDefect((0.0, 0.0, 0.0), ((0.0, 0.0, 0.0),), (), (4, 3, 3)))
    basis, rng = defect.basis_index, np.random.default_rng(0)
    pairs = gradient_pairs(defect.stencil, basis)
    assert len(pairs) == len(defect.stencil)
    F, shift = np.eye(3) + 0.02 * rng.normal(size=(3, 3)), 0.1 * rng.normal(size=(2, 3))
    now = pairs.vector @ F.T + shift[basis[pairs.second]] - shift[basis[pairs.first]]
    gradient = pair_gradients(pairs, now, defect.n_sites, basis_index=basis)
    whole = np.bincount(pairs.first) == 18
    assert np.abs(gradient[whole] - F).max() < 1e-12 and np.all(gradient[~whole] == np.eye(3))
    left = non_affine(pairs, now, gradient, basis_index=basis)
    assert np.abs(left[whole[pairs.first]]).max() < 1e-12
    stress, u = rng.normal(size=(defect.n_sites, 3, 3)), rng.normal(size=(defect.n_sites, 3))
    still = separations(defect.sites, defect.cell, defect.pbc, pairs)
    moved = pair_gradients(pairs, still + u[pairs.second] - u[pairs.first], defect.n_sites, basis_index=basis)
    change = moved - pair_gradients(pairs, still, defect.n_sites, basis_index=basis)
    work = -np.sum(pair_forces(pairs, stress, basis_index=basis) * u)
    assert np.sum(change * stress) == pytest.approx(work, rel=1e-10)


@pytest.fixture(scope="module")
def hexagonal(eam: EAM) -> Bulk:
    return bulk_of(crystal_of(hcp()), eam, probe(eam.force_range))


@pytest.mark.parametrize(
    ("line", "plane"),
    [((1, 1, -2, 0), (0, 0, 0, 1)), ((1, -1, 0, 0), (0, 0, 0, 1)), ((0, 0, 0, 1), (1, -1, 0, 0))],
    ids=["basal screw", "basal edge", "prismatic edge"],
)
def test_forces_of_hexagonal_dislocations_decay(line: tuple, plane: tuple, hexagonal: Bulk, eam: EAM) -> None:
    """The predictor with its internal shifts is in balance to higher order: forces fall at least as r^-2."""
    described = Dislocation(line=line, plane=plane, burgers=(1 / 3, 1 / 3, -2 / 3, 0.0))
    defect, _ = defect_of(hexagonal, described, Disc(radius_r0=20, clamp_width=11.0))
    force = np.linalg.norm(eam.get_forces(defect.body.atoms(np.zeros_like(defect.sites))), axis=1)
    radius = np.linalg.norm(defect.coordinates, axis=1) / defect.r0
    near, far = (force[defect.free & (radius > r) & (radius < r + 2)].max() for r in (8.0, 16.0))
    assert 0 < far < near / 3.5
