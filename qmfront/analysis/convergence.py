"""The convergence table of a case: one row per iteration."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

PARTS = ("solve", "exact", "cauchy_born", "paper", "estimate", "refine")
"""Parts of an iteration whose processor seconds are recorded."""


def convergence_table(folders: Sequence[Path | str]) -> pd.DataFrame:
    """Collect the small files of all iterations.

    Columns: k, n_qm, n_buf, n_mm, eta (the default estimator), eta_exact (same norm, exact residual), eta_paper
    (Laplacian norm, (3.7)), eta_mismatch, eta_buffer and eta_algebra (what MM model, buffer and the end of the solve
    contribute in the norm of H_FC, see `residual_parts`), error, qm_calls, algebraic, layer_r0 (of the exact layer of
    the Cauchy-Born residual, r0), cpu_* (processor seconds of every part), then one column per combination of norm and
    residual. Lengths in Å; what was not computed is empty.

    Parameters
    ----------
    folders : results/{case}/{k} in order of k
    """
    return pd.DataFrame([_row(Path(folder)) for folder in folders])


def _row(folder: Path) -> dict[str, Any]:
    estimate = json.loads((folder / "estimate.json").read_text())
    error = folder / "error.json"
    table = estimate["eta_table"]
    seconds: dict[str, float] = {}
    layer: dict[str, Any] = {}
    for name in ("solution", "residual", "estimate", "partition"):
        attributes = json.loads((folder / f"{name}.zarr" / "zarr.json").read_text())["attributes"]
        seconds |= attributes.get("seconds", {})
        layer |= attributes.get("layer", {})
    return {
        "k": int(folder.name),
        **{name: estimate[name] for name in ("n_qm", "n_buf", "n_mm", "eta")},
        "eta_exact": table.get(f"{estimate['norm']}/exact"),
        "eta_paper": table.get("laplacian/paper"),
        **{name: estimate[name] for name in ("eta_mismatch", "eta_buffer", "eta_algebra")},
        "error": json.loads(error.read_text())["error"] if error.exists() else None,
        "qm_calls": estimate["qm_calls"],
        "algebraic": estimate["algebraic"],
        "layer_r0": layer.get("width_r0"),
        **{f"cpu_{part}": seconds.get(part) for part in PARTS},
        **{f"eta {name}": value for name, value in table.items()},
    }
