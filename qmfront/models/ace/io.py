"""Potentials as JSON: everything that defines the energy, readable, floats exact, one basis function per line."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_numbers

from qmfront.models.ace.basis import Basis, Function
from qmfront.models.ace.potential import Potential, Repulsion
from qmfront.models.ace.radial import Bond
from qmfront.storage.durable import write_file

FORMAT, VERSION = "qmfront-ace", 1
_RADIAL = "ChebExpCos"  # the only family; name of the PACE .yace format


def save_potential(
    potential: Potential, path: str | Path, *, metadata: Mapping[str, Any] | None = None
) -> None:
    """Write a potential to a JSON file, replacing it at once.

    Parameters
    ----------
    metadata : mapping
        Anything JSON can hold, e.g. where the fit came from; kept in the file, ignored by `load_potential`.
    """
    basis, repulsion = potential.basis, potential.repulsion
    head = {
        "format": FORMAT,
        "version": VERSION,
        "units": "eV, Å",
        "metadata": dict(metadata or {}),
        "species": list(basis.species),
        "reference_energies": [float(value) for value in potential.reference_energies],
        "minimum_distance": float(potential.minimum_distance),
        "repulsion": {"strength": repulsion.strength, "radius": repulsion.radius} if repulsion else None,
        "bonds": [
            {
                "centre": basis.species[bond.centre],
                "neighbour": basis.species[bond.neighbour],
                "radial": _RADIAL,
                "cutoff": bond.cutoff,
                "decay": bond.decay,
                "taper": bond.taper,
                "n_radial": bond.n_radial,
            }
            for bond in basis.bonds
        ],
    }
    lines = [
        json.dumps(_function_entry(basis, function, float(coefficient)))
        for function, coefficient in zip(basis.functions, potential.coefficients, strict=True)
    ]
    text = json.dumps(head, indent=1, ensure_ascii=False, allow_nan=False)
    write_file(path, text[:-2] + ',\n "functions": [\n  ' + ",\n  ".join(lines) + "\n ]\n}\n")


def load_potential(path: str | Path) -> Potential:
    """Read what `save_potential` wrote.

    Raises
    ------
    ValueError
        If the file does not exist, is no potential, or was written by a newer version.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"There is no potential file {path}. Fit one first, or correct the path.")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not JSON ({error}). Write the potential again.") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f'{path} is no potential of this package: "format" is not "{FORMAT}".')
    if data.get("version") != VERSION:
        raise ValueError(
            f"{path} has version {data.get('version')}, this program reads version {VERSION}. "
            "Use the program that wrote it, or fit again."
        )
    try:
        return _potential(data)
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"{path} is damaged ({type(error).__name__}: {error}). Fit again.") from error


def _function_entry(basis: Basis, function: Function, coefficient: float) -> dict[str, Any]:
    """One line of the file."""
    return {
        "centre": basis.species[function.centre],
        "neighbours": [basis.species[mu] for mu in function.mus],
        "n": list(function.ns),
        "l": list(function.ls),
        "coefficient": coefficient,
        "smoothness": function.smoothness,
        "m": function.ms.tolist(),
        "weights": function.coefficients.tolist(),
    }


def _potential(data: dict[str, Any]) -> Potential:
    species = tuple(data["species"])
    if list(species) != sorted(set(species), key=lambda symbol: atomic_numbers[symbol]):
        raise ValueError(
            f"Species {species} are not distinct and sorted by atomic number. The file was edited by hand."
        )
    index = {symbol: place for place, symbol in enumerate(species)}
    bonds = tuple(
        Bond(
            index[entry["centre"]],
            index[entry["neighbour"]],
            entry["cutoff"],
            entry["decay"],
            entry["taper"],
            entry["n_radial"],
        )
        for entry in data["bonds"]
        if _known_radial(entry["radial"])
    )
    functions = tuple(_function(entry, index) for entry in data["functions"])
    repulsion = data["repulsion"]
    return Potential(
        Basis(species, bonds, functions),
        np.array([entry["coefficient"] for entry in data["functions"]], dtype=float),
        np.array(data["reference_energies"], dtype=float),
        data["minimum_distance"],
        Repulsion(repulsion["strength"], repulsion["radius"]) if repulsion else None,
    )


def _known_radial(name: str) -> bool:
    if name != _RADIAL:
        raise ValueError(f"Radial functions {name!r} are unknown; this program has {_RADIAL!r}.")
    return True


def _function(entry: dict[str, Any], index: dict[str, int]) -> Function:
    order = len(entry["n"])
    return Function(
        index[entry["centre"]],
        tuple(index[symbol] for symbol in entry["neighbours"]),
        tuple(entry["n"]),
        tuple(entry["l"]),
        np.array(entry["m"], dtype=np.int64).reshape(-1, order),
        np.array(entry["weights"], dtype=float),
        float(entry["smoothness"]),
    )
