"""The scripts of the convergence figures on tables of their own, without Snakemake."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

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
        }
        path = tmp_path / f"{name}.csv"
        pd.DataFrame(columns | {"eta laplacian/paper": 2 * error}).to_csv(path, index=False)
        paths.append(str(path))
    return paths


def outputs(folder: Path, name: str) -> dict[str, str]:
    return {suffix: str(folder / "figures" / f"{name}.{suffix}") for suffix in ("png", "pdf", "csv")}


def test_every_output_is_written_and_the_table_reads_them(tables, tmp_path):
    labels = ["adaptive", "circle"]
    made = {name: outputs(tmp_path, name) for name in ("figure_4", "matching", "efficiency", "effectivity")}
    for name in ("figure_4", "matching", "efficiency"):
        import_module(f"scripts.{name}").main(tables, labels, made[name])
    import_module("scripts.effectivity").main(tables[0], made["effectivity"])
    assert all(Path(path).stat().st_size > 0 for paths in made.values() for path in paths.values())

    path = tmp_path / "comparison.csv"
    import_module("scripts.table").main(list(made), [paths["csv"] for paths in made.values()], str(path))
    table = pd.read_csv(path)
    ratio = table[table["quantity"] == "N_QM at equal error over that of adaptive"]
    assert ratio["ours"].tolist() == pytest.approx([1.6])
    assert table["quantity"].nunique() >= 6


@pytest.mark.parametrize("script", sorted(p.name for p in Path(__file__).parents[2].glob("scripts/*.py")))
def test_scripts_are_short(script):
    text = (Path(__file__).parents[2] / "scripts" / script).read_text()
    assert text.count("\n") <= 40
    assert "with logged(snakemake.log[0]):" in text
