"""Phonons of slabs: the whole Hessian of a supercell, symmetry, step, translations."""

import numpy as np
import pytest

from qmfront.crystal.lattice import cubic_crystal
from qmfront.crystal.slab import Slab, flat_slab
from qmfront.crystal.termination import terminations
from qmfront.elasticity.surface import relaxed_slab
from qmfront.elasticity.surface_phonons import inversion_images, lowest_eigenvalue, slab_phonons


@pytest.fixture(scope="module", params=[((1, 1, 0), 6), ((1, 0, 0), 7), ((1, 1, 1), 7)], ids=str)
def slab(request, tungsten, eam) -> Slab:
    """Even and odd numbers of layers, oblique and rectangular surface cells."""
    plane, layers = request.param
    return relaxed_slab(flat_slab(tungsten.crystal, plane, layers=layers, vacuum=9.0), eam, max_force=1e-6)


def assert_modes_of_the_supercell(slab: Slab, cells: int, calculator) -> None:
    """Eigenvalues of k and N - k are the same; together they are those of the Hessian of N cells."""
    _, found = slab_phonons(slab, calculator, cells=cells, step=1e-3)
    twice = [k for k in range(cells // 2 + 1) if 0 < 2 * k < cells]
    together = np.sort(np.concatenate([found.ravel(), found[twice].ravel()]))
    row = slab.repeated(cells, 1)
    hessian = np.zeros((3 * cells * len(slab.numbers),) * 2)
    for k in range(len(hessian)):
        shift = np.zeros(len(hessian))
        shift[k] = 1e-3
        up, down = (
            calculator.get_forces(row.moved(s * shift.reshape(-1, 3)).to_atoms()).ravel().copy()
            for s in (1, -1)
        )
        hessian[k] = (down - up) / 2e-3
    expected = np.linalg.eigvalsh(0.5 * (hessian + hessian.T))
    assert len(together) == len(expected)
    np.testing.assert_allclose(together, expected, atol=2e-6 * expected[-1])


@pytest.mark.parametrize("cells", [4, 5])
def test_all_waves_are_the_modes_of_the_supercell(slab, cells, eam):
    assert_modes_of_the_supercell(slab, cells, eam)


def test_a_slab_without_a_centre_of_inversion_has_its_modes_too(tungsten, eam):
    flat = flat_slab(tungsten.crystal, (1, 1, 0), layers=5, vacuum=9.0)
    rattled = flat.moved(0.05 * np.random.default_rng(4).normal(size=flat.positions.shape))
    assert inversion_images(rattled) is None
    assert_modes_of_the_supercell(rattled, 3, eam)


def test_inversion_of_slabs():
    """Bravais: the order of atoms reversed. Diamond: across the middle of a bond. None where both faces differ."""
    tungsten = flat_slab(cubic_crystal("W", "bcc", 3.17), (1, 1, 0), layers=5, vacuum=5.0)
    np.testing.assert_array_equal(inversion_images(tungsten), np.arange(5)[::-1])
    silicon = cubic_crystal("Si", "diamond", 5.43)
    for cut in terminations(silicon, np.ones(3)):
        slab = flat_slab(silicon, (1, 1, 1), layers=8, vacuum=5.0, cut=cut)
        images = inversion_images(slab)
        np.testing.assert_array_equal(images[images], np.arange(8))
        height = slab.positions[:, 2]
        np.testing.assert_allclose(height[images] + height, height.min() + height.max())
    alloy = cubic_crystal("NiAl", "b2", 2.88)
    cut = terminations(alloy, np.array([1.0, 0.0, 0.0]))[0]
    assert inversion_images(flat_slab(alloy, (1, 0, 0), layers=6, vacuum=5.0, cut=cut)) is None


def test_translations_and_path(slab, eam):
    path, found = slab_phonons(slab, eam, cells=4, step=1e-3)
    assert np.all(found[0, :3] == 0.0) and np.all(found[0, 3:] > 0.01)
    assert np.all(found[1:] > 0.01) and np.all(np.diff(found[1:], axis=1) >= 0)
    # the zone boundary stands half the distance of two rows of atoms away
    rows = slab.area / np.linalg.norm(slab.cell[1])
    np.testing.assert_allclose(path, np.array([0, 1, 2]) * 2 * np.pi / rows / 4, rtol=1e-12)


def test_differences_have_converged(slab, eam):
    """Errors of central differences fall with the square of the step."""
    fine, middle, coarse = (slab_phonons(slab, eam, cells=2, step=step)[1] for step in (1e-3, 1e-2, 2e-2))
    first, second = np.linalg.norm(middle - fine), np.linalg.norm(coarse - fine)
    assert 1e-5 < first < 1e-2 * np.linalg.norm(fine)
    assert second / first == pytest.approx(4.0, rel=0.1)


def test_lowest_eigenvalue_skips_the_translations():
    eigenvalues = np.array([[0.0, 0.0, 0.0, -0.2, 1.0, 3.0], [-0.5, 0.1, 0.2, 1.0, 1.0, 1.0]])
    assert lowest_eigenvalue(eigenvalues) == -0.2
