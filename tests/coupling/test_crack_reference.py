"""The reference of a crack is a minimum with its tip in place, or an error that says what to do."""

import logging
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sparse
from scipy.linalg import eigh
from scipy.spatial import cKDTree

from qmfront.config.stages import Reference, Solve, Stability
from qmfront.coupling.anderson import NoEquilibriumError
from qmfront.coupling.core import opening_profile, tip_advance, tip_position
from qmfront.coupling.descent import descend
from qmfront.coupling.force_mixing import Models, model_forces
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.reference import checked_tip, reference_solution, relax_reference
from qmfront.coupling.stability import lowest_mode
from qmfront.elasticity.straight_crack import StraightCrack, crack_defect
from qmfront.operators.riesz import ForceConstantMap, laplacian_map
from tests.conftest import SURFACE_ENERGY

SETTINGS = Solve(max_calls=200)


@pytest.fixture(scope="module")
def loaded(tungsten, eam):
    """Small cracks by load."""

    def build(load: float):
        description = StraightCrack((0, 0, 1), (1, 1, 0), load, (0.0, 0.0), 12.0, eam.force_range + 1.0)
        return crack_defect(tungsten, description, surface_energy=SURFACE_ENERGY)

    return build


@pytest.fixture(scope="module")
def relaxed(crack, crack_operators, eam_forces):
    return reference_solution(
        Hybrid(crack, crack_operators, Models(eam_forces, eam_forces)), Reference(max_force=1e-7)
    )


@pytest.fixture(scope="module")
def saddle(loaded, crack_operators, eam_forces):
    """Root finding at 1.05 of the Griffith load ends between two positions of the tip."""
    crack = loaded(1.05)
    riesz = crack_operators.force_constant_map(crack.free, tolerance=1e-8)
    start = np.zeros_like(crack.sites)
    force = model_forces(crack.body, crack.free, eam_forces)
    found = relax_reference(force, riesz, start=start, max_force=1e-7, settings=SETTINGS)
    return crack, riesz, found.displacement


def dense_hessian(crack, u, eam_forces, step: float = 1e-4) -> np.ndarray:
    """Central differences, column by column, on the free sites."""
    force = model_forces(crack.body, crack.free, eam_forces)
    columns = []
    for site in np.flatnonzero(crack.free):
        for axis in range(3):
            shift = np.zeros_like(u)
            shift[site, axis] = step
            columns.append(((force(u - shift) - force(u + shift)) / (2 * step))[crack.free].ravel())
    hessian = np.array(columns)
    return 0.5 * (hessian + hessian.T)


def test_reference_is_an_equilibrium_with_its_tip_in_place(crack, relaxed, eam_forces):
    force = model_forces(crack.body, crack.free, eam_forces)(relaxed.displacement)
    assert np.abs(force).max() < 1e-7
    assert relaxed.lowest_eigenvalue > 0.05
    # the bond half a spacing behind the tip of the predictor holds, the next one is broken
    assert -1.5 * crack.r0 < relaxed.tip < -0.4 * crack.r0
    assert relaxed.displacement[~crack.free] == pytest.approx(0.0)


def test_reference_keeps_the_mirror_of_the_crack_plane(crack, relaxed):
    """In projection (110) midway between two planes is a mirror: pure mode I stays symmetric."""
    distance, partner = cKDTree(crack.sites[:, :2]).query(crack.sites[:, :2] * [1, -1])
    assert distance[crack.free].max() < 1e-6
    u = relaxed.displacement[:, :2]
    assert np.abs(u).max() > 0.1 and u[partner][crack.free] * [1, -1] == pytest.approx(
        u[crack.free], abs=1e-5
    )


