"""The checks of finished potentials: a limit for every way in which the numbers of the crystal were obtained."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ase.units import GPa

from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.certificate import DECLARED
from qmfront.elasticity.moduli import sampled_moduli, to_voigt
from qmfront.storage import store
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.potential import POTENTIAL
from scripts.check import main
from scripts.verdict import main as judge
from tests.results import test_cases as checks_of_cases
from tests.results import test_potentials as checks
from tests.results.conftest import FinishedPotential
from tests.results.test_cases import CALLS_PER_DECADE, WARM_CALLS, allowed_calls
from tests.silicon import silicon

ROOT = Path(__file__).parents[2]
NEIGHBOURS = 2.5
"""Å; force constants of nearest neighbours alone, as from too small a supercell."""


def coarse() -> Bulk:
    """Silicon with short force constants and moduli from its strain samples."""
    bulk = silicon()
    moduli = sampled_moduli(bulk.gradients, bulk.stresses, bulk.crystal)
    return replace(bulk, moduli=moduli, force_constants=bulk.force_constants.truncated(NEIGHBOURS))


def written(
    bulk: Bulk,
    *,
    misfit: float,
    modulus: float = 0.0,
    softest: float = 0.1,
    fitted: float | None = None,
    noise: float | None = None,
) -> None:
    """Bulk, certificate and table of a full potential that misses force constants and C44 by some fraction."""
    own, rng = bulk.force_constants, np.random.default_rng(0)
    random = rng.normal(size=own.matrix.shape)
    difference = misfit * random * np.linalg.norm(own.matrix) / np.linalg.norm(random)
    qm = to_voigt(bulk.moduli)
    omega2 = np.linspace(softest, 10.0, 12).reshape(2, 6)
    arrays = {
        "fc_qm": np.linalg.norm(own.matrix, axis=(1, 2)),
        "fc_difference": np.linalg.norm(difference, axis=(1, 2)),
        "fc_mismatch": difference,
        "omega2_qm": np.abs(omega2),
        "omega2_mm": omega2,
        "moduli_qm": qm,
        "moduli_mm": qm * (1.0 + modulus * np.diag([0, 0, 0, 1, 1, 1])),
    }
    folder = Path("results/potentials/fit")
    folder.mkdir(parents=True, exist_ok=True)
    declared = {name: DECLARED[name] for name in arrays}
    store.save(folder / "certificate.zarr", POTENTIAL.including(declared), arrays)
    store.save("results/bulk/silicon.zarr", BULK, bulk.arrays())
    fit = {"force_constants": misfit if fitted is None else fitted, "stress": 1e-10, "functions": 400.0}
    if noise is not None:  # of the recipe robust
        fit |= dict.fromkeys(("noise_force_constants", "noise_second_derivative"), noise)
    pd.Series(fit, name="relative_error").rename_axis("observation").to_csv(folder / "fit.csv")
    table = pd.DataFrame({"quantity": ["C11", "C12", "C44", "force constants"]})
    for model in ("qm", "mm"):
        table[model] = [*(arrays[f"moduli_{model}"][entry] / GPa for entry in ((0, 0), (0, 1), (3, 3))), 1.0]
    for kind in ("ard", "pops"):
        table[f"{kind}_low"], table[f"{kind}_high"] = 0.5 * table["qm"], 2.0 * table["qm"]
        table[f"inside_{kind}"] = True
    table.to_csv(folder / "intervals.csv", index=False)


@pytest.fixture
def doubts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., set[str]]:
    """A function that asks the checks about a potential in a folder of its own, and names those that fail."""
    monkeypatch.chdir(tmp_path)

    def failed(**how: Any) -> set[str]:
        written(**how)
        finished = FinishedPotential("fit", "silicon")
        assert finished.is_full
        asked = {
            "force_constants": lambda: checks.test_force_constants_match(finished, 1.0),
            "moduli": lambda: checks.test_elastic_moduli_match(finished, 1.0),
            "phonons": lambda: checks.test_both_lattices_are_stable(finished),
            "born": lambda: checks.test_moduli_are_stable(finished),
        }
        return {name for name, check in asked.items() if _fails(check)}

    return failed


def _fails(check: Callable[[], None]) -> bool:
    try:
        check()
    except AssertionError:
        return True
    return False


def test_a_matched_potential_is_held_to_rounding(doubts: Callable[..., set[str]]) -> None:
    matched = silicon()
    assert doubts(bulk=matched, misfit=5e-5) == set()
    assert doubts(bulk=matched, misfit=1e-3) == {"force_constants"}
    assert doubts(bulk=matched, misfit=5e-5, modulus=1e-3) == {"moduli"}


def test_short_force_constants_and_sampled_moduli_are_held_to_a_tenth(
    doubts: Callable[..., set[str]],
) -> None:
    """What plane waves reach passes, twice the limit does not, and what is unstable never does."""
    assert doubts(bulk=coarse(), misfit=0.036, modulus=-0.07) == set()
    assert doubts(bulk=coarse(), misfit=0.2) == {"force_constants"}
    assert doubts(bulk=coarse(), misfit=0.036, fitted=0.2) == {"force_constants"}
    assert doubts(bulk=coarse(), misfit=0.036, modulus=0.2) == {"moduli"}
    assert doubts(bulk=coarse(), misfit=0.036, softest=-0.3) == {"phonons"}
    found = doubts(bulk=coarse(), misfit=0.036, modulus=-1.1)
    assert found == {"moduli", "born"}


def test_each_number_has_its_own_limit(doubts: Callable[..., set[str]]) -> None:
    """Sampled moduli excuse no force constants, short force constants no moduli."""
    sampled = replace(silicon(), moduli=coarse().moduli)
    assert doubts(bulk=sampled, misfit=0.036, modulus=0.05) == {"force_constants"}
    short = replace(coarse(), moduli=silicon().moduli)
    assert doubts(bulk=short, misfit=0.036, modulus=0.05) == {"moduli"}


def test_a_robust_fit_is_held_to_sanity(doubts: Callable[..., set[str]]) -> None:
    """Where noise was measured: five per cent, whatever the force constants are, and the noise where that is more."""
    assert doubts(bulk=silicon(), misfit=0.02, modulus=0.03, noise=1e-6) == set()
    assert doubts(bulk=silicon(), misfit=0.06, noise=1e-6) == {"force_constants"}
    assert doubts(bulk=silicon(), misfit=0.02, modulus=0.06, noise=1e-6) == {"moduli"}
    assert doubts(bulk=silicon(), misfit=0.06, modulus=0.06, noise=0.04) == set()


class Finished:
    """A case of three iterations, of which the last ones are as told."""

    def __init__(self, norm: str = "hessian", **columns: list) -> None:
        whole = {"k": [0, 1, 2], "n_qm": [50, 90, 160], "error": [0.4, 0.2, 0.1], "eta": [0.4, 0.2, 0.1]}
        whole |= {"trusted": [True] * 3, "lowest_eigenvalue": [np.nan] * 3}
        table = pd.DataFrame(whole | columns)
        self.name, self.near_reference = "case", table.assign(**{"eta force_constants/exact": table["eta"]})
        self.norm = lambda k: norm


@pytest.mark.parametrize(
    ("given", "passes"),
    [
        ({}, True),
        ({"eta": [0.4, 0.2, 0.04]}, False),
        ({"eta": [0.4, 0.2, 0.21]}, False),
        ({"eta": [0.4, 0.2, 0.04], "trusted": [True, True, False]}, True),
        ({"eta": [0.4, 0.2, 0.04], "norm": "laplacian"}, None),
        ({"trusted": [False] * 3}, None),
    ],
)
def test_a_trusted_estimate_is_doubted(given: dict[str, Any], passes: bool | None) -> None:
    """What is not trusted may be off; without an iteration to look at the check is skipped."""
    check = partial(checks_of_cases.test_a_trusted_estimate_is_near_the_error, Finished(**given))
    if passes is None:
        with pytest.raises(pytest.skip.Exception):
            check()
    else:
        assert _fails(check) is not passes


def test_a_soft_mode_takes_its_part_of_the_exact_estimator() -> None:
    check = checks_of_cases.test_the_exact_estimator_follows_the_error
    low = {"eta": [0.1, 0.05, 0.025]}
    assert _fails(partial(check, Finished(**low)))
    assert not _fails(partial(check, Finished(**low, lowest_eigenvalue=[0.1] * 3)))


def test_calls_of_a_warm_solve() -> None:
    """Eight, or as many as the factor takes by which the error falls; a solve that is asked little may take little."""
    table = pd.DataFrame({"eta": [0.7, 0.7, 0.6], "algebraic": [7e-3, 7e-3, 7e-3]})
    assert allowed_calls(table, is_short=False) == WARM_CALLS
    assert allowed_calls(table, is_short=True) == pytest.approx(2 * CALLS_PER_DECADE)
    lenient = table.assign(algebraic=0.6)
    assert allowed_calls(lenient, is_short=True) == CALLS_PER_DECADE
    plane_waves = pd.DataFrame({"eta": [0.679, 0.675, 0.613], "algebraic": [4.7e-3, 4.5e-3, 5.0e-3]})
    assert np.mean([7, 13]) < allowed_calls(plane_waves, is_short=True) < 2 * np.mean([7, 13])


def test_the_rule_collects_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same through the scripts: a failure is a line of checks.txt, and an error of the verdict alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    study = {"cases": {}, "potentials": {"fit": "silicon"}}
    written(silicon(), misfit=1e-3)
    main(ROOT / "tests" / "results", study, "checks.txt")
    failure, line = Path("checks.txt").read_text(encoding="utf-8").splitlines()
    assert failure.startswith("fit: force constants match – failed: assert ")
    assert line.startswith("1 failed, 6 passed")
    with pytest.raises(RuntimeError, match="fail 1 of their checks .* fit: force constants match – failed: "):
        judge("checks.txt", "verdict.txt")
    assert not Path("verdict.txt").exists()
    written(silicon(), misfit=5e-5)
    main(ROOT / "tests" / "results", study, "checks.txt")
    judge("checks.txt", "verdict.txt")
    assert "passed: 7 passed" in Path("verdict.txt").read_text(encoding="utf-8")


def test_tests_that_do_not_run_are_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RuntimeError, match="did not run to their end"):
        main(tmp_path / "nowhere", {"cases": {}, "potentials": {}}, "checks.txt")
    assert not Path("checks.txt").exists()
