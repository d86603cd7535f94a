"""Quantities of a potential are those of its calculator, and POPS tells a basis that is too small."""

import numpy as np
import pytest
from ase.units import GPa

from qmfront.config.potential import Rattled, Training
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.moduli import elastic_moduli
from qmfront.models.ace.basis import build_basis
from qmfront.models.ace.calculator import ACE
from qmfront.models.force_constants import force_constants
from qmfront.training.fit import Fit, fit_potential
from qmfront.training.intervals import Quantity, coverage, interval_table, quantities
from qmfront.training.observations import observations_of
from qmfront.training.observe.rattled import observe_rattled, rattled_cells
from tests.settings import changed, fitting, steps
from tests.silicon import REACH, silicon, stillinger_weber

SAMPLING = Rattled(repeat=(2, 2, 2), count=6, amplitudes=(0.02, 0.1), strain=0.02, seed=1)
SETTINGS = fitting(
    stress=1e4
)  # few functions: without it the crystal is under stress, and has moduli of many kinds


@pytest.fixture(scope="module")
def poor(tungsten: Bulk, eam) -> Fit:
    """Pairs of low degree, fitted to rattled cells."""
    basis = build_basis(["W"], cutoff=5.0, max_degree=(6,), l_weight=1.5, decay=1.0)
    observed = observations_of(tungsten, eam, Training(rattled=SAMPLING), steps(eam.force_range))
    return fit_potential(observed, tungsten, basis, SETTINGS)


def test_pops_covers_forces_that_were_held_out(poor: Fit, tungsten: Bulk, eam) -> None:
    unseen = observe_rattled(tungsten.crystal, eam, changed(SAMPLING, seed=7))
    found = quantities(tungsten, poor.potential, {"held out": unseen, "none": None})
    told = coverage(interval_table(found, poor.uncertainty)).set_index("quantity")
    assert told.index.tolist() == ["force constants", "C11", "C12", "C44", "held out"]
    assert told.loc["held out", "values"] == 6 * 16 * 3
    assert told.loc["held out", "inside_pops"] > 0.9
    assert told.loc["held out", "inside_ard"] < 0.6


def test_values_are_those_of_the_calculator(poor: Fit, tungsten: Bulk, eam) -> None:
    """Forces to rounding, force constants and moduli to their differences."""
    calculator = ACE(poor.potential)
    unseen = observe_rattled(tungsten.crystal, eam, SAMPLING)
    found = quantities(tungsten, poor.potential, {"held out": unseen})
    table = interval_table(found, poor.uncertainty)
    forces = np.concatenate([calculator.get_forces(c) for c in rattled_cells(tungsten.crystal, SAMPLING)])
    held_out = table[table["quantity"] == "held out"]
    assert held_out["mm"].to_numpy() == pytest.approx(forces.ravel(), abs=1e-10)
    assert held_out["qm"].to_numpy() == pytest.approx(np.concatenate(unseen.forces).ravel())
    own = force_constants(tungsten.crystal.to_atoms(), calculator, reach=eam.force_range)
    qm = tungsten.force_constants
    assert np.array_equal(own.vector, qm.vector)
    projected = np.sum(own.matrix * qm.matrix) / np.sum(qm.matrix**2)
    assert table["mm"][0] == pytest.approx(projected, abs=1e-5) and abs(projected - 1) > 1e-4


def test_moduli_are_those_of_the_potential(poor: Fit, tungsten: Bulk) -> None:
    """Also in silicon, whose sublattices move under shear, each potential's by its own amount."""
    basis = build_basis(["Si"], cutoff=3.75, max_degree=(6, 4), l_weight=1.0, decay=1.0)
    observed = observations_of(silicon(), stillinger_weber(), Training(rattled=SAMPLING), steps(REACH))
    other = fit_potential(observed, silicon(), basis, SETTINGS)
    for bulk, fit in ((tungsten, poor), (silicon(), other)):
        found = quantities(bulk, fit.potential, {})[1:]
        assert [(one.name, one.unit) for one in found] == [("C11", "GPa"), ("C12", "GPa"), ("C44", "GPa")]
        own = elastic_moduli(bulk.crystal, ACE(fit.potential), rest_force=1e-9) / GPa
        expected = np.array([own[0, 0, 0, 0], own[0, 0, 1, 1], own[1, 2, 1, 2]])
        ours = [float(one.rows[0] @ fit.potential.coefficients) for one in found]
        assert ours == pytest.approx(expected, rel=1e-5)
        assert np.abs(np.ravel([one.qm for one in found]) - expected).max() > 1e-2


def test_a_table_has_a_row_per_value(poor: Fit) -> None:
    rows = np.random.default_rng(2).normal(size=(3, len(poor.potential.basis)))
    values = rows @ poor.potential.coefficients
    table = interval_table([Quantity("x", "eV", values + np.array([0.0, 1e9, 0.0]), rows)], poor.uncertainty)
    ends = ["ard_low", "ard_high", "pops_low", "pops_high", "inside_ard", "inside_pops"]
    assert list(table.columns) == ["quantity", "unit", "qm", "mm", *ends]
    assert table["inside_pops"].tolist() == table["inside_ard"].tolist() == [True, False, True]
    assert np.all((table["ard_low"] < table["mm"]) & (table["mm"] < table["ard_high"]))
    told = coverage(table).iloc[0]
    assert told["inside_pops"] == pytest.approx(2 / 3)
    assert told["error"] == pytest.approx(1e9 / np.sqrt(3))
