"""Simple defects of a certificate, as rows of the table that its figure shows: faults, vacancy, lattice, forces."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from ase import units
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from qmfront.analysis.convergence import by_label
from qmfront.figures.style import BLUE, VERMILLION

FAULTS = "fault energies"
LATTICE = "lattice constants"
VACANCIES = "vacancies"
FORCES = "relative errors of forces"
MILLIJOULE_PER_SQUARE_METRE = 1e-3 * units.J / units.m**2
"""eV/Å^2 per mJ/m^2."""
CELLS = {"unseen": "rattled", "strained": "rattled, strained", "holes": "rattled, vacancy"}
"""Sets of cells that were not fitted to, in words."""


def simple_defects_table(arrays: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Columns quantity, name, x, qm, mm, difference; no row for what the fit has not observed.

    | quantity | name | x | unit of qm, mm, difference |
    | --- | --- | --- | --- |
    | fault energies | plane and direction | slip over the whole slip | mJ/m^2; odd eighths were not fitted to |
    | lattice constants | empty | empty | Å |
    | vacancies | at rest; relaxed, of the MM model alone | empty | eV |
    | relative errors of forces | cells that were not fitted to | empty | 1; the difference alone |

    Parameters
    ----------
    arrays : of a store of kind "potential", see `defect_certificate.DECLARED`
    """
    parts = [*_faults(arrays), *_numbers(arrays)]
    if not parts:
        return pd.DataFrame()
    return pd.concat(parts, ignore_index=True)[["quantity", "name", "x", "qm", "mm", "difference"]]


def draw_simple_defects(axes: Axes, table: pd.DataFrame) -> list[Line2D]:
    """Fault curves of the QM model (lines) and of the fitted one (dashes); below them the numbers of the other rows.

    Parameters
    ----------
    table : rows of `simple_defects_table`
    """
    lines: list[Line2D] = []
    curves = table[table["quantity"] == FAULTS]
    for number, (name, curve) in enumerate(by_label(curves, "name") if len(curves) else ()):
        marker = "osD^"[number % 4]
        lines += axes.plot(curve["x"], curve["qm"], marker, ls="-", color=BLUE, label=f"QM {name}")
        lines += axes.plot(
            curve["x"], curve["mm"], marker, ls=(0, (3, 2)), color=VERMILLION, mfc="none", label=f"ACE {name}"
        )
    if lines:
        axes.set_xlabel("slip / whole slip")
        axes.set_ylabel("fault energy (mJ/m$^2$)")
        axes.set_ylim(0.0, 1.9 * max(float(np.max(line.get_ydata())) for line in lines))
        axes.legend(loc="lower right", fontsize="x-small")
    others = table[table["quantity"] != FAULTS]
    told = "\n".join(_in_words(str(row["quantity"]), row) for _, row in others.iterrows())
    axes.annotate(told, (0.03, 0.97), xycoords="axes fraction", va="top", fontsize="x-small")
    axes.set_title("simple defects, ACE (QM)")
    return lines


def _faults(arrays: Mapping[str, np.ndarray]) -> Iterator[pd.DataFrame]:
    """One table for each slip system, in the order of the slip."""
    if "fault_plane" not in arrays:
        return
    names = np.array(
        [
            f"({_indices(plane)})[{_indices(path / np.abs(path)[np.abs(path) > 1e-6].min())}]"
            for plane, path in zip(arrays["fault_plane"], arrays["fault_path"], strict=True)
        ]
    )
    for name in dict.fromkeys(names.tolist()):
        chosen = np.flatnonzero(names == name)
        chosen = chosen[np.argsort(arrays["fault_shift"][chosen], kind="stable")]
        qm, mm = (
            arrays[f"fault_energy_{model}"][chosen] / MILLIJOULE_PER_SQUARE_METRE for model in ("qm", "mm")
        )
        values = {"x": arrays["fault_shift"][chosen], "qm": qm, "mm": mm, "difference": mm - qm}
        yield pd.DataFrame({"quantity": FAULTS, "name": name, **values})


def _indices(direction: np.ndarray) -> str:
    return "".join(str(round(float(index))) for index in direction)


def _numbers(arrays: Mapping[str, np.ndarray]) -> Iterator[pd.DataFrame]:
    if "lattice_constant_mm" in arrays:
        yield _row(LATTICE, "", arrays["lattice_constant_qm"], arrays["lattice_constant_mm"])
    if "vacancy_energy_mm" in arrays:
        yield _row(VACANCIES, "at rest", arrays["vacancy_energy_qm"], arrays["vacancy_energy_mm"])
        yield _row(VACANCIES, "relaxed", np.array(np.nan), arrays["vacancy_energy_relaxed"])
    for name, words in CELLS.items():
        if f"{name}_error" in arrays:
            error = float(arrays[f"{name}_error"])
            row = {"quantity": FORCES, "name": words, "x": np.nan, "qm": np.nan, "mm": np.nan}
            yield pd.DataFrame(row | {"difference": error}, index=[0])


def _row(quantity: str, name: str, qm: np.ndarray, mm: np.ndarray) -> pd.DataFrame:
    values = {"x": np.nan, "qm": float(qm), "mm": float(mm), "difference": float(mm) - float(qm)}
    return pd.DataFrame({"quantity": quantity, "name": name, **values}, index=[0])


def _in_words(quantity: str, row: pd.Series) -> str:
    if quantity == LATTICE:
        return f"lattice constant {row['mm']:.4f} ({row['qm']:.4f}) Å"
    if quantity == VACANCIES:
        beside = "" if np.isnan(row["qm"]) else f" ({row['qm']:.2f})"
        return f"vacancy {row['name']} {row['mm']:.2f}{beside} eV"
    return f"forces, {row['name']}: {row['difference']:.1%} off"
