"""Moduli and lattice constants: closed-form Lennard-Jones crystals, symmetry, rotation, errors."""

from typing import ClassVar

import numpy as np
import pytest
from ase.calculators.calculator import Calculator
from ase.units import GPa
from scipy.spatial.transform import Rotation

from qmfront.crystal.lattice import Crystal, cubic_crystal
from qmfront.crystal.neighbours import pairs_within
from qmfront.elasticity.moduli import (
    cubic_moduli,
    elastic_moduli,
    from_voigt,
    lattice_constant,
    piola_stress,
    rotated_moduli,
    to_voigt,
)
from qmfront.models.eam import EAM

CUTOFF = 6.0
POWERS = (10, 5)


class PowerPair(Calculator):
    """phi(r) = (re/r)^10 - 2 (re/r)^5, cut off at CUTOFF with nothing moved across it by the strains used."""

    implemented_properties: ClassVar = ["energy", "stress"]

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        super().calculate(atoms, properties, system_changes)
        v = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, CUTOFF).vector
        r = np.linalg.norm(v, axis=1)
        first, _ = pair_derivatives(r)
        sigma = 0.5 * np.einsum("p,pi,pj->ij", first / r, v, v) / atoms.get_volume()
        self.results = {"energy": 0.0, "stress": sigma[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]}


def pair_derivatives(r: np.ndarray, re: float = 2.7) -> tuple[np.ndarray, np.ndarray]:
    """phi'(r) and phi''(r)."""
    n, m = POWERS
    x, y = (re / r) ** n, (re / r) ** m
    return (-n * x + 2 * m * y) / r, (n * (n + 1) * x - 2 * m * (m + 1) * y) / r**2


def exact_moduli(crystal: Crystal) -> np.ndarray:
    """Lattice sum 1/(2V) sum (phi'' - phi'/r)/r^2 v v v v, valid at zero stress."""
    v = pairs_within(crystal.basis, crystal.cell, np.ones(3, bool), CUTOFF).vector
    r = np.linalg.norm(v, axis=1)
    first, second = pair_derivatives(r)
    return 0.5 * np.einsum("p,pi,pj,pk,pl->ijkl", (second - first / r) / r**2, v, v, v, v) / crystal.volume


@pytest.fixture(scope="module")
def relaxed() -> Crystal:
    return lattice_constant(cubic_crystal("Cu", "fcc", 3.75), PowerPair())


def test_lattice_constant_has_no_pressure(relaxed):
    assert (
        np.abs(piola_stress(relaxed, PowerPair(), np.eye(3))).max()
        < 1e-10 * np.abs(exact_moduli(relaxed)).max()
    )
    again = lattice_constant(relaxed.strained(1.03 * np.eye(3)), PowerPair())
    assert again.cell == pytest.approx(relaxed.cell, rel=1e-10)


def test_moduli_equal_the_lattice_sum_in_any_orientation(relaxed):
    turned = relaxed.rotated(Rotation.from_rotvec([0.4, 1.0, -0.7]).as_matrix())
    exact = exact_moduli(turned)
    assert np.abs(elastic_moduli(turned, PowerPair()) - exact).max() < 1e-8 * np.abs(exact).max()


def test_differences_converge_with_order_four(relaxed):
    exact = exact_moduli(relaxed)
    error = [np.abs(elastic_moduli(relaxed, PowerPair(), step=h) - exact).max() for h in (4e-3, 8e-3)]
    assert np.log2(error[1] / error[0]) == pytest.approx(4, abs=0.2)


def test_zhou_tungsten():
    """a0 and moduli of the analytic Zhou potential with the 4.6-5.4 Å cut-off, in the units GPa and Å."""
    crystal = lattice_constant(cubic_crystal("W", "bcc", 3.16), EAM("W_zhou"))
    assert crystal.volume == pytest.approx(3.1649**3 / 2, rel=1e-4)
    voigt = to_voigt(elastic_moduli(crystal, EAM("W_zhou"))) / GPa
    assert voigt[[0, 0, 3], [0, 1, 3]] == pytest.approx([522.5, 204.2, 160.8], rel=5e-4)


def test_voigt_round_trip_distinguishes_every_entry():
    rng = np.random.default_rng(0)
    voigt = rng.normal(size=(6, 6))
    voigt = voigt + voigt.T
    C = from_voigt(voigt)
    assert C[1, 2, 0, 1] == voigt[3, 5] and C[0, 2, 2, 2] == voigt[4, 2]
    assert to_voigt(C) == pytest.approx(voigt, rel=1e-15)


def test_rotation_keeps_energy_of_a_rotated_strain():
    rng = np.random.default_rng(1)
    frame = Rotation.from_rotvec(rng.normal(size=3)).as_matrix()
    voigt = rng.normal(size=(6, 6))
    C, strain = from_voigt(voigt + voigt.T), rng.normal(size=(3, 3))
    turned = frame @ strain @ frame.T
    energy = np.einsum("ijkl,ij,kl", C, strain, strain)
    assert np.einsum("ijkl,ij,kl", rotated_moduli(C, frame), turned, turned) == pytest.approx(
        energy, rel=1e-12
    )


def test_cubic_moduli_have_zener_anisotropy():
    C = cubic_moduli(522.5, 204.2, 160.8)
    assert C[0, 0, 0, 0] == 522.5 and C[0, 0, 1, 1] == 204.2 and C[0, 1, 0, 1] == 160.8
    isotropic = cubic_moduli(3.0, 1.0, 1.0)
    frame = Rotation.from_rotvec([0.1, 0.7, -0.3]).as_matrix()
    assert rotated_moduli(isotropic, frame) == pytest.approx(isotropic, abs=1e-14)


def test_errors_say_what_to_do(relaxed):
    with pytest.raises(RuntimeError, match="lattice_constant"):
        elastic_moduli(relaxed.strained(1.02 * np.eye(3)), PowerPair())
    with pytest.raises(ValueError, match='internal="clamped"'):
        elastic_moduli(cubic_crystal("Si", "diamond", 5.4), PowerPair())
    with pytest.raises(RuntimeError, match="Start from a better value"):
        lattice_constant(relaxed.strained(1.5 * np.eye(3)), PowerPair())
    with pytest.raises(RuntimeError, match="Uniform scaling relaxes cubic crystals only"):
        lattice_constant(relaxed.strained(np.diag([1.0, 1.0, 1.01])), PowerPair())
