"""Every site is drawn once, in the panel and the colour of its region."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure

from qmfront.figures.atoms import Symbol
from qmfront.figures.partitions import draw_decomposition, draw_partitions
from qmfront.figures.style import save

SPACING = 2.238  # Å, bcc W along [001]
EDGE = Symbol("edge")


def sites_of(axes) -> list[np.ndarray]:
    return [np.asarray(c.get_offsets()) for c in axes.collections if isinstance(c, EllipseCollection)]


def holds(axes, points: np.ndarray) -> bool:
    low, high = axes.viewLim.get_points()
    return bool(np.all((points > low) & (points < high)))


def test_decomposition(study):
    region, axes = study.regions[-1], Figure().subplots(1, 2)
    draw_decomposition(axes, study.plane, region, core=np.zeros(2), spacing=SPACING, symbol=EDGE)
    for panel in axes:
        for number, sites in enumerate(sites_of(panel)):
            np.testing.assert_array_equal(sites, study.plane[region == number])
        assert panel.get_aspect() == 1.0
    # the window of the second panel holds QM and buffer, and is the rectangle of the first
    assert holds(axes[1], study.plane[region <= 1])
    (window,) = axes[0].patches
    extent = window.get_extents().transformed(axes[0].transData.inverted())
    np.testing.assert_allclose(extent, axes[1].viewLim)


def test_saved_files_are_whole_and_reproducible(tmp_path):
    contents = []
    for name in ("a", "b"):
        figure, axes = plt.subplots()
        axes.plot([1, 2], [3, 1])
        png, pdf = save(figure, tmp_path / "new" / f"{name}.png")
        assert (png.name, pdf.name) == (f"{name}.png", f"{name}.pdf")
        contents.append((png.read_bytes(), pdf.read_bytes()))
    assert contents[0] == contents[1]
    assert contents[0][0].startswith(b"\x89PNG") and contents[0][1].startswith(b"%PDF")


def test_partitions_share_one_window(study):
    axes = Figure().subplots(1, 4, sharey=True)
    draw_partitions(axes, study.plane, study.regions, core=np.zeros(2), spacing=SPACING, symbol=EDGE)
    for panel, region in zip(axes, study.regions, strict=True):
        np.testing.assert_array_equal(sites_of(panel)[0], study.plane[region == 0])
        assert panel.get_xlim() == axes[0].get_xlim()
        assert holds(panel, study.plane[region <= 1])
