"""The certificate of a potential in the units of figures: force-constant shells, phonons in THz, moduli in GPa."""

from math import pi

import numpy as np
import pandas as pd
from ase import units
from ase.data import atomic_masses

from qmfront.elasticity.certificate import Certificate
from qmfront.elasticity.moduli import different_entries
from qmfront.training.verdict import mismatch_verdict

DW = "dW at the sampled strains"
GIGAPASCAL = units.GPa
"""eV/Å^3 per GPa."""
TERAHERTZ = 1e12 / units.s
"""ASE's unit of frequency (the inverse of its unit of time) per THz."""
SAME_SHELL = 1e-3
"""Å; lattice vectors whose lengths differ by less belong to one shell."""


def frequencies(omega2: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Phonon frequencies in THz; imaginary ones as negative numbers.

        nu = sqrt(|lambda| / m) / (2 pi) sign(lambda)

    Parameters
    ----------
    omega2 : (w, branches) float, eV/Å^2
        Eigenvalues lambda of the dynamical matrix with masses relative to their mean.
    numbers : (n,) int
        Atomic numbers in the primitive cell.
    """
    mass = np.mean(atomic_masses[np.asarray(numbers)])
    return np.sign(omega2) * np.sqrt(np.abs(omega2) / mass) / (2 * pi * TERAHERTZ)


def shells(
    distance: np.ndarray, reference: np.ndarray, difference: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Length (Å) of every shell of lattice vectors, self term left out, and the largest value of each in it.

    Parameters
    ----------
    distance : (m,) float, Å
    reference, difference : (m,) float
    """
    order = np.argsort(distance)
    order = order[np.asarray(distance)[order] > SAME_SHELL]
    length = np.asarray(distance)[order]
    first = np.flatnonzero(np.diff(length, prepend=-np.inf) > SAME_SHELL)
    return (
        length[first],
        np.maximum.reduceat(reference[order], first),
        np.maximum.reduceat(difference[order], first),
    )


def consistency_table(certificate: Certificate, numbers: np.ndarray) -> pd.DataFrame:
    """Columns quantity, name, x, qm, mm, difference: everything that the figure of a certificate shows.

    | quantity | name | x | unit of qm, mm, difference |
    | --- | --- | --- | --- |
    | force constants | empty | length of the shell, Å | eV/Å^2; norms, mm is empty |
    | phonons | branch | length along the path, 1/Å | THz |
    | elastic constants | C11, C12, ... | empty | GPa |
    | dW at the sampled strains | what to do, in words | empty | 1; the relative residual of its polynomial |

    Parameters
    ----------
    certificate : Certificate
    numbers : (n,) int
        Atomic numbers in the primitive cell.
    """
    length, qm, difference = shells(certificate.distance, certificate.fc_qm, certificate.fc_difference)
    parts = [pd.DataFrame({"quantity": "force constants", "x": length, "qm": qm, "difference": difference})]
    qm, mm = (frequencies(omega2, numbers) for omega2 in (certificate.omega2_qm, certificate.omega2_mm))
    for branch in range(qm.shape[1]):
        values = {"x": certificate.path, "qm": qm[:, branch], "mm": mm[:, branch]}
        parts.append(pd.DataFrame({"quantity": "phonons", "name": str(branch + 1), **values}))
    entries = different_entries(certificate.moduli_qm)
    moduli = {
        "qm": [certificate.moduli_qm[entry] / GIGAPASCAL for entry in entries.values()],
        "mm": [certificate.moduli_mm[entry] / GIGAPASCAL for entry in entries.values()],
    }
    parts.append(pd.DataFrame({"quantity": "elastic constants", "name": list(entries), **moduli}))
    verdict = {"name": mismatch_verdict(certificate), "difference": certificate.mismatch_residual}
    parts.append(pd.DataFrame({"quantity": DW, **verdict}, index=[0]))
    table = pd.concat(parts, ignore_index=True)
    table["difference"] = table["difference"].fillna(table["mm"] - table["qm"])
    return table[["quantity", "name", "x", "qm", "mm", "difference"]]
