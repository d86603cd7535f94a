"""Functions of an ACE basis are counted by Molien's formula: as many as are built."""

import time
from pathlib import Path

import pytest

from qmfront.config import sizes
from qmfront.config.basis_size import number_of_functions
from qmfront.config.errors import ConfigError
from qmfront.config.load import load
from qmfront.models.ace.basis import build_basis

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("species", "max_degree", "weight"),
    [
        (("W",), (1,), 1.5),
        (("W",), (16, 14, 10), 1.5),
        (("W",), (8, 6, 5, 4), 0.7),
        (("W",), (9, 8, 6), 1.25),
        (("W",), (1, 1), 0.1),
        (("Al", "Ni"), (8, 6, 5), 1.0),
        (("Al", "Ni"), (4, 4, 3, 3, 2), 1.0),
    ],
)
def test_as_many_as_are_built(species: tuple[str, ...], max_degree: tuple[int, ...], weight: float) -> None:
    """Repeated channels, several couplings of four and five momenta, and two species are among them."""
    built = build_basis(species, cutoff=5.0, max_degree=max_degree, l_weight=weight)
    assert number_of_functions(len(species), max_degree, weight) == len(built)


def test_a_weight_that_is_no_multiple_counts_no_more_than_there_are() -> None:
    built = build_basis(["W"], cutoff=5.0, max_degree=(10, 8, 6, 5), l_weight=1.37)
    assert 0.9 * len(built) < number_of_functions(1, (10, 8, 6, 5), 1.37) <= len(built)


@pytest.mark.parametrize("degrees", [[40] * 3, [40] * 5, [1, 1, 1, 1, 40]])
@pytest.mark.parametrize("weight", [0.1, 0.123, 1.5])
def test_a_basis_that_no_memory_holds(
    degrees: list[int], weight: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused at the dry run, within two seconds."""
    monkeypatch.setattr(sizes, "memory", lambda: 24e3)
    basis = {"max_degree": degrees, "angular_weight": weight}
    study = {"cases": ["minimal"], "figures": None, "potentials": {"minimal": {"basis": basis}}}
    before = time.process_time()
    with pytest.raises(ConfigError) as caught:
        load(study, ROOT)
    assert time.process_time() - before < 2.0
    (problem,) = caught.value.problems
    assert problem.startswith(f"potentials.minimal.basis.max_degree = {degrees}")
    assert "functions or more, whose fit needs" in problem and "GB; this machine has 24." in problem


def test_the_need_is_that_of_eight_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    """90 135 functions of degree 40 and order 3: 520 GB, which the nodes of a cluster have."""
    study = {
        "cases": ["minimal"],
        "figures": None,
        "potentials": {"minimal": {"basis": {"max_degree": [40, 40, 40]}}},
    }
    monkeypatch.setattr(sizes, "memory", lambda: 519e3)
    with pytest.raises(ConfigError, match=r"makes 9\.0e4 functions or more, whose fit needs 520 GB"):
        load(study, ROOT)
    monkeypatch.setattr(sizes, "memory", lambda: 521e3)
    assert load(study, ROOT).potentials["minimal"].basis.max_degree == (40, 40, 40)


@pytest.mark.parametrize(
    ("case", "potential", "told"),
    [
        (
            "minimal",
            {"minimal": {"rattled": {"count": 10000, "repeat": [20, 20, 20]}}},
            "potentials.minimal.rattled: 10000 cells of 16000 atoms have 4.8e8 forces, and to fit 115 functions",
        ),
        (
            "minimal_crack",
            {
                "minimal_surface": {
                    "surfaces": {"layers": 100, "rattled": {"count": 1000, "repeat": [20, 20]}}
                }
            },
            "potentials.minimal_surface.surfaces.rattled: 1000 cells of 40000 atoms",
        ),
        (
            "minimal",
            {"minimal": {"recipe": "robust", "robust": {"strained": {"count": 9999, "repeat": [9, 9, 9]}}}},
            "potentials.minimal.robust.strained: 9999 cells of 1458 atoms",
        ),
    ],
)
def test_cells_that_no_memory_holds(
    case: str, potential: dict, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "memory", lambda: 24e3)
    with pytest.raises(ConfigError) as caught:
        load({"cases": [case], "figures": None, "potentials": potential}, ROOT)
    assert len(caught.value.problems) == 1 and caught.value.problems[0].startswith(told)
