"""Binding energies of solutes: what each place costs beyond the first one, with both bars."""

from collections.abc import Mapping, Sequence

import pandas as pd

from qmfront.config.section import Vector

COLUMNS = ("case", "x1", "x2", "x3", "binding", "bar", "energy", "energy_bar")
"""Of the table: place (as in the configuration), eV."""


def binding_table(
    energies: Sequence[Mapping[str, float]], labels: Sequence[str], places: Sequence[Sequence[Vector]]
) -> pd.DataFrame:
    """One row per case but the first, which the others are relative to.

        E_b(p) = dE(p) - dE(first),   bar = bar(p) + bar(first);   negative where the defect attracts

    Parameters
    ----------
    energies : of energy.json of each case: energy and bar, eV
    labels : what cases are called
    places : of the solutes of each case; the place of a row is that of the last one
    """
    first = energies[0]
    rows = [
        (
            label,
            *place[-1],
            own["energy"] - first["energy"],
            own["bar"] + first["bar"],
            own["energy"],
            own["bar"],
        )
        for own, label, place in zip(energies[1:], labels[1:], places[1:], strict=True)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
