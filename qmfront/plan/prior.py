"""What eta is before the first iteration: a range, and for a point defect what elasticity says about its far field.

A point defect with relaxation volume v Omega strains the lattice by |e| = sqrt(6) v Omega / (4 pi r^3), a column of
them with period p by sqrt(2) v Omega / (2 pi p r^2). With N_QM sites within r, Omega each, and z nearest neighbours at
r0, an error of the MM forces of relative size m |e|^(q-1) leaves

    eta^2 = sum_l (z / 3) r0^2 m^2 |e_l|^2q = (z / 3) r0^2 m^2 N |e_N|^2q / (2 q - 1),    |e_N| = c v / N

outside, c^2 = 2/3 and 1/2. Force constants give q = 1. The first order in strain that is not matched gives
q = matching + 2; its m is that of a dislocation, |e| = b / (2 pi r), whose eta is known: q - 1 stands there in place of
2 q - 1. It says nothing of a region that ends within the cut-off of the potential: MM sites see the defect itself.
"""

from dataclasses import dataclass

import numpy as np

from qmfront.config.defect import AnyDefect, Point

SEEN_N = 50
SEEN_ETA = (1.5e-4, 2e-2, 3e-1)
"""Å at N_QM = SEEN_N: the least, the middle and the largest of what we saw; the middle is that of a dislocation in
tungsten (2.3e-2 at 56), the largest that of one in silicon with tight binding (0.26 at 38)."""
SEEN_STRAIN = 0.056
"""|e_N| of that in tungsten: b / (2 pi r), two atoms per a^3, b and period a."""
VACANCY = (0.1, 0.6)
INTERSTITIAL = (0.5, 2.0)
"""Relaxation volume per lost and per added atom, in volumes of an atom: limits of what metals and silicon have."""
LINEAR = (1e-4, 1e-2)
"""Relative misfit of force constants: what a finished potential may have, and one of a model that reaches far."""


@dataclass(frozen=True)
class Prior:
    """eta at one N_QM.

    n : N_QM
    eta : (low, expected, high), Å
    words : where it comes from
    """

    n: float
    eta: tuple[float, float, float]
    words: str


def prior(
    matching: int, *, n_qm: int, r0: float, coordination: float, dimension: int, changed: tuple[float, float]
) -> Prior:
    """Of a point defect, or a column of them, whose first region holds all sites that see it.

    Parameters
    ----------
    matching : order of the potential
    n_qm : of the first region
    r0 : Å
    coordination : nearest neighbours in the perfect crystal
    dimension : 2 for a column
    changed : lattice sites without an atom, atoms without a site
    """
    volume, linear = relaxation_volume(*changed), _with_middle(LINEAR)
    strain = [{2: np.sqrt(1 / 2), 3: np.sqrt(2 / 3)}[dimension] * v / n_qm for v in volume]
    q = matching + 2
    far = np.sqrt((q - 1) / (2 * q - 1) * n_qm / SEEN_N)
    eta = [
        np.sqrt(coordination / 3 * n_qm) * r0 * m * e + far * known * (e / SEEN_STRAIN) ** q
        for m, e, known in zip(linear, strain, SEEN_ETA, strict=True)
    ]
    words = (
        f"elasticity: a relaxation volume of {volume[0]:.2g}, {volume[1]:.2g} or {volume[2]:.2g} atoms, force "
        f"constants that are {linear[0]:.1g}, {linear[1]:.1g} or {linear[2]:.1g} off"
    )
    return Prior(float(n_qm), (float(eta[0]), float(eta[1]), float(eta[2])), words)


def general_prior() -> Prior:
    """Of a straight defect, and of a region so small that MM sites see the defect."""
    return Prior(SEEN_N, SEEN_ETA, "all that we have seen lies between")


def changed_atoms(defect: AnyDefect, lost: float) -> tuple[float, float]:
    """Lattice sites without an atom, and atoms without a site; an atom that is put on a lost site is neither.

    Parameters
    ----------
    lost : of a file, see `UndeformedDomain`
    """
    if not isinstance(defect, Point):
        return lost, 0.0
    net = len(defect.added) - len(defect.removed)
    return max(-net, 0.0), max(net, 0.0)


def relaxation_volume(lost: float, added: float) -> tuple[float, float, float]:
    """Least, middle and largest relaxation volume, in volumes of an atom; of an unknown kind between all."""
    if lost + added == 0:
        return _with_middle((VACANCY[0], INTERSTITIAL[1]))
    low, high = (lost * v + added * i for v, i in zip(VACANCY, INTERSTITIAL, strict=True))
    return _with_middle((low, high))


def _with_middle(limits: tuple[float, float]) -> tuple[float, float, float]:
    """With their geometric mean."""
    low, high = limits
    return low, float(np.sqrt(low * high)), high
