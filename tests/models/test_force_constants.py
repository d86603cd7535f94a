"""Force constants: identities, symmetry, waves, moduli, several sites per cell, errors."""

from itertools import pairwise

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator
from ase.optimize import BFGS
from scipy.optimize import brentq, minimize

from qmfront.models.eam import EAM
from qmfront.models.force_constants import ForceConstants, force_constants
from qmfront.models.lattice_symmetry import crystal_operations, lattice_rotations


class Counted(EAM):
    """EAM that counts its calls."""

    calls = 0

    def calculate(self, *args, **kwargs) -> None:
        Counted.calls += 1
        super().calculate(*args, **kwargs)


class Springs(Calculator):
    """Springs between the sites of every cell: known force constants, no symmetry.

    F_a = sum_b K_ab (u_b - u_a) within each cell, u the deviation from the reference positions, K_ab = K_ba^T.
    """

    implemented_properties = ["energy", "forces"]  # noqa: RUF012

    def __init__(self, reference: Atoms, matrices: np.ndarray) -> None:
        super().__init__()
        self.reference, self.matrices = reference, matrices

    def calculate(self, atoms=None, properties=None, system_changes=None) -> None:
        super().calculate(atoms, properties, system_changes)
        n = len(self.reference)
        cell = self.reference.cell.array
        away = (atoms.positions.reshape(-1, n, 3) - self.reference.positions) @ np.linalg.inv(cell)
        moved = (away - np.round(away)) @ cell
        relative = moved[:, None] - moved[:, :, None]  # [cell, a, b] = u_b - u_a
        forces = np.einsum("abij,cabj->cai", self.matrices, relative)
        self.results = {"forces": forces.reshape(-1, 3), "energy": 0.0}


@pytest.fixture(scope="module")
def a0() -> float:
    return brentq(lambda a: bulk_stress(bulk("W", a=a), EAM(), np.eye(3))[0, 0], 3.1, 3.2, xtol=1e-13)


@pytest.fixture(scope="module")
def tungsten(a0) -> ForceConstants:
    return force_constants(bulk("W", a=a0), EAM(), reach=11.0)


def bulk_stress(crystal: Atoms, calculator, deformation: np.ndarray) -> np.ndarray:
    """Stress of the crystal under a homogeneous deformation, sites in the cell relaxed."""
    deformed = crystal.copy()
    deformed.set_cell(crystal.cell.array @ deformation.T, scale_atoms=True)
    deformed.calc = calculator
    if len(deformed) > 1:
        BFGS(deformed, logfile=None).run(fmax=1e-8, steps=100)
    return deformed.get_stress(voigt=False)


def moduli_by_strain(crystal: Atoms, calculator, h: float = 1e-4) -> np.ndarray:
    """C_ijkl by central differences of the stress by symmetric strains."""
    c = np.zeros((3, 3, 3, 3))
    for k in range(3):
        for l in range(k + 1):
            strain = np.zeros((3, 3))
            strain[k, l] += h / 2
            strain[l, k] += h / 2
            plus, minus = (bulk_stress(crystal, calculator, np.eye(3) + s * strain) for s in (1, -1))
            c[:, :, k, l] = c[:, :, l, k] = (plus - minus) / (2 * h)
    return c


def entry(fc: ForceConstants, a: int, b: int, vector: np.ndarray) -> np.ndarray:
    """Phi_ab(vector)."""
    hit = (fc.basis_first == a) & (fc.basis_second == b)
    hit &= np.linalg.norm(fc.vector - vector, axis=1) < 1e-4
    assert hit.sum() == 1
    return fc.matrix[hit][0]


def assert_identities(fc: ForceConstants) -> None:
    """Index symmetry and sum rule to rounding."""
    for a, b, vector, matrix in zip(fc.basis_first, fc.basis_second, fc.vector, fc.matrix, strict=True):
        np.testing.assert_allclose(entry(fc, b, a, -vector), matrix.T, atol=1e-11)
    for a in range(fc.n_basis):
        np.testing.assert_allclose(fc.matrix[fc.basis_first == a].sum(axis=0), 0.0, atol=1e-11)


