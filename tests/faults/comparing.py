"""Whether two finished projects hold the same results: every store, table, figure and structure."""

import io
import json
from collections.abc import Mapping

import numpy as np
import pandas as pd

from tests.faults.killing import stores
from tests.workflow.project import Project

RELATIVE, ABSOLUTE = 1e-10, 1e-11
"""Of the largest number of an array, and in its unit (eV, Å)."""

OF_DIFFERENCES = {"lowest_mode": 1e-6}
"""Of arrays made from differences of forces over a step of 1e-4 Å, where rounding is ten thousand times larger."""


def differences(one: Project, other: Project) -> list[str]:
    """What differs between the results of two projects, apart from times."""
    left, right = stores(one), stores(other)
    found = [f"{path} is missing in one of them" for path in set(left) ^ set(right)]
    for path in set(left) & set(right):
        found += [f"{path}: {name}" for name in different_arrays(left[path], right[path])]
    tables = {str(path.relative_to(one.folder)) for path in one.folder.glob("results/**/*.csv")}
    for path in sorted(
        tables | {str(path.relative_to(one.folder)) for path in one.folder.glob("figures/*.csv")}
    ):
        found += [f"{path}: {name}" for name in _table(one.text(path), other.text(path))]
    for name in ("estimate", "decision"):
        for path in one.folder.glob(f"results/*/*/{name}.json"):
            place = str(path.relative_to(one.folder))
            found += [
                f"{place}: {key}"
                for key in _numbers(json.loads(one.text(place)), json.loads(other.text(place)))
            ]
    structures = one.folder.glob("results/*/relaxed.extxyz")
    places = [str(path.relative_to(one.folder)) for path in structures]
    return found + [place for place in places if not _same_words(one.text(place), other.text(place))]


def different_arrays(left: Mapping, right: Mapping) -> list[str]:
    """Names of the arrays that one of two stores lacks, or that differ."""
    names = set(left) ^ set(right)
    return sorted(names) + [
        name
        for name in set(left) & set(right)
        if not _close(left[name], right[name], OF_DIFFERENCES.get(name, RELATIVE))
    ]


def _close(left: np.ndarray | float, right: np.ndarray | float, relative: float = RELATIVE) -> bool:
    left, right = np.asarray(left), np.asarray(right)
    if left.dtype.kind not in "fc" or left.shape != right.shape:
        return left.shape == right.shape and bool(np.array_equal(left, right))
    scale = np.max(np.abs(left[np.isfinite(left)]), initial=0.0)
    return bool(np.allclose(left, right, rtol=0.0, atol=relative * scale + ABSOLUTE, equal_nan=True))


def _table(left: str, right: str) -> list[str]:
    one, other = (pd.read_csv(io.StringIO(text)) for text in (left, right))
    names = [name for name in one if not name.startswith("cpu_")]
    same_names = list(one.columns) == list(other.columns)
    return [name for name in names if not (same_names and _same_column(one[name], other[name]))]


def _same_column(left: pd.Series, right: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(left) and pd.api.types.is_numeric_dtype(right):
        return _close(left.to_numpy(float), right.to_numpy(float))
    return left.equals(right)  # words; a cell that is empty in both is the same


def _numbers(left: object, right: object) -> list[str]:
    if isinstance(left, dict) and isinstance(right, dict) and left.keys() == right.keys():
        return [key for key in left if _numbers(left[key], right[key])]
    if isinstance(left, float) and isinstance(right, float):
        return [] if abs(left - right) <= RELATIVE * abs(left) + ABSOLUTE else ["value"]
    return [] if left == right else ["value"]


def _same_words(left: str, right: str) -> bool:
    """Whether two texts have the same words, numbers compared as numbers."""
    one, other = left.split(), right.split()
    return len(one) == len(other) and all(a == b or _near(a, b) for a, b in zip(one, other, strict=True))


def _near(left: str, right: str) -> bool:
    try:
        return abs(float(left) - float(right)) <= 1e-8
    except ValueError:
        return False
