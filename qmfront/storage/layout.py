"""What a kind of store holds: arrays with dims, dtype, unit, meaning and equation; `layouts` declares the kinds."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

# Lengths that are the same in every store; all other dims take their length from the data, and agree within a store.
FIXED_DIMS = dict.fromkeys(("vector", "component", "component2", "i", "j", "k", "l"), 3)
DTYPES = {"f": "float64", "i": "int64", "b": "bool"}


Attributes = Mapping[str, Any]
"""What a store keeps beside its arrays, JSON values by name. Nouns become attributes, and attributes nouns, where they
are written and read, and travel nowhere else."""


@dataclass(frozen=True)
class Declared:
    """One array of a store.

    dims : names separated by spaces, one per axis; "" is a scalar
    kind : "f" float64, "i" int64, "b" bool
    unit : "Å", "eV/Å^2", ...; "1" if there is none
    long_name, equation : what it is, and the equation of the paper that defines it
    optional : a store is complete without it
    infinite : may hold infinity (never NaN)
    """

    dims: str
    kind: Literal["f", "i", "b"]
    unit: str
    long_name: str
    equation: str = ""
    optional: bool = False
    infinite: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The dims, one name per axis."""
        return tuple(self.dims.split())


@dataclass(frozen=True)
class Kind:
    """A kind of store.

    name : "bulk", "structure", ...
    arrays : by name
    is_open : such a store also takes arrays that only its writer knows, see `including`
    """

    name: str
    arrays: Mapping[str, Declared]
    is_open: bool = False

    def including(self, arrays: Mapping[str, Declared]) -> "Kind":
        """The same open kind with further arrays; raises ValueError for a kind that is not open."""
        if not self.is_open:
            raise ValueError(
                f"Stores of kind {self.name!r} are closed. Declare {', '.join(arrays)} in storage/layouts."
            )
        return replace(self, arrays={**self.arrays, **arrays})


def checked(arrays: Mapping[str, ArrayLike], kind: Kind, *, copy: bool = True) -> dict[str, np.ndarray]:
    """The arrays in declared dtype and C order; copies of all, or with copy=False of those that differ in either.

    Raises
    ------
    ValueError unless names, number of axes, lengths, dtypes and values fit the layout of this kind.
    """
    if unknown := sorted(set(arrays) - set(kind.arrays)):
        raise ValueError(
            f"{', '.join(unknown)} not declared for {kind.name!r}. Declare in storage/layouts or leave out."
        )
    if missing := [name for name, spec in kind.arrays.items() if not spec.optional and name not in arrays]:
        raise ValueError(f"{kind.name!r} lacks {', '.join(missing)}.")
    lengths = dict(FIXED_DIMS)
    owners = dict.fromkeys(FIXED_DIMS, "the convention")
    values = {}
    for name, value in arrays.items():
        spec, array = kind.arrays[name], np.asarray(value)
        if array.ndim != len(spec.names):
            raise ValueError(f"{name} has shape {array.shape}, but its dims are ({', '.join(spec.names)}).")
        for dim, length in zip(spec.names, array.shape, strict=True):
            if lengths.setdefault(dim, length) != length:
                raise ValueError(f"{name} has {length} along {dim!r}, but {owners[dim]} has {lengths[dim]}.")
            owners.setdefault(dim, name)
        values[name] = _cast(name, array, spec, copy=copy)
    return values


def _cast(name: str, array: np.ndarray, spec: Declared, *, copy: bool) -> np.ndarray:
    accepted = {"f": "fiu", "i": "iu", "b": "b"}[spec.kind]
    if array.dtype.kind not in accepted:
        raise ValueError(f"{name} is {array.dtype}, but {DTYPES[spec.kind]} is declared.")
    array = array.astype(DTYPES[spec.kind], order="C", copy=copy)
    if spec.kind == "f":
        bad = np.isnan(array) if spec.infinite else ~np.isfinite(array)
        if bad.any():
            first = tuple(int(k) for k in np.argwhere(bad)[0])
            raise ValueError(f"{name} has {bad.sum()} values that are not finite, the first at {first}.")
    return array
