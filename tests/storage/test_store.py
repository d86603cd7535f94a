"""A store is complete, labelled and undamaged, or loading it fails and says why."""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from qmfront.storage import durable, store
from qmfront.storage.store_layout import FIXED_DIMS, LAYOUT, Declared


def filled(kind: str, seed: int = 1) -> dict[str, np.ndarray]:
    """Random arrays of every declared name; each free dim has a length of its own."""
    rng = np.random.default_rng(seed)
    free = sorted({dim for spec in LAYOUT[kind].values() for dim in spec.names} - set(FIXED_DIMS))
    lengths = FIXED_DIMS | {dim: 5 + 2 * index for index, dim in enumerate(free)}
    makers = {
        "f": rng.normal,
        "b": lambda size: rng.random(size) < 0.5,
        "i": lambda size: rng.integers(0, 4, size),
    }
    return {
        name: makers[spec.kind](size=tuple(lengths[dim] for dim in spec.names))
        for name, spec in LAYOUT[kind].items()
    }


@pytest.fixture
def solution(tmp_path: Path) -> Path:
    return store.save(tmp_path / "solution.zarr", "solution", filled("solution"), {"k": 3})


@pytest.mark.parametrize("kind", LAYOUT)
def test_every_declared_array_comes_back_bit_by_bit(tmp_path: Path, kind: str) -> None:
    arrays = filled(kind)
    store.save(tmp_path / "a.zarr" / "zarr.json", kind, arrays)
    loaded = store.load(tmp_path / "a.zarr", kind)
    assert set(loaded) == set(arrays)
    for name, array in arrays.items():
        assert np.array_equal(loaded[name], array)
        assert np.asarray(loaded[name]).dtype == np.asarray(array).dtype
    assert loaded == store.load(tmp_path / "a.zarr" / "zarr.json", kind)


