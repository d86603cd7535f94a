"""Surfaces of a certificate, as rows of the table that its figure shows: energies, relaxation, phonons of the slab."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qmfront.elasticity.surface import JOULE_PER_SQUARE_METRE
from qmfront.training.certificate_table import frequencies

SURFACES = "surface energies"
RELAXATIONS = "surface relaxations"
EIGENVALUES = "slab eigenvalues"
SLAB_PHONONS = "slab phonons"

Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class ComparedSurfaces:
    """Relaxed surfaces of both models, as in certificate.zarr.

    plane : (s, 3) int
        Miller indices.
    energy : two arrays (s,) float, eV/Å^2
        Of QM and MM, as all that follow.
    relaxation : two arrays (s,) float
        Change of the first spacing over the mean one of the bulk.
    eigenvalue : two arrays (s,) float, eV/Å^2
        The lowest of the slab's zone centre.
    path : (s, w) float, 1/Å
    omega2 : two arrays (s, w, branches) float, eV/Å^2
        Eigenvalues of the slab's dynamical matrix without masses.
    """

    plane: np.ndarray
    energy: Pair
    relaxation: Pair
    eigenvalue: Pair
    path: np.ndarray
    omega2: Pair

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "ComparedSurfaces | None":
        """Of a store of kind "potential"; None for a potential without surfaces."""
        if "surface_plane" not in arrays:
            return None
        energy, relaxation, eigenvalue, omega2 = (
            (arrays[f"surface_{name}_qm"], arrays[f"surface_{name}_mm"])
            for name in ("energy", "relaxation", "eigenvalue", "omega2")
        )
        plane, path = arrays["surface_plane"], arrays["surface_path"]
        return cls(plane, energy, relaxation, eigenvalue, path, omega2)

    @property
    def names(self) -> list[str]:
        """(100), (11-2), ..., s of them."""
        return [f"({''.join(map(str, plane))})" for plane in self.plane.tolist()]


def surface_table(surfaces: ComparedSurfaces | None, numbers: np.ndarray) -> pd.DataFrame:
    """Columns quantity, name, x, qm, mm, difference; no row without surfaces.

    | quantity | name | x | unit of qm, mm, difference |
    | --- | --- | --- | --- |
    | surface energies | plane | empty | J/m^2 |
    | surface relaxations | plane | empty | per cent of the mean spacing |
    | slab eigenvalues | plane | empty | eV/Å^2, the lowest of the zone centre |
    | slab phonons | plane and branch | wave number, 1/Å | THz |

    Parameters
    ----------
    numbers : (n,) int
        Atomic numbers in the primitive cell.
    """
    if surfaces is None:
        return pd.DataFrame()
    parts = [
        _rows(quantity, surfaces.names, scale * qm, scale * mm)
        for quantity, (qm, mm), scale in (
            (SURFACES, surfaces.energy, 1.0 / JOULE_PER_SQUARE_METRE),
            (RELAXATIONS, surfaces.relaxation, 100.0),
            (EIGENVALUES, surfaces.eigenvalue, 1.0),
        )
    ]
    return pd.concat([*parts, *_slab_phonons(surfaces, numbers)], ignore_index=True)


def _slab_phonons(surfaces: ComparedSurfaces, numbers: np.ndarray) -> list[pd.DataFrame]:
    """One table per surface and branch."""
    qm, mm = (frequencies(omega2, numbers) for omega2 in surfaces.omega2)
    return [
        _rows(SLAB_PHONONS, f"{name} {branch + 1}", qm[i, :, branch], mm[i, :, branch], x=surfaces.path[i])
        for i, name in enumerate(surfaces.names)
        for branch in range(qm.shape[2])
    ]


def _rows(
    quantity: str, name: str | list[str], qm: np.ndarray, mm: np.ndarray, *, x: np.ndarray | float = np.nan
) -> pd.DataFrame:
    columns = {"quantity": quantity, "name": name, "x": x, "qm": qm, "mm": mm, "difference": mm - qm}
    return pd.DataFrame(columns)
