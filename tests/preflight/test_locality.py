"""Forces that fall like the fields of charges are refused, with how much of them is still to come."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from ase.calculators.calculator import Calculator, all_changes
from scipy.spatial.distance import cdist

from qmfront.config.material import Preflight
from qmfront.crystal.lattice import Crystal, crystal_of
from qmfront.preflight import locality
from qmfront.preflight.locality import LONG_RANGE, Locality, decay_of, locality_of, range_check
from qmfront.preflight.samples import sphere
from qmfront.preflight.subject import RefusedError, Subject
from tests.preflight.liars import Honest

COULOMB = 14.4
"""eV Å"""
WIDE_R0 = 8.5
"""r0; radius of a cluster whose ions are nearly twice as many as those that are looked at."""


class Ions(Calculator):
    """MgO in vacuum: charges, and a repulsion that ends within two shells (Lewis and Catlow's)."""

    implemented_properties = ("energy", "free_energy", "forces")

    def __init__(self, charge: float) -> None:
        super().__init__()
        self.charge = charge

    def calculate(self, atoms: Any = None, *args: Any, **kwargs: Any) -> None:
        super().calculate(atoms, ("forces",), all_changes)
        charges = np.where(atoms.numbers == 8, -self.charge, self.charge)
        r = cdist(atoms.positions, atoms.positions) + 1e9 * np.eye(len(atoms))
        products = np.outer(charges, charges)
        unlike = atoms.numbers[:, None] != atoms.numbers
        slope = -COULOMB * products / r**2 - unlike * 1428.5 / 0.2945 * np.exp(-r / 0.2945)
        pull = slope / r
        forces = pull @ atoms.positions - pull.sum(axis=1)[:, None] * atoms.positions
        self.results = {"energy": 0.0, "free_energy": 0.0, "forces": forces}


@cache
def rocksalt() -> Crystal:
    from qmfront.config.material import Crystal as Named

    return crystal_of(Named(structure="rocksalt", symbol="MgO", lattice_constant_guess=4.227))


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Of ions in clusters that depend on no clock."""
    monkeypatch.setattr(locality, "LARGEST", 1500)

    def of(charge: float) -> Locality:
        subject = Subject(lambda: Ions(charge), "Ions")
        for _ in range(2):
            subject.evaluate(sphere(rocksalt(), 4.0, rattle=0.05)[0])
        return locality_of(subject, rocksalt(), Preflight(seconds=1e4))

    return of


def test_ions_are_refused_for_their_range(measured: Any) -> None:
    found = measured(2.0)
    assert found.width is None and found.decay.exponent == pytest.approx(2, abs=0.6)
    problem = range_check(found, accepted=1e-5).problem
    assert "Long range" in problem and "R^-1." in problem and "coul/dsf" in problem
    assert range_check(found, accepted=10 * found.decay.remaining).passed


def test_what_is_to_come_of_ions_comes(measured: Any) -> None:
    """Beside the force in a wider cluster, which has most of it if shells are independent."""
    found = measured(2.0)
    r0 = rocksalt().nearest_neighbour_distance
    atoms, centre = zip(
        *(sphere(rocksalt(), w, rattle=0.05) for w in (found.widths[-1], WIDE_R0 * r0)), strict=True
    )
    small, large = (one.copy() for one in atoms)
    small.calc, large.calc = Ions(2.0), Ions(2.0)
    came = np.linalg.norm(large.get_forces()[centre[1]] - small.get_forces()[centre[0]])
    assert 0.3 < came / found.decay.remaining < 1.5


def test_the_same_crystal_without_charges_passes(measured: Any) -> None:
    found = measured(0.0)
    assert found.width is not None and found.decay is None and range_check(found, accepted=1e-5).passed


@pytest.mark.parametrize("exponent", [2.0, 4.0])
def test_the_law_of_random_shells(exponent: float) -> None:
    """Their sum beyond the widest of them by the sum of squares, and the width that it takes."""
    widths = np.arange(4.0, 80.0, 0.5)
    directions = np.random.default_rng(7).normal(size=(len(widths), 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    middle = widths - 0.25
    forces = np.cumsum(middle[:, None] ** -exponent * directions, axis=0)
    found = decay_of(widths, forces)
    assert found is not None and found.exponent == pytest.approx(exponent, abs=1e-9)
    beyond = (np.arange(80.0, 1e5, 0.5) - 0.25) ** (-2 * exponent)
    assert found.remaining == pytest.approx(np.sqrt(beyond.sum()), rel=0.01)
    half = found.wider(found.remaining / 2)
    assert half == pytest.approx(2 ** (1 / (exponent - 0.5)), rel=1e-6)
    errors = np.linalg.norm(forces - forces[-1], axis=1).tolist()
    told = Locality(widths.tolist(), errors, [2000] * len(widths), None, "", found)
    strict = range_check(told, accepted=1e-9)
    assert strict.passed == (exponent > LONG_RANGE or found.remaining < locality.ACCEPTED)


def test_too_few_clusters_tell_no_law() -> None:
    forces = np.random.default_rng(7).normal(size=(8, 3))
    assert decay_of(np.arange(4.0, 12.0), forces) is None
    assert range_check(Locality([3.0], [0.0], [19], None, "dear"), accepted=1e-5).passed


def test_a_model_of_periodic_cells_alone_is_told_so() -> None:
    class Periodic(Honest):
        def spoil(self) -> None:
            if not self.atoms.pbc.any():
                raise RuntimeError("Cannot use non-periodic boundaries with Ewald")

    subject = Subject(Periodic, "Periodic")
    atoms = sphere(rocksalt(), 4.0, rattle=0.05)[0]
    atoms.numbers[:] = 74
    with pytest.raises(RefusedError, match=r"cluster in vacuum.*preflight\.clusters: false"):
        subject.evaluate(atoms)
