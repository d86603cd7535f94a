"""Figure 4 and its kin: error and estimators against N_QM, with observed rates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

from qmfront.analysis.rate import Rate
from qmfront.figures.style import GREY, SERIES_STYLES, SeriesStyle


@dataclass(frozen=True)
class Series:
    """One curve.

    label : str
    n_qm : (m,) float
    value : (m,) float, Å
    rate : Rate, optional
        Its fitted slope is written into the legend.
    style : SeriesStyle, optional
        By default the next one of SERIES_STYLES.
    """

    label: str
    n_qm: np.ndarray
    value: np.ndarray
    rate: Rate | None = None
    style: SeriesStyle | None = None

    def legend_label(self) -> str:
        """Label with slope and 95 % confidence half-width."""
        return self.label if self.rate is None else f"{self.label}: {slope_text(self.rate)}"


def slope_text(rate: Rate) -> str:
    """The slope with its 95 % confidence half-width, in mathematics."""
    return rf"slope ${rate.slope:.2f} \pm {rate.half_width:.2f}$"


def draw_convergence(
    axes: Axes,
    series: Sequence[Series],
    *,
    reference_slope: float | None = -1.0,
    ylabel: str = "error, estimator (Å)",
) -> list[Line2D]:
    """Curves on doubly logarithmic axes, with a reference line N_QM^reference_slope below them.

    Returns
    -------
    One line per series, then the reference line.
    """
    lines = []
    for i, curve in enumerate(series):
        style = curve.style or SERIES_STYLES[i % len(SERIES_STYLES)]
        lines.append(style.draw(axes, curve.n_qm, curve.value, label=curve.legend_label()))
    if reference_slope is not None:
        lines.append(_reference(axes, series, reference_slope))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(r"$N_{\mathrm{QM}}$")
    axes.set_ylabel(ylabel)
    counts(axes, np.concatenate([s.n_qm for s in series]))
    axes.grid(True, which="major")
    _headroom(axes, _lowest(lines), np.concatenate([s.value for s in series]).max(), rows=len(series))
    axes.legend(loc="upper right")
    return lines


def draw_convergence_panels(
    axes: Sequence[Axes], panels: Mapping[str, Sequence[Series]], *, reference_slope: float | None = -1.0
) -> None:
    """Figure 4: one panel per title, on shared axes (made with sharex and sharey), labelled once."""
    lowest = np.inf
    for panel, (title, series) in zip(axes, panels.items(), strict=True):
        lines = draw_convergence(panel, series, reference_slope=reference_slope)
        lowest = min(lowest, _lowest(lines))
        panel.set_title(title)
    everything = [s for series in panels.values() for s in series]
    rows = max(len(series) for series in panels.values())
    for panel in axes:
        counts(panel, np.concatenate([s.n_qm for s in everything]))
        _headroom(panel, lowest, np.concatenate([s.value for s in everything]).max(), rows=rows)
        panel.label_outer()


def counts(axes: Axes, n_qm: np.ndarray) -> None:
    """Plain numbers on a logarithmic axis of N_QM, or of atoms, (m,): 50, 100, 200, ..., or their own if close."""
    low, high = 0.85 * n_qm.min(), 1.18 * n_qm.max()
    steps = (1, 2, 5) if high / low < 100 else (1,)
    marks = [s * 10.0**k for k in range(7) for s in steps if low <= s * 10**k <= high]
    if len(marks) < 2:
        marks = np.unique(n_qm).tolist()
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(marks))
    axes.xaxis.set_minor_locator(LogLocator(subs=range(1, 10)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _lowest(lines: Sequence[Line2D]) -> float:
    return min(float(np.min(np.asarray(line.get_ydata(), float))) for line in lines)


def _headroom(axes: Axes, lowest: float, highest: float, *, rows: int) -> None:
    """Limits that hold all lines and leave room for a legend of some rows above them."""
    low, high = 0.6 * lowest, 1.5 * highest
    share = min(0.03 + 0.065 * rows, 0.5)
    axes.set_ylim(low, high * (high / low) ** (share / (1 - share)))


def _reference(axes: Axes, series: Sequence[Series], slope: float) -> Line2D:
    """N^slope through a point below all curves, named at its middle."""
    n = np.concatenate([s.n_qm for s in series]).astype(float)
    value = np.concatenate([s.value for s in series])
    ends = np.array([n.min(), n.max()], float)
    height = 0.6 * np.min(value / n**slope)
    (line,) = axes.plot(ends, height * ends**slope, color=GREY, ls="-.", lw=1.0, zorder=1, label="_reference")
    middle = np.sqrt(ends[0] * ends[1])
    axes.annotate(
        rf"$N_{{\mathrm{{QM}}}}^{{{slope:g}}}$",
        (middle, height * middle**slope),
        xytext=(-3, -3),
        textcoords="offset points",
        ha="right",
        va="top",
        color="#5a5a5a",
    )
    return line
