"""Bloch sums against loops over images written out, and density matrices folded back on bonds."""

import numpy as np
import pytest

from qmfront.models.nrltb.evaluate import structure
from qmfront.models.nrltb.kpoints import phases
from qmfront.models.nrltb.matrices import Blocks, add_weights, hamiltonian_overlap, no_weights
from qmfront.models.nrltb.parameters import HOPPING, OVERLAP, load_parameters
from qmfront.models.nrltb.radial import radial_functions
from qmfront.models.nrltb.slater_koster import blocks
from tests.models.nrltb.structures import sheared

SILICON = load_parameters("silicon", minimum_distance=0.5)
POINTS = [(0.0, 0.0, 0.0), (0.5, 0.0, 0.5), (0.13, -0.29, 0.41)]


@pytest.fixture(scope="module")
def shared() -> Blocks:
    """Blocks of three atoms in a cell so small that each meets its own images."""
    atoms = sheared()[[0, 1, 5]]
    atoms.set_cell(atoms.cell.array * 0.9)
    atoms.positions[1] -= 2 * atoms.cell.array[1] - atoms.cell.array[2]  # outside the cell
    known = structure(SILICON, atoms.positions, atoms.cell.array, atoms.pbc, atoms.numbers)
    values, _ = radial_functions(SILICON, known.kind, known.bonds)
    assert np.any(known.bonds.first == known.bonds.second)
    shift = known.bonds.vector - atoms.positions[known.bonds.second] + atoms.positions[known.bonds.first]
    np.testing.assert_allclose(known.images @ atoms.cell.array, shift, atol=1e-10)
    hopping, overlap = (blocks(known.bonds, values[:, part]) for part in (HOPPING, OVERLAP))
    return Blocks(known.bonds, known.images, hopping, overlap, np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))


def whole(lower: np.ndarray) -> np.ndarray:
    """The Hermitian matrix of a lower triangle."""
    strict = np.tril(lower, -1)
    return strict + strict.conj().T + np.diag(np.real(np.diagonal(lower)))


@pytest.mark.parametrize("point", POINTS)
def test_bloch_sum_is_the_sum_over_both_directions_of_every_bond(shared, point):
    found = [whole(matrix) for matrix in hamiltonian_overlap(shared, phases(np.array(point), shared.images))]
    levels = [np.repeat(shared.levels, (1, 3), axis=1).ravel(), np.ones(12)]
    for matrix, block, diagonal in zip(found, (shared.hopping, shared.overlap), levels, strict=True):
        expected = np.diag(diagonal).astype(complex)
        for p in range(len(shared.bonds)):
            i, j = (slice(4 * a, 4 * a + 4) for a in (shared.bonds.first[p], shared.bonds.second[p]))
            phase = np.exp(2j * np.pi * np.dot(point, shared.images[p]))
            expected[i, j] += phase * block[p]
            expected[j, i] += np.conj(phase) * block[p].T
        np.testing.assert_allclose(matrix, expected, atol=1e-12)
        assert np.abs(np.imag(expected)).max() < 1e-12 or np.iscomplexobj(matrix)


@pytest.mark.parametrize("point", POINTS)
def test_weights_are_the_derivatives_of_the_traces(shared, point):
    """tr(P H) - tr(W S) is linear in every block and level, so the weights times these give it back."""
    rng = np.random.default_rng(3)
    phase = phases(np.array(point), shared.images)
    P, W = (whole(rng.normal(size=(12, 12)) + (1j if np.iscomplexobj(phase) else 0) * rng.normal(size=(12, 12)))
            for _ in range(2))  # fmt: skip
    lower = np.asfortranarray(np.tril(P)), np.asfortranarray(np.tril(W))
    weights = add_weights(no_weights(shared), shared, phase, lower, 0.7)
    H, S = (whole(matrix) for matrix in hamiltonian_overlap(shared, phase))
    identity = np.real(np.trace(W))
    expected = 0.7 * np.real(np.trace(P @ H) - np.trace(W @ S) + identity)
    found = np.sum(weights.hopping * shared.hopping) + np.sum(weights.overlap * shared.overlap)
    assert found + np.sum(weights.levels * shared.levels) == pytest.approx(expected, rel=1e-12)
    twice = add_weights(weights, shared, phase, lower, 0.7)
    np.testing.assert_allclose(twice.overlap, 2 * weights.overlap)
