"""The formation energy of point defects against the energies of a model that has them."""

import numpy as np
import pytest

from qmfront.config.defect import Box, Point
from qmfront.config.stages import Buffer, Estimate
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import MM, QM
from qmfront.elasticity.defects import defect_of, perfect_box
from qmfront.elasticity.strain_polynomial import StrainPolynomial
from qmfront.estimate.formation import FormationEnergy, formation_energy
from qmfront.estimate.residual import ResidualSettings
from qmfront.estimate.substitution import SolutionState
from qmfront.evaluate.forces import calculator_energy, calculator_forces
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.operators.assembly import assemble
from tests.solute import TANTALUM, TUNGSTEN, Tantalum

BOX = Box(cells=6)
POTENTIALS = {TUNGSTEN: -8.0, TANTALUM: -7.0}
DEFECTS = {
    "two vacancies": Point(removed=((0.0, 0.0, 0.0), (0.5, 0.5, 0.5))),
    "dumbbell": Point(
        removed=((0.0, 0.0, 0.0),),
        added=({"at": (0.25, 0.25, 0.0)}, {"at": (-0.25, -0.25, 0.0)}),
    ),
    "tantalum": Point(substituted=({"element": "Ta"},)),
}


def asked(tungsten, point: Point, *, width: float, potentials=POTENTIALS) -> tuple[FormationEnergy, float]:
    """With one model on both sides and displaced atoms, and what its energies say of the whole box."""
    model = Tantalum()
    defect, perfect = defect_of(tungsten, point, BOX)[0], perfect_box(tungsten.crystal, point, BOX)
    drawn = np.random.default_rng(5).normal(scale=0.03, size=defect.sites.shape)
    near = np.linalg.norm(defect.sites - defect.core, axis=1) < 1.8 * defect.r0
    forces = calculator_forces(model)
    operators = assemble(defect, tungsten, reach=model.force_range, decay=3.0, cutoff_r0=2.5)
    energy = calculator_energy(model)
    found = formation_energy(
        Hybrid(defect, operators, Models(forces, forces)),
        SolutionState(np.where(near, QM, MM), drawn, -0.25),
        perfect,
        ModelDifference(defect, StrainPolynomial(np.zeros((1, 6), int), np.zeros(1))),
        (energy, potentials),
        settings=ResidualSettings(
            (), Estimate(layer_r0=0.0, face_layer=0.0), Buffer(width=width, residual_factor=1.2)
        ),
    )
    before, after = energy(perfect.body.atoms(0.0 * perfect.sites)), energy(defect.body.atoms(drawn))
    change = sum(
        POTENTIALS[n] * (np.sum(defect.numbers == n) - np.sum(perfect.numbers == n)) for n in POTENTIALS
    )
    return found, after - before - change


@pytest.mark.parametrize("name", DEFECTS)
def test_it_is_that_of_the_whole_box(tungsten, name):
    found, truth = asked(tungsten, DEFECTS[name], width=Tantalum().force_range)
    assert found.value == pytest.approx(truth - 0.25, abs=1e-6) and abs(truth) > 0.5
    assert found.buffer < 1e-9 and found.layer == pytest.approx(0.0, abs=1e-6)
    assert found.bar == pytest.approx(0.25, abs=1e-3)


def test_a_narrow_buffer_shows(tungsten):
    found, _ = asked(tungsten, DEFECTS["two vacancies"], width=4.0)
    assert found.buffer > 1e-3 and found.bar > found.buffer


def test_what_is_exchanged_needs_a_price(tungsten):
    with pytest.raises(ValueError, match="chemical potential of Ta"):
        asked(tungsten, DEFECTS["tantalum"], width=4.0, potentials={TUNGSTEN: -8.0})
