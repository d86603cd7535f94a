"""Forces of two models that differ in their force constants: exact for any wave, nothing twice for long ones."""

from dataclasses import replace

import numpy as np
import pytest

from qmfront.config.stages import Buffer, Estimate
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import FAR_FIELD, MM, QM
from qmfront.coupling.solution import Solution
from qmfront.crystal.defect import Defect
from qmfront.elasticity.certificate import Certificate
from qmfront.elasticity.moduli import cubic_moduli, to_voigt
from qmfront.elasticity.strain_polynomial import StrainPolynomial
from qmfront.estimate.residual import ResidualSettings, residual_arrays
from qmfront.mismatch.linear import LinearMismatch, linear_mismatch
from qmfront.mismatch.model_difference import SLIGHT, ModelDifference, model_difference
from qmfront.operators.force_constant_operator import linear_forces
from qmfront.operators.labelled_pairs import labelled_pairs
from qmfront.storage import store
from qmfront.storage.layouts.mismatch import MISMATCH
from qmfront.storage.timing import Seconds
from tests.homogeneous import homogeneous
from tests.silicon import silicon

SHORT = 4.5  # Å; of tungsten, between the third and the fourth shell
BONDS = 3.0  # Å; of silicon, nearest neighbours


def bar(crystal, n: int) -> Defect:
    """A periodic bar of n cells without any defect."""
    return homogeneous(crystal, crystal.to_atoms() * (n, 3, 3))


def amplitudes(defect: Defect) -> np.ndarray:
    """Of a wave, Å, one for each sublattice."""
    return 1e-3 * np.random.default_rng(3).normal(size=(defect.basis_index.max() + 1, 3))


def wave(defect: Defect, amplitude: np.ndarray, dynamical=None) -> np.ndarray:
    """Re A_b exp(i q r) of one period along the bar, (n, 3) Å; or the forces -D(q) A, eV/Å."""
    q = 2 * np.pi * np.linalg.inv(defect.cell)[:, 0]
    if dynamical is not None:
        amplitude = -(dynamical(q) @ amplitude.ravel()).reshape(-1, 3)
    return np.real(amplitude[defect.basis_index] * np.exp(1j * defect.sites @ q)[:, None])


def missed(bulk, reach: float) -> LinearMismatch:
    """As if the fit had all force constants up to a reach (Å), and the moduli were those of all."""
    constants = bulk.force_constants
    difference = replace(constants, matrix=constants.matrix - _cut(constants, reach))
    volume = abs(np.linalg.det(bulk.crystal.cell))
    return LinearMismatch(bulk.crystal, difference, difference.moduli(volume), 1.0)


def certified(fc_mismatch: np.ndarray, moduli: np.ndarray) -> Certificate:
    """A certificate whose models have the same moduli and strain energies."""
    nothing = np.zeros(0)
    dW = StrainPolynomial(np.array([[3, 0, 0, 0, 0, 0]]), np.zeros(1))
    return Certificate(nothing, nothing, fc_mismatch, *([nothing] * 4), moduli, moduli, dW, 0.0, 0.0)


def _cut(constants, reach: float) -> np.ndarray:
    """Matrices in the same order, zero beyond the reach, with self terms that make rows sum to zero."""
    length = np.linalg.norm(constants.vector, axis=1)
    matrix = np.where((length <= reach)[:, None, None], constants.matrix, 0.0)
    for site in range(constants.n_basis):
        own = constants.basis_first == site
        itself = own & (length < 1e-6)
        matrix[itself] -= matrix[own].sum(axis=0)
    return matrix


@pytest.mark.parametrize(("name", "reach"), [("tungsten", SHORT), ("silicon", BONDS)])
def test_waves_get_the_difference_of_the_dynamical_matrices(name, reach, request):
    """Without moduli to subtract F = -D(q) u, at any wave length and for optical waves too."""
    bulk = request.getfixturevalue("tungsten") if name == "tungsten" else silicon()
    mismatch = replace(missed(bulk, reach), moduli=np.zeros((3, 3, 3, 3)))
    defect = bar(bulk.crystal, 7)
    amplitude = amplitudes(defect)
    expected = wave(defect, amplitude, mismatch.constants.dynamical_matrix)
    found = mismatch.forces(defect, wave(defect, amplitude))
    assert np.abs(expected).max() > 1e-5
    assert np.abs(found - expected).max() < 1e-9 * np.abs(expected).max() + 1e-12


