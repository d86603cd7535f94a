"""The scripts of the figures that are drawn from tables, on tables of their own, without Snakemake."""

import json
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qmfront.coupling.solution import Solution
from qmfront.figures.atoms import MarkedDefect
from qmfront.figures.style import FigureFiles
from qmfront.storage import store
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from scripts.table import Shown

N = np.array([44, 90, 170, 350, 800])


@pytest.fixture
def tables(tmp_path) -> list[str]:
    paths = []
    for name, prefactor in (("front", 1.0), ("disc", 1.6)):
        error = prefactor * N**-1.0
        columns = {
            "k": range(len(N)),
            "n_qm": N,
            "error": error,
            "eta": 0.9 * error,
            "eta_exact": 0.95 * error,
            "eta_buffer": 0.2 * error,
        }
        path = tmp_path / f"{name}.csv"
        pd.DataFrame(columns | {"eta laplacian/paper": 2 * error}).to_csv(path, index=False)
        paths.append(str(path))
    return paths


def files_of(folder: Path, name: str) -> FigureFiles:
    return FigureFiles(*(str(folder / "figures" / f"{name}.{suffix}") for suffix in ("png", "csv")))


def are_written(files: FigureFiles) -> bool:
    paths = [Path(files.png), Path(files.png).with_suffix(".pdf"), Path(files.csv)]
    return all(path.stat().st_size > 0 for path in paths)


def test_every_output_is_written_and_the_table_reads_them(tables, tmp_path):
    labels = ["adaptive", "circle"]
    kinds = {name: Shown(name, None) for name in ("convergence", "errors", "efficiency")}
    kinds["effectivity"] = Shown("effectivity", (100, 900))
    made = {name: files_of(tmp_path, name) for name in kinds}
    for name in ("convergence", "errors", "efficiency"):
        import_module(f"scripts.draw_{name}").main(tables, labels, -1.0, None, made[name])
    import_module("scripts.draw_effectivity").main(tables[0], (0.88, 1.1), made["effectivity"])
    assert all(map(are_written, made.values()))

    path = tmp_path / "comparison.csv"
    import_module("scripts.table").main(kinds, [files.csv for files in made.values()], str(path))
    table = pd.read_csv(path)
    ratio = table[table["quantity"] == "N_QM at equal error over that of adaptive"]
    assert ratio["ours"].tolist() == pytest.approx([1.6])
    assert table["quantity"].nunique() >= 6
    assert set(table["figure"]) == set(kinds)


def test_bars_read_the_clamp_where_there_is_one(tables, tmp_path):
    clamp = tmp_path / "clamp.json"
    clamp.write_text(json.dumps({"factor": 1.5, "eta_clamp": 0.03, "eta_clamp_unbounded": 0.04}))
    for given, wanted in (([], False), ([str(clamp)], True)):
        made = files_of(tmp_path, "bars")
        import_module("scripts.draw_bars").main(tables[0], given, made)
        data = pd.read_csv(made.csv)
        assert ("eta_clamp" in set(data["cause"])) == wanted
        assert are_written(made)
    assert data.query("cause == 'eta_clamp'")["value"].tolist() == [0.04] * len(N)


def test_estimates_need_no_reference(tables, tmp_path):
    lonely = pd.read_csv(tables[0]).drop(columns=["error", "eta_exact"])
    lonely.assign(n_buf=40, algebraic=1e-3, qm_calls=8, cpu_solve=60.0).to_csv(
        tmp_path / "x.csv", index=False
    )
    made = files_of(tmp_path, "figure_16")
    import_module("scripts.draw_estimates").main([str(tmp_path / "x.csv")], ["Si"], -0.8, (5, 2000), made)
    assert are_written(made)
    assert pd.read_csv(made.csv)["slope"].round(6).unique().tolist() == [-1.0]


def test_a_window_reaches_the_ratios(tables, tmp_path):
    kept = []
    for window in (None, (300, 900)):
        main = import_module("scripts.draw_efficiency").main
        main(tables, ["adaptive", "circle"], None, window, files_of(tmp_path, "efficiency"))
        kept.append(pd.read_csv(tmp_path / "figures" / "efficiency.csv")["ratio"].notna().sum())
    assert kept == [4, 2]


