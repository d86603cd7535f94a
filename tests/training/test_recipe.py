"""The recipe robust: what is noise is not fitted, and the weight of the cells is found where nothing was fitted."""

from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from ase.calculators.calculator import Calculator, all_changes

from qmfront.config.potential import Basis, Potential, Rattled, Robust
from qmfront.models.eam import EAM
from qmfront.training.fit import Fit, basis_functions, fit_potential
from qmfront.training.observations import Observations, observations_of
from qmfront.training.observe.noise import order_of, weights_by_noise
from qmfront.training.recipe import Unseen, fit_by_recipe
from tests.settings import changed, steps

CELLS = Rattled(count=6, amplitudes=(0.02, 0.2), strain=0.03, seed=1)
ROBUST = Robust(
    cells=CELLS,
    strained=changed(CELLS, count=4, strain=0.1, seed=2),
    unseen=changed(CELLS, count=3, seed=3),
    unseen_strained=changed(CELLS, count=2, strain=0.1, seed=4),
)
SETTINGS = Potential(
    material="tungsten", basis=Basis(cutoff=5.0, max_degree=(12, 10, 6)), robust=ROBUST, strain_step=2.5e-3
)


class Rough(Calculator):
    """A model whose stress and forces have noise, the same at the same structure."""

    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012 (ASE's name)

    def __init__(self, model: EAM, amplitude: float) -> None:
        super().__init__()
        self.model, self.amplitude = model, amplitude

    def calculate(self, atoms=None, properties=None, system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        generator = np.random.default_rng(crc32(atoms.positions.tobytes() + atoms.cell.array.tobytes()))
        self.results = {name: self.model.get_property(name, atoms) for name in self.implemented_properties}
        self.results["stress"] = self.results["stress"] + self.amplitude * generator.normal(size=6)


@pytest.fixture(scope="module")
def observed(tungsten, eam) -> Observations:
    return observations_of(tungsten, eam, SETTINGS, steps(eam.force_range))


@pytest.fixture(scope="module")
def fitted(observed, tungsten) -> Fit:
    return fit_by_recipe(observed, tungsten, SETTINGS.basis, SETTINGS)


def test_a_smooth_model_is_matched_to_its_fourth_derivative(observed, fitted):
    assert observed.noise["third_derivative"] < 1e-6 and observed.noise["fourth_derivative"] < 1e-4
    assert {"fourth_derivative", "strained_force_constants"} <= set(observed.lattice.rows)
    assert fitted.order == 2 == order_of(observed.noise, ROBUST)


def test_noise_of_the_stresses_keeps_the_fourth_derivative_out(tungsten, eam):
    """Noise in the stress grows with h^-3 in the fourth derivative: at 1e-7 eV/Å^3 it is none of the model's."""
    rough = observations_of(tungsten, Rough(eam, 1e-7), SETTINGS, steps(eam.force_range))
    assert rough.noise["fourth_derivative"] > 0.1 > rough.noise["third_derivative"] > 1e-4
    assert (
        "fourth_derivative" not in rough.lattice.rows and "strained_force_constants" not in rough.lattice.rows
    )
    weights = weights_by_noise(rough.noise, SETTINGS.weights, ROBUST)
    assert weights["third_derivative"] == pytest.approx(1e-8 / rough.noise["third_derivative"] ** 2)
    assert weights["force_constants"] <= SETTINGS.weights.force_constants


def test_an_order_that_is_given_is_taken(tungsten, eam):
    given = changed(SETTINGS, matching=1)
    asked = observations_of(tungsten, eam, given, steps(eam.force_range))
    assert "fourth_derivative" not in asked.lattice.rows and "fourth_derivative" not in asked.noise


def test_cells_make_the_fit_sane_where_derivatives_say_nothing(observed, fitted, tungsten):
    basis = basis_functions(["W"], SETTINGS.basis)
    unseen = Unseen.of(observed.unseen, tungsten, basis)
    alone = Observations(observed.lattice)
    lattice = fit_potential(alone, tungsten, basis, changed(SETTINGS, recipe="paper"))
    assert unseen.error(fitted.potential.coefficients) < 0.3 * unseen.error(lattice.potential.coefficients)
    assert fitted.relative_error["force_constants"] < 1e-2
    assert fitted.relative_error["third_derivative"] < 2e-2


def test_a_store_holds_all_of_it(observed):
    again = Observations.from_arrays(observed.arrays())
    assert again.noise == observed.noise and set(observed.declared()) == set(observed.arrays())
    assert np.array_equal(again.unseen.energy, observed.unseen.energy)
    assert again.distorted.name == "distorted" and len(again.distorted.cells) == 10


def test_the_studies_of_the_paper_ask_for_its_recipe():
    """The potentials of the repository have published results: none of them takes the default."""
    root = Path(__file__).parents[2] / "config" / "potentials"
    for file in root.glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        assert "extends:" in text or "recipe: paper" in text, file.name
