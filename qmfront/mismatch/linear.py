"""What the force constants of the fit miss: forces on fields that are not smooth, beside the Cauchy-Born difference.

    F_l = -sum_rho dPhi(rho) (d_rho(l) - rho) - F^cb_l[dC],    dPhi = Phi^QM - Phi^MM

The Cauchy-Born difference begins at the first order in strain that the fit does not match, so that the linear response
is not in it. It is here, whole, but for waves so long that moduli speak: those are known better than force constants
that end at their reach say. F^cb[dC] is the linear Cauchy-Born force of what is subtracted,

    dC = (C[Phi^QM] - C^QM) - (C[Phi^MM] - C^MM).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sparse

from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.neighbours import Pairs
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.certificate import Certificate
from qmfront.elasticity.deformation import deformation_forces, deformation_gradients
from qmfront.elasticity.moduli import from_voigt
from qmfront.models.force_constant_set import ForceConstants
from qmfront.operators.force_constant_operator import linear_forces, pair_operator, stacked
from qmfront.operators.labelled_pairs import labelled_pairs

NEGLIGIBLE = 1e-6
"""Norm of dPhi relative to that of Phi up to which the fit has matched the force constants: nothing is added."""


@dataclass(frozen=True)
class LinearMismatch:
    """dPhi and dC of two models of one crystal, in crystal axes.

    crystal : Crystal
    constants : ForceConstants
        dPhi, eV/Å^2.
    moduli : (3, 3, 3, 3) float, eV/Å^3
        dC.
    relative : float
        Norm of dPhi over the norm of Phi^QM.
    """

    crystal: Crystal
    constants: ForceConstants
    moduli: np.ndarray
    relative: float

    @property
    def negligible(self) -> bool:
        """Whether the force constants agree to rounding."""
        return self.relative <= NEGLIGIBLE

    def moduli_difference(self, certificate: Certificate) -> np.ndarray:
        """C_ijkl (3, 3, 3, 3), eV/Å^3, of the true difference that `forces` holds: zero where it holds nothing."""
        return from_voigt(certificate.moduli_qm - certificate.moduli_mm) * (not self.negligible)

    def forces(self, defect: Defect, displacement: np.ndarray) -> np.ndarray:
        """F (n, 3), eV/Å, at u0 + u, see `AssembledMismatch.forces`; assembles, which takes seconds."""
        return self.assembled(defect).forces(defect, displacement)

    def assembled(self, defect: Defect) -> "AssembledMismatch":
        """The same on the sites of a case: pairs are those of the predictor, slip removed."""
        n = defect.n_sites
        volume = abs(np.linalg.det(self.crystal.cell)) / len(self.crystal.basis)
        stiffness = volume * self.moduli
        nothing = AssembledMismatch(
            np.zeros((n, 3)),
            sparse.bsr_matrix((3 * n, 3 * n), blocksize=(3, 3)),
            0.0 * stiffness,
            self.relative,
        )
        return nothing if self.negligible else replace(self._on_pairs(defect), stiffness=stiffness)

    def _on_pairs(self, defect: Defect) -> "AssembledMismatch":
        reach = float(np.linalg.norm(self.constants.vector, axis=1).max())
        predictor, rows = np.zeros_like(defect.sites), []
        for known, frame in defect.parts:
            constants, crystal = self.constants.rotated(frame), self.crystal.rotated(frame)
            for tile, pairs, matrices, vector in labelled_pairs(defect, known, crystal, constants, reach):
                predictor[known[tile]] = linear_forces(pairs, matrices, vector, len(known))[tile]
                placed = Pairs(known[pairs.first], known[pairs.second], pairs.vector)
                rows.append(pair_operator(placed, matrices, defect.n_sites))
        return AssembledMismatch(predictor, stacked(rows), np.zeros((3, 3, 3, 3)), self.relative)


@dataclass(frozen=True)
class AssembledMismatch:
    """dPhi and dC on the sites of a case.

    predictor : (n, 3) float, eV/Å
        -sum_rho dPhi(rho) (d_rho - rho) at u = 0; zero on sites without a place in the lattice.
    operator : (3n, 3n) bsr_matrix, eV/Å^2
        dH u = sum_rho dPhi(rho) (u_m - u_l).
    stiffness : (3, 3, 3, 3) float, eV
        V dC / nb in crystal axes.
    relative : float
        Norm of dPhi over the norm of Phi^QM.
    """

    predictor: np.ndarray
    operator: sparse.bsr_matrix
    stiffness: np.ndarray
    relative: float

    def forces(self, defect: Defect, displacement: np.ndarray) -> np.ndarray:
        """F_0 - dH u - F^cb[dC] (n, 3), eV/Å, at u0 + u; zero if dPhi is negligible.

        Raises
        ------
        ValueError
            If displacement is not (n, 3).
        """
        if displacement.shape != defect.sites.shape:
            raise ValueError(f"displacement has shape {displacement.shape} in place of {defect.sites.shape}.")
        lattice = self.predictor - (self.operator @ displacement.ravel()).reshape(-1, 3)
        return lattice - self._long_waves(defect, displacement) if self.stiffness.any() else lattice

    def _long_waves(self, defect: Defect, displacement: np.ndarray) -> np.ndarray:
        """F^cb[dC]: minus the gradient of sum_l (V/2) e_l : dC : e_l / nb, e the symmetric part of F - 1."""
        frames = defect.site_frames
        back = frames.swapaxes(1, 2)
        gradient = back @ deformation_gradients(defect, displacement) @ frames
        strain = (gradient + gradient.swapaxes(1, 2)) / 2 - np.eye(3)
        stress = np.einsum("ijkl,nkl->nij", self.stiffness, strain)
        return deformation_forces(defect, frames @ stress @ back)

    def arrays(self) -> dict[str, np.ndarray | float]:
        """Part of a store of kind "mismatch"."""
        return {
            "linear_predictor": self.predictor,
            "blocks": self.operator.data,
            "columns": self.operator.indices,
            "pointer": self.operator.indptr,
            "stiffness": self.stiffness,
            "relative": self.relative,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "AssembledMismatch":
        """The inverse of `arrays`."""
        size = 3 * len(arrays["linear_predictor"])
        parts = (arrays["blocks"], arrays["columns"], arrays["pointer"])
        operator = sparse.bsr_matrix(parts, shape=(size, size))
        return cls(arrays["linear_predictor"], operator, arrays["stiffness"], float(arrays["relative"]))


def linear_mismatch(bulk: Bulk, certificate: Certificate) -> LinearMismatch:
    """From the bulk of the QM model and the certificate of the fit.

    Parameters
    ----------
    bulk : Bulk
    certificate : Certificate

    Raises
    ------
    ValueError
        If the certificate belongs to other force constants.
    """
    qm, difference = bulk.force_constants, np.asarray(certificate.fc_mismatch)
    if difference.shape != qm.matrix.shape:
        raise ValueError(
            f"The certificate knows {len(difference)} force constants, the bulk {len(qm.matrix)}. Fit the potential "
            "again to this bulk."
        )
    constants = replace(qm, matrix=difference)
    volume = abs(np.linalg.det(bulk.crystal.cell))
    mm = replace(qm, matrix=qm.matrix - difference)
    known = from_voigt(certificate.moduli_qm - certificate.moduli_mm)
    return LinearMismatch(
        crystal=bulk.crystal,
        constants=constants,
        moduli=qm.moduli(volume) - mm.moduli(volume) - known,
        relative=float(np.linalg.norm(difference) / np.linalg.norm(qm.matrix)),
    )
