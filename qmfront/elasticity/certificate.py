"""The consistency certificate of a potential: how its perfect crystal differs from that of the reference model."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from qmfront.elasticity.strain_polynomial import StrainPolynomial
from qmfront.storage.layout import Declared

DECLARED = {
    "distance": Declared("shell_pair", "f", "Å", "length of the lattice vectors"),
    "fc_qm": Declared("shell_pair", "f", "eV/Å^2", "norm of the force constants of the QM model"),
    "fc_difference": Declared("shell_pair", "f", "eV/Å^2", "norm of the difference of the force constants"),
    "fc_mismatch": Declared(
        "shell_pair component component2", "f", "eV/Å^2", "Phi^QM - Phi^MM, in the order of the bulk"
    ),
    "path": Declared("wave", "f", "1/Å", "length along the phonon path"),
    "ticks": Declared("tick", "f", "1/Å", "corners of the phonon path"),
    "omega2_qm": Declared("wave branch", "f", "eV/Å^2", "eigenvalues of the dynamical matrix, QM"),
    "omega2_mm": Declared("wave branch", "f", "eV/Å^2", "eigenvalues of the dynamical matrix, MM"),
    "moduli_qm": Declared("voigt voigt2", "f", "eV/Å^3", "elastic moduli of the QM model, Voigt"),
    "moduli_mm": Declared("voigt voigt2", "f", "eV/Å^3", "elastic moduli of the MM model, Voigt"),
    "mismatch_exponents": Declared("term strain", "i", "1", "monomials of dW in the Green strain, Voigt"),
    "mismatch_coefficients": Declared("term", "f", "eV", "coefficients of dW per primitive cell"),
    "mismatch_residual": Declared("", "f", "1", "part of dP at the strain samples that dW does not have"),
    "mismatch_size": Declared("", "f", "1", "dP at the strain samples relative to the stress"),
}


@dataclass(frozen=True, eq=False)
class Certificate:
    """Force constants, phonons, elastic moduli and strain energies of the MM model beside those of the QM model.

    distance : (m,) float, Å
        Lengths of the lattice vectors of the force constants.
    fc_qm : (m,) float, eV/Å^2
        Norms of Phi^QM.
    fc_mismatch : (m, 3, 3) float, eV/Å^2
        Phi^QM - Phi^MM in the order of the bulk.
    path : (w,) float, 1/Å
        Length along the phonon path.
    ticks : (c,) float, 1/Å
        Its corners.
    omega2_qm, omega2_mm : (w, branches) float, eV/Å^2
        Eigenvalues of the dynamical matrix without masses.
    moduli_qm, moduli_mm : (6, 6) float, eV/Å^3
        Voigt matrices in crystal axes, order xx yy zz yz xz xy.
    polynomial : StrainPolynomial
        dW = W_cb^QM - W_cb^MM from the first order that was not matched.
    mismatch_residual : float
        |dP - dP_polynomial| / |dP| over the strain samples of the bulk.
    mismatch_size : float
        |dP| / |P^QM| there.
    """

    distance: np.ndarray
    fc_qm: np.ndarray
    fc_mismatch: np.ndarray
    path: np.ndarray
    ticks: np.ndarray
    omega2_qm: np.ndarray
    omega2_mm: np.ndarray
    moduli_qm: np.ndarray
    moduli_mm: np.ndarray
    polynomial: StrainPolynomial
    mismatch_residual: float
    mismatch_size: float

    @property
    def fc_difference(self) -> np.ndarray:
        """Norms of Phi^QM - Phi^MM, (m,) eV/Å^2."""
        return np.linalg.norm(self.fc_mismatch, axis=(1, 2))

    def arrays(self) -> dict[str, np.ndarray | float]:
        """Arrays of a store of the open kind "potential", see DECLARED."""
        polynomial = {
            "mismatch_exponents": self.polynomial.exponents,
            "mismatch_coefficients": self.polynomial.coefficients,
        }
        return {name: polynomial[name] if name in polynomial else getattr(self, name) for name in DECLARED}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Certificate":
        """The inverse of `arrays`."""
        plain = ("distance", "fc_qm", "fc_mismatch", "path", "ticks", "omega2_qm", "omega2_mm")
        distance, fc_qm, fc_mismatch, path, ticks, omega2_qm, omega2_mm = (arrays[name] for name in plain)
        return cls(
            distance=distance,
            fc_qm=fc_qm,
            fc_mismatch=fc_mismatch,
            path=path,
            ticks=ticks,
            omega2_qm=omega2_qm,
            omega2_mm=omega2_mm,
            moduli_qm=arrays["moduli_qm"],
            moduli_mm=arrays["moduli_mm"],
            polynomial=StrainPolynomial(arrays["mismatch_exponents"], arrays["mismatch_coefficients"]),
            mismatch_residual=float(arrays["mismatch_residual"]),
            mismatch_size=float(arrays["mismatch_size"]),
        )