@pytest.mark.parametrize("chosen", [MarkedDefect("dislocation", (1.0, 0.0, 0.0)), MarkedDefect("crack")])
def test_snapshots_of_any_defect(chosen, edge, tmp_path):
    size = np.linalg.norm(edge.sites[:, :2], axis=1)
    flat = np.zeros_like(edge.sites)
    empty = np.zeros(0)
    solution = Solution(flat, flat, empty, empty).arrays()
    regions = [np.where(size < radius, 0, np.where(size < 2 * radius, 1, 2)) for radius in (6.0, 8.0, 11.0)]
    for name, kind, arrays in (
        ("structure", STRUCTURE, {**edge.arrays(), "region": regions[0]}),
        ("solution", SOLUTION, solution),
        *((f"partition_{k}", PARTITION, {"region": region}) for k, region in enumerate(regions)),
    ):
        store.save(tmp_path / f"{name}.zarr", kind, arrays, config={})
    structure, solution = (str(tmp_path / f"{name}.zarr") for name in ("structure", "solution"))
    partitions = tuple(str(tmp_path / f"partition_{k}.zarr") for k in range(3))
    made = {name: files_of(tmp_path, name) for name in ("decomposition", "stages")}
    decomposition, stages = (import_module(f"scripts.draw_{name}") for name in made)
    decomposition.main(
        decomposition.Inputs(structure, solution, partitions[2]), chosen, made["decomposition"]
    )
    n_qm = [int(np.sum(regions[k] == 0)) for k in (0, 2)]
    stages.main(stages.Inputs(structure, partitions), n_qm, chosen, made["stages"])
    assert all(map(are_written, made.values()))
    table = pd.read_csv(made["stages"].csv)
    assert table[["k", "n_qm"]].to_numpy().tolist() == [[0, n_qm[0]], [2, n_qm[1]]]


def test_scripts_write_their_log():
    scripts = sorted(Path(__file__).parents[2].glob("scripts/*.py"))
    silent = [path.name for path in scripts if "with logged(snakemake.log[0]):" not in path.read_text()]
    assert len(scripts) > 30 and not silent


def test_scaling_is_drawn_from_the_summaries_with_and_without_a_dense_call(tmp_path):
    row = {"n_atoms": 514, "boxes": 64, "jobs": 8, "cpu_seconds": 20.0, "longest_job": 3.0}
    known = row | {"dense_cpu_seconds": 2.0, "largest_error": 1e-2, "rms_error": 3e-3}
    large = row | {"n_atoms": 8002, "cpu_seconds": 300.0}
    paths = []
    for number, content in enumerate((known, large)):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        paths.append(str(path))
    made = files_of(tmp_path, "scaling")
    import_module("scripts.draw_scaling").main(paths, made)
    table = pd.read_csv(made.csv)
    assert table["n_atoms"].tolist() == [514, 8002] and np.isnan(table["rms_error"].iloc[1])
    assert Path(made.png).stat().st_size > 5000


def test_binding_is_relative_to_the_first_case_with_both_bars(tmp_path):
    paths = []
    for number, (energy, bar) in enumerate(((-2.0, 0.01), (-2.3, 0.02), (-1.9, 0.03))):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps({"energy": energy, "bar": bar, "work": 0.0}), encoding="utf-8")
        paths.append(str(path))
    places = ([(0.0, 0.0, 0.0)], [(0.0, 1.5, 0.0)], [(9.0, 9.0, 9.0), (0.0, -1.5, 0.5)])
    made = files_of(tmp_path, "binding")
    import_module("scripts.draw_binding").main(paths, ["crystal", "above", "below"], places, made)
    table = pd.read_csv(made.csv)
    assert table["case"].tolist() == ["above", "below"]
    np.testing.assert_allclose(table["binding"], [-0.3, 0.1])
    np.testing.assert_allclose(table["bar"], [0.03, 0.04])
    assert table[["x1", "x2", "x3"]].to_numpy().tolist() == [[0.0, 1.5, 0.0], [0.0, -1.5, 0.5]]
    assert are_written(made)
