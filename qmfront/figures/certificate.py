"""The consistency certificate of a fitted potential: force constants, phonons and elastic constants."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from qmfront.figures.style import BLACK, BLUE, GREY, VERMILLION

# shown instead of an exact zero on the logarithmic axis of relative differences
SMALLEST = 1e-12


def draw_force_constants(
    axes: Axes, distance: np.ndarray, reference: np.ndarray, difference: np.ndarray
) -> list[Line2D]:
    """|Phi_QM(rho)| and |Phi_QM(rho) - Phi_ACE(rho)| against |rho|.

    Parameters
    ----------
    distance : (m,) float, Å
    reference, difference : (m,) float, eV/Å^2
        Frobenius norms; zeros are left out (logarithmic axis).
    """
    curves = (
        (reference, "o", BLUE, r"$|\Phi_{\mathrm{QM}}|$"),
        (difference, "x", VERMILLION, r"$|\Phi_{\mathrm{QM}} - \Phi_{\mathrm{ACE}}|$"),
    )
    lines = []
    for values, marker, colour, label in curves:
        shown = values > 0
        lines += axes.plot(distance[shown], values[shown], marker, color=colour, label=label)
    axes.set_yscale("log")
    axes.set_xlabel(r"$|\rho|$ (Å)")
    axes.set_ylabel("force constants (eV/Å$^2$)")
    axes.set_title("(a) force constants")
    axes.grid(True, which="major")
    axes.legend(loc="best")
    return lines


def draw_phonons(
    axes: Axes,
    path: np.ndarray,
    qm: np.ndarray,
    ace: np.ndarray,
    *,
    ticks: Sequence[float],
    labels: Sequence[str],
) -> list[Line2D]:
    """Phonon branches of the QM model (lines) and of the fitted one (dashes) along a path.

    Parameters
    ----------
    path : (m,) float
        Length along the path.
    qm, ace : (m, branches) float, THz
    ticks, labels
        Positions and names of the special points.
    """
    lines = axes.plot(path, qm, color=BLUE, lw=2.2, alpha=0.5)
    dashes = axes.plot(path, ace, color=VERMILLION, lw=1.0, ls=(0, (3, 2)))
    lines[0].set_label("QM")
    dashes[0].set_label("ACE")
    for tick in ticks:
        axes.axvline(tick, color=GREY, lw=0.5, zorder=0)
    axes.set_xticks(ticks, labels)
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(path[0], path[-1])
    # imaginary frequencies come as negative numbers and must be seen; room above for the legend
    axes.set_ylim(min(0.0, 1.05 * qm.min(), 1.05 * ace.min()), 1.22 * max(qm.max(), ace.max()))
    axes.axhline(0.0, color=BLACK, lw=0.5)
    axes.set_ylabel("frequency (THz)")
    axes.set_title("(b) phonons")
    axes.legend(loc="upper center", ncols=2)
    return [*lines, *dashes]


def draw_moduli(
    axes: Axes, names: Sequence[str], qm: np.ndarray, ace: np.ndarray, *, tolerance: float
) -> list[Line2D]:
    """Relative difference of elastic constants, with the values beside the names.

    Parameters
    ----------
    names : m str
        Such as "$C_{11}$".
    qm, ace : (m,) float, GPa
    tolerance : float
        Accepted relative difference, drawn as a line.
    """
    rows = np.arange(len(names))
    relative = np.maximum(np.abs(ace - qm) / np.abs(qm), SMALLEST)
    left, right = 10.0 ** np.floor(np.log10(relative.min()) - 0.5), 6 * max(tolerance, relative.max())
    axes.hlines(rows, left, relative, color=VERMILLION, lw=1.0)
    lines = axes.plot(relative, rows, "o", color=VERMILLION)
    axes.axvline(tolerance, color=BLACK, ls="--", lw=0.8)
    axes.annotate("accepted", (tolerance, -0.75), xytext=(-3, 0), textcoords="offset points", ha="right")
    for row, (a, b) in enumerate(zip(qm, ace, strict=True)):
        axes.annotate(f"QM {a:.2f}   ACE {b:.2f}", (left, row), xytext=(4, 4), textcoords="offset points")
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_yticks(rows, names)
    axes.set_ylim(len(names) - 0.5, -1.0)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("|ACE − QM| / QM")
    axes.set_title("(c) elastic constants (GPa)")
    axes.grid(True, axis="x")
    return lines
