"""Phonons of slabs: the whole Hessian of a supercell, symmetry, step, translations."""

import numpy as np
import pytest

from qmfront.crystal.slab import Slab, flat_slab
from qmfront.elasticity.surface import relaxed_slab
from qmfront.elasticity.surface_phonons import lowest_eigenvalue, slab_phonons


@pytest.fixture(scope="module", params=[((1, 1, 0), 6), ((1, 0, 0), 7), ((1, 1, 1), 7)], ids=str)
def slab(request, tungsten, eam) -> Slab:
    """Even and odd numbers of layers, oblique and rectangular surface cells."""
    plane, layers = request.param
    return relaxed_slab(flat_slab(tungsten.crystal, plane, layers=layers, vacuum=9.0), eam, max_force=1e-6)


@pytest.mark.parametrize("cells", [4, 5])
def test_all_waves_are_the_modes_of_the_supercell(slab, cells, eam):
    """Eigenvalues of k and N - k are the same; together they are those of the Hessian of N cells."""
    _, found = slab_phonons(slab, eam, cells=cells, step=1e-3)
    twice = [k for k in range(cells // 2 + 1) if 0 < 2 * k < cells]
    together = np.sort(np.concatenate([found.ravel(), found[twice].ravel()]))
    row = slab.repeated(cells, 1)
    hessian = np.zeros((3 * cells * len(slab.numbers),) * 2)
    for k in range(len(hessian)):
        shift = np.zeros(len(hessian))
        shift[k] = 1e-3
        up, down = (
            eam.get_forces(row.moved(s * shift.reshape(-1, 3)).to_atoms()).ravel().copy() for s in (1, -1)
        )
        hessian[k] = (down - up) / 2e-3
    expected = np.linalg.eigvalsh(0.5 * (hessian + hessian.T))
    assert len(together) == len(expected)
    np.testing.assert_allclose(together, expected, atol=2e-6 * expected[-1])


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
