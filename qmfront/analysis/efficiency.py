"""How many QM atoms different choices of the QM region need for the same error."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from qmfront.analysis.convergence import ERROR
from qmfront.analysis.rate import WINDOW, Window


def count_at_error(n: ArrayLike, error: ArrayLike, level: ArrayLike) -> np.ndarray:
    """N_QM at which a sequence of iterations attains given errors.

    Power laws are put through the iterations that were the best so far.

    Parameters
    ----------
    n, error : (m,) float, 1 and Å
    level : (p,) float, Å

    Returns
    -------
    (p,) float
        NaN for errors above the first or below the smallest one.
    """
    order = np.argsort(n, kind="stable")
    n, error = np.asarray(n, float)[order], np.asarray(error, float)[order]
    best = np.concatenate([[True], error[1:] < np.minimum.accumulate(error)[:-1]])
    x, y = -np.log(error[best]), np.log(n[best])
    return np.exp(np.interp(-np.log(level), x, y, left=np.nan, right=np.nan))


def efficiency_table(data: pd.DataFrame, *, reference: str, window: Window = WINDOW) -> pd.DataFrame:
    """N_QM of the reference at the error of every iteration of the other cases.

    Columns label, k, n_qm, error (Å), n_reference, ratio = n_qm / n_reference; the last two are empty where the
    reference does not attain this error, outside the window of N_QM, and for the reference itself.

    Parameters
    ----------
    data : tidy table of `curves`
    reference : label in it
    """
    errors = data[data["quantity"] == ERROR].rename(columns={"value": "error"})
    errors = errors[["label", "k", "n_qm", "error"]].reset_index(drop=True)
    base = errors[errors["label"] == reference]
    if base.empty:
        raise ValueError(
            f"No error of {reference!r} is given, only of {', '.join(errors['label'].unique())}."
        )
    found = count_at_error(base["n_qm"], base["error"], errors["error"])
    wanted = (errors["label"] != reference) & errors["n_qm"].between(*window)
    errors["n_reference"] = np.where(wanted, found, np.nan)
    errors["ratio"] = errors["n_qm"] / errors["n_reference"]
    return errors


def mean_ratio(table: pd.DataFrame, label: str) -> float:
    """Geometric mean of the ratios of a case in an efficiency table; NaN if there is none."""
    ratio = table.loc[table["label"] == label, "ratio"].dropna()
    return float(np.exp(np.log(ratio).mean()))
