"""Force constants as data: identities, rotation, truncation, waves, moduli.

Phi_ab(rho) = d2E / du_a(0) du_b(rho),   Phi_ab(rho) = Phi_ba(-rho)^T,   sum_(b, rho) Phi_ab(rho) = 0
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

EDGE = 1e-6  # Å; added to radii so that rounding does not split a shell
MATCH = 1e-4  # Å; two sites closer than this are the same
APART = 1e3  # Å per label in a search tree, so that sites with other labels are never near


@dataclass(frozen=True)
class ForceConstants:
    """Second derivatives of the energy per pair of sites, the self terms (rho = 0) included.

    basis_first, basis_second : (m,) int
        Sites of the cell.
    vector : (m, 3) float, Å
        r_second - r_first of the reference sites.
    matrix : (m, 3, 3) float, eV/Å^2
        d2E / du_first du_second.
    asymmetry : float, eV/Å^2
        Largest |Phi_ab(rho) - Phi_ba(-rho)^T| before it was removed.
    sum_rule_defect : float, eV/Å^2
        Largest entry of sum_(b, rho) Phi_ab(rho) before the self term was replaced: differences and what lies
        beyond the reach.
    """

    basis_first: np.ndarray
    basis_second: np.ndarray
    vector: np.ndarray
    matrix: np.ndarray
    asymmetry: float = 0.0
    sum_rule_defect: float = 0.0

    @property
    def n_basis(self) -> int:
        """Number of sites in the cell."""
        return int(self.basis_first.max()) + 1

    def rotated(self, frame: np.ndarray) -> "ForceConstants":
        """In the axes given by the rows of frame (3, 3), orthogonal: rho -> frame rho, Phi -> frame Phi frame^T."""
        frame = np.asarray(frame, float)
        if np.abs(frame @ frame.T - np.eye(3)).max() > 1e-10:
            raise ValueError(f"frame = {frame.tolist()} is not orthogonal. Normalise its rows.")
        return replace(self, vector=self.vector @ frame.T, matrix=frame @ self.matrix @ frame.T)

    def truncated(self, cutoff: float) -> "ForceConstants":
        """Without separations beyond cutoff (Å), sum rule imposed again."""
        kept = np.linalg.norm(self.vector, axis=1) <= cutoff + EDGE
        return with_sum_rule(
            replace(
                self,
                basis_first=self.basis_first[kept],
                basis_second=self.basis_second[kept],
                vector=self.vector[kept],
                matrix=self.matrix[kept],
            )
        )

    def dynamical_matrix(self, q: np.ndarray) -> np.ndarray:
        """D_ab(q) = sum_rho Phi_ab(rho) exp(i q rho), Hermitian, without masses.

        Parameters
        ----------
        q : (..., 3) float, 1/Å
            Wave vectors, 2 pi included; rho is the full separation of the two sites.

        Returns
        -------
        (..., 3 n_basis, 3 n_basis) complex, eV/Å^2
            Rows ordered by site, then Cartesian component.
        """
        q = np.asarray(q, float)
        return self._blocks(np.exp(1j * (q @ self.vector.T)))

    def moduli(self, volume: float) -> np.ndarray:
        """Elastic moduli from long waves, sites inside the cell relaxed (Born and Huang).

            A_ij,kl = -1/2 sum Phi_ij rho_k rho_l / V,   C_ijkl = A_ik,jl + A_jk,il - A_ij,kl

        summed over the sites; with several sites the coupling to optical displacements is subtracted from A.

        Parameters
        ----------
        volume : float, Å^3
            Of the cell with n_basis sites.

        Returns
        -------
        (3, 3, 3, 3) float, eV/Å^3
            Second derivatives of the energy density by strain. Meaningful for a crystal at zero stress.
        """
        coupling, softness = self._optical()
        relaxed = np.einsum("kxi,xy,lyj->ijkl", coupling, softness, coupling)
        long_wave = -0.5 * np.einsum("mij,mk,ml->ijkl", self.matrix, self.vector, self.vector)
        a = (long_wave - 0.5 * (relaxed + relaxed.swapaxes(2, 3))) / volume
        return a.transpose(0, 2, 1, 3) + a.transpose(2, 0, 1, 3) - a

    def internal_strain(self) -> np.ndarray:
        """Lambda (n_basis, 3, 3, 3), Å: the shifts s_bi = Lambda_bijk (F - I)_jk of the sublattices, to first order."""
        coupling, softness = self._optical()
        return -np.einsum("xy,kyj->xjk", softness, coupling).reshape(self.n_basis, 3, 3, 3)

    def optical_softening(self) -> float:
        """How much the shifts of the sublattices take off -sum_rho |rho|^2 tr Phi(rho) / 3, eV."""
        coupling, softness = self._optical()
        return float(np.einsum("kxi,xy,kyi->", coupling, softness, coupling)) / 3.0

    def _optical(self) -> tuple[np.ndarray, np.ndarray]:
        """Coupling of gradients to the forces on the sites (k, 3n, 3), and the inverse stiffness of their shifts."""
        uniform = np.tile(np.eye(3), (self.n_basis, 1))
        stiffness = self._blocks(np.ones(len(self.vector)))
        linear = np.array([self._blocks(self.vector[:, k]) for k in range(3)])
        return linear @ uniform, np.linalg.pinv(stiffness, rcond=1e-9, hermitian=True)

    def _blocks(self, weight: np.ndarray) -> np.ndarray:
        """sum_rho weight Phi_ab(rho), (..., 3n, 3n), for weight (..., m)."""
        n = self.n_basis
        total = np.zeros((*weight.shape[:-1], n, 3, n, 3), weight.dtype)
        for a in range(n):
            for b in range(n):
                chosen = (self.basis_first == a) & (self.basis_second == b)
                block = weight[..., chosen] @ self.matrix[chosen].reshape(-1, 9)
                total[..., a, :, b, :] = block.reshape(*weight.shape[:-1], 3, 3)
        return total.reshape(*weight.shape[:-1], 3 * n, 3 * n)


def with_index_symmetry(raw: ForceConstants) -> ForceConstants:
    """The mean of Phi_ab(rho) and Phi_ba(-rho)^T."""
    ends = np.stack([raw.basis_first, raw.basis_second], axis=1)
    partner = matching_sites(ends, raw.vector, ends[:, ::-1], -raw.vector)
    mirrored = raw.matrix[partner].transpose(0, 2, 1)
    return replace(
        raw, matrix=(raw.matrix + mirrored) / 2.0, asymmetry=float(np.abs(raw.matrix - mirrored).max())
    )


def with_sum_rule(raw: ForceConstants) -> ForceConstants:
    """Self terms that make every row sum zero and stay symmetric.

    With several sites minus the sum of the others need not be symmetric. Its antisymmetric part W_a is spread over the
    pairs of different sites as P_a - P_b (the smallest change that keeps the index symmetry), L P = W with the graph
    Laplacian L of the pairs.
    """
    n, matrix = raw.n_basis, raw.matrix.copy()
    first, second = raw.basis_first, raw.basis_second
    itself = (np.linalg.norm(raw.vector, axis=1) < MATCH) & (first == second)
    defect = np.abs(_row_sums(first, matrix, n)).max()
    matrix[itself] = 0.0
    wanted = -_row_sums(first, matrix, n)
    laplacian = np.zeros((n, n))
    np.add.at(laplacian, (first, second), -1.0)
    laplacian -= np.diag(laplacian.sum(axis=1))
    antisymmetric = (wanted - wanted.transpose(0, 2, 1)) / 2.0
    potential = np.einsum("ab,bij->aij", np.linalg.pinv(laplacian), antisymmetric)
    matrix += potential[first] - potential[second]
    matrix[itself] = -_row_sums(first, matrix, n)[first[itself]]
    return replace(raw, matrix=matrix, sum_rule_defect=float(defect))


def _row_sums(first: np.ndarray, matrix: np.ndarray, n: int) -> np.ndarray:
    total = np.zeros((n, 3, 3))
    np.add.at(total, first, matrix)
    return total


def matching_sites(
    labels: np.ndarray, vector: np.ndarray, wanted_labels: np.ndarray, wanted_vector: np.ndarray
) -> np.ndarray:
    """For every wanted (labels, vector) the index of the entry that equals it."""
    tree = cKDTree(np.column_stack([APART * labels, vector]))
    distance, index = tree.query(np.column_stack([APART * wanted_labels, wanted_vector]))
    if distance.max() > MATCH:  # type: ignore[union-attr]
        raise RuntimeError(
            f"A symmetry image of a site is missing by {distance.max():.2e} Å. A shell lies within rounding of the "  # type: ignore[union-attr]
            "reach: change reach by 0.01 Å."
        )
    return index  # type: ignore[return-value]
