"""A store is complete, labelled and undamaged, or loading it fails and says why."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray

from qmfront.storage import durable, store
from qmfront.storage.layout import FIXED_DIMS, Declared, Kind
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.estimate import ESTIMATE
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.potential import TRAINING
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from tests.kinds import KINDS


def filled(kind: Kind, seed: int = 1) -> dict[str, np.ndarray]:
    """Random arrays of every declared name; each free dim has a length of its own."""
    rng = np.random.default_rng(seed)
    free = sorted({dim for spec in kind.arrays.values() for dim in spec.names} - set(FIXED_DIMS))
    lengths = FIXED_DIMS | {dim: 5 + 2 * index for index, dim in enumerate(free)}
    makers = {
        "f": rng.normal,
        "b": lambda size: rng.random(size) < 0.5,
        "i": lambda size: rng.integers(0, 4, size),
    }
    return {
        name: makers[spec.kind](size=tuple(lengths[dim] for dim in spec.names))
        for name, spec in kind.arrays.items()
    }


@pytest.fixture
def solution(tmp_path: Path) -> Path:
    return store.save(tmp_path / "solution.zarr", SOLUTION, filled(SOLUTION), {"k": 3})


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_declared_array_comes_back_bit_by_bit(tmp_path: Path, kind: Kind) -> None:
    arrays = filled(kind)
    store.save(tmp_path / "a.zarr" / "zarr.json", kind, arrays)
    loaded = store.load(tmp_path / "a.zarr", kind)
    assert set(loaded) == set(arrays)
    for name, array in arrays.items():
        assert np.array_equal(loaded[name], array)
        assert np.asarray(loaded[name]).dtype == np.asarray(array).dtype
    assert loaded == store.load(tmp_path / "a.zarr" / "zarr.json", kind)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_xarray_opens_every_kind_as_the_documentation_says(tmp_path: Path, kind: Kind) -> None:
    """Labelled, with units, and with the same numbers; `make run` installs xarray."""
    arrays = filled(kind)
    store.save(tmp_path / "a.zarr", kind, arrays)
    with xarray.open_zarr(tmp_path / "a.zarr") as labelled:
        assert set(labelled.variables) == set(arrays)
        for name, spec in kind.arrays.items():
            assert labelled[name].dims == spec.names
            assert labelled[name].attrs["unit"] == spec.unit
            assert np.array_equal(labelled[name], arrays[name])


def test_xarray_shows_zeros_infinities_and_equations(tmp_path: Path) -> None:
    arrays = filled(PARTITION) | {"region": np.zeros(9, int)}
    arrays |= {"arrival_site": np.full(9, np.inf), "speed_site": np.zeros(9)}
    store.save(tmp_path / "p.zarr", PARTITION, arrays)
    with xarray.open_zarr(tmp_path / "p.zarr") as labelled:
        assert labelled["speed"].dims == ("x", "y")
        assert labelled["region"].dtype == np.int64  # a fill value of 0 read as "missing" would make it float
        assert np.array_equal(labelled["region"], arrays["region"])
        assert np.array_equal(labelled["arrival_site"], arrays["arrival_site"])
        for name, spec in PARTITION.arrays.items():
            attrs = labelled[name].attrs
            assert (attrs["unit"], attrs["long_name"], attrs["equation"]) == (
                spec.unit,
                spec.long_name,
                spec.equation,
            )


def test_root_attributes_say_where_the_store_comes_from(solution: Path) -> None:
    loaded = store.load(solution, SOLUTION)
    assert dict(loaded.attrs) == {"k": 3}
    assert {"qmfront", "numpy", "zarr"} <= set(loaded.versions)
    assert len(loaded.config_hash) == len(loaded.checksum) == 64


def test_the_sentinel_is_that_of_its_content_and_what_was_measured_stands_beside_it(tmp_path: Path) -> None:
    """Snakemake compares checksums: a second run that finds the same must not rerun what depends on it."""
    sentinels = []
    for seconds, order in ((1.5, 1), (2.5, -1)):
        arrays = dict(list(filled(SOLUTION).items())[::order])
        run = {"seconds": {"solve": seconds}}
        store.save(tmp_path / "s.zarr", SOLUTION, arrays, {"k": 1}, run=run, config={"step_cap": seconds})
        loaded = store.load(tmp_path / "s.zarr", SOLUTION)
        assert dict(loaded.run) == run and dict(loaded.attrs) == {"k": 1}
        assert store.attributes(tmp_path / "s.zarr")["seconds"] == {"solve": seconds}
        sentinels.append((tmp_path / "s.zarr" / "zarr.json").read_bytes())
    assert sentinels[0] == sentinels[1]
    store.save(tmp_path / "s.zarr", SOLUTION, filled(SOLUTION, seed=2), {"k": 1})
    assert (tmp_path / "s.zarr" / "zarr.json").read_bytes() != sentinels[0]


def test_stores_of_before_run_json_are_read(solution: Path) -> None:
    """They held seconds, versions and the hash of the settings among the attributes."""
    meta, run = (
        json.loads((solution / "zarr.json").read_text()),
        json.loads((solution / "run.json").read_text()),
    )
    (solution / "run.json").unlink()
    with pytest.raises(store.StoreError, match=r"run.json lacks config_hash, versions. Delete the store"):
        store.load(solution, SOLUTION)
    extra = {"k": 3, "seconds": {"solve": 0.5}}
    arrays = meta["consolidated_metadata"]["metadata"]
    digests = {name: array["attributes"]["sha256"] for name, array in arrays.items()}
    content = json.dumps(["solution", digests, extra], sort_keys=True)
    meta["attributes"] |= run | extra | {"checksum": hashlib.sha256(content.encode()).hexdigest()}
    (solution / "zarr.json").write_text(json.dumps(meta))
    loaded = store.load(solution, SOLUTION)
    assert loaded.run["seconds"] == {"solve": 0.5} and loaded.config_hash == run["config_hash"]
    assert store.attributes(solution)["seconds"] == {"solve": 0.5}


def test_checksum_follows_content_and_nothing_else(tmp_path: Path) -> None:
    def checksum(name: str, arrays: dict, attrs: dict, config: object) -> str:
        store.save(tmp_path / f"{name}.zarr", SOLUTION, arrays, attrs, config=config)
        return store.load(tmp_path / f"{name}.zarr", SOLUTION).checksum

    arrays = filled(SOLUTION)
    changed = arrays | {"forces": np.nextafter(arrays["forces"], 9.0)}
    first = checksum("a", arrays, {"k": 1}, {"tolerance": 0.1})
    assert first == checksum("b", dict(reversed(arrays.items())), {"k": 1}, {"tolerance": 0.2})
    assert first != checksum("c", changed, {"k": 1}, {"tolerance": 0.1})
    assert first != checksum("d", arrays, {"k": 2}, {"tolerance": 0.1})


def test_loaded_store_cannot_be_changed(solution: Path) -> None:
    loaded = store.load(solution, SOLUTION)
    with pytest.raises(ValueError, match="read-only"):
        loaded["forces"][0, 0] = 1.0
    with pytest.raises(TypeError):
        loaded.attrs["k"] = 4
    with pytest.raises(KeyError, match="holds no 'force', only displacement"):
        loaded["force"]


def test_scalars_come_back_as_python_numbers(tmp_path: Path) -> None:
    store.save(tmp_path / "bulk.zarr", BULK, filled(BULK))
    assert isinstance(store.load(tmp_path / "bulk.zarr", BULK)["r0"], float)


def test_save_refuses_floats_where_integers_are_declared(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="region is float64, but int64 is declared"):
        store.save(tmp_path / "p.zarr", PARTITION, {"region": np.zeros(4)})


def plain(kind: Kind) -> dict[str, np.ndarray]:
    """Without what may be left out."""
    return {name: array for name, array in filled(kind).items() if not kind.arrays[name].optional}


@pytest.mark.parametrize(
    "change, message",
    [
        ({"forces": np.zeros((4, 3))}, "forces has 4 along 'site', but displacement has 11"),
        ({"forces": np.zeros((11, 2))}, "forces has 2 along 'component', but the convention has 3"),
        ({"forces": np.zeros(11)}, r"forces has shape \(11,\), but its dims are \(site, component\)"),
        ({"forces": np.zeros((11, 3), complex)}, "forces is complex128, but float64 is declared"),
        ({"force": np.zeros((11, 3))}, "force not declared for 'solution'"),
        (
            {"history": [1.0, np.nan]},
            r"history has 1 values that are not finite, the first at \(1,\)",
        ),
        ({"history": [np.inf]}, "not finite"),
    ],
)
def test_save_refuses_what_does_not_fit(tmp_path: Path, change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        store.save(tmp_path / "s.zarr", SOLUTION, plain(SOLUTION) | change)
    assert list(tmp_path.iterdir()) == []


def test_save_refuses_missing_arrays_and_unusable_attrs(tmp_path: Path) -> None:
    arrays = filled(SOLUTION)
    forces = arrays.pop("forces")
    with pytest.raises(ValueError, match="'solution' lacks forces"):
        store.save(tmp_path / "s.zarr", SOLUTION, arrays)
    arrays["forces"] = forces
    for attrs, message in [
        ({"eta": np.nan}, "attrs.eta is nan"),
        ({"kind": "x"}, "reserved"),
        ({"f": print}, "attrs.f"),
    ]:
        with pytest.raises(ValueError, match=message):
            store.save(tmp_path / "s.zarr", SOLUTION, arrays, attrs)
    with pytest.raises(ValueError, match="does not name a store"):
        store.save(tmp_path / "s", SOLUTION, arrays)


def test_optional_arrays_may_be_absent_and_arrays_empty(tmp_path: Path) -> None:
    arrays = filled(STRUCTURE) | {"stencil_first": np.zeros(0, int), "stencil_second": np.zeros(0, int)}
    arrays["stencil_vector"] = np.zeros((0, 3))
    del arrays["volume"]
    store.save(tmp_path / "s.zarr", STRUCTURE, arrays)
    loaded = store.load(tmp_path / "s.zarr", STRUCTURE)
    assert "volume" not in loaded
    assert loaded["stencil_vector"].shape == (0, 3)


def test_open_kinds_take_declarations_from_the_writer(tmp_path: Path) -> None:
    values = np.arange(6.0).reshape(2, 3)
    declared = {"design": Declared("row basis", "f", "eV", "design matrix", "(2.9)")}
    with pytest.raises(ValueError, match="design not declared"):
        store.save(tmp_path / "t.zarr", TRAINING, {"design": values})
    store.save(tmp_path / "t.zarr", TRAINING.including(declared), {"design": values})
    assert np.array_equal(store.load(tmp_path / "t.zarr", TRAINING)["design"], values)
    with pytest.raises(ValueError, match="'solution' are closed. Declare design in storage/layouts"):
        SOLUTION.including(declared)


def chunk(folder: Path, name: str) -> Path:
    return next(path for path in (folder / name).rglob("*") if path.is_file() and path.name != "zarr.json")


def test_missing_chunk_is_an_error_not_zeros(solution: Path) -> None:
    chunk(solution, "forces").unlink()
    with pytest.raises(
        store.StoreError, match=r"damaged: the checksum of array forces .* Delete the store and rerun"
    ):
        store.load(solution, SOLUTION)


def test_every_flipped_or_cut_chunk_is_found(solution: Path) -> None:
    for name in ("forces", "displacement", "history", "measure"):
        path = chunk(solution, name)
        whole = path.read_bytes()
        for damaged in (whole[:-1], b"", whole[:5] + bytes([whole[5] ^ 1]) + whole[6:]):
            path.write_bytes(damaged)
            with pytest.raises(store.StoreError, match="[Dd]elete"):
                store.load(solution, SOLUTION)
        path.write_bytes(whole)
    assert store.load(solution, SOLUTION).kind == "solution"


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
            store.load(solution, SOLUTION)


def test_absent_incomplete_and_wrong_kind_say_what_to_do(solution: Path) -> None:
    with pytest.raises(store.StoreError, match="does not exist .* Run the rule that writes it"):
        store.load(solution.with_name("other.zarr"), SOLUTION)
    with pytest.raises(store.StoreError, match="is a store of kind 'solution', but 'estimate' is needed"):
        store.load(solution, ESTIMATE)
    (solution / "zarr.json").unlink()
    with pytest.raises(store.StoreError, match="is not complete"):
        store.load(solution, SOLUTION)


def test_rewriting_replaces_all_and_leaves_nothing_beside(solution: Path) -> None:
    (solution / "stray").mkdir()
    (solution / "zarr.json").unlink()  # Snakemake deletes the declared output before a rerun
    arrays = filled(SOLUTION, seed=2)
    solution.with_name("solution.zarr.partial").mkdir()
    store.save(solution / "zarr.json", SOLUTION, arrays)
    assert np.array_equal(store.load(solution, SOLUTION)["forces"], arrays["forces"])
    assert [path.name for path in solution.parent.iterdir()] == ["solution.zarr"]
    assert not (solution / "stray").exists()


@pytest.mark.parametrize("step", ["create", "rename", "second rename"])
def test_death_at_any_step_leaves_a_complete_store_or_none(
    solution: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = store.load(solution, SOLUTION)
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
            store.save(solution, SOLUTION, filled(SOLUTION, seed=2))
    if step == "second rename":
        with pytest.raises(store.StoreError, match="does not exist"):
            store.load(solution, SOLUTION)
    else:
        assert store.load(solution, SOLUTION) == before
    store.save(solution, SOLUTION, filled(SOLUTION, seed=2))
    assert store.load(solution, SOLUTION) != before
    assert len(list(solution.parent.iterdir())) == 1


def test_a_file_in_the_way_is_not_deleted(tmp_path: Path) -> None:
    (tmp_path / "s.zarr").write_text("mine")
    with pytest.raises(ValueError, match="not a directory"):
        store.save(tmp_path / "s.zarr", SOLUTION, filled(SOLUTION))
    assert (tmp_path / "s.zarr").read_text() == "mine"


def test_copied_store_is_the_same_store(solution: Path, tmp_path: Path) -> None:
    shutil.copytree(solution, tmp_path / "copy.zarr")
    assert store.load(tmp_path / "copy.zarr", SOLUTION) == store.load(solution, SOLUTION)


def test_a_linked_store_is_the_same_without_room(tmp_path: Path, solution: Path) -> None:
    """And stays what it is when the first one is written again; what stood in its place is gone."""
    before = store.load(solution, SOLUTION)
    store.save(tmp_path / "other.zarr", SOLUTION, filled(SOLUTION, seed=2))
    other = store.link(solution / "zarr.json", tmp_path / "other.zarr" / "zarr.json")
    assert other == tmp_path / "other.zarr"
    assert store.load(other, SOLUTION) == before
    assert os.path.samefile(solution / "zarr.json", other / "zarr.json")
    store.save(solution, SOLUTION, filled(SOLUTION, seed=3))
    assert store.load(other, SOLUTION) == before != store.load(solution, SOLUTION)
    assert not list(tmp_path.glob("*.partial"))