def test_identities_and_shells_of_tungsten(tungsten, a0):
    assert_identities(tungsten)
    assert tungsten.asymmetry < 1e-7 and tungsten.sum_rule_defect < 1e-9
    lengths = np.linalg.norm(tungsten.vector, axis=1)
    assert lengths.max() <= 11.0 + 1e-6 and np.sum(lengths < 1e-9) == 1
    shells = np.unique(np.round(lengths / a0, 6))
    np.testing.assert_allclose(shells[:5], [0, np.sqrt(3) / 2, 1, np.sqrt(2), np.sqrt(11) / 2], atol=1e-6)
    beyond = np.abs(tungsten.matrix[lengths > EAM().force_range])
    assert np.all(beyond < 1e-9) and np.abs(tungsten.matrix).max() > 1.0


def test_point_group_of_tungsten(tungsten):
    rotations = lattice_rotations(bulk("W", a=3.0).cell.array)
    assert len(rotations) == 48
    for rotation in rotations[::5]:
        turned = tungsten.rotated(rotation)
        for vector, matrix in list(zip(turned.vector, turned.matrix, strict=True))[::7]:
            np.testing.assert_allclose(entry(tungsten, 0, 0, vector), matrix, atol=1e-11)


def test_symmetry_saves_calls_and_changes_nothing(a0):
    results, calls = [], []
    for symmetry in (True, False):
        Counted.calls = 0
        results.append(force_constants(bulk("W", a=a0), Counted(), reach=8.0, symmetry=symmetry))
        calls.append(Counted.calls)
    assert calls == [2, 6]
    np.testing.assert_allclose(results[0].matrix, results[1].matrix, atol=1e-8)


def test_strained_lattice(a0):
    """The strained lattice has fewer operations; with and without them the result is the same."""
    crystal = bulk("W", a=a0)
    crystal.set_cell(crystal.cell.array @ np.diag([1.01, 1.0, 0.985]), scale_atoms=True)
    assert len(crystal_operations(crystal)) == 8
    with_symmetry = force_constants(crystal, EAM(), reach=9.0)
    without = force_constants(crystal, EAM(), reach=9.0, symmetry=False)
    np.testing.assert_allclose(with_symmetry.matrix, without.matrix, atol=1e-8)
    assert_identities(with_symmetry)


def test_step_error_is_of_second_order(a0):
    exact = force_constants(bulk("W", a=a0), EAM(), reach=6.0, step=1e-4).matrix
    errors = [
        np.abs(force_constants(bulk("W", a=a0), EAM(), reach=6.0, step=h).matrix - exact).max()
        for h in (3.2e-2, 1.6e-2, 8e-3, 4e-3)
    ]
    np.testing.assert_allclose(np.log2(np.array(errors[:-1]) / errors[1:]), 2.0, atol=0.1)


def test_dynamical_matrix_is_hermitian_and_phonons_are_stable(tungsten, a0):
    corners = 2 * np.pi / a0 * np.array([[0, 0, 0], [1, 0, 0], [0.5, 0.5, 0.5], [0, 0, 0], [0.5, 0.5, 0]])
    t = np.linspace(0.0, 1.0, 20, endpoint=False)[:, None]
    path = np.concatenate([a + t * (b - a) for a, b in pairwise(corners)])
    d = tungsten.dynamical_matrix(path)
    assert d.shape == (80, 3, 3)
    np.testing.assert_allclose(d, d.conj().swapaxes(1, 2), atol=1e-12)
    np.testing.assert_allclose(d[0], 0.0, atol=1e-11)
    values = np.linalg.eigvalsh(d[np.linalg.norm(path, axis=1) > 0])
    assert np.all(values > 0.0)
    np.testing.assert_allclose(tungsten.dynamical_matrix(path[7]), d[7], atol=1e-13)


