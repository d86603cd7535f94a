"""What homogeneous lattices at the strains of a far field say about the polynomial dW."""

import numpy as np
import pytest
from ase.calculators.calculator import Calculator, all_changes

from qmfront.elasticity.deformation import pair_forces
from qmfront.elasticity.predictor_strains import INNER_R0, predictor_gradients, spread_sites
from qmfront.elasticity.strain_polynomial import StrainPolynomial
from qmfront.mismatch.cauchy_born import cauchy_born_difference
from qmfront.mismatch.far_field import FarField, far_field

NOTHING = np.zeros(3)
QUARTIC = StrainPolynomial(np.array([[4, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 2]]), np.array([30.0, -50.0]))
FIFTH = StrainPolynomial(np.array([[5, 0, 0, 0, 0, 0], [0, 3, 0, 2, 0, 0]]), np.array([900.0, 700.0]))


class Lattice(Calculator):
    """A homogeneous lattice with a given energy of one cell; forces vanish."""

    implemented_properties = ("stress", "forces")

    def __init__(self, cell: np.ndarray, *energies: StrainPolynomial) -> None:
        super().__init__()
        self.rest, self.energies, self.calls = cell, energies, 0

    def calculate(self, atoms=None, properties=("stress",), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        self.calls += 1
        F = np.linalg.solve(self.rest, atoms.cell.array).T
        P = sum((energy.stress(F[None])[0] for energy in self.energies), np.zeros((3, 3)))
        sigma = P @ F.T / atoms.get_volume()
        self.results["stress"] = sigma[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
        self.results["forces"] = np.zeros((len(atoms), 3))


def asked(edge, tungsten, *energies: StrainPolynomial, polynomial=QUARTIC, samples=60):
    cell = tungsten.crystal.cell
    models = Lattice(cell, *energies), Lattice(cell)
    found = far_field(edge, tungsten.crystal, models, polynomial, moduli=NOTHING, samples=samples)
    return found, models[0].calls


def test_a_true_polynomial_is_left_alone(edge, tungsten):
    """24 lattices are asked, and no more."""
    found, calls = asked(edge, tungsten, QUARTIC)
    assert found.relative_error < 1e-6 and len(found.sites) == 0 and 0 < calls <= 24
    assert not found.correction(edge, QUARTIC.decay).any() and "good enough" in found.verdict


def test_nobody_is_asked_for_no_samples(edge, tungsten):
    found, calls = asked(edge, tungsten, FIFTH, samples=0)
    assert calls == 0 and np.isnan(found.relative_error)
    assert FarField.from_store(found.arrays(), found.attrs()).verdict == found.verdict


def test_what_is_wrong_is_measured_and_taken_to_all_sites(edge, tungsten):
    """On the sampled sites exactly, between them by interpolation, whose error falls as there are more of them."""
    gradient = predictor_gradients(edge)
    wanted = FIFTH.stress(gradient) - QUARTIC.stress(gradient)
    far = edge.free & (np.linalg.norm(edge.sites[:, :2], axis=1) > INNER_R0 * edge.r0)
    scale = np.linalg.norm(edge.sites[:, :2], axis=1)[:, None, None] ** QUARTIC.decay
    errors = []
    for samples in (20, 80, 1000):
        found, _ = asked(edge, tungsten, FIFTH, samples=samples)
        assert found.relative_error > 0.2
        correction = found.correction(edge, QUARTIC.decay)
        assert np.abs((correction - wanted)[found.sites]).max() < 1e-6 * np.abs(wanted[found.sites]).max()
        errors.append(
            np.linalg.norm((scale * (correction - wanted))[far]) / np.linalg.norm((scale * wanted)[far])
        )
    assert errors[0] > errors[1] > errors[2] and errors[2] < 0.1, errors


def test_the_forces_are_those_of_the_sum(edge, tungsten):
    """Polynomial and correction together pull as the true difference where all sites are sampled."""
    found, _ = asked(edge, tungsten, FIFTH, samples=10**4)
    gradient, u = predictor_gradients(edge), np.zeros_like(edge.sites)
    lacking = found.correction(edge, QUARTIC.decay)
    forces = cauchy_born_difference(edge, u, QUARTIC, lacking)
    mended = edge.frame @ (QUARTIC.stress(gradient) + lacking) @ edge.frame.T
    assert np.allclose(forces, pair_forces(edge.stencil, mended), atol=1e-12)
    bare = cauchy_born_difference(edge, u, QUARTIC)
    assert np.abs(forces - bare).max() > 1e-4


def test_moduli_that_are_told_elsewhere_are_not_told_twice(edge, tungsten):
    """A difference of the moduli alone, handed over as such, leaves nothing."""
    c11 = StrainPolynomial(
        np.array([[2, 0, 0, 0, 0, 0], [0, 2, 0, 0, 0, 0], [0, 0, 2, 0, 0, 0]]), np.full(3, 0.5)
    )
    cell = tungsten.crystal.cell
    models = Lattice(cell, c11, QUARTIC), Lattice(cell)
    moduli = np.array([1.0, 0.0, 0.0]) / tungsten.crystal.volume
    told = far_field(edge, tungsten.crystal, models, QUARTIC, moduli=moduli, samples=50)
    assert told.relative_error < 1e-6
    twice = far_field(edge, tungsten.crystal, models, QUARTIC, moduli=NOTHING, samples=50)
    assert twice.relative_error > 0.2


def test_samples_are_spread(edge):
    """No two coincide, all are free and away from the core, and they see every side of it."""
    sites = spread_sites(edge, 30)
    plane = edge.sites[sites, :2]
    assert len(sites) == 30 and np.all(edge.free[sites])
    assert np.linalg.norm(plane, axis=1).min() >= INNER_R0 * edge.r0
    assert np.linalg.norm(plane[:, None] - plane[None], axis=2)[~np.eye(30, dtype=bool)].min() > 1.0
    angles = np.sort(np.arctan2(plane[:, 1], plane[:, 0]))
    assert np.diff(angles, append=angles[0] + 2 * np.pi).max() < 1.2


@pytest.mark.parametrize("order", [4, 5])
def test_decay_of_the_polynomial(order):
    assert {4: QUARTIC, 5: FIFTH}[order].decay == order - 1
