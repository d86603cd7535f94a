"""Every case: regions that make sense, estimates that add up, errors that fall, a reference that is a minimum."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree

from qmfront.coupling.partition import BUFFER, FAR_FIELD, MM, QM
from qmfront.storage import store
from qmfront.storage.layouts.estimate import ESTIMATE
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.start import START

TRUSTED = (0.5, 2.0)
"""What eta over the error is between in an iteration that is trusted."""
WARM_CALLS = 8
"""QM calls that a solve may take on average when it starts from the previous solution."""
CALLS_PER_DECADE = 9
"""QM calls that a solve may take on average for a factor of ten between the previous estimate and what it leaves: where
the Jacobian is that of a crystal known to some per cent (plane waves: 4.6 over two decades, 8.5 over one)."""


def test_the_qm_region_grows(case) -> None:
    assert np.all(np.diff(case.table["n_qm"]) > 0)
    for smaller, larger in zip(case.regions, case.regions[1:], strict=False):
        assert np.all(larger[smaller == QM] == QM)


def test_regions_cover_the_sites(case) -> None:
    free = case.structure["free"]
    for row, region in zip(case.table.itertuples(), case.regions, strict=True):
        assert set(np.unique(region)) <= {QM, BUFFER, MM, FAR_FIELD}
        assert np.array_equal(region == FAR_FIELD, ~free)
        counts = [int(np.sum(region == value)) for value in (QM, BUFFER, MM)]
        assert counts == [row.n_qm, row.n_buf, row.n_mm]
        # In a small box the buffer, which feels the forces of the MM model, may be all the rest.
        assert min(counts[:2] if case.structure["pbc"].all() else counts) > 0


def test_the_first_partition_is_that_of_the_structure(case) -> None:
    if (case.folder / "start.zarr").is_dir():  # there the start has the first partition
        assert np.array_equal(case.regions[0], store.load(case.folder / "start.zarr", START)["region"])
    else:
        assert np.array_equal(case.regions[0], case.structure["region"])


def test_the_core_is_qm(case) -> None:
    """The site next to the core: a line, or the centre of a point defect."""
    dimension = 3 if case.structure["pbc"].all() else 2
    apart = (case.structure["sites"] - case.structure["core"])[:, :dimension]
    distance = np.linalg.norm(apart, axis=1)
    for region in case.regions:
        assert region[np.argmin(distance)] == QM


def test_qm_atoms_see_no_mm_atom_within_the_buffer(case) -> None:
    """In the deformed crystal, periodic images included; 1 % for the move since the partition was made."""
    structure, width = case.structure, case.settings["buffer"]["width"]
    for k, region in zip(case.table["k"], case.regions, strict=True):
        positions = structure["sites"] + structure["predictor"] + case.load(k, SOLUTION)["displacement"]
        qm = with_images(positions[region == QM], structure["cell"], structure["pbc"], width)
        distance, _ = cKDTree(qm).query(positions[region == MM])
        assert np.all(distance > 0.99 * width)


def with_images(positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, width: float) -> np.ndarray:
    """Positions and their images within a width (Å) of the cell, whose vectors are coordinate axes."""
    for axis in np.flatnonzero(pbc):
        count = int(np.ceil(width / cell[axis, axis])) + 1
        steps = np.arange(-count, count + 1)[:, None, None] * cell[axis]
        positions = (positions + steps).reshape(-1, 3)
    return positions


def test_site_estimates_add_up(case) -> None:
    for row in case.table.itertuples():
        eta_site = case.load(row.k, ESTIMATE)["eta_site"]
        assert np.all(eta_site >= 0)
        assert eta_site.sum() == pytest.approx(row.eta, rel=1e-10)


def test_clamped_sites_stay(case) -> None:
    clamped = ~case.structure["free"]
    for k in case.table["k"]:
        displacement = case.load(k, SOLUTION)["displacement"]
        assert np.all(displacement[clamped] == 0)
        assert np.abs(displacement).max() > 0


def test_solves_end_where_the_model_dominates(case) -> None:
    """The algebraic part ended below a fraction of what the solver took for eta; 3 for the quality of that."""
    fraction = case.settings["solve"]["algebraic_fraction"]
    assert np.all(case.table["algebraic"] <= 3 * fraction * case.table["eta"])


def test_the_error_falls(case) -> None:
    """Overall: log error against log N_QM has a negative slope, and the end is close to the best."""
    table = case.near_reference
    error, n_qm = table["error"].to_numpy(), table["n_qm"].to_numpy()
    assert np.all(error > 0)
    if len(error) < 2:
        pytest.skip(f"{case.name} has a single iteration in the basin of its reference")
    assert np.polyfit(np.log(n_qm), np.log(error), 1)[0] < 0
    assert error[-1] < error[0] and error[-1] <= 1.1 * error.min()


def test_the_exact_estimator_follows_the_error(case) -> None:
    """Exact residual in the force-constant norm: equivalent to the error, here within a factor of two.

    The constant of the equivalence is the lowest eigenvalue of H v = lambda H_FC v, where that was measured.
    """
    table = case.near_reference
    ratio = table["eta force_constants/exact"] / table["error"]
    soft = table["lowest_eigenvalue"].astype(float).fillna(1.0).clip(upper=1.0)
    assert np.all((ratio > 0.5 * soft) & (ratio < 2.0)), ratio.tolist()


def test_a_trusted_estimate_is_near_the_error(case) -> None:
    """In all iterations in the basin of the reference; an estimate in the Laplacian norm is only equivalent to it."""
    table = case.near_reference
    table = table[table["trusted"].eq(True) & table["k"].map(case.norm).ne("laplacian")]
    if table.empty:
        pytest.skip(f"{case.name} has no trusted iteration in the basin of its reference")
    ratio = table["eta"] / table["error"]
    assert np.all(ratio.between(*TRUSTED)), ratio.tolist()


def test_the_reference_is_a_stable_equilibrium(case) -> None:
    free = case.structure["free"]
    assert np.abs(case.reference["forces"][free]).max() < case.settings["reference"]["max_force"]
    assert np.all(case.reference["displacement"][~free] == 0)
    assert 0 < case.reference["lowest_eigenvalue"] < 1.1  # 1 in the perfect crystal


def test_warm_starts_save_qm_calls(case) -> None:
    """Counted for potentials that match; the basis of the minimal one is too small for good starts.

    One that is robust may match poorly, which is no mistake of the run: its warm solves cost less than its cold one.
    """
    if not case.potential.is_full or len(case.table) < 2:
        pytest.skip(f"{case.name} has no warm start, or too small a basis")
    first, *warm = case.table["qm_calls"]
    allowed = allowed_calls(case.table, is_short=case.potential.is_short)
    assert np.mean(warm) <= (max(allowed, first - 1) if case.potential.is_robust else allowed)


def allowed_calls(table: pd.DataFrame, *, is_short: bool) -> float:
    """On average over the solves that start from the previous solution, whose error is the previous eta.

    Parameters
    ----------
    table : {eta, algebraic}, Å, by iteration
    is_short : whether the force constants of the Jacobian end before the QM model does
    """
    if not is_short:
        return WARM_CALLS
    decades = np.log10(table["eta"].to_numpy()[:-1] / table["algebraic"].to_numpy()[1:])
    return CALLS_PER_DECADE * float(np.mean(np.maximum(decades, 1.0)))
