"""Solutes beside a potential of the crystal alone: what it says of the crystal stays, and cells with them are met."""

import numpy as np
import pytest
from ase import Atoms

from qmfront.config.potential import Basis, Potential, Rattled, Robust
from qmfront.crystal.neighbours import pairs_within
from qmfront.models.ace.calculator import ACE
from qmfront.training import solutes
from qmfront.training.defect_certificate import DefectCertificate
from qmfront.training.fit import Fit
from qmfront.training.observations import Observations
from qmfront.training.observe.rattled import upright_supercell
from qmfront.training.observe.solutes import cells_with_solutes, observe_solutes
from qmfront.training.solutes import SoluteFunctions, fit_with_solutes
from tests.settings import changed
from tests.solute import TANTALUM, Tantalum

CELLS = Rattled(count=5, amplitudes=(0.02, 0.15), strain=0.03, seed=1)
SETTINGS = Potential(
    material="tungsten",
    solutes=("Ta",),
    robust=Robust(
        solute_cells=CELLS, unseen_solutes=changed(CELLS, count=2, seed=2), solute_shells=1, close=(0.8,)
    ),
)


@pytest.fixture(scope="module")
def fitted(tungsten, small_fit, observed) -> Fit:
    beside = observe_solutes(tungsten.crystal, Tantalum(), SETTINGS)
    observations = Observations(observed.lattice, off_lattice=beside)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solutes, "SIZES", ((8, 7, 4),))
        return fit_with_solutes(small_fit, observations, tungsten, Basis(), SETTINGS)


@pytest.fixture
def rattled(tungsten) -> Atoms:
    cell = upright_supercell(tungsten.crystal, 9.0)
    cell.rattle(0.08, seed=5)
    return cell


def test_the_crystal_is_left_as_it_is(fitted, small_fit, rattled):
    old, new = ACE(small_fit.potential), ACE(fitted.potential)
    assert len(fitted.potential.basis) > 2 * len(small_fit.potential.basis)
    assert new.get_potential_energy(rattled) == pytest.approx(old.get_potential_energy(rattled), abs=1e-9)
    np.testing.assert_allclose(new.get_forces(rattled), old.get_forces(rattled), atol=1e-10)
    rows = np.random.default_rng(0).normal(size=(4, len(small_fit.potential.basis)))
    for name in ("posterior", "pops"):
        ends = (getattr(fit.uncertainty, name) for fit in (fitted, small_fit))
        wide = np.zeros((4, len(fitted.potential.basis)))
        wide[:, _host_places(fitted, small_fit)] = rows
        np.testing.assert_allclose(next(ends)(wide), next(ends)(rows), atol=1e-9)


def _host_places(fitted: Fit, alone: Fit) -> np.ndarray:
    functions = SoluteFunctions.beside(alone.potential.basis, ("Ta",), (8, 7, 4), angular_weight=1.5)
    assert len(functions.basis) == len(fitted.potential.basis)
    return functions.host


def test_forces_with_a_solute_are_the_slope_of_the_energy(fitted, rattled):
    """Whatever the angular momenta of its functions: those of the crystal go higher."""
    rattled.numbers[[0, 1]] = TANTALUM
    model, direction = ACE(fitted.potential), np.random.default_rng(1).normal(size=rattled.positions.shape)
    ends = []
    for step in (1e-4, -1e-4):
        moved = rattled.copy()
        moved.positions += step * direction
        ends.append(float(model.get_potential_energy(moved)))
    forces = np.vdot(model.get_forces(rattled), direction)
    assert abs(forces) > 1.0 and (ends[0] - ends[1]) / 2e-4 == pytest.approx(-forces, rel=1e-6)


def test_cells_with_solutes_are_learned(fitted, rattled, tungsten):
    """Forces that it has not seen, what a solute costs, and what two of them do to each other."""
    qm, mm = Tantalum(), ACE(fitted.potential)
    assert fitted.relative_error["dilute_forces"] < 0.2
    whole = upright_supercell(tungsten.crystal, 9.0)
    energies: dict[int, np.ndarray] = {}
    for count in (0, 1, 2):
        cell = whole.copy()
        near = np.argsort(whole.get_distances(0, range(len(whole)), mic=True), kind="stable")
        cell.numbers[near[:count]] = TANTALUM
        energies[count] = np.array([model.get_potential_energy(cell) for model in (qm, mm)])
    one, pair = energies[1] - energies[0], energies[2] - 2 * energies[1] + energies[0]
    assert abs(one[0]) > 0.1 and one[1] == pytest.approx(one[0], abs=0.1 * abs(one[0]))
    assert pair[1] == pytest.approx(pair[0], abs=0.1)


def test_every_solute_has_its_cells(tungsten):
    """Alone on a site and beside a vacancy, in pairs of all elements; between the sites only where that is asked."""
    asked = Potential(material="w", solutes=("Ta", "Mo"), interstitial_solutes=("C",), robust=SETTINGS.robust)
    sets = cells_with_solutes(tungsten.crystal, asked)
    counts = {name: len(cells) for name, cells in sets.items()}
    assert counts == {
        "dilute": 2 * 6,
        "solute_pairs": 3 * 2,
        "solute_vacancy": 2 * 2,
        "solute_close": 2 + 3,
        "interstitial": 5,
        "unseen_dilute": 2 * 2,
        "unseen_interstitial": 2,
    }
    for name, cells in sets.items():
        for cell in cells:
            foreign = int(np.sum(cell.numbers != 74))
            lacking = len(cell) - 54
            assert lacking == {"solute_vacancy": -1}.get(name, "interstitial" in name)
            assert foreign == 2 if name == "solute_pairs" else foreign in (1, 2)
            least = 1.4 if "interstitial" in name else 1.9
            assert not len(pairs_within(cell.positions, cell.cell.array, cell.pbc, least)), name
    assert not cells_with_solutes(tungsten.crystal, Potential(material="w"))


def test_without_solutes_nothing_is_done(small_fit, tungsten, observed):
    bare = Potential(material="tungsten")
    assert fit_with_solutes(small_fit, observed, tungsten, Basis(), bare) is small_fit


def test_a_poor_fit_of_solutes_is_told():
    certificate = DefectCertificate(None, {"unseen_dilute": 0.6, "unseen": 0.1}, None, 1.0, np.zeros((2, 7)))
    (problem,) = certificate.problems_of_solutes()
    assert "off by 60 %" in problem and "solute" in problem
    assert certificate.table()["unseen_dilute_forces"] == 0.6
    assert "unseen_dilute_error" in certificate.declared()
