"""Against QUIP, an independent code: frozen numbers of `quippy_oracle.py`, and QUIP itself where it is installed."""

import importlib.util
import json

import numpy as np
import pytest

from qmfront.models.nrltb.electrons import Electrons
from qmfront.models.nrltb.evaluate import evaluate, structure
from qmfront.models.nrltb.kpoints import monkhorst_pack
from qmfront.models.nrltb.parameters import from_mapping
from tests.models.nrltb import quippy_oracle

CASES = quippy_oracle.cases()
FROZEN = json.loads(quippy_oracle.REFERENCE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CASES)
def test_energies_forces_and_stress_of_quip(name):
    """Energies in all cases; gradients where kT is small, for QUIP differentiates another energy otherwise."""
    content, atoms, divisions, kT = CASES[name]
    parameters = from_mapping(content)
    known = structure(parameters, atoms.positions, atoms.cell.array, atoms.pbc, atoms.numbers)
    found = evaluate(parameters, known, Electrons(monkhorst_pack(divisions), kT=kT, mu=None))
    assert found.energy == pytest.approx(FROZEN[name]["energy"], abs=3e-8)  # QUIP finds mu to about 1e-9 eV
    if kT == quippy_oracle.COLD:
        np.testing.assert_allclose(found.gradient.forces, FROZEN[name]["forces"], atol=2e-8)
        voigt = found.gradient.virial[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]] / atoms.get_volume()
        np.testing.assert_allclose(voigt, FROZEN[name]["stress"], atol=1e-9)
        assert np.abs(FROZEN[name]["forces"]).max() > 1.0


@pytest.mark.skipif(importlib.util.find_spec("quippy") is None, reason="quippy-ase is not installed")
@pytest.mark.parametrize("name", CASES)
def test_frozen_numbers_are_those_of_quip(name):
    content, atoms, divisions, kT = CASES[name]
    grid = monkhorst_pack(divisions)
    atoms = atoms.copy()
    atoms.calc = quippy_oracle.calculator(content, kT=kT, points=grid.points, weights=grid.weights)
    assert atoms.get_potential_energy() == pytest.approx(FROZEN[name]["energy"], abs=1e-9)
    np.testing.assert_allclose(atoms.get_forces(), FROZEN[name]["forces"], atol=1e-8)