def test_saddle_is_seen_and_left(saddle, crack_operators, eam, eam_forces):
    """The pencil has a negative eigenvalue; downhill from there is a true minimum of lower energy."""
    crack, riesz, u = saddle
    force = model_forces(crack.body, crack.free, eam_forces)
    eigenvalue, mode = lowest_mode(force, u, crack, riesz)
    assert eigenvalue < -0.01 and np.abs(mode).max() == pytest.approx(1.0)
    assert np.all(mode[~crack.free] == 0)
    lower = reference_solution(
        Hybrid(crack, crack_operators, Models(eam_forces, eam_forces)), Reference(max_force=1e-7)
    )
    assert lower.lowest_eigenvalue > 0.01
    energies = [eam.get_potential_energy(crack.body.atoms(v)) for v in (u, lower.displacement)]
    assert energies[1] < energies[0] - 1e-3


def test_negative_pencil_eigenvalue_is_the_inertia_of_the_hessian(saddle, eam_forces):
    """Sylvester, with a dense Hessian: as many negative eigenvalues, and the lowest of the pencil is the same."""
    crack, riesz, u = saddle
    inner = replace(crack, free=crack.free & (np.linalg.norm(crack.sites[:, :2], axis=1) < 5 * crack.r0))
    hessian = dense_hessian(inner, u, eam_forces)
    keep = np.repeat(inner.free[crack.free], 3)
    model = riesz.matrix.toarray()[np.ix_(keep, keep)]
    pencil = eigh(hessian, model, eigvals_only=True)
    plain = np.linalg.eigvalsh(hessian)
    assert (pencil < 0).sum() == (plain < 0).sum() > 0
    force = model_forces(inner.body, inner.free, eam_forces)
    eigenvalue, _ = lowest_mode(force, u, inner, _restricted(riesz, inner, crack))
    assert eigenvalue == pytest.approx(pencil[0], rel=5e-3)
    rough = Stability(tolerance=0.1, vectors=6, step=1e-4, one_sided=True)
    asked = []
    counted = lambda v: asked.append(v) or force(v)  # noqa: E731
    eigenvalue, _ = lowest_mode(counted, u, inner, _restricted(riesz, inner, crack), settings=rough)
    assert eigenvalue == pytest.approx(pencil[0], rel=0.1) and np.array_equal(asked[0], u)
    again = []
    counted = lambda v: again.append(v) or force(v)  # noqa: E731
    both = rough.model_copy(update={"one_sided": False})
    lowest_mode(counted, u, inner, _restricted(riesz, inner, crack), settings=both)
    assert len(again) == 2 * (len(asked) - 1)


def _restricted(riesz, inner, crack) -> ForceConstantMap:
    """The Riesz map on fewer free sites, preconditioned by a multiple of one."""
    keep = np.repeat(inner.free[crack.free], 3)
    plain = laplacian_map(5.0 * sparse.identity(crack.n_sites, format="csr"), inner.free)
    return ForceConstantMap(inner.free, riesz.matrix.tocsr()[keep][:, keep], plain, 1e-8)


def test_descent_goes_downhill_only(crack, crack_operators, eam, eam_forces):
    """Energies of the accepted iterates fall from a rattled start to a small force."""
    riesz = crack_operators.force_constant_map(crack.free, tolerance=1e-6)
    force, energies = model_forces(crack.body, crack.free, eam_forces), []
    start = np.where(crack.free[:, None], 0.1 * np.random.default_rng(3).normal(size=crack.sites.shape), 0.0)

    def precondition(forces):
        return riesz.solve(forces)

    for limit in (0.3, 0.03, 0.003):
        start = descend(force, start, precondition, max_force=limit, step_cap=0.2, max_calls=200).displacement
        energies.append(eam.get_potential_energy(crack.body.atoms(start)))
        assert np.abs(force(start)).max() < limit
    assert np.all(np.diff(energies) < 0)


def test_descent_that_does_not_arrive_says_so(crack, eam_forces):
    force = model_forces(crack.body, crack.free, eam_forces)
    with pytest.raises(RuntimeError, match=r"did not reach max\|F\| < 1e-06 eV/Å in 3 steps"):
        descend(
            force, np.zeros_like(crack.sites), lambda f: 0.1 * f, max_force=1e-6, step_cap=0.1, max_calls=3
        )


