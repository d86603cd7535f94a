"""Random unsymmetric structures and potentials for the tests of ACE."""

from functools import cache

import numpy as np
from ase import Atoms
from ase.build import bulk

from qmfront.models.ace.basis import Basis, build_basis
from qmfront.models.ace.potential import Potential, Repulsion


@cache
def basis(kind: str) -> Basis:
    """Small bases: "W" order 3, "order 4", "short taper", "WC" two species, "pair", "high l"."""
    if kind == "W":
        return build_basis(["W"], cutoff=5.0, max_degree=(9, 8, 7))
    if kind == "order 4":
        return build_basis(["W"], cutoff=4.7, max_degree=(7, 6, 5, 5), l_weight=1.0)
    if kind == "short taper":
        return build_basis(["W"], cutoff=5.0, max_degree=(9, 7), taper=1.0, decay=2.0)
    if kind == "WC":
        return build_basis(["W", "C"], cutoff=4.4, max_degree=(6, 5, 4), l_weight=1.0)
    if kind == "pair":
        return build_basis(["W"], cutoff=5.0, max_degree=(4,))
    if kind == "high l":
        return build_basis(["W"], cutoff=4.7, max_degree=(2, 14), l_weight=1.0, decay=5.25)
    raise ValueError(kind)


KINDS = ("W", "order 4", "short taper", "WC", "pair", "high l")


def potential(kind: str, *, seed: int = 0, repulsion: Repulsion | None = None) -> Potential:
    """Random coefficients of order one."""
    rng = np.random.default_rng(seed)
    chosen = basis(kind)
    return Potential(
        chosen, rng.normal(size=len(chosen)), rng.normal(size=len(chosen.species)), 0.6, repulsion
    )


def crystal(kind: str, repeat: tuple[int, int, int] = (2, 2, 1)) -> Atoms:
    """Rattled, strained bcc with a vacancy; a sheared cell; carbon among tungsten for two species."""
    rng = np.random.default_rng(5)
    atoms = bulk("W", a=3.2, cubic=True) * repeat
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + rng.normal(size=(3, 3)) * 0.04), scale_atoms=True)
    atoms.positions += rng.normal(size=(len(atoms), 3)) * 0.1
    atoms = atoms[1:]
    if kind == "WC":
        atoms.numbers[::2] = 6
    return atoms


def cluster(kind: str, n: int = 9, seed: int = 3) -> Atoms:
    """Random atoms, not closer than 1.6 Å, in no cell."""
    rng = np.random.default_rng(seed)
    places: list[np.ndarray] = []
    while len(places) < n:
        trial = rng.uniform(-2.7, 2.7, size=3)
        if all(np.linalg.norm(trial - place) > 1.6 for place in places):
            places.append(trial)
    numbers = rng.permutation(np.where(np.arange(n) % 2, 6, 74)) if kind == "WC" else np.full(n, 74)
    return Atoms(numbers=numbers, positions=places)


def orthogonal(seed: int) -> np.ndarray:
    """Random orthogonal matrix; determinant -1 for odd seeds."""
    q = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    return q * np.sign(np.linalg.det(q)) * (-1.0 if seed % 2 else 1.0)
