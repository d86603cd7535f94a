"""What a fit says about the quantities that matter to QM/MM, with both its intervals beside the observed values.

    force constants    <Phi^QM, Phi^MM> / |Phi^QM|^2
    C_ij               from d2W_cb^MM / dt2 / V along I + t H_i, H_j and H_i + H_j, sublattices at rest
    forces             on rattled cells, those that were fitted and those that were held out

All are linear in the coefficients c of the potential, or linearised about the fit: the sublattices of a crystal with a
basis rest where they rest with c, and a second derivative of a relaxed energy needs no derivative of where that is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd
from ase import units

from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.internal import relaxed_shifts
from qmfront.elasticity.moduli import different_entries, to_voigt
from qmfront.elasticity.strain_polynomial import from_strain_components
from qmfront.models.ace.calculator import ACE
from qmfront.models.ace.potential import Potential
from qmfront.training.observe.rattled import ObservedCells
from qmfront.training.observe.responses import BasisResponse
from qmfront.training.uncertainty import Uncertainty

STEP = 2.5e-3
"""Of t; the error is of fourth order."""

SECOND = np.array([-1.0, 16.0, -30.0, 16.0, -1.0]) / 12.0
"""Weights of the second difference at t = -2h to 2h, times h^2."""


@dataclass(frozen=True)
class Quantity:
    """Values of the reference model that have one name, and the same of every basis function.

    name, unit : str
    qm : (m,) float
    rows : (m, n_functions) float
        rows @ c are the values of the potential.
    """

    name: str
    unit: str
    qm: np.ndarray
    rows: np.ndarray


def quantities(bulk: Bulk, potential: Potential, cells: Mapping[str, ObservedCells | None]) -> list[Quantity]:
    """Force constants, moduli, and forces of the rattled cells that there are.

    Parameters
    ----------
    bulk : Bulk
        Of the reference model.
    potential : Potential
        Fitted to it.
    cells : name of the quantity -> ObservedCells
        None gives no quantity.
    """
    found = [_force_constants(bulk, potential), *_moduli(bulk, potential)]
    for name, observed in cells.items():
        if observed is not None:
            rows = observed.design_of_cells(bulk.crystal, potential.basis)["rattled_forces"]
            found.append(Quantity(name, "eV/Å", np.concatenate(observed.forces).ravel(), rows))
    return found


def interval_table(found: list[Quantity], spread: Uncertainty) -> pd.DataFrame:
    """One row per value: quantity, unit, qm, mm, ends of both intervals, and whether qm lies inside.

    Columns named ard_low, ard_high and inside_ard are those of the posterior of the regression, ridge or ard.
    """
    tables = []
    for quantity in found:
        ends = {"ard": spread.posterior(quantity.rows), "pops": spread.pops(quantity.rows)}
        columns = {"quantity": quantity.name, "unit": quantity.unit, "qm": quantity.qm}
        columns["mm"] = quantity.rows @ spread.box.centre
        for kind, (low, high) in ends.items():
            columns |= {f"{kind}_low": low, f"{kind}_high": high}
        for kind, (low, high) in ends.items():
            columns[f"inside_{kind}"] = (low <= quantity.qm) & (quantity.qm <= high)
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def _force_constants(bulk: Bulk, potential: Potential) -> Quantity:
    """The part of the force constants along those of the reference model, relative to their norm."""
    constants = bulk.force_constants
    ends = np.stack([constants.basis_first, constants.basis_second], axis=1)
    response = BasisResponse(bulk.crystal, potential.basis)
    several = ends if constants.n_basis > 1 else None
    matrices = response.force_constants(np.eye(3), constants.vector, ends=several)
    rows = np.einsum("mij,mijb->b", constants.matrix, matrices) / np.sum(constants.matrix**2)
    return Quantity("force constants", "1", np.ones(1), rows[None])


def _moduli(bulk: Bulk, potential: Potential) -> list[Quantity]:
    """Those that differ, in GPa: C_ii along H_i, and C_ij from H_i + H_j."""
    voigt, strains = to_voigt(bulk.moduli), from_strain_components(np.eye(6))
    entries = different_entries(voigt)
    alone = {
        i: _second_derivative(bulk, potential, strains[i]) for i in sorted(set(chain(*entries.values())))
    }
    found = []
    for name, (i, j) in entries.items():
        row = alone[i]
        if i != j:
            both = _second_derivative(bulk, potential, strains[i] + strains[j])
            row = (both - alone[i] - alone[j]) / 2
        found.append(Quantity(name, "GPa", np.array([voigt[i, j] / units.GPa]), row[None] / units.GPa))
    return found


def _second_derivative(bulk: Bulk, potential: Potential, direction: np.ndarray) -> np.ndarray:
    """d2W / dt2 / V at I + t H of every function, the sublattices where the whole potential has them: eV/Å^3."""
    gradients = np.array([np.eye(3) + n * STEP * direction for n in range(-2, 3)])
    shifts = None
    if len(bulk.crystal.basis) > 1:
        shifts = relaxed_shifts(bulk.crystal, ACE(potential), gradients)
    response = BasisResponse(bulk.crystal, potential.basis, shifts=shifts)
    energies = np.array([response.energy(F) for F in gradients])
    return SECOND @ energies / (STEP**2 * bulk.crystal.volume)


def coverage(table: pd.DataFrame) -> pd.DataFrame:
    """By quantity: number of values, root mean square error, fractions inside, and mean half widths over that error."""
    rows = []
    for name, part in table.groupby("quantity", sort=False):
        error = float(np.sqrt(np.mean((part["mm"] - part["qm"]) ** 2)))
        row = {"quantity": name, "values": len(part), "unit": part["unit"].iloc[0], "error": error}
        for kind in ("ard", "pops"):
            width = float((part[f"{kind}_high"] - part[f"{kind}_low"]).mean() / 2)
            row |= {f"inside_{kind}": float(part[f"inside_{kind}"].mean()), f"width_{kind}": width}
        rows.append(row)
    return pd.DataFrame(rows)
