"""Hashes that change with content and with nothing else, and the versions behind a result."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from qmfront.storage.provenance import content_hash, versions


@dataclass(frozen=True)
class Settings:
    cutoff: float
    names: tuple[str, ...]


def test_equal_content_gives_equal_hashes() -> None:
    array = np.random.default_rng(2).normal(size=(4, 3))
    pairs = [
        ({"a": 1, "b": [2.5, None]}, {"b": (2.5, None), "a": 1}),
        (array, np.asfortranarray(array)),
        (array, array.astype(">f8")),
        (array[::2], array[::2].copy()),
        (np.float64(0.1), 0.1),
        (-0.0, 0.0),
        (np.array([-0.0, 1.0]), np.array([0.0, 1.0])),
        (Path("a/b"), "a/b"),
        ({"x", "y", "z"}, {"z", "y", "x"}),
        (Settings(1.5, ("a",)), Settings(1.5, ("a",))),
    ]
    for first, second in pairs:
        assert content_hash(first) == content_hash(second)


def test_different_content_gives_different_hashes() -> None:
    array = np.arange(6.0)
    values = [
        None, False, True, 0, 1, 1.0, "1", "", b"1", [], {}, [[]], [1, 2], [[1], 2], ["ab", "c"], ["a", "bc"], {"a": 1},
        {"a": 2}, {"b": 1}, [["a", 1]], {1, 2}, array, array.reshape(2, 3), array.reshape(3, 2),
        array.astype(np.float32), np.nextafter(array, 9), np.nan, np.inf, Settings(1.5, ("a",)),
        Settings(1.5, ("b",)),
    ]  # fmt: skip
    assert len({content_hash(value) for value in values}) == len(values)


def test_hash_is_the_same_in_another_process() -> None:
    code = (
        "from qmfront.storage.provenance import content_hash; "
        "print(content_hash({'b': {'y', 'x'}, 'a': [1, 2.5]}), end='')"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert other.stdout == content_hash({"a": [1, 2.5], "b": {"x", "y"}})


def test_what_has_no_content_is_refused() -> None:
    for value in (object(), print, np.array([object()]), {"a": [lambda: 0]}):
        with pytest.raises(TypeError, match="no defined content"):
            content_hash(value)


def test_versions_are_strings_and_name_the_libraries() -> None:
    found = versions()
    assert found["numpy"] == np.__version__
    assert all(isinstance(value, str) and value for value in found.values())
