"""The vacancy in tungsten on its way to the next site, one model everywhere."""

import numpy as np
import pytest

from qmfront.config.defect import Box, Point
from qmfront.config.stages import Solve
from qmfront.coupling.band import NoSaddleError, relaxed_band, saddle_from
from qmfront.coupling.curve import Curve, straight
from qmfront.coupling.force_mixing import model_forces
from qmfront.coupling.reference import relax_reference
from qmfront.crystal.correspondence import in_order_of
from qmfront.crystal.defect import Defect
from qmfront.elasticity.defects import defect_of
from qmfront.evaluate.forces import calculator_energy
from qmfront.operators.assembly import assemble

BOX = Box(cells=4)
NEXT = (0.5, 0.5, 0.5)


@pytest.fixture(scope="module")
def vacancy(tungsten) -> Defect:
    return defect_of(tungsten, Point(removed=((0.0, 0.0, 0.0),)), BOX)[0]


@pytest.fixture(scope="module")
def riesz(vacancy, tungsten, eam):
    operators = assemble(vacancy, tungsten, reach=eam.force_range, decay=3.0, cutoff_r0=2.5)
    return operators.force_constant_map(vacancy.free, tolerance=1e-6)


@pytest.fixture(scope="module")
def force(vacancy, eam_forces):
    return model_forces(vacancy.body, vacancy.free, eam_forces)


@pytest.fixture(scope="module")
def ends(vacancy, tungsten, riesz, force) -> tuple[np.ndarray, np.ndarray]:
    beside = in_order_of(vacancy, defect_of(tungsten, Point(removed=(NEXT,)), BOX)[0])
    starts = (np.zeros_like(vacancy.sites), beside.sites - vacancy.sites)
    first, second = (
        relax_reference(force, riesz, start=u, max_force=1e-4, settings=Solve()).displacement for u in starts
    )
    return first, second


def test_one_atom_goes_the_other_way(vacancy, tungsten):
    beside = defect_of(tungsten, Point(removed=(NEXT,)), BOX)[0]
    ordered = in_order_of(vacancy, beside)
    moved = ordered.sites - vacancy.sites
    goes = np.flatnonzero(np.abs(moved).max(axis=1) > 1e-6)
    assert len(goes) == 1
    np.testing.assert_allclose(moved[goes[0]], -np.array(NEXT) * tungsten.crystal.lattice_constant)
    known = {tuple(np.round(v, 6)) for v in beside.stencil.vector[beside.stencil.first == 0]}
    here = int(np.argmin(np.linalg.norm(ordered.sites - beside.sites[0], axis=1)))
    bonds = ordered.stencil.first == here
    assert {tuple(np.round(v, 6)) for v in ordered.stencil.vector[bonds]} == known
    apart = ordered.sites[ordered.stencil.second[bonds]] - ordered.sites[here] - ordered.stencil.vector[bonds]
    edge = np.diag(vacancy.cell)
    np.testing.assert_allclose(apart / edge, np.round(apart / edge), atol=1e-9)


def test_defects_of_other_atoms_do_not_correspond(vacancy, tungsten):
    two = Point(removed=((0.0, 0.0, 0.0), NEXT))
    with pytest.raises(ValueError, match="127 and 126 atoms"):
        in_order_of(vacancy, defect_of(tungsten, two, BOX)[0])
    with pytest.raises(ValueError, match="different size"):
        in_order_of(vacancy, defect_of(tungsten, Point(removed=(NEXT,)), Box(cells=5))[0])


def test_the_saddle_of_a_vacancy(vacancy, riesz, force, ends, eam):
    """Half-way by symmetry, with the energy that the model says, and with few calls; the string knows it roughly."""
    calls: list[int] = []

    def counted(u: np.ndarray) -> np.ndarray:
        calls.append(1)
        return force(u)

    band = relaxed_band(counted, vacancy.body, riesz, straight(*ends, 5), max_force=0.1)
    assert len(calls) <= 50 and band.highest == pytest.approx(0.5, abs=0.1)
    top = band.curve.at(band.highest), band.curve.tangent(band.highest)
    saddle = saddle_from(force, riesz, *top, accuracy=1e-7, settings=Solve())
    assert len(saddle.solution.measure) <= 10 and saddle.curvature < -0.1
    assert np.abs(saddle.solution.forces).max() < 3e-3
    energy = calculator_energy(eam)
    first, highest, last = (energy(vacancy.body.atoms(u)) for u in (ends[0], saddle.displacement, ends[1]))
    assert first == pytest.approx(last, abs=1e-5) and 1.0 < highest - first < 3.0
    assert band.energies.max() == pytest.approx(highest - first, rel=0.1)
    # off to either side along the path the energy falls, and rises across it
    t, side = saddle.mode.softest, np.zeros_like(ends[0])
    for sign in (-1.0, 1.0):
        assert energy(vacancy.body.atoms(saddle.displacement + sign * 0.05 * t)) < highest
    atom = int(np.abs(t).max(axis=1).argmax())
    side[atom] = 0.05 * np.cross(t[atom], [1.0, 0.0, 0.0])
    assert energy(vacancy.body.atoms(saddle.displacement + side)) > highest


def test_a_minimum_is_no_saddle(riesz, force, ends):
    with pytest.raises(NoSaddleError, match="no saddle"):
        saddle_from(force, riesz, ends[0], ends[1] - ends[0], accuracy=1e-6, settings=Solve())


def test_a_curve_goes_through_its_nodes():
    nodes = np.random.default_rng(3).normal(size=(5, 4, 3))
    curve = Curve(nodes)
    for place, node in zip(curve.places, nodes, strict=True):
        np.testing.assert_allclose(curve.at(place), node, atol=1e-12)
    step = 1e-5
    between = (curve.at(0.3 + step) - curve.at(0.3 - step)) / (2 * step)
    np.testing.assert_allclose(curve.tangent(0.3), between, rtol=1e-6, atol=1e-7)