def test_dynamical_matrix_of_several_sites_is_the_sum(a0):
    crystal = bulk("W", a=a0).repeat((3, 1, 1))
    crystal.rattle(0.1, seed=2)
    fc = force_constants(crystal, EAM(), reach=5.0)
    q = np.array([0.1, -0.5, 0.8])
    direct = np.zeros((3, 3, 3, 3), complex)
    for a, b, vector, matrix in zip(fc.basis_first, fc.basis_second, fc.vector, fc.matrix, strict=True):
        direct[a, :, b, :] += matrix * np.exp(1j * vector @ q)
    assert np.abs(direct.imag).max() > 0.1
    np.testing.assert_allclose(fc.dynamical_matrix(q), direct.reshape(9, 9), atol=1e-11)


def test_long_waves_have_the_moduli_of_stress_and_strain(tungsten, a0):
    crystal = bulk("W", a=a0)
    exact = moduli_by_strain(crystal, EAM())
    scale = np.abs(exact).max()
    assert np.abs(tungsten.moduli(crystal.get_volume()) - exact).max() < 1e-4 * scale
    frame = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    turned = np.einsum("ia,jb,kc,ld,abcd->ijkl", frame, frame, frame, frame, exact)
    assert np.abs(tungsten.rotated(frame).moduli(crystal.get_volume()) - turned).max() < 1e-4 * scale


def test_two_atom_cell_of_the_same_crystal(tungsten, a0):
    cubic = bulk("W", a=a0, cubic=True)
    two = force_constants(cubic, EAM(), reach=11.0)
    assert two.n_basis == 2 and len(two.vector) == 2 * len(tungsten.vector)
    for a in (0, 1):
        for row in np.flatnonzero(two.basis_first == a)[::11]:
            np.testing.assert_allclose(entry(tungsten, 0, 0, two.vector[row]), two.matrix[row], atol=1e-8)
    waves = [two.moduli(cubic.get_volume()), tungsten.moduli(cubic.get_volume() / 2)]
    np.testing.assert_allclose(*waves, atol=1e-7)
    q = np.array([0.3, -0.2, 0.7])
    folded = q + 2 * np.pi / a0 * np.array([1.0, 0.0, 0.0])
    one = np.concatenate([np.linalg.eigvalsh(tungsten.dynamical_matrix(k)) for k in (q, folded)])
    np.testing.assert_allclose(np.linalg.eigvalsh(two.dynamical_matrix(q)), np.sort(one), atol=1e-7)


def test_hexagonal_crystal_with_two_sites_and_inner_displacements():
    """Hexagonal W: equivalent sites related by a screw, moduli with relaxed sites."""
    calc = EAM()

    def crystal(x: np.ndarray) -> Atoms:
        atoms = bulk("W", "hcp", a=x[0], c=x[0] * x[1])
        atoms.calc = calc
        return atoms

    options = {"xatol": 1e-9, "fatol": 1e-14}
    best = minimize(
        lambda x: crystal(x).get_potential_energy(), [2.76, 1.7], method="Nelder-Mead", options=options
    )
    atoms = crystal(best.x)
    assert np.abs(bulk_stress(atoms, calc, np.eye(3))).max() < 1e-6
    Counted.calls = 0
    fc = force_constants(atoms, Counted(), reach=11.0, step=2e-4)
    assert Counted.calls == 4  # along x and along z
    without = force_constants(atoms, EAM(), reach=11.0, step=2e-4, symmetry=False)
    q = np.array([0.3, 0.1, 0.2])
    np.testing.assert_allclose(fc.dynamical_matrix(q), without.dynamical_matrix(q), atol=1e-6)
    assert_identities(fc)
    exact = moduli_by_strain(atoms, calc)
    assert np.abs(fc.moduli(atoms.get_volume()) - exact).max() < 1e-4 * np.abs(exact).max()


