import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import EllipseCollection

from qmfront.figures.atoms import Symbol, draw_defect
from qmfront.figures.core import draw_core
from qmfront.figures.partitions import draw_decomposition, draw_partitions
from qmfront.figures.style import REGION_STYLES, save, styled

SPACING = 2.238  # Å, bcc W along [001]
EDGE = Symbol("edge")


@pytest.fixture(autouse=True)
def _style():
    with styled():
        yield
    plt.close("all")


def discs(axes) -> dict[str, EllipseCollection]:
    found = [c for c in axes.collections if isinstance(c, EllipseCollection)]
    return {c.get_label().split()[0]: c for c in found}


def texts(legend) -> list[str]:
    return [t.get_text() for t in legend.get_texts()]


def test_decomposition(study, tmp_path):
    region = study.regions[-1]
    figure, axes = plt.subplots(1, 2, figsize=(7, 3.6))
    legend = draw_decomposition(axes, study.plane, region, core=np.zeros(2), spacing=SPACING, symbol=EDGE)
    sizes = np.bincount(region)
    assert texts(legend) == [f"{s.name} ({n})" for s, n in zip(REGION_STYLES, sizes, strict=True)]
    for panel in axes:
        groups = discs(panel)
        assert {name: len(group.get_offsets()) for name, group in groups.items()} == {
            "QM": sizes[0],
            "BUF": sizes[1],
            "MM": sizes[2],
            "FF": sizes[3],
        }
        np.testing.assert_array_equal(groups["QM"].get_offsets(), study.plane[region == 0])
        assert panel.get_xlabel() == "$x_1$ (Å)"
        assert panel.get_aspect() == 1.0
    # the window of the second panel holds QM and buffer, and is the rectangle of the first
    low, high = np.array(axes[1].viewLim.get_points())
    inner = study.plane[region <= 1]
    assert np.all((inner > low) & (inner < high))
    (window,) = axes[0].patches
    np.testing.assert_allclose(window.get_extents().transformed(axes[0].transData.inverted()), [low, high])
    figure.draw_without_rendering()
    for panel in axes:
        label = panel.xaxis.label.get_window_extent()
        assert label.y0 > legend.get_window_extent().y1  # nothing printed over another
    png, pdf = save(figure, tmp_path / "new" / "figure_1.png")
    assert png.name == "figure_1.png" and png.stat().st_size > 10_000
    assert pdf.name == "figure_1.pdf" and pdf.read_bytes().startswith(b"%PDF")


def test_saved_files_are_reproducible(tmp_path):
    contents = []
    for name in ("a", "b"):
        figure, axes = plt.subplots()
        axes.plot([1, 2], [3, 1])
        contents.append([path.read_bytes() for path in save(figure, tmp_path / name)])
    assert contents[0] == contents[1]


def test_partitions_share_one_window(study):
    figure, axes = plt.subplots(1, 4, figsize=(7, 2.3), sharey=True)
    legend = draw_partitions(axes, study.plane, study.regions, core=np.zeros(2), spacing=SPACING, symbol=EDGE)
    assert texts(legend) == ["QM", "BUF", "MM"]
    for panel, region in zip(axes, study.regions, strict=True):
        assert f"= {np.sum(region == 0)}$" in panel.get_title()
        assert panel.get_xlim() == axes[0].get_xlim()
        low, high = panel.viewLim.get_points()
        inner = study.plane[region <= 1]
        assert np.all((inner > low) & (inner < high))
    assert [bool(p.get_ylabel()) for p in axes] == [True, False, False, False]
    figure.draw_without_rendering()


@pytest.mark.parametrize(
    "symbol, n_lines", [("edge", 2), ("screw", 3), ("crack", 2), ("point", 2), ("none", 0)]
)
def test_core(study, symbol, n_lines):
    _, axes = plt.subplots(figsize=(3.4, 3.6))
    near = np.flatnonzero(np.linalg.norm(study.plane, axis=1) < 25)
    bonds = np.stack([study.plane[near[:-1]], study.plane[near[1:]]], axis=1)
    draw_core(
        axes,
        study.domain.positions,
        study.regions[0],
        bonds=bonds,
        centre=np.zeros(2),
        half_width=13.0,
        spacing=SPACING,
        symbol=Symbol(symbol),
    )
    assert axes.get_xlim() == (-13.0, 13.0)
    n_drawn = sum(len(c.get_offsets()) for c in axes.collections if isinstance(c, EllipseCollection))
    assert n_drawn == len(study.domain)
    assert len(axes.lines) == n_lines


def test_the_wedge_of_a_crack_ends_at_the_tip_and_opens_behind_it():
    figure, axes = plt.subplots()
    axes.set(xlim=(-10, 10), ylim=(-10, 10))
    draw_defect(axes, np.array([2.0, 1.0]), symbol=Symbol("crack"), size=20)
    figure.canvas.draw()
    seen = np.asarray(figure.canvas.buffer_rgba())[..., :3].sum(axis=2)[::-1] < 100  # black, rows upwards
    box, tip = axes.get_window_extent(), axes.transData.transform((2.0, 1.0))
    rows, columns = np.nonzero(seen)
    inside = (np.abs(columns - tip[0]) < box.width / 5) & (np.abs(rows - tip[1]) < box.height / 5)
    x, y = columns[inside] - tip[0], rows[inside] - tip[1]
    assert x.max() < 5 and x.min() < -10  # pixels
    assert np.ptp(y[x < 0.8 * x.min()]) > 2 * np.ptp(y[x > -3])
    assert abs(y.mean()) < 2
