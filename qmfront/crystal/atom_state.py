"""What atoms carry beside element and position: moments, charges, tags, momenta, arrays of the user, and `info`.

It goes with the atoms to the QM model, whose values may depend on it, to the key of the journal, and back to the user.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from ase import Atoms

from qmfront.storage.extxyz import JSON
from qmfront.storage.layout import Attributes, Declared

GEOMETRY = ("numbers", "positions")
"""Arrays of ASE's atoms that are no state."""
QM_READS = ("initial_magmoms", "initial_charges", "tags", "momenta", "masses")
"""What calculators of ASE read."""
LABELS = ("id", "type", "mol_id")
"""Columns by which LAMMPS knows its atoms: they come back, and say nothing to a model."""
VECTORS = ("momenta", "initial_magmoms")
"""Arrays that turn with the atoms, where they hold three numbers per atom."""
OURS = ("region", "region_id", "eta", "residual", "displacement", "predictor", "defective")
"""Columns of the files that we write, which no longer hold when such a file is read."""
CORNER = "Origin"
"""Entry of extended XYZ with the corner of the drawn box."""
PREFIX = "state_"
INFO = "state_info"
KINDS: dict[str, type] = {"f": float, "i": np.int64, "u": np.int64, "b": bool}


@dataclass(frozen=True, eq=False)
class AtomState:
    """State of the atoms of a structure.

    arrays : name -> (n,) or (n, m) float, int or bool
        In units of ASE.
    info : name -> JSON value
        Of the structure as a whole, such as its charge.
    """

    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    info: Attributes = field(default_factory=dict)

    @classmethod
    def of(
        cls, atoms: Atoms, *, without: Collection[str] = (), what: object = "The structure"
    ) -> "AtomState":
        """The state of atoms.

        Parameters
        ----------
        without : names of arrays that mean something else
        what : the structure, for errors

        Raises
        ------
        ValueError
            If an array holds words, objects, NaN or infinity, or an entry of `info` is no number, text or list, or a
            name is no identifier: naming it.
        """
        arrays: dict[str, np.ndarray] = {}
        for name, array in atoms.arrays.items():
            if name in (*GEOMETRY, *OURS, *without):
                continue
            numbers = array.dtype.kind in KINDS and array.ndim in (1, 2) and np.all(np.isfinite(array))
            if not (numbers and str(name).isidentifier()):
                raise ValueError(
                    f"{what}: the array {name!r} ({array.dtype} of shape {array.shape}) cannot be carried to the QM "
                    "model and back. Take it out of the file, or write it as finite numbers, one or several per atom, "
                    "under a name of letters, digits and underscores."
                )
            arrays[name] = array.astype(KINDS[array.dtype.kind])
        info = {name: _plain(name, value, what) for name, value in atoms.info.items() if name != CORNER}
        return cls(arrays, info)

    def __bool__(self) -> bool:
        return bool(self.arrays or self.info)

    def put_on(self, atoms: Atoms, sites: np.ndarray) -> Atoms:
        """The same atoms, which are those of some sites (k,) int, with their state."""
        for name, array in self.arrays.items():
            if name not in LABELS:
                atoms.set_array(name, array[sites])
        atoms.info.update(self.info)
        return atoms

    def turned(self, turn: np.ndarray) -> "AtomState":
        """The state in the axes given by the rows of turn (3, 3)."""
        if np.array_equal(turn, np.eye(3)):
            return self
        arrays = {
            name: array @ turn.T if name in VECTORS and array.ndim == 2 else array
            for name, array in self.arrays.items()
        }
        return replace(self, arrays=arrays)

    def header(self) -> dict[str, bool | float | str]:
        """`info` as entries of extended XYZ: numbers and texts as they are, the rest as JSON that ASE reads back."""
        return {
            name: value if isinstance(value, bool | float | int | str) else f"{JSON} {json.dumps(value)}"
            for name, value in self.info.items()
        }

    def stored(self) -> dict[str, np.ndarray]:
        """Arrays of a store."""
        arrays = {PREFIX + "of_" + name: array for name, array in self.arrays.items()}
        if self.info:
            arrays[INFO] = np.frombuffer(json.dumps(self.info).encode(), np.uint8).astype(np.int64)
        return arrays

    def declared(self) -> dict[str, Declared]:
        """Declarations of `stored`."""
        declared = {}
        for name, array in self.stored().items():
            dims = "character" if name == INFO else " ".join(["site", f"{name}_component"][: array.ndim])
            kind = "i" if name == INFO else array.dtype.kind
            words = (
                "info of the file, as JSON in UTF-8" if name == INFO else "array of the file, in units of ASE"
            )
            declared[name] = Declared(dims, kind, "1", words)  # type: ignore[arg-type]
        return declared

    @classmethod
    def from_stored(cls, arrays: Mapping[str, np.ndarray]) -> "AtomState":
        """The inverse of `stored`; other arrays are left out."""
        start = PREFIX + "of_"
        own = {name.removeprefix(start): arrays[name] for name in arrays if name.startswith(start)}
        info = bytes(arrays[INFO].astype(np.uint8)).decode() if INFO in arrays else "{}"
        return cls(own, json.loads(info))


def _plain(name: str, value: Any, what: object) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    try:
        json.dumps(value, allow_nan=False)
        if not str(name).isidentifier():
            raise ValueError("the name is no identifier")
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{what}: the entry {name!r} of its info ({type(value).__name__}) cannot be carried to the QM model and "
            "back. Take it out of the file, or write a finite number, a text or a list under a name of letters, digits "
            "and underscores."
        ) from error
    return value
