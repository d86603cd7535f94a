"""The generalised eigenvalue problem H C = S C e, (D.1), by LAPACK, with no more eigenvectors than are wanted.

    S = L L^+,    L^-1 H L^-+ = Q T Q^+,    T Z = Z e,    C = L^-+ Q Z,

T real tridiagonal. The eigenvectors of T are cheap; taking them back through Q and L is not, and is done for the
lowest ones alone.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import get_lapack_funcs

ROUTINES = {
    "f": ("potrf", "sygst", "sytrd", "sytrd_lwork", "ormqr", "trtrs"),
    "c": ("potrf", "hegst", "hetrd", "hetrd_lwork", "unmqr", "trtrs"),
}


@dataclass(frozen=True)
class Eigenstates:
    """values (m,) ascending, eV; the other fields are Z, Q (reflectors and their factors) and L of the module text."""

    values: np.ndarray
    tridiagonal_vectors: np.ndarray | None
    reflectors: np.ndarray
    factors: np.ndarray
    cholesky: np.ndarray

    def lowest(self, count: int) -> np.ndarray:
        """(m, count) eigenvectors of the lowest values, C^+ S C = 1, in Fortran order.

        Raises
        ------
        ValueError
            If the states were solved without vectors.
        """
        if self.tridiagonal_vectors is None:
            raise ValueError("These eigenstates hold values only. Call solve with vectors=True.")
        reflect, substitute = get_lapack_funcs(_names(self.cholesky)[4:], (self.cholesky,))  # type: ignore[misc]
        vectors = np.array(self.tridiagonal_vectors[:, :count], self.cholesky.dtype, order="F")
        if count == 0:
            return vectors
        if len(vectors) > 1:
            # Q leaves the first component alone: its reflectors start at the second.
            below = np.asfortranarray(vectors[1:])
            work = reflect("L", "N", self.reflectors, self.factors, below, -1)[1]
            vectors[1:] = reflect(
                "L", "N", self.reflectors, self.factors, below, int(work[0].real), overwrite_c=True
            )[0]
        vectors, info = substitute(self.cholesky, vectors, lower=True, trans=2, overwrite_b=True)
        assert info == 0, f"trtrs: {info}"
        return vectors


def solve(hamiltonian: np.ndarray, overlap: np.ndarray, *, vectors: bool) -> Eigenstates:
    """All eigenvalues, and the eigenvectors ready to be asked for.

    Parameters
    ----------
    hamiltonian, overlap : (m, m) float or complex
        Lower triangles, Fortran order. Both are overwritten: at a thousand atoms copies are what fills the memory.

    Raises
    ------
    RuntimeError
        If the overlap is not positive definite, or LAPACK does not converge.
    """
    cholesky, reduce, tridiagonal, workspace = get_lapack_funcs(_names(hamiltonian)[:4], (hamiltonian,))  # type: ignore[misc]
    factor, info = cholesky(overlap, lower=True, clean=False, overwrite_a=True)
    if info > 0:
        raise RuntimeError(
            f"The overlap matrix of {len(overlap)} orbitals is not positive definite (leading minor {info}, orbital "
            f"{(info - 1) % 4} of atom {(info - 1) // 4}). Atoms are too close there; look at the step before."
        )
    reduced, info = reduce(hamiltonian, factor, lower=True, overwrite_a=True)
    assert info == 0, f"gst: {info}"
    work, _ = workspace(len(reduced), lower=True)
    packed, diagonal, beside, factors, info = tridiagonal(
        reduced, lower=True, lwork=int(work.real), overwrite_a=True
    )
    assert info == 0, f"trd: {info}"
    values, inner = _tridiagonal_states(diagonal, beside, vectors=vectors)
    reflectors = np.asfortranarray(packed[1:, :-1]) if vectors else packed[:0, :0]
    return Eigenstates(values, inner, reflectors, factors, factor)


def _tridiagonal_states(
    diagonal: np.ndarray, beside: np.ndarray, *, vectors: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    if len(diagonal) == 1:
        return diagonal, np.ones((1, 1))
    if vectors:
        (divide,) = get_lapack_funcs(("stevd",), (diagonal,))  # type: ignore[misc]
        values, inner, info = divide(diagonal, beside)
    else:
        (iterate,) = get_lapack_funcs(("sterf",), (diagonal,))  # type: ignore[misc]
        (values, info), inner = iterate(diagonal, beside), None
    if info != 0:
        raise RuntimeError(
            f"LAPACK found {len(diagonal) - info} of {len(diagonal)} eigenvalues. The Hamiltonian holds values that "
            "are not finite, or atoms are far too close; look at the structure."
        )
    return values, inner


def _names(matrix: np.ndarray) -> tuple[str, ...]:
    return ROUTINES[matrix.dtype.kind]