def test_long_waves_are_left_to_the_moduli(tungsten):
    """What is not subtracted falls as the square of the wave number, relative to the forces of the force constants."""
    mismatch, rest = missed(tungsten, SHORT), []
    lengths = np.array([12, 24, 48])
    for n in lengths:
        defect = bar(tungsten.crystal, n)
        u = wave(defect, amplitudes(defect))
        whole = replace(mismatch, moduli=np.zeros((3, 3, 3, 3))).forces(defect, u)
        rest.append(np.linalg.norm(mismatch.forces(defect, u)) / np.linalg.norm(whole))
    slopes = np.diff(np.log(rest)) / np.diff(np.log(lengths))
    assert rest[-1] < 0.05 and np.all(np.abs(slopes + 2.0) < 0.2), (rest, slopes)


@pytest.mark.parametrize("name", ["tungsten", "silicon"])
def test_what_is_subtracted_is_the_continuum(name, request):
    """Without dPhi: V C_ijkl q_j q_l A_k / nb on every site of a long wave, whatever the number of sublattices."""
    bulk = request.getfixturevalue("tungsten") if name == "tungsten" else silicon()
    nothing = replace(bulk.force_constants, matrix=0.0 * bulk.force_constants.matrix)
    mismatch = LinearMismatch(bulk.crystal, nothing, bulk.moduli, 1.0)
    defect = bar(bulk.crystal, 40)
    one = np.array([1e-3, -2e-3, 1.5e-3])
    field = wave(defect, np.tile(one, (defect.basis_index.max() + 1, 1)))
    shape = field[:, 0] / one[0]
    q = 2 * np.pi * np.linalg.inv(defect.cell)[:, 0]
    volume = abs(np.linalg.det(bulk.crystal.cell)) / len(bulk.crystal.basis)
    expected = volume * np.einsum("ijkl,j,l,k->i", bulk.moduli, q, q, one)
    found = shape @ mismatch.forces(defect, field) / (shape @ shape)
    assert np.abs(found - expected).max() < 0.01 * np.abs(expected).max()


def test_a_rotated_frame_turns_the_forces(tungsten):
    """F(R l, R u) = R F(l, u)."""
    angle = np.array([[0.0, -1.0, 0.0], [0.6, 0.0, -0.8], [0.8, 0.0, 0.6]])
    mismatch, straight = missed(tungsten, SHORT), bar(tungsten.crystal, 6)
    u = wave(straight, amplitudes(straight))
    crystal = tungsten.crystal.rotated(angle)
    turned = replace(bar(crystal, 6), frame=angle)
    expected = mismatch.forces(straight, u) @ angle.T
    assert np.allclose(turned.sites, straight.sites @ angle.T, atol=1e-9)
    found = mismatch.forces(turned, u @ angle.T)
    assert np.abs(found - expected).max() < 1e-9 * np.abs(expected).max()


def test_a_dislocation_feels_no_slip(edge, tungsten):
    """Pairs that slipped by b are neighbours: a predictor alone is pulled by strain, not by b."""
    forces = missed(tungsten, SHORT).forces(edge, np.zeros_like(edge.sites))
    ring = edge.free & (np.linalg.norm(edge.sites[:, :2], axis=1) > 4 * edge.r0)
    assert 1e-6 < np.abs(forces[ring]).max() < 0.1


def test_of_a_certificate(tungsten):
    """Force constants that agree are left alone; those of another bulk are refused."""
    constants, moduli = tungsten.force_constants, to_voigt(cubic_moduli(3.26, 1.28, 1.0))
    certificate = certified(1e-9 * constants.matrix, moduli)
    assert linear_mismatch(tungsten, certificate).negligible
    certificate = replace(certificate, fc_mismatch=constants.matrix - _cut(constants, SHORT))
    found = linear_mismatch(tungsten, certificate)
    volume = abs(np.linalg.det(tungsten.crystal.cell))
    assert not found.negligible
    assert np.allclose(found.moduli, found.constants.moduli(volume))
    # a true difference, which is not to be taken off
    certificate = replace(certificate, moduli_mm=moduli - to_voigt(cubic_moduli(0.3, 0.2, 0.1)))
    kept = linear_mismatch(tungsten, certificate).moduli
    assert np.allclose(kept, found.moduli - cubic_moduli(0.3, 0.2, 0.1))
    certificate = replace(certificate, fc_mismatch=constants.matrix[1:])
    with pytest.raises(ValueError, match="Fit the potential"):
        linear_mismatch(tungsten, certificate)