def test_xarray_shows_names_units_and_zeros(tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    arrays = filled("partition") | {"region": np.zeros(9, int)}
    arrays |= {"arrival_site": np.full(9, np.inf), "speed_site": np.zeros(9)}
    store.save(tmp_path / "p.zarr", "partition", arrays)
    with xarray.open_zarr(tmp_path / "p.zarr") as labelled:
        assert labelled["speed"].dims == ("x", "y")
        assert labelled["region"].dtype == np.int64  # a fill value of 0 read as "missing" would make it float
        assert np.array_equal(labelled["region"], arrays["region"])
        assert np.array_equal(labelled["arrival_site"], arrays["arrival_site"])
        for name, spec in LAYOUT["partition"].items():
            attrs = labelled[name].attrs
            assert (attrs["unit"], attrs["long_name"], attrs["equation"]) == (
                spec.unit,
                spec.long_name,
                spec.equation,
            )


def test_root_attributes_say_where_the_store_comes_from(solution: Path) -> None:
    loaded = store.load(solution, "solution")
    assert dict(loaded.attrs) == {"k": 3}
    assert {"qmfront", "numpy", "zarr"} <= set(loaded.versions)
    assert len(loaded.config_hash) == len(loaded.checksum) == 64


def test_checksum_follows_content_and_nothing_else(tmp_path: Path) -> None:
    def checksum(name: str, arrays: dict, attrs: dict, config: object) -> str:
        store.save(tmp_path / f"{name}.zarr", "solution", arrays, attrs, config=config)
        return store.load(tmp_path / f"{name}.zarr", "solution").checksum

    arrays = filled("solution")
    changed = arrays | {"forces": np.nextafter(arrays["forces"], 9.0)}
    first = checksum("a", arrays, {"k": 1}, {"tolerance": 0.1})
    assert first == checksum("b", dict(reversed(arrays.items())), {"k": 1}, {"tolerance": 0.2})
    assert first != checksum("c", changed, {"k": 1}, {"tolerance": 0.1})
    assert first != checksum("d", arrays, {"k": 2}, {"tolerance": 0.1})


def test_loaded_store_cannot_be_changed(solution: Path) -> None:
    loaded = store.load(solution, "solution")
    with pytest.raises(ValueError, match="read-only"):
        loaded["forces"][0, 0] = 1.0
    with pytest.raises(TypeError):
        loaded.attrs["k"] = 4
    with pytest.raises(KeyError, match="holds no 'force', only displacement"):
        loaded["force"]


def test_scalars_come_back_as_python_numbers(tmp_path: Path) -> None:
    store.save(tmp_path / "bulk.zarr", "bulk", filled("bulk"))
    assert isinstance(store.load(tmp_path / "bulk.zarr", "bulk")["r0"], float)


def test_save_refuses_floats_where_integers_are_declared(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="region is float64, but int64 is declared"):
        store.save(tmp_path / "p.zarr", "partition", {"region": np.zeros(4)})


@pytest.mark.parametrize(
    "change, message",
    [
        ({"forces": np.zeros((4, 3))}, "forces has 4 along 'site', but displacement has 7"),
        ({"forces": np.zeros((7, 2))}, "forces has 2 along 'component', but the convention has 3"),
        ({"forces": np.zeros(7)}, r"forces has shape \(7,\), but its dims are \(site, component\)"),
        ({"forces": np.zeros((7, 3), complex)}, "forces is complex128, but float64 is declared"),
        ({"force": np.zeros((7, 3))}, "force not declared for 'solution'"),
        (
            {"history": [1.0, np.nan]},
            r"history has 1 values that are not finite, the first at \(1,\)",
        ),
        ({"history": [np.inf]}, "not finite"),
    ],
)
def test_save_refuses_what_does_not_fit(tmp_path: Path, change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        store.save(tmp_path / "s.zarr", "solution", filled("solution") | change)
    assert list(tmp_path.iterdir()) == []


def test_save_refuses_missing_arrays_and_unusable_attrs(tmp_path: Path) -> None:
    arrays = filled("solution")
    forces = arrays.pop("forces")
    with pytest.raises(ValueError, match="'solution' lacks forces"):
        store.save(tmp_path / "s.zarr", "solution", arrays)
    arrays["forces"] = forces
    for attrs, message in [
        ({"eta": np.nan}, "attrs.eta is nan"),
        ({"kind": "x"}, "reserved"),
        ({"f": print}, "attrs.f"),
    ]:
        with pytest.raises(ValueError, match=message):
            store.save(tmp_path / "s.zarr", "solution", arrays, attrs)
    with pytest.raises(ValueError, match="does not name a store"):
        store.save(tmp_path / "s", "solution", arrays)
    with pytest.raises(ValueError, match="Unknown kind"):
        store.save(tmp_path / "s.zarr", "solutions", arrays)


def test_optional_arrays_may_be_absent_and_arrays_empty(tmp_path: Path) -> None:
    arrays = filled("structure") | {"stencil_first": np.zeros(0, int), "stencil_second": np.zeros(0, int)}
    arrays["stencil_vector"] = np.zeros((0, 3))
    del arrays["volume"]
    store.save(tmp_path / "s.zarr", "structure", arrays)
    loaded = store.load(tmp_path / "s.zarr", "structure")
    assert "volume" not in loaded
    assert loaded["stencil_vector"].shape == (0, 3)


def test_open_kinds_take_declarations_from_the_writer(tmp_path: Path) -> None:
    values = np.arange(6.0).reshape(2, 3)
    declared = {"design": Declared("row basis", "f", "eV", "design matrix", "(2.9)")}
    with pytest.raises(ValueError, match="design not declared"):
        store.save(tmp_path / "t.zarr", "training", {"design": values})
    store.save(tmp_path / "t.zarr", "training", {"design": values}, declared=declared)
    assert np.array_equal(store.load(tmp_path / "t.zarr", "training")["design"], values)
    with pytest.raises(ValueError, match="closed"):
        store.save(tmp_path / "s.zarr", "solution", filled("solution"), declared=declared)


def chunk(folder: Path, name: str) -> Path:
    return next(path for path in (folder / name).rglob("*") if path.is_file() and path.name != "zarr.json")


def test_missing_chunk_is_an_error_not_zeros(solution: Path) -> None:
    chunk(solution, "forces").unlink()
    with pytest.raises(
        store.StoreError, match=r"damaged: the checksum of array forces .* Delete the store and rerun"
    ):
        store.load(solution, "solution")


def test_every_flipped_or_cut_chunk_is_found(solution: Path) -> None:
    for name in ("forces", "displacement", "history", "measure"):
        path = chunk(solution, name)
        whole = path.read_bytes()
        for damaged in (whole[:-1], b"", whole[:5] + bytes([whole[5] ^ 1]) + whole[6:]):
            path.write_bytes(damaged)
            with pytest.raises(store.StoreError, match="[Dd]elete"):
                store.load(solution, "solution")
        path.write_bytes(whole)
    assert store.load(solution, "solution").kind == "solution"


def test_changed_attributes_and_cut_metadata_are_found(solution: Path) -> None:
    meta = solution / "zarr.json"
    text = meta.read_text()
    for changed, message in [
        (text.replace('"k": 3', '"k": 4'), "checksum of the list"),
        (
            text.replace("eV/\\u00c5", "Ha/bohr").replace("eV/Å", "Ha/bohr"),
            "forces has unit 'Ha/bohr', but 'eV/Å'",
        ),
        (text[:200], "cannot be read"),
    ]:
        assert changed != text
        meta.write_text(changed)
        with pytest.raises(store.StoreError, match=message):
            store.load(solution, "solution")


def test_absent_incomplete_and_wrong_kind_say_what_to_do(solution: Path) -> None:
    with pytest.raises(store.StoreError, match="does not exist .* Run the rule that writes it"):
        store.load(solution.with_name("other.zarr"), "solution")
    with pytest.raises(store.StoreError, match="is a store of kind 'solution', but 'estimate' is needed"):
        store.load(solution, "estimate")
    (solution / "zarr.json").unlink()
    with pytest.raises(store.StoreError, match="is not complete"):
        store.load(solution, "solution")


def test_rewriting_replaces_all_and_leaves_nothing_beside(solution: Path) -> None:
    (solution / "stray").mkdir()
    (solution / "zarr.json").unlink()  # Snakemake deletes the declared output before a rerun
    arrays = filled("solution", seed=2)
    solution.with_name("solution.zarr.partial").mkdir()
    store.save(solution / "zarr.json", "solution", arrays)
    assert np.array_equal(store.load(solution, "solution")["forces"], arrays["forces"])
    assert [path.name for path in solution.parent.iterdir()] == ["solution.zarr"]
    assert not (solution / "stray").exists()


@pytest.mark.parametrize("step", ["create", "rename", "second rename"])
def test_death_at_any_step_leaves_a_complete_store_or_none(
    solution: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = store.load(solution, "solution")
    rename, calls = os.rename, []

    def dying(*arguments: object) -> None:
        calls.append(arguments)
        if len(calls) == (2 if step == "second rename" else 1):
            raise KeyboardInterrupt
        rename(*arguments)

    with monkeypatch.context() as patched:
        target = (store, "_write") if step == "create" else (durable.os, "rename")
        patched.setattr(*target, dying)
        with pytest.raises(KeyboardInterrupt):
            store.save(solution, "solution", filled("solution", seed=2))
    if step == "second rename":
        with pytest.raises(store.StoreError, match="does not exist"):
            store.load(solution, "solution")
    else:
        assert store.load(solution, "solution") == before
    store.save(solution, "solution", filled("solution", seed=2))
    assert store.load(solution, "solution") != before
    assert len(list(solution.parent.iterdir())) == 1


def test_a_file_in_the_way_is_not_deleted(tmp_path: Path) -> None:
    (tmp_path / "s.zarr").write_text("mine")
    with pytest.raises(ValueError, match="not a directory"):
        store.save(tmp_path / "s.zarr", "solution", filled("solution"))
    assert (tmp_path / "s.zarr").read_text() == "mine"


def test_small_stores_load_fast(tmp_path: Path) -> None:
    store.save(tmp_path / "s.zarr", "structure", filled("structure"))
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        store.load(tmp_path / "s.zarr", "structure")
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.05


def test_copied_store_is_the_same_store(solution: Path, tmp_path: Path) -> None:
    shutil.copytree(solution, tmp_path / "copy.zarr")
    assert store.load(tmp_path / "copy.zarr", "solution") == store.load(solution, "solution")
