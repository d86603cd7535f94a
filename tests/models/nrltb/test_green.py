"""Poles on strips against diagonalisation, the derivative of the free energy, and which solver is taken."""

import numpy as np
import pytest
from ase import Atoms

from qmfront.models.nrltb import NRLTB
from qmfront.models.nrltb.green import SpectrumError
from qmfront.models.nrltb.strips import NoStripsError
from tests.models.ace.step_sweep import assert_derivative
from tests.models.nrltb.structures import disc, sheared

NAMES = ("energy", "free_energy", "n_electrons", "forces", "stress")
SETTINGS = {
    "real": {"kpts_shift": (0, 0, 0.5)},
    "complex": {"kpts_shift": (0, 0, 0.3)},
    "several, in a band": {"kpts": (1, 1, 3), "mu": 4.9, "kT": 0.2},
}


def found(atoms: Atoms, **settings) -> dict:
    calculator = NRLTB(**settings)
    calculator.calculate(atoms, ["forces"])
    return calculator.results


def assert_same(poles: dict, dense: dict, n_atoms: int, *, kT: float = 0.1) -> None:
    """To the errors of the poles: 1e-9 eV/Å in forces, the bound of `grand_state` in energies."""
    assert "eigenvalues" not in poles and "eigenvalues" in dense
    np.testing.assert_allclose(poles["forces"], dense["forces"], atol=1e-9)
    np.testing.assert_allclose(poles["stress"], dense["stress"], atol=1e-11)
    assert poles["n_electrons"] == pytest.approx(dense["n_electrons"], abs=1e-8)
    assert poles["energy"] == pytest.approx(dense["energy"], abs=4 * n_atoms * 6e-8 * kT)
    assert poles["free_energy"] == pytest.approx(dense["free_energy"], abs=4 * n_atoms * 6e-7 * kT)
    assert poles["chemical_potential"] == dense["chemical_potential"]


@pytest.mark.parametrize("name", SETTINGS)
def test_a_disc_is_the_same_by_both_solvers(name):
    atoms, settings = disc(16.0), SETTINGS[name]
    assert len(atoms) >= 150
    poles, dense = (found(atoms, solver=solver, **settings) for solver in ("poles", "dense"))
    assert np.abs(dense["forces"]).max() > 1.0
    assert abs(dense["n_electrons"] - 4 * len(atoms)) > 1.0  # charged by its surface
    assert_same(poles, dense, len(atoms), kT=settings.get("kT", 0.1))


def test_a_slab_and_a_cluster_are_the_same_by_both_solvers():
    """One free direction with images along the others, and three of them."""
    slab = sheared((1, 1, 5))
    slab.pbc = (True, True, False)
    rod = sheared((1, 2, 5))
    rod.pbc = False
    for atoms, kpts in ((slab, (2, 3, 1)), (rod, (1, 1, 1))):
        poles, dense = (found(atoms, kpts=kpts, solver=solver) for solver in ("poles", "dense"))
        assert_same(poles, dense, len(atoms))


def test_order_and_frame_do_not_matter():
    atoms, rng = disc(11.2), np.random.default_rng(8)
    turn, order = np.linalg.qr(rng.normal(size=(3, 3)))[0], rng.permutation(len(atoms))
    other = atoms[order]
    other.positions += rng.integers(-2, 3, size=(len(atoms), 1)) * other.cell.array[2] + [0.3, 0.1, 5.0]
    other.set_cell(other.cell.array @ turn.T)
    other.positions = other.positions @ turn.T
    one, two = (found(a, solver="poles", **SETTINGS["complex"]) for a in (atoms, other))
    np.testing.assert_allclose(two["forces"], one["forces"][order] @ turn.T, atol=1e-9)
    np.testing.assert_allclose(one["forces"].sum(axis=0), 0.0, atol=1e-9)
    for name in ("energy", "free_energy", "n_electrons"):
        assert two[name] == pytest.approx(one[name], abs=1e-8)


@pytest.mark.parametrize("name", ["real", "complex"])
def test_forces_and_stress_are_derivatives_of_the_free_energy(name):
    atoms, settings = disc(11.2), SETTINGS[name]
    rng = np.random.default_rng(2)
    strain = 0.1 * rng.normal(size=(3, 3))
    strain += strain.T
    state = found(atoms, solver="poles", **settings)
    # Against the forces, so that the slope stands out from the rounding of ln det, 1e-11 eV.
    direction = -np.sign(state["forces"]) * rng.uniform(size=(len(atoms), 3))
    turned = state["stress"][[0, 5, 4, 5, 1, 3, 4, 3, 2]].reshape(3, 3)

    def moved(h):
        other = atoms.copy()
        other.positions += h * direction
        other.set_cell(other.cell.array @ (np.eye(3) + h * strain), scale_atoms=True)
        return np.array(found(other, solver="poles", **settings)["free_energy"])

    # Strain after displacement: to first order in h they add up.
    slope = np.sum(turned * strain) * atoms.get_volume() - np.sum(state["forces"] * direction)
    assert_derivative(moved, slope, scale=0.2)


def test_auto_takes_what_is_cheaper():
    line = {"kpts_shift": (0, 0, 0.25)}
    assert "eigenvalues" not in found(disc(24.0), **line)
    assert "eigenvalues" in found(disc(11.2), **line)  # three strips: not worth it
    assert "eigenvalues" in found(disc(16.0), mu=None, **line)
    assert "eigenvalues" in found(sheared(), kpts=(1, 2, 1))


def test_auto_diagonalises_a_spectrum_too_wide_for_the_poles(caplog):
    rod = sheared((1, 1, 14))
    rod.pbc = False
    cold = {"kT": 0.02}
    assert "eigenvalues" not in found(rod)
    assert "eigenvalues" in found(rod, **cold)
    assert "Diagonalising 112 atoms, because the poles fail: Levels lie below -0.2 eV" in caplog.text
    with pytest.raises(SpectrumError, match=r"hold from -0.2 to 105.8 eV. Use a larger kT or solver='dense'"):
        found(rod, solver="poles", **cold)


def test_levels_above_the_range_are_refused():
    """At mu far below all levels the highest one is more than 5000 kT away."""
    atoms = disc(11.2)
    with pytest.raises(SpectrumError, match="Levels lie above 3.0 eV"):
        found(atoms, solver="poles", kT=0.002, mu=-7.0)


def test_poles_are_refused_with_the_reason():
    with pytest.raises(ValueError, match="'poles' needs a chemical potential, and mu is None. Give mu"):
        NRLTB(mu=None, solver="poles")
    with pytest.raises(ValueError, match="solver = 'fast' is unknown. Choose one of"):
        NRLTB(solver="fast")
    with pytest.raises(NoStripsError, match="All three directions are periodic"):
        found(sheared(), solver="poles")
    with pytest.raises(NoStripsError, match="3 are needed. Use solver='dense'"):
        found(disc(7.0), solver="poles")