@pytest.mark.parametrize("part", [1.0, 1e-4])
def test_a_stop_counts_force_constants_unless_they_differ_slightly(edge, tungsten, part):
    """Of a relative difference of 0.1 all forces, of one of 1e-5 none."""
    constants, moduli = tungsten.force_constants, to_voigt(cubic_moduli(3.26, 1.28, 1.0))
    certificate = certified(part * (constants.matrix - _cut(constants, SHORT)), moduli)
    linear = linear_mismatch(tungsten, certificate)
    assert (linear.relative > SLIGHT) == (part == 1.0) and not linear.negligible
    u = np.where(edge.free[:, None], 0.02 * np.random.default_rng(6).normal(size=edge.sites.shape), 0.0)
    found, expected = (
        model_difference(tungsten, certificate, edge).for_stop().forces(u),
        linear.forces(edge, u),
    )
    assert np.abs(expected).max() > 1e-2 * part
    np.testing.assert_allclose(found, expected if part == 1.0 else 0.0, rtol=0, atol=1e-12)


def test_without_a_layer_the_residual_costs_no_qm_call(edge, edge_operators, tungsten):
    """On the QM region it is what the solve left; beyond, mixed forces and what the two models differ by."""
    rng = np.random.default_rng(5)
    u, mixed = (np.where(edge.free[:, None], 0.02 * rng.normal(size=edge.sites.shape), 0.0) for _ in "uf")
    inner = np.linalg.norm(edge.sites[:, :2], axis=1) < 3 * edge.r0
    region = np.select([~edge.free, inner], [FAR_FIELD, QM], MM)
    linear = missed(tungsten, SHORT)

    def residual(width: float, qm) -> np.ndarray:
        return residual_arrays(
            Hybrid(edge, edge_operators, Models(qm, qm)),
            region,
            Solution(u, mixed, np.zeros(1), np.zeros(1)),
            ModelDifference(
                edge, StrainPolynomial(np.zeros((1, 6), int), np.zeros(1)), linear.assembled(edge)
            ),
            settings=ResidualSettings(
                ("cauchy_born",),
                Estimate(layer_r0=width, face_layer=0.0),
                Buffer(width=11.5, residual_factor=1.0),
            ),
            seconds=Seconds(),
        )["cauchy_born"]

    def asked(atoms):
        raise AssertionError(f"{len(atoms)} atoms were asked for")

    found = residual(0.0, asked)
    assert np.array_equal(found[inner], mixed[inner])
    expected = np.where(edge.free[:, None], mixed + linear.forces(edge, u), 0.0)
    assert np.abs(found - expected)[~inner].max() < 1e-12 and np.abs(found - mixed)[~inner].max() > 1e-3
    with pytest.raises(AssertionError, match="asked for"):
        residual(1.0, asked)


def test_an_assembled_difference_gives_the_forces_of_the_labelled_pairs(tungsten, edge) -> None:
    """Pair by pair, at the predictor and away from it, across the slip plane and at the rim, where neighbours miss."""
    linear = replace(missed(tungsten, SHORT), moduli=np.zeros((3, 3, 3, 3)))
    u = 0.1 * np.random.default_rng(5).normal(size=edge.sites.shape)
    constants, crystal = linear.constants.rotated(edge.frame), linear.crystal.rotated(edge.frame)
    reach = float(np.linalg.norm(constants.vector, axis=1).max())
    for displacement in (np.zeros_like(u), u):
        expected = np.zeros_like(u)
        for tile, pairs, matrices, vector in labelled_pairs(
            edge, np.arange(edge.n_sites), crystal, constants, reach
        ):
            current = vector + displacement[pairs.second] - displacement[pairs.first]
            expected[tile] = linear_forces(pairs, matrices, current, edge.n_sites)[tile]
        assert np.abs(expected).max() > 1e-3
        np.testing.assert_allclose(linear.forces(edge, displacement), expected, rtol=0, atol=1e-12)


def test_a_difference_survives_its_store(tungsten, edge, tmp_path) -> None:
    """Polynomial, force constants and moduli."""
    rng = np.random.default_rng(8)
    polynomial = StrainPolynomial(np.array([[4, 0, 0, 0, 0, 0]]), np.array([30.0]))
    difference = ModelDifference(edge, polynomial, missed(tungsten, SHORT).assembled(edge))
    path = store.save(tmp_path / "mismatch.zarr", MISMATCH, difference.arrays())
    u = 0.02 * rng.normal(size=edge.sites.shape)
    again = ModelDifference.from_arrays(store.load(path, MISMATCH), edge)
    assert np.array_equal(again.forces(u), difference.forces(u))
    plain = ModelDifference(edge, polynomial).forces(u)
    assert np.abs(again.forces(u) - plain).max() > 1e-3