@pytest.mark.parametrize("refusal", ["nan", "ValueError"])
def test_a_step_out_of_the_range_of_the_model_is_halved(crack, eam_forces, refusal):
    """Once, and the descent goes on; always, and it says so."""
    force, asked = model_forces(crack.body, crack.free, eam_forces), []
    start = np.zeros_like(crack.sites)

    def descent(refused):
        def breaks(u):
            asked.append(u)
            if len(asked) in refused and refusal == "ValueError":
                raise ValueError("atoms are 0.1 Å apart")
            return force(u) * (np.nan if len(asked) in refused else 1.0)

        asked.clear()
        return descend(breaks, start, lambda f: 0.01 * f, max_force=1e-6, step_cap=0.01, max_calls=3)

    with pytest.raises(NoEquilibriumError, match="did not reach"):
        descent({3})
    before, refused, halved = asked[1:4]
    np.testing.assert_allclose(halved - before, 0.5 * (refused - before))
    why = "0.1 Å apart" if refusal == "ValueError" else "not finite"
    with pytest.raises(
        NoEquilibriumError, match=f"step 3: the structure has left .* 64 times shorter: .*{why}"
    ):
        descent(range(3, 100))


def test_tip_is_where_the_planes_part(crack):
    """A made-up opening: 2 Å behind x1 = -4 Å, nothing ahead."""
    x1 = crack.sites[:, 0]
    lift = np.where(x1 < -4.0, 1.0, 0.0) * np.sign(crack.sites[:, 1])
    flat = replace(crack, predictor=np.column_stack([np.zeros_like(x1), lift, np.zeros_like(x1)]))
    where, opening, spacing = opening_profile(np.zeros_like(crack.sites), flat)
    assert spacing == pytest.approx(2.2379, abs=1e-3) and np.all(opening[where < -4.0] == pytest.approx(2.0))
    behind, ahead = where[where < -4.0].max(), where[where > -4.0].min()
    expected = behind + (ahead - behind) * (2.0 - 0.5 * spacing) / 2.0
    assert tip_position(np.zeros_like(crack.sites), flat) == pytest.approx(expected)


@pytest.mark.parametrize(("lift", "expected"), [(0.0, -np.inf), (3.0, np.inf)])
def test_tip_of_a_closed_and_of_a_run_through_crack(crack, lift, expected):
    opened = replace(crack, predictor=0.5 * lift * np.sign(crack.sites[:, 1:2]) * [[0.0, 1.0, 0.0]])
    assert tip_position(np.zeros_like(crack.sites), opened) == expected


@pytest.mark.parametrize(
    ("shift", "message"),
    [(-20.0, r"has closed by .* Raise defect\.load"), (20.0, r"has run by .* Lower defect\.load")],
)
def test_tip_that_left_its_place_is_an_error(crack, shift, message):
    lift = np.where(crack.sites[:, 0] < shift, 1.5, 0.0) * np.sign(crack.sites[:, 1])
    moved = replace(crack, predictor=np.column_stack([0 * lift, lift, 0 * lift]))
    at_rest = np.zeros_like(crack.sites)
    assert tip_advance(at_rest, moved) == pytest.approx(shift - crack.crack_tip, abs=2.0 * crack.r0)
    assert tip_advance(at_rest, replace(moved, crack_tip=np.inf)) == 0.0
    with pytest.raises(RuntimeError, match=message):
        checked_tip(at_rest, moved)


def test_weak_load_closes_the_crack(loaded, crack_operators, eam_forces, caplog):
    with caplog.at_level(logging.INFO), pytest.raises(RuntimeError, match=r"Raise defect\.load"):
        reference_solution(
            Hybrid(loaded(0.4), crack_operators, Models(eam_forces, eam_forces)), Reference(max_force=1e-6)
        )
