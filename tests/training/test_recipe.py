"""The recipe robust: what is noise is not fitted, and the weight of the cells is found where nothing was fitted."""

from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from qmfront.config.potential import Basis, Potential, Rattled, Robust
from qmfront.crystal.neighbours import pairs_within
from qmfront.models.ace.calculator import ACE
from qmfront.models.ace.potential import Potential as Potential_
from qmfront.models.eam import EAM
from qmfront.training.fit import Fit, basis_functions, fit_potential
from qmfront.training.observations import Observations, observations_of
from qmfront.training.observe.noise import order_of, weights_by_noise
from qmfront.training.observe.off_lattice import FITTED, UNSEEN, dumbbells
from qmfront.training.recipe import Unseen, fit_by_recipe
from qmfront.training.repulsion import repulsion_of, repulsive_energy_forces, screened_coulomb
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
    """Noise in the stress grows with h^-3 in the fourth derivative: at 1e-8 eV/Å^3 it is none of the model's."""
    rough = observations_of(tungsten, Rough(eam, 1e-8), SETTINGS, steps(eam.force_range))
    assert rough.noise["fourth_derivative"] > 1e-2 > 1e-3 > rough.noise["third_derivative"] > 1e-5
    assert (
        "fourth_derivative" not in rough.lattice.rows and "strained_force_constants" not in rough.lattice.rows
    )
    weights = weights_by_noise(rough.noise, SETTINGS.weights, ROBUST)
    assert weights["third_derivative"] == pytest.approx(1e-8 / rough.noise["third_derivative"] ** 2)
    assert weights["force_constants"] <= SETTINGS.weights.force_constants


def test_a_noisy_third_derivative_spares_the_calls_for_the_fourth(tungsten, eam):
    rough = observations_of(tungsten, Rough(eam, 1e-6), SETTINGS, steps(eam.force_range))
    assert rough.noise["third_derivative"] > 1e-3 and "fourth_derivative" not in rough.noise
    assert order_of(rough.noise, ROBUST) == 1


def test_an_order_that_is_given_is_taken(tungsten, eam):
    given = changed(SETTINGS, matching=1)
    asked = observations_of(tungsten, eam, given, steps(eam.force_range))
    assert "fourth_derivative" not in asked.lattice.rows and "fourth_derivative" not in asked.noise


def test_cells_make_the_fit_sane_where_derivatives_say_nothing(observed, fitted, tungsten):
    basis = fitted.potential.basis
    unseen = Unseen.of(observed.off_lattice, tungsten, basis)
    alone = Observations(observed.lattice)
    lattice = fit_potential(alone, tungsten, basis, changed(SETTINGS, recipe="paper"))
    assert unseen.error(fitted.potential.coefficients) < 0.3 * unseen.error(lattice.potential.coefficients)
    assert fitted.relative_error["force_constants"] < 1e-2
    assert fitted.relative_error["third_derivative"] < 2e-2


def test_the_certificate_has_the_simple_defects(fitted, eam, tungsten):
    """Faults between those that were fitted and a vacancy as the QM model has them, waves that are stable."""
    defects = fitted.defects
    assert defects.problems() == [] and defects.lowest_wave > -1e-9
    assert set(defects.forces) == {"unseen", "strained", "holes"} and max(defects.forces.values()) < 0.4
    assert defects.curves.error() < 0.2 and np.sum(~defects.curves.fitted) == 4
    qm, mm, relaxed = defects.vacancy
    assert qm == pytest.approx(3.85, abs=0.02) and abs(mm - qm) < 0.3 * qm and 0 < relaxed < mm
    rest, found = defects.lattice
    assert rest == pytest.approx(tungsten.crystal.lattice_constant) and 0 < abs(found / rest - 1) < 1e-3
    assert defects.table()["lattice_constant"] == pytest.approx(abs(found / rest - 1))
    assert (
        {"order", "cell_weight", "noise_third_derivative"} <= set(fitted.arrays()) == set(fitted.declared())
    )


