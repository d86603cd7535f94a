"""Elimination strip by strip against the same matrices written out and inverted."""

import numpy as np
import pytest

from qmfront.models.nrltb import environment
from qmfront.models.nrltb.evaluate import structure
from qmfront.models.nrltb.kpoints import phases
from qmfront.models.nrltb.matrices import Blocks, hamiltonian_overlap
from qmfront.models.nrltb.parameters import HOPPING, OVERLAP, from_mapping
from qmfront.models.nrltb.radial import radial_functions
from qmfront.models.nrltb.selected_inverse import eliminate, green_blocks, inverse
from qmfront.models.nrltb.slater_koster import blocks
from qmfront.models.nrltb.strips import Strips, cut_strips
from qmfront.models.nrltb.tridiagonal import is_positive_definite, lay_out, pencil
from tests.models.nrltb.structures import sheared, two_species_content

POINTS = [(0.5, 0.0, 0.0), (0.13, -0.29, 0.0)]
PARAMETERS = from_mapping(two_species_content())
Z = 5.8 + 0.31j


@pytest.fixture(scope="module")
def slab() -> tuple[Blocks, Strips]:
    """Two species, 40 atoms in a cell so small that each meets several images of itself and others."""
    atoms = sheared((1, 1, 5), seed=11, rattle=0.05)
    atoms.pbc = (True, True, False)
    atoms = atoms[np.random.default_rng(1).permutation(len(atoms))]
    atoms.numbers[::3] = 32
    known = structure(PARAMETERS, atoms.positions, atoms.cell.array, atoms.pbc, atoms.numbers)
    values, _ = radial_functions(PARAMETERS, known.kind, known.bonds)
    levels = environment.levels(
        PARAMETERS, known.kind, environment.density(known.kind, known.bonds, values, 2)
    ).energy
    hopping, overlap = (blocks(known.bonds, values[:, part]) for part in (HOPPING, OVERLAP))
    strips = cut_strips(atoms.positions, atoms.cell.array, atoms.pbc, PARAMETERS.cutoff)
    return Blocks(known.bonds, known.images, hopping, overlap, levels), strips


def written_out(shared: Blocks, strips: Strips, point: tuple) -> tuple[np.ndarray, np.ndarray]:
    """H and S of all atoms, in the order of the strips, from the assembly of the other solver."""
    orbitals = (4 * strips.order[:, None] + np.arange(4)).ravel()
    out = []
    for lower in hamiltonian_overlap(shared, phases(np.array(point), shared.images)):
        strict = np.tril(lower, -1)
        whole = strict + strict.conj().T + np.diag(np.real(np.diagonal(lower)))
        out.append(whole[np.ix_(orbitals, orbitals)])
    return out[0], out[1]


def matrices_of(shared: Blocks, strips: Strips, point: tuple):
    layout = lay_out(shared, strips)
    return pencil(layout, phases(np.array(point), layout.blocks.images))


@pytest.mark.parametrize("point", POINTS)
def test_strips_hold_the_matrices_of_the_other_solver(slab, point):
    shared, strips = slab
    edges = np.append(0, np.cumsum(strips.sizes))
    found = matrices_of(shared, strips, point)
    for index, whole in enumerate(written_out(shared, strips, point)):
        rebuilt = np.zeros_like(whole)
        for i, block in enumerate(found.diagonal):
            rebuilt[edges[i] : edges[i + 1], edges[i] : edges[i + 1]] = block[index]
        for i, coupling in enumerate(found.coupling):
            beside = rebuilt[edges[i] : edges[i + 1], edges[i + 1] : edges[i + 2]]
            for piece in coupling:
                beside[piece.rows, piece.columns] = piece[2 + index]
            rebuilt[edges[i + 1] : edges[i + 2], edges[i] : edges[i + 1]] = beside.conj().T
        np.testing.assert_allclose(rebuilt, whole, atol=1e-13)
        assert np.abs(whole[edges[0] : edges[1], edges[1] : edges[2]]).max() > 0.1


@pytest.mark.parametrize("point", POINTS)
def test_green_functions_are_blocks_of_the_inverse(slab, point):
    shared, strips = slab
    found, (H, S) = matrices_of(shared, strips, point), written_out(shared, strips, point)
    assert found.symmetric == (point == POINTS[0])
    G = np.linalg.inv(H - Z * S)
    edges = np.append(0, np.cumsum(strips.sizes))
    visited = []
    for block in green_blocks(found, eliminate(found, Z)):
        i = block.strip
        here = slice(edges[i], edges[i + 1])
        np.testing.assert_allclose(block.within, G[here, here], atol=1e-11)
        if i < len(strips.sizes) - 1:
            there = slice(edges[i + 1], edges[i + 2])
            for piece in found.coupling[i]:
                np.testing.assert_allclose(
                    block.above[piece.rows, piece.columns],
                    G[here, there][piece.rows, piece.columns],
                    atol=1e-11,
                )
                np.testing.assert_allclose(
                    block.below[piece.columns, piece.rows],
                    G[there, here][piece.columns, piece.rows],
                    atol=1e-11,
                )
        visited.append(i)
    assert visited == list(range(len(strips.sizes)))[::-1]


@pytest.mark.parametrize("point", POINTS)
def test_log_determinant_is_on_the_branch_of_the_sum_over_levels(slab, point):
    shared, strips = slab
    found, (H, S) = matrices_of(shared, strips, point), written_out(shared, strips, point)
    lower = np.linalg.cholesky(S)
    levels = np.linalg.eigvalsh(np.linalg.solve(lower, np.linalg.solve(lower, H).conj().T))
    expected = np.log(levels - Z).sum() + 2.0 * np.log(np.real(np.diagonal(lower))).sum()
    assert abs(expected.imag) > 20 * np.pi
    assert eliminate(found, Z).log_determinant == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("point", POINTS)
def test_definiteness_changes_at_the_ends_of_the_spectrum(slab, point):
    shared, strips = slab
    found, (H, S) = matrices_of(shared, strips, point), written_out(shared, strips, point)
    levels = np.sort(np.linalg.eigvals(np.linalg.solve(S, H)).real)
    for factor, end in ((1.0, levels[0]), (-1.0, levels[-1])):
        assert is_positive_definite(found, factor, end - 1e-6 * factor)
        assert not is_positive_definite(found, factor, end + 1e-6 * factor)


@pytest.mark.parametrize("size", [1, 32, 33, 150])
@pytest.mark.parametrize("symmetric", [True, False])
def test_inverse_and_its_logarithm(size, symmetric):
    rng = np.random.default_rng(size)
    real, spare = rng.normal(size=(2, size, size))
    hermitian = real + real.T if symmetric else real + 1j * spare + (real + 1j * spare).conj().T
    values = np.linalg.eigvalsh(hermitian)
    found, logarithm = inverse(hermitian - 0.3j * np.eye(size), symmetric=symmetric)
    # Pivots may be a hundred times smaller than the matrix, and both factors of a Schur complement feel it.
    np.testing.assert_allclose(found, np.linalg.inv(hermitian - 0.3j * np.eye(size)), rtol=0.0, atol=1e-8)
    assert logarithm == pytest.approx(np.log(values - 0.3j).sum(), abs=1e-9)


def test_strips_that_are_too_narrow_are_refused(slab):
    shared, strips = slab
    narrow = Strips(strips.order, np.arange(0, len(strips.order) + 1, 4))
    with pytest.raises(ValueError, match="bonds reach beyond the next strip. Cut strips as wide"):
        lay_out(shared, narrow)
