"""The style of every figure: style sheet, colours of regions and series, and saving."""

import io
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from qmfront.storage.writing import write_file

DATA_FILES = ("qmfront.mplstyle",)
STYLE_SHEET = Path(__file__).with_name(DATA_FILES[0])

COLUMN, PAGE = 3.4, 7.0  # widths of a journal column and page, inches

# Okabe and Ito, Color Universal Design (2008)
BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, BLACK, GREY = "#E69F00", "#56B4E9", "#000000", "#8C8C8C"


@dataclass(frozen=True)
class RegionStyle:
    """How one region is named and filled."""

    name: str
    colour: str
    edge: str


# position = region number of CONVENTIONS.md; lightness rises from QM to the far field, also in grey print
REGION_STYLES = (
    RegionStyle("QM", "#B2182B", "#6B0E1A"),
    RegionStyle("BUF", "#F4A340", "#A86A18"),
    RegionStyle("MM", "#9CC3E6", "#5E8DB8"),
    RegionStyle("FF", "#DADADA", "#B4B4B4"),
)


@dataclass(frozen=True)
class SeriesStyle:
    """Colour, marker and line of one curve; open markers are for estimators."""

    colour: str
    marker: str
    line: str = "-"
    filled: bool = True

    def draw(self, axes: Axes, x: ArrayLike, y: ArrayLike, *, label: str) -> Line2D:
        """The curve y (m,) over x (m,), named in the legend."""
        (line,) = axes.plot(
            x,
            y,
            color=self.colour,
            marker=self.marker,
            linestyle=self.line,
            markerfacecolor=self.colour if self.filled else "white",
            markeredgecolor=self.colour,
            label=label,
        )
        return line


# Curves that carry no style of their own take these in order.
SERIES_STYLES = (
    SeriesStyle(BLUE, "o"),
    SeriesStyle(VERMILLION, "s", "--", filled=False),
    SeriesStyle(GREEN, "^"),
    SeriesStyle(PURPLE, "D", "--", filled=False),
    SeriesStyle(ORANGE, "v"),
    SeriesStyle(SKY, "P", "--"),
    SeriesStyle(BLACK, "X", ":"),
)


def styled() -> AbstractContextManager[None]:
    """Context in which figures are made and saved: `with styled(): ...`."""
    return plt.style.context(STYLE_SHEET)


def save(figure: Figure, path: Path | str) -> tuple[Path, Path]:
    """Write path.png (300 dpi) and path.pdf and close the figure.

    Parameters
    ----------
    path : Path or str
        A suffix .png or .pdf is replaced; the folder is created.

    Returns
    -------
    tuple of the two paths
    """
    path = Path(path)
    stem = path.with_suffix("") if path.suffix in (".png", ".pdf") else path
    targets = stem.with_name(stem.name + ".png"), stem.with_name(stem.name + ".pdf")
    with styled():
        # no time stamps: the same data give the same files
        _write(figure, targets[0], {"Software": None})
        _write(figure, targets[1], {"CreationDate": None, "Producer": None, "Creator": None})
    plt.close(figure)
    return targets


@dataclass(frozen=True)
class FigureFiles:
    """Where a figure, png, and its numbers, csv, are written; the PDF stands beside the picture."""

    png: str
    csv: str

    def write(self, figure: Figure, numbers: pd.DataFrame) -> None:
        """Both, and close the figure."""
        write_file(self.csv, numbers.to_csv(index=False))
        save(figure, self.png)


def _write(figure: Figure, path: Path, metadata: dict[str, None]) -> None:
    stream = io.BytesIO()
    figure.savefig(stream, format=path.suffix[1:], metadata=metadata)
    write_file(path, stream.getvalue())