def test_sites_related_by_a_threefold_rotation():
    """A rotation that is not its own inverse carries the row of one site to the others."""
    cell = 5.5 * np.array([[1.0, 0.0, 0.0], [-0.5, np.sqrt(0.75), 0.0], [0.0, 0.0, 0.6]])
    x, y = 0.31, 0.08
    sites = [[x, y, 0.0], [-y, x - y, 0.0], [y - x, -x, 0.0]]
    crystal = Atoms("W3", scaled_positions=sites, cell=cell, pbc=True)
    assert len(crystal_operations(crystal)) == 6
    with_symmetry = force_constants(crystal, EAM(), reach=6.0, step=2e-4)
    without = force_constants(crystal, EAM(), reach=6.0, step=2e-4, symmetry=False)
    for row in range(0, len(with_symmetry.vector), 5):
        a, b, vector = without.basis_first[row], without.basis_second[row], without.vector[row]
        np.testing.assert_allclose(entry(with_symmetry, a, b, vector), without.matrix[row], atol=1e-5)


def test_any_calculator_without_any_symmetry():
    """Springs with known constants: they are returned."""
    rng = np.random.default_rng(0)
    cell = np.diag([3.0, 3.5, 4.0]) + 0.3 * rng.normal(size=(3, 3))
    sites = [[0.4, 0.4, 0.4], [0.6, 0.5, 0.45], [0.5, 0.6, 0.6]]
    crystal = Atoms("HHeLi", scaled_positions=sites, cell=cell, pbc=True)
    k = rng.normal(size=(3, 3, 3, 3))
    k += k.transpose(0, 1, 3, 2)
    k += k.transpose(1, 0, 2, 3)
    for a, b in (
        (0, 1),
        (1, 2),
        (2, 0),
    ):  # parts that are not symmetric, around the triangle: forces stay conservative
        k[a, b] += [[0, 1, 2], [-1, 0, 3], [-2, -3, 0]]
        k[b, a] -= [[0, 1, 2], [-1, 0, 3], [-2, -3, 0]]
    assert len(crystal_operations(crystal)) == 1
    fc = force_constants(crystal, Springs(crystal, k), reach=3.0)
    for a, b in ((0, 1), (0, 2), (1, 2), (2, 0)):
        apart = crystal.positions[b] - crystal.positions[a]
        np.testing.assert_allclose(entry(fc, a, b, apart), -k[a, b], atol=1e-9)
    assert fc.sum_rule_defect < 1e-9
    assert_identities(fc)


def test_truncation_keeps_both_identities(tungsten, a0):
    short = tungsten.truncated(5.0)
    assert np.linalg.norm(short.vector, axis=1).max() <= 5.0
    assert_identities(short)
    assert short.sum_rule_defect > 1e-4
    # sites without symmetry: minus the sum of the other terms is not symmetric, the self term must be
    crystal = bulk("W", a=a0).repeat((3, 1, 1))
    crystal.rattle(0.1, seed=2)
    full = force_constants(crystal, EAM(), reach=11.0)
    for reach in (4.0, 6.0):
        fc = full.truncated(reach)
        assert fc.n_basis == 3
        assert_identities(fc)
        d = fc.dynamical_matrix([0.2, 0.5, -0.1])
        np.testing.assert_allclose(d, d.conj().T, atol=1e-11)


def test_input_is_refused_with_the_reason(tungsten, a0):
    slab = bulk("W", a=a0)
    slab.pbc = (True, True, False)
    with pytest.raises(ValueError, match="three periodic directions"):
        force_constants(slab, EAM(), reach=5.0)
    with pytest.raises(ValueError, match="must be positive"):
        force_constants(bulk("W", a=a0), EAM(), reach=-1.0)
    with pytest.raises(ValueError, match="not orthogonal"):
        tungsten.rotated(np.diag([1.0, 1.0, 1.1]))
    atoms = Atoms("H", cell=np.eye(3), pbc=True)
    with pytest.raises(ValueError, match="not finite"):
        force_constants(atoms, Springs(atoms, np.full((1, 1, 3, 3), np.nan)), reach=1.2)
