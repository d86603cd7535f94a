"""Surface energies of a certificate, as rows of the table that its figure shows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from ase import units

JOULE_PER_SQUARE_METRE = units.J / units.m**2
"""eV/Å^2 per J/m^2."""
SURFACES = "surface energies"
ENERGIES = ("surface_energy_qm", "surface_energy_mm")
PLANES = "surface_plane"


def surface_table(certificate: Mapping[str, Any]) -> pd.DataFrame:
    """Columns quantity, name, x, qm, mm, difference (J/m^2), one row per surface; no row without surface energies.

    Parameters
    ----------
    certificate : arrays of certificate.zarr
        `surface_energy_qm`, `surface_energy_mm`: (s,) float or one number, eV/Å^2; optional. `surface_plane`: (s, 3)
        int, their normals in cubic axes; optional, without it surfaces are numbered from 1.
    """
    if any(name not in certificate for name in ENERGIES):
        return pd.DataFrame()
    qm, mm = (np.atleast_1d(certificate[name]) / JOULE_PER_SQUARE_METRE for name in ENERGIES)
    names = [f"surface {i + 1}" for i in range(len(qm))]
    if PLANES in certificate:
        names = [
            f"({''.join(map(str, plane))})" for plane in np.reshape(certificate[PLANES], (-1, 3)).tolist()
        ]
    columns = {"quantity": SURFACES, "name": names, "x": np.nan, "qm": qm, "mm": mm, "difference": mm - qm}
    return pd.DataFrame(columns)
