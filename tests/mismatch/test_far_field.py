"""What homogeneous lattices at the strains of a case say about the polynomial dW."""

import numpy as np
import pytest
from ase.calculators.calculator import Calculator, all_changes

from qmfront.elasticity.moduli import cubic_moduli
from qmfront.elasticity.predictor_strains import core_distance, predictor_gradients, spread_sites
from qmfront.elasticity.strain_polynomial import StrainPolynomial
from qmfront.mismatch.far_field import PROBES, SHELL_R0, FarField, FieldStrains, far_field, field_strains

NOTHING = np.zeros((3, 3, 3, 3))


def cubic(order: int, size: float) -> StrainPolynomial:
    """size (e_xx^n + e_yy^n + e_zz^n), which every cubic crystal may have."""
    return StrainPolynomial(order * np.eye(3, 6, dtype=int), np.full(3, size))


QUARTIC, SIXTH = cubic(4, 30.0), cubic(6, 3e5)


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


def asked(
    edge, tungsten, *energies: StrainPolynomial, samples: int = 100, moduli: np.ndarray = NOTHING
) -> tuple[FarField, int]:
    """What the QM model with these energies says about QUARTIC, and how often it was asked."""
    cell = tungsten.crystal.cell
    models = Lattice(cell, *energies), Lattice(cell)
    found = far_field(strains(edge, tungsten, samples), tungsten.crystal, models, QUARTIC, moduli=moduli)
    return found, models[0].calls


def strains(edge, tungsten, samples: int) -> FieldStrains:
    return field_strains(edge, np.zeros_like(edge.sites), tungsten.crystal, samples=samples)


def test_a_true_polynomial_is_left_alone(edge, tungsten):
    """24 lattices are asked, and no more."""
    found, calls = asked(edge, tungsten, QUARTIC)
    assert found.relative_error < 1e-6 and found.polynomial is None and calls == PROBES
    assert "good enough" in found.verdict


def test_nobody_is_asked_for_no_samples(edge, tungsten):
    found, calls = asked(edge, tungsten, QUARTIC, samples=0)
    assert calls == 0 and np.isnan(found.relative_error) and found.polynomial is None


@pytest.mark.parametrize("order", [2, 3, 5])
def test_a_wrong_polynomial_is_replaced_by_the_true_one(edge, tungsten, order):
    """An order that the certificate has not; exact, since the orders of the better one hold it."""
    wanted = cubic(order, 3.0 * 50.0 ** (order - 3))
    found, calls = asked(edge, tungsten, QUARTIC, wanted)
    assert found.relative_error > 0.2 and found.held_out_error < 1e-6 and PROBES < calls <= PROBES + 100
    gradient = predictor_gradients(edge)[edge.free]
    truth = QUARTIC.stress(gradient) + wanted.stress(gradient)
    assert found.polynomial is not None
    np.testing.assert_allclose(found.polynomial.stress(gradient), truth, atol=1e-6 * np.abs(truth).max())


def test_the_error_that_is_told_is_that_of_lattices_that_were_not_fitted(edge, tungsten):
    """An order beyond the better polynomial: it gets closer, and says by how much it misses."""
    found, _ = asked(edge, tungsten, QUARTIC, SIXTH)
    assert 1e-3 < found.held_out_error < 0.5 * found.relative_error and "not fitted" in found.verdict
    others = field_strains(edge, np.zeros_like(edge.sites), tungsten.crystal, samples=10**4)
    truth = QUARTIC.stress(others.gradients) + SIXTH.stress(others.gradients)
    weight = others.distance[:, None, None] ** 2
    assert found.polynomial is not None
    told = found.polynomial.stress(others.gradients)
    everywhere = np.linalg.norm(weight * (truth - told)) / np.linalg.norm(weight * truth)
    assert everywhere < 3 * found.held_out_error


def test_what_was_said_survives_its_store(edge, tungsten):
    for energies in ((QUARTIC,), (QUARTIC, SIXTH)):
        found, _ = asked(edge, tungsten, *energies)
        again = FarField.from_store(found.arrays(), found.attrs())
        assert again.verdict == found.verdict and (again.polynomial is None) == (found.polynomial is None)
        np.testing.assert_equal(again.held_out_error, found.held_out_error)


def test_few_sites_leave_the_polynomial_and_say_so(edge, tungsten):
    found, calls = asked(edge, tungsten, QUARTIC, cubic(3, 3.0), samples=PROBES)
    assert found.polynomial is None and calls == PROBES and "too few sites" in found.verdict


def test_moduli_that_are_told_elsewhere_are_not_told_twice(edge, tungsten):
    """A difference of the moduli alone, handed over as such, leaves nothing."""
    moduli = cubic_moduli(1.0, 0.0, 0.0) / tungsten.crystal.volume
    told, _ = asked(edge, tungsten, cubic(2, 0.5), QUARTIC, moduli=moduli)
    assert told.relative_error < 1e-6
    twice, _ = asked(edge, tungsten, cubic(2, 0.5), QUARTIC)
    assert twice.relative_error > 0.2


def test_strains_are_those_of_the_structure_that_is_given(edge, tungsten):
    """A homogeneous strain on top of the predictor is in all of them."""
    F = np.eye(3) + np.array([[0.004, 0.0, 0.0], [0.0, -0.002, 0.0], [0.0, 0.0, 0.0]])
    u = edge.body.reference @ (F - np.eye(3)).T
    plain, strained = (
        field_strains(edge, each, tungsten.crystal, samples=40) for each in (np.zeros_like(u), u)
    )
    assert strained.distance.min() > SHELL_R0 and not np.allclose(strained.gradients, np.eye(3), atol=1e-3)
    assert np.trace(strained.gradients.mean(axis=0) - plain.gradients.mean(axis=0)) == pytest.approx(
        0.002, abs=1e-3
    )


def test_samples_are_spread(edge):
    """No two coincide, all are free and away from the core, and they see every side of it."""
    inner = 4.0
    sites = spread_sites(edge, core_distance(edge), 30, inner=inner)
    plane = edge.sites[sites, :2]
    assert len(sites) == 30 and np.all(edge.free[sites])
    assert np.linalg.norm(plane, axis=1).min() >= inner * edge.r0
    assert np.linalg.norm(plane[:, None] - plane[None], axis=2)[~np.eye(30, dtype=bool)].min() > 1.0
    angles = np.sort(np.arctan2(plane[:, 1], plane[:, 0]))
    assert np.diff(angles, append=angles[0] + 2 * np.pi).max() < 1.2


def test_a_crystal_without_a_defect_is_sampled_by_its_distance_from_the_centre(perfect, tungsten):
    found = field_strains(perfect, np.zeros_like(perfect.sites), tungsten.crystal, samples=20)
    assert len(found) == 20 and np.allclose(found.gradients, np.eye(3), atol=1e-12)


@pytest.mark.parametrize("order", [4, 6])
def test_decay_of_the_polynomial(order):
    assert {4: QUARTIC, 6: SIXTH}[order].decay == order - 1
