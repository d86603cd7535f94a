"""The consistency certificate of a fitted potential: force constants, phonons, elastic constants, simple defects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from qmfront.analysis.convergence import by_label
from qmfront.figures.simple_defects import FAULTS, FORCES, LATTICE, VACANCIES, draw_simple_defects
from qmfront.figures.style import BLACK, BLUE, GREY, PAGE, VERMILLION, styled
from qmfront.figures.surfaces import SLAB_PHONONS, SURFACES
from qmfront.training.certificate import PATH
from qmfront.training.certificate_table import DW

# shown instead of an exact zero on the logarithmic axis of relative differences
SMALLEST = 1e-12
# eV/Å^2; what force constants by differences cannot resolve is not shown
RESOLVED = 1e-9
# quantities of the panel of simple defects
SIMPLE_DEFECTS = (FAULTS, LATTICE, VACANCIES, FORCES)
# characters of the line below the name of a potential, per panel
LINE = 40


def draw_force_constants(
    axes: Axes, distance: np.ndarray, reference: np.ndarray, difference: np.ndarray
) -> list[Line2D]:
    """|Phi_QM(rho)| and |Phi_QM(rho) - Phi_ACE(rho)| against |rho|.

    Parameters
    ----------
    distance : (m,) float, Å
    reference, difference : (m,) float, eV/Å^2
        Frobenius norms; those below RESOLVED are left out.
    """
    curves = (
        (reference, "o", BLUE, r"$|\Phi_{\mathrm{QM}}|$"),
        (difference, "x", VERMILLION, r"$|\Phi_{\mathrm{QM}} - \Phi_{\mathrm{ACE}}|$"),
    )
    lines = []
    for values, marker, colour, label in curves:
        shown = values > RESOLVED
        lines += axes.plot(distance[shown], values[shown], marker, color=colour, label=label)
    axes.set_yscale("log")
    axes.set_xlabel(r"$|\rho|$ (Å)")
    axes.set_ylabel("force constants (eV/Å$^2$)")
    axes.set_title("force constants")
    axes.grid(True, which="major")
    axes.legend(loc="best")
    return lines


@dataclass(frozen=True)
class Branches:
    """Phonon branches of both models along a path.

    path : (m,) float, 1/Å
        Length along the path.
    qm, ace : (m, branches) float, THz
    corners : name and position on the path of every special point
    """

    path: np.ndarray
    qm: np.ndarray
    ace: np.ndarray
    corners: Sequence[tuple[str, float]]


def draw_phonons(axes: Axes, branches: Branches, *, width: float = 1.0) -> list[Line2D]:
    """The branches of the QM model (lines) and of the fitted one (dashes).

    Parameters
    ----------
    branches : Branches
    width : float, points
        Of the dashes; the lines are wider.
    """
    path, qm, ace = branches.path, branches.qm, branches.ace
    names, ticks = zip(*branches.corners, strict=True)
    lines = axes.plot(path, qm, color=BLUE, lw=2.2 * width, alpha=0.5)
    dashes = axes.plot(path, ace, color=VERMILLION, lw=width, ls=(0, (3, 2)))
    lines[0].set_label("QM")
    dashes[0].set_label("ACE")
    for tick in ticks:
        axes.axvline(tick, color=GREY, lw=0.5, zorder=0)
    axes.set_xticks(ticks, names)
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(path[0], path[-1])
    # imaginary frequencies come as negative numbers and must be seen; room above for the legend
    axes.set_ylim(min(0.0, 1.05 * qm.min(), 1.05 * ace.min()), 1.22 * max(qm.max(), ace.max()))
    axes.axhline(0.0, color=BLACK, lw=0.5)
    axes.set_ylabel("frequency (THz)")
    axes.set_title("phonons")
    axes.legend(loc="upper center", ncols=2)
    return [*lines, *dashes]


def draw_moduli(
    axes: Axes,
    names: Sequence[str],
    qm: np.ndarray,
    ace: np.ndarray,
    *,
    title: str = "elastic constants (GPa)",
) -> list[Line2D]:
    """Relative difference of elastic constants or surface energies, with the values beside the names.

    Parameters
    ----------
    names : m str
        Such as "$C_{11}$".
    qm, ace : (m,) float
        In the units that the title tells.
    """
    rows = np.arange(len(names))
    relative = np.maximum(np.abs(ace - qm) / np.abs(qm), SMALLEST)
    left, right = 10.0 ** np.floor(np.log10(relative.min()) - 0.5), 6 * relative.max()
    axes.hlines(rows, SMALLEST, relative, color=VERMILLION, lw=1.0)
    lines = axes.plot(relative, rows, "o", color=VERMILLION, zorder=4)
    for row, (a, b) in enumerate(zip(qm, ace, strict=True)):
        axes.annotate(
            f"QM {a:.2f}   ACE {b:.2f}",
            (0, row),
            xycoords=("axes fraction", "data"),
            xytext=(4, 4),
            textcoords="offset points",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_yticks(rows, names)
    axes.set_ylim(len(names) - 0.5, -0.75)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("|ACE − QM| / QM")
    axes.set_title(title)
    axes.grid(True, axis="x")
    return lines


def certificate_figure(tables: Mapping[str, pd.DataFrame], *, ticks: np.ndarray) -> Figure:
    """Force constants, phonons and elastic constants of several potentials, one row each.

    Further panels for simple defects and for slab phonons, if any of the tables has them.

    Below the name of a potential stands what its table says about dW.

    Parameters
    ----------
    tables : what the potential is called -> its `consistency_table`
    ticks : (t,) float, 1/Å
        Corners of the phonon path `PATH`.
    """
    more = [
        quantities
        for quantities in (SIMPLE_DEFECTS, (SLAB_PHONONS,))
        if any(table["quantity"].isin(quantities).any() for table in tables.values())
    ]
    panels_per_row = 3 + len(more)
    with styled():
        figure = Figure(figsize=(PAGE * panels_per_row / 3, 2.75 * len(tables)))
        figure.set_layout_engine("constrained", wspace=0.06)
        rows = figure.subfigures(len(tables), 1, squeeze=False, hspace=0.04)[:, 0]
        panels = []
        for row, (name, table) in zip(rows, tables.items(), strict=True):
            verdict = table.loc[table["quantity"] == DW, "name"].iloc[0]
            row.suptitle(f"{name}\n{fill(verdict, LINE * panels_per_row)}")
            panels.append(row.subplots(1, panels_per_row))
            _draw_certificate(panels[-1][:3], table, ticks)
            for axes, quantities in zip(panels[-1][3:], more, strict=True):
                _draw_more(axes, table[table["quantity"].isin(quantities)])
        for column in zip(*panels, strict=True):
            _same_limits([axes for axes in column if axes.axison])
    return figure


def _draw_certificate(axes: np.ndarray, table: pd.DataFrame, ticks: np.ndarray) -> None:
    parts = dict(list(table.groupby("quantity")))
    shells = parts["force constants"]
    draw_force_constants(axes[0], *(shells[name].to_numpy() for name in ("x", "qm", "difference")))
    corners = [(name, float(place)) for (name, _), place in zip(PATH, ticks, strict=True)]
    draw_phonons(axes[1], _branches([part for _, part in by_label(parts["phonons"], "name")], corners))
    moduli, surfaces = parts["elastic constants"], parts.get(SURFACES, table[:0])
    names = [f"$C_{{{name[1:]}}}$" for name in moduli["name"]] + surfaces["name"].tolist()
    qm, ace = (np.concatenate([moduli[model], surfaces[model]]) for model in ("qm", "mm"))
    units = "elastic constants (GPa)" + ", surfaces (J/m$^2$)" * (len(surfaces) > 0)
    draw_moduli(axes[2], names, qm, ace, title=units)


def _draw_more(axes: Axes, table: pd.DataFrame) -> None:
    """Simple defects or phonons of a slab; nothing for a potential that has neither."""
    if len(table) == 0:
        axes.set_axis_off()
    elif (table["quantity"] == SLAB_PHONONS).any():
        _draw_slab_phonons(axes, table)
    else:
        draw_simple_defects(axes, table)


def _draw_slab_phonons(axes: Axes, table: pd.DataFrame) -> None:
    """All branches of the first slab in the table."""
    plane = table["name"].iloc[0].split()[0]
    parts = [part for name, part in by_label(table, "name") if name.split()[0] == plane]
    ends = parts[0]["x"].iloc[[0, -1]].tolist()
    draw_phonons(axes, _branches(parts, list(zip(("Γ", "edge"), ends, strict=True))), width=0.4)
    axes.set_title(f"phonons of a {plane} slab")


def _branches(parts: Sequence[pd.DataFrame], corners: Sequence[tuple[str, float]]) -> Branches:
    """One table for each branch, all along the same path."""
    qm, ace = (np.column_stack([part[model] for part in parts]) for model in ("qm", "mm"))
    return Branches(parts[0]["x"].to_numpy(), qm, ace, corners)


def _same_limits(axes: Sequence[Axes]) -> None:
    """Potentials are compared by eye: every column has one scale."""
    for name in ("x", "y"):
        limits = np.array([getattr(panel, f"get_{name}lim")() for panel in axes])
        if np.all(limits[:, 0] < limits[:, 1]):  # a list that is read downwards stays as it is
            for panel in axes:
                getattr(panel, f"set_{name}lim")(limits[:, 0].min(), limits[:, 1].max())
