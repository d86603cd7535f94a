"""Stores of strangers: refused with advice, within two seconds, and nothing in them is run."""

import json
import os
import pickle
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qmfront.storage import store
from qmfront.storage.layouts.partition import PARTITION


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("touch made",)


def shaped(meta: dict[str, Any], length: int) -> dict[str, Any]:
    grid = {"name": "regular", "configuration": {"chunk_shape": [length]}}
    return meta | {"shape": [length], "chunk_grid": grid}


CHANGES: dict[str, Any] = {
    "a codec of pickles": lambda meta: meta | {"codecs": [{"name": "numcodecs.pickle", "configuration": {}}]},
    "a codec of JSON": lambda meta: meta | {"codecs": [{"name": "numcodecs.json2", "configuration": {}}]},
    "a codec of nobody": lambda meta: meta | {"codecs": [{"name": "os.system", "configuration": {"cmd": "touch x"}}]},
    "1e10 sites": lambda meta: shaped(meta, 10**10),
    "1e12 sites": lambda meta: shaped(meta, 10**12),
    "a negative length": lambda meta: shaped(meta, -3),
    "objects": lambda meta: meta | {"data_type": "object"},
    "no array": lambda meta: [],
}  # fmt: skip


@pytest.mark.parametrize("kind", CHANGES)
def test_what_an_array_says_of_itself_is_doubted(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = store.save(tmp_path / "a.zarr", PARTITION, {"region": np.arange(3)})
    meta = CHANGES[kind](json.loads((folder / "region/zarr.json").read_text(encoding="utf-8")))
    (folder / "region/zarr.json").write_text(json.dumps(meta), encoding="utf-8")
    root = json.loads((folder / "zarr.json").read_text(encoding="utf-8"))
    root["consolidated_metadata"]["metadata"]["region"] = meta
    (folder / "zarr.json").write_text(json.dumps(root), encoding="utf-8")
    for chunk in (path for path in folder.rglob("c/*") if path.is_file()):
        chunk.write_bytes(pickle.dumps(Evil()))
    before = time.process_time()
    with pytest.raises(store.StoreError, match=r"a\.zarr .*(Delete it|Delete the store) and rerun"):
        store.load(folder, PARTITION)
    assert time.process_time() - before < 2.0
    assert not Path("made").exists()


@pytest.mark.parametrize("text", ["", "[", "[]", '{"attributes": 1}', "null", '{"attributes": ' * 5000])
def test_a_sentinel_that_is_none(text: str, tmp_path: Path) -> None:
    folder = store.save(tmp_path / "a.zarr", PARTITION, {"region": np.arange(3)})
    (folder / "zarr.json").write_text(text, encoding="utf-8")
    with pytest.raises(store.StoreError, match="Delete it and rerun"):
        store.load(folder, PARTITION)
