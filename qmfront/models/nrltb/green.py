"""Electrons at fixed chemical potential without eigenvalues: poles of the Fermi function times Green functions.

    G_i = (H - z_i S)^-1,    P = 2 sum_k w_k sum_i He(w_i G_i),    W = 2 sum_k w_k sum_i He(w_i z_i G_i),
    Omega = 2 sum_k w_k sum_i Re(w_i ln det(H - z_i S)),    E = tr(P H),    N = tr(P S)

with the z_i and w_i of `fermi_poles` and He(X) = (X + X^+) / 2; ln det S drops out because the Re w_i add up to zero.
P and W are needed, and found, where H and S have elements. Work and memory are those of strips, not of the whole.
"""

from dataclasses import dataclass

import numpy as np

from qmfront.models.nrltb.electrons import Electrons
from qmfront.models.nrltb.fermi_poles import TABLE, Poles, fermi_poles
from qmfront.models.nrltb.kpoints import KPoints, phases
from qmfront.models.nrltb.matrices import Blocks, Weights, gather_blocks, no_weights
from qmfront.models.nrltb.occupation import SPIN
from qmfront.models.nrltb.parameters import ORBITALS
from qmfront.models.nrltb.selected_inverse import GreenBlocks, eliminate, green_blocks
from qmfront.models.nrltb.strips import Strips
from qmfront.models.nrltb.tridiagonal import Layout, Pencil, is_positive_definite, lay_out, original, pencil

# Time of LAPACK per cube of all orbitals, and of one pole per cube of the orbitals of a strip, in operations at the
# speed of zgemm, for real and complex k-points; measured with 545 atoms in 8 strips on one thread.
LAPACK_WORK = {"f": 10.0, "c": 38.0}
SWEEP_WORK = {"f": 32.0, "c": 42.0}


class SpectrumError(RuntimeError):
    """Levels lie where the poles do not represent the Fermi function."""


@dataclass(frozen=True)
class GrandState:
    """energy E and grand_potential Omega, eV; n_electrons; weights, as from all eigenstates."""

    energy: float
    grand_potential: float
    n_electrons: float
    weights: Weights


def grand_state(blocks: Blocks, strips: Strips, electrons: Electrons) -> GrandState:
    """Solve all k-points at fixed mu.

    Errors against diagonalisation follow from those of `fermi_poles`: per level at most 6e-7 kT in Omega, 8e-11 in N,
    and 6e-8 kT + 8e-11 mu in E.

    Raises
    ------
    ValueError
        If mu is None, or a bond reaches beyond the next strip.
    SpectrumError
        If levels lie below mu - 300 kT or above mu + 5000 kT, or S is not positive definite; proven at each k-point.
    """
    if electrons.mu is None:
        raise ValueError("Poles need a chemical potential, and mu is None. Give mu, or diagonalise.")
    poles = fermi_poles(electrons.mu, electrons.kT)
    layout = lay_out(blocks, strips)
    weights, omega = no_weights(layout.blocks), 0.0
    for point, share in zip(electrons.kpoints.points, electrons.kpoints.weights, strict=True):
        phase = phases(point, layout.blocks.images)
        matrices = pencil(layout, phase)
        _check_spectrum(matrices, poles)
        for z, w in zip(poles.points, SPIN * share * poles.weights, strict=True):
            eliminated = eliminate(matrices, z)
            omega += (w * eliminated.log_determinant).real
            for found in green_blocks(matrices, eliminated):
                _add_weights(weights, layout, phase, found, (w, w * z))
    blocks = layout.blocks
    return GrandState(
        energy=float(np.sum(weights.hopping * blocks.hopping) + np.sum(weights.levels * blocks.levels)),
        grand_potential=float(omega),
        n_electrons=float(np.sum(weights.hopping * blocks.overlap) + np.sum(weights.levels)),
        weights=original(weights, layout),
    )


def is_cheaper(strips: Strips, kpoints: KPoints, *, gradient: bool) -> bool:
    """Whether poles on strips take less time than LAPACK on the whole matrix, by the operations of either.

    gradient : bool
        Whether eigenvectors would be needed.
    """
    lapack, sweep = 0.0, 0.0
    for point in kpoints.points:
        kind = phases(point, np.zeros((0, 3))).dtype.kind
        lapack += LAPACK_WORK[kind] * (1.0 if gradient else 0.5) * float(strips.sizes.sum()) ** 3
        sweep += SWEEP_WORK[kind] * len(TABLE) * np.sum(strips.sizes.astype(float) ** 3)
    return sweep < lapack


def _check_spectrum(matrices: Pencil, poles: Poles) -> None:
    """Both H - lowest S and highest S - H are positive definite, and so is S, their sum."""
    for factor, bound, side in ((1.0, poles.lowest, "below"), (-1.0, poles.highest, "above")):
        if not is_positive_definite(matrices, factor, bound):
            raise SpectrumError(
                f"Levels lie {side} {bound:.1f} eV, or the overlap matrix is not positive definite; the poles of the "
                f"Fermi function hold from {poles.lowest:.1f} to {poles.highest:.1f} eV. Use a larger kT or "
                "solver='dense', and look at the structure if that fails too."
            )


def _add_weights(
    weights: Weights, layout: Layout, phase: np.ndarray, found: GreenBlocks, factors: tuple[complex, complex]
) -> None:
    """Add those of tr(P H) - tr(W S) with P and W the Hermitian parts of two multiples of G, in place."""
    start, stop = layout.strips.starts[found.strip : found.strip + 2]
    charge = np.real(factors[0] * np.diagonal(found.within)).reshape(-1, ORBITALS)
    weights.levels[start:stop, 0] += charge[:, 0]
    weights.levels[start:stop, 1] += charge[:, 1:].sum(axis=1)
    parts = [(layout.inner[found.strip], found.within, found.within)]
    if found.above is not None and found.below is not None:
        parts.append((layout.outer[found.strip], found.above, found.below))
    for part, forth, back in parts:
        first, second = layout.ends(part)
        forward, backward = phase[part], np.conj(phase[part])
        for factor, out in ((factors[0], weights.hopping[part]), (-factors[1], weights.overlap[part])):
            gather_blocks(first, second, forward, forth, factor, False, out)
            gather_blocks(first, second, backward, back.T, factor, False, out)
