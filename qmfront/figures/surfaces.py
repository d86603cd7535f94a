"""Surfaces of a certificate, as rows of the table that its figure shows: energies, relaxation, phonons of the slab."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from ase import units

from qmfront.training.certificate_table import frequencies

JOULE_PER_SQUARE_METRE = units.J / units.m**2
"""eV/Å^2 per J/m^2."""
SURFACES = "surface energies"
RELAXATIONS = "surface relaxations"
EIGENVALUES = "slab eigenvalues"
SLAB_PHONONS = "slab phonons"
ENERGIES = ("surface_energy_qm", "surface_energy_mm")
PLANES = "surface_plane"


def surface_table(certificate: Mapping[str, Any], numbers: np.ndarray) -> pd.DataFrame:
    """Columns quantity, name, x, qm, mm, difference; no row without surface energies.

    | quantity | name | x | unit of qm, mm, difference |
    | --- | --- | --- | --- |
    | surface energies | plane | empty | J/m^2 |
    | surface relaxations | plane | empty | per cent of the first spacing |
    | slab eigenvalues | plane | empty | eV/Å^2, the lowest of the zone centre |
    | slab phonons | plane and branch | wave number, 1/Å | THz |

    Parameters
    ----------
    certificate : arrays of certificate.zarr
        `surface_energy_qm`, `surface_energy_mm`: (s,) float or one number, eV/Å^2; the other surface_* arrays and
        `surface_plane`, (s, 3) int, are optional; without planes surfaces are numbered from 1.
    numbers : (n,) int
        Atomic numbers in the primitive cell.
    """
    if any(name not in certificate for name in ENERGIES):
        return pd.DataFrame()
    energies = [np.atleast_1d(certificate[name]) / JOULE_PER_SQUARE_METRE for name in ENERGIES]
    names = [f"surface {i + 1}" for i in range(len(energies[0]))]
    if PLANES in certificate:
        names = [
            f"({''.join(map(str, plane))})" for plane in np.reshape(certificate[PLANES], (-1, 3)).tolist()
        ]
    parts = [_rows(SURFACES, names, *energies)]
    for quantity, array, scale in ((RELAXATIONS, "relaxation", 100.0), (EIGENVALUES, "eigenvalue", 1.0)):
        pair = [f"surface_{array}_{model}" for model in ("qm", "mm")]
        if all(name in certificate for name in pair):
            parts.append(_rows(quantity, names, *(scale * np.atleast_1d(certificate[name]) for name in pair)))
    if "surface_omega2_qm" in certificate:
        parts += _slab_phonons(certificate, names, numbers)
    return pd.concat(parts, ignore_index=True)


def _slab_phonons(
    certificate: Mapping[str, Any], names: list[str], numbers: np.ndarray
) -> list[pd.DataFrame]:
    """One table per surface and branch."""
    qm, mm = (frequencies(certificate[f"surface_omega2_{model}"], numbers) for model in ("qm", "mm"))
    path = certificate["surface_path"]
    return [
        _rows(SLAB_PHONONS, f"{name} {branch + 1}", qm[i, :, branch], mm[i, :, branch], x=path[i])
        for i, name in enumerate(names)
        for branch in range(qm.shape[2])
    ]


def _rows(
    quantity: str, name: str | list[str], qm: np.ndarray, mm: np.ndarray, *, x: np.ndarray | float = np.nan
) -> pd.DataFrame:
    columns = {"quantity": quantity, "name": name, "x": x, "qm": qm, "mm": mm, "difference": mm - qm}
    return pd.DataFrame(columns)
