"""The convergence table of a case: one row per iteration."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from qmfront.analysis.rate import WINDOW, Window, fit_slope_within
from qmfront.storage import store

PARTS = ("solve", "exact", "cauchy_born", "paper", "estimate", "refine")
"""Parts of an iteration whose processor seconds are recorded."""


def convergence_table(folders: Sequence[Path | str], errors: Sequence[float] | None = None) -> pd.DataFrame:
    """Collect the small files of all iterations.

    Columns: k, n_qm, n_buf, n_mm, eta (the default estimator), eta_exact (same norm, exact residual), eta_paper
    (Laplacian norm, (3.7)), eta_mismatch, eta_buffer and eta_algebra (what MM model, buffer and the end of the solve
    contribute in the norm of H_FC, see `residual_parts`), error, qm_calls, algebraic, test_calls (of the test for
    saddles), lowest_eigenvalue, proof_calls, trusted and reasons (see `trust`), layer_r0 (of the exact layer of the
    Cauchy-Born residual, r0), cpu_* (processor seconds of every part), then one column per combination of norm and
    residual. Lengths in Å; what was not computed is empty.

    Parameters
    ----------
    folders : results/{case}/{k} in order of k
    errors : float, Å, optional
        Of every iteration, against the reference; None where there is no reference.
    """
    known = [None] * len(folders) if errors is None else errors
    return pd.DataFrame([_row(Path(folder), error) for folder, error in zip(folders, known, strict=True)])


def _row(folder: Path, error: float | None) -> dict[str, object]:
    estimate = json.loads((folder / "estimate.json").read_text())
    table = estimate["eta_table"]
    seconds: dict[str, float] = {}
    layer: dict[str, object] = {}
    for name in ("solution", "residual", "estimate", "partition"):
        attributes = store.attributes(folder / f"{name}.zarr")
        seconds |= attributes.get("seconds", {})
        layer |= attributes.get("layer", {})
    return {
        "k": int(folder.name),
        **{name: estimate[name] for name in ("n_qm", "n_buf", "n_mm", "eta")},
        "eta_exact": table.get(f"{estimate['norm']}/exact"),
        "eta_paper": table.get("laplacian/paper"),
        **{name: estimate[name] for name in ("eta_mismatch", "eta_buffer", "eta_algebra")},
        "error": error,
        "qm_calls": estimate["qm_calls"],
        "algebraic": estimate["algebraic"],
        "test_calls": store.attributes(folder / "solution.zarr").get("test_calls"),
        "lowest_eigenvalue": estimate.get("lowest_eigenvalue"),
        "proof_calls": estimate.get("proof_calls"),
        "trusted": estimate.get("trusted"),
        "reasons": "; ".join([*estimate.get("reasons", []), *estimate.get("notes", [])]),
        "layer_r0": layer.get("width_r0"),
        **{f"cpu_{part}": seconds.get(part) for part in PARTS},
        **{f"eta {name}": value for name, value in table.items()},
    }


def last_bar(table: pd.DataFrame) -> dict[str, bool | float | str]:
    """How sure the last iteration is, for the header of its structure: what is not known is left out.

    eta (Å), error (Å), lowest_eigenvalue, trusted, and reasons in words.
    """
    last = table.iloc[-1]
    found: dict[str, bool | float | str] = {}
    for name in ("eta", "error", "lowest_eigenvalue"):
        if pd.notna(last[name]):
            found[name] = float(last[name])
    if pd.notna(last["trusted"]):
        found |= {"trusted": bool(last["trusted"]), "reasons": str(last["reasons"])}
    return found


ERROR, EXACT, PRACTICAL, BUFFER = "error", "eta_exact", "eta", "eta_buffer"
"""Columns of a convergence table that are lengths against N_QM."""

WORTH_DRAWING = 0.05
"""The part of the buffer is shown where it exceeds this fraction of eta."""


def curves(
    tables: Sequence[pd.DataFrame],
    labels: Sequence[str],
    *,
    quantities: Sequence[str] = (ERROR, EXACT, PRACTICAL),
) -> pd.DataFrame:
    """Columns label, k, n_qm, quantity, value (Å): one row per number.

    Parameters
    ----------
    tables : convergence tables, one per case
    labels : their names, all different
    quantities : columns of the tables

    Raises
    ------
    ValueError if names repeat, or if a table lacks a number that is asked for.
    """
    _refuse_equal(labels)
    parts = []
    for table, label in zip(tables, labels, strict=True):
        for quantity in quantities:
            if table[quantity].isna().any():
                raise ValueError(
                    f"{label}: {quantity} is missing in {table[quantity].isna().sum()} of {len(table)} iterations. "
                    "Set reference.compute: true, or leave the case out of the figure."
                )
        part = table.melt(
            id_vars=["k", "n_qm"], value_vars=list(quantities), var_name="quantity", value_name="value"
        )
        part.insert(0, "label", label)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def by_label(data: pd.DataFrame, column: str = "label") -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of every case, or of another column of names, of a tidy table, in the order of the table."""
    for label, part in data.groupby(column, sort=False):
        yield str(label), part


def shown_quantities(tables: Sequence[pd.DataFrame]) -> tuple[str, ...]:
    """Error and estimators, and the floor that the buffer puts under them if any of the cases has one."""
    floor = any((table[BUFFER] > WORTH_DRAWING * table[PRACTICAL]).any() for table in tables)
    return (ERROR, EXACT, PRACTICAL, BUFFER) if floor else (ERROR, EXACT, PRACTICAL)


def estimates_table(
    tables: Sequence[pd.DataFrame], labels: Sequence[str], *, window: Window = WINDOW
) -> pd.DataFrame:
    """What a study without a reference knows of itself: one row per iteration.

    Columns label, k, n_qm, n_atoms (of a QM call: QM region and buffer), eta, algebraic (Å), qm_calls, cpu_solve (s);
    slope and half_width (95 %) of eta ~ n_qm^slope within the window, and its prefactor (Å), the same in all
    rows of a case and empty outside the window.

    Parameters
    ----------
    tables : convergence tables, one per case
    labels : their names, all different
    window : smallest and largest N_QM of the fits

    Raises
    ------
    ValueError if names repeat.
    """
    _refuse_equal(labels)
    parts = []
    for table, label in zip(tables, labels, strict=True):
        part = table[["k", "n_qm", "n_buf", PRACTICAL, "algebraic", "qm_calls", "cpu_solve"]].copy()
        part.insert(0, "label", label)
        part.insert(3, "n_atoms", part["n_qm"] + part.pop("n_buf"))
        rate = fit_slope_within(part["n_qm"].to_numpy(), part[PRACTICAL].to_numpy(), window=window)
        inside = part["n_qm"].between(*window)
        for name in ("slope", "half_width", "prefactor"):
            part[name] = np.where(inside & (rate is not None), getattr(rate, name, np.nan), np.nan)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def effectivities(table: pd.DataFrame) -> pd.DataFrame:
    """Columns norm, residual, k, n_qm, eta, error (Å) and effectivity = eta / error, for all estimators of a case."""
    parts = []
    for column in (name for name in table.columns if name.startswith("eta ")):
        norm, residual = column.removeprefix("eta ").split("/")
        part = table[["k", "n_qm"]].assign(eta=table[column], error=table["error"])
        part["effectivity"] = part["eta"] / part["error"]
        part.insert(0, "norm", norm)
        part.insert(1, "residual", residual)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _refuse_equal(labels: Sequence[str]) -> None:
    if len(set(labels)) != len(labels):
        raise ValueError(f"Cases of one figure need different titles, got {', '.join(labels)}. Rename some.")