def test_atoms_that_come_close_repel(fitted, tungsten):
    """Two of them alone at 0.3 r0, with a force that is the derivative of an energy that falls with the distance."""
    model, r0 = ACE(fitted.potential), tungsten.crystal.nearest_neighbour_distance
    distance = r0 * np.arange(0.25, 0.65, 0.01)
    pairs = [Atoms("W2", [[0, 0, 0], [d, 0, 0]]) for d in distance]
    energy = np.array([model.get_potential_energy(pair) for pair in pairs])
    force = np.array([model.get_forces(pair)[1, 0] for pair in pairs])
    assert np.all(np.diff(energy) < 0) and np.all(force > 0)
    slope = -(energy[2:] - energy[:-2]) / (distance[2:] - distance[:-2])
    np.testing.assert_allclose(force[1:-1], slope, rtol=0.02)


def test_the_repulsion_is_that_of_two_nuclei_and_no_lattice_feels_it(tungsten):
    crystal = tungsten.crystal
    repulsion, r0 = repulsion_of(crystal), crystal.nearest_neighbour_distance
    assert repulsive_energy_forces(crystal.strained(0.9 * np.eye(3)).to_atoms(), repulsion)[0] == 0.0
    near = Atoms("W2", [[0, 0, 0], [0.3 * r0, 0, 0]])
    energy, forces = repulsive_energy_forces(near, repulsion)
    assert energy == pytest.approx(screened_coulomb(0.3 * r0, 74)) and forces[1, 0] > 0 > forces[0, 0]
    basis = basis_functions(["W"], Basis(max_degree=(2,)))
    bare = Potential_(basis, np.zeros(len(basis)), np.zeros(1), 0.3, repulsion)
    assert ACE(bare).get_potential_energy(near) == pytest.approx(energy)
    np.testing.assert_allclose(ACE(bare).get_forces(near), forces, rtol=1e-12)


def test_a_dumbbell_is_pushed_apart_without_a_model(tungsten):
    """One atom more, about a site along each direction, and no two atoms as close as the two were."""
    crystal = tungsten.crystal
    for cell in dumbbells(crystal):
        pairs = pairs_within(cell.positions, cell.cell.array, np.ones(3, bool), 6.0)
        assert len(cell) == 55
        assert np.linalg.norm(pairs.vector, axis=1).min() > 0.82 * crystal.nearest_neighbour_distance


def test_a_fit_that_fails_is_made_again_and_then_refused(observed, tungsten, caplog):
    """One pair function fits nothing: what is wrong is told in words, with what was tried and what would help."""
    poor = Basis(cutoff=3.5, max_degree=(3,))
    with pytest.raises(RuntimeError, match="The fit is poor") as refused:
        fit_by_recipe(observed, tungsten, poor, SETTINGS)
    words = str(refused.value)
    assert "fault curve of {110}<111> is off" in words and "a vacancy costs" in words
    assert "weigh 1e-06; then" in words and "robust.refuse: false" in words
    assert "larger basis" in words and "kink" not in words + caplog.text
    lenient = changed(SETTINGS, robust=changed(ROBUST, refuse=False))
    jumping = replace(observed, noise={**observed.noise, "fourth_derivative": 127.0})
    assert fit_by_recipe(jumping, tungsten, poor, lenient).defects.problems()
    assert "all the same" in caplog.text and "a kink close to the lattice" in caplog.text
    assert "fourth derivative changes by 127 times its size when strains up to 1.0% become" in caplog.text


def test_a_store_holds_all_of_it(observed):
    again = Observations.from_arrays(observed.arrays())
    assert again.noise == observed.noise and set(observed.declared()) == set(observed.arrays())
    assert (
        set(again.off_lattice) == set(observed.off_lattice) == {*FITTED, *UNSEEN} - {"swapped"}
    )  # one species
    assert np.array_equal(again.off_lattice["unseen"].energy, observed.off_lattice["unseen"].energy)
    assert (
        again.off_lattice["distorted"].name == "distorted" and len(again.off_lattice["distorted"].cells) == 10
    )


def test_the_studies_of_the_paper_ask_for_its_recipe():
    """The potentials of the repository have published results: none of them takes the default."""
    root = Path(__file__).parents[2] / "config" / "potentials"
    for file in root.glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        assert "extends:" in text or "recipe: paper" in text, file.name
