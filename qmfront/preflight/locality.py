"""How far the model sees: the force on an atom of a rattled crystal against the radius of the cluster around it."""

from dataclasses import dataclass

import numpy as np

from qmfront.config.material import Preflight
from qmfront.config.stages import Locality as LocalityOfCases
from qmfront.crystal.lattice import Crystal
from qmfront.preflight.checks import Check, limited
from qmfront.preflight.cost import fitted_cost
from qmfront.preflight.samples import cell_of, rattled, sphere
from qmfront.preflight.subject import Subject

STEP_R0 = 0.5
SETTLED = 3
"""Clusters in a row whose forces agree within a tenth of the tolerance: larger ones would say the same."""
LARGEST = 2500
"""Atoms of a cluster."""
REPEATS = 2
"""Timings of each larger cluster; the first of a size may allocate."""
PRICED = 0.1
"""Fraction of preflight.seconds that the largest of these calls takes."""
ACCEPTED = float(LocalityOfCases().tolerance)
"""eV/Å; force error of a buffer that a case may be content with."""
FEWEST_CHANGES = 8
"""From one cluster to the next, for a law: with six, one rattled crystal of five shows another one."""
LONG_RANGE = 2.5
"""Exponent of the law. Rattled ions of MgO: 1.5 to 2.0, two by theory; tight binding of silicon: 3.0 to 3.8."""


@dataclass(frozen=True)
class Decay:
    """How the force on an atom changes when the cluster of radius R around it grows by one step s.

        |F(R + s) - F(R)| = A R^-p,    all that is to come:  A R^-p sqrt(R / ((2 p - 1) s)),

    since rattled shells are independent of each other. Shells of charges, whose displacements are dipoles, have p = 2.

    exponent : p
    remaining : eV/Å; what is to come beyond the widest cluster; infinite if p <= 1/2
    """

    exponent: float
    remaining: float

    def wider(self, accepted: float) -> float:
        """How many times as wide as the widest cluster has to be one beyond which `accepted` eV/Å are to come."""
        if not np.isfinite(self.remaining):
            return float("inf")
        return float((self.remaining / accepted) ** (1 / (self.exponent - 0.5)))


@dataclass(frozen=True)
class Locality:
    """Force error against the width of the buffer.

    widths, errors, atoms : Å, eV/Å, number of atoms of the clusters; the error is against the widest of them
    width : Å; the recommended buffer, None if the widest cluster that could be afforded does not settle it
    reason : in words
    decay : Decay, None if forces settle or there are too few clusters
    """

    widths: list[float]
    errors: list[float]
    atoms: list[int]
    width: float | None
    reason: str
    decay: Decay | None = None


def locality_of(subject: Subject, crystal: Crystal, settings: Preflight) -> Locality:
    """Clusters that grow by half a nearest-neighbour distance until forces settle, or the next one is too dear.

    Parameters
    ----------
    crystal : at rest
    settings : Preflight
        Its buffer_error is the tolerance; all clusters together take its seconds.
    """
    r0, spent, stopped, cure = crystal.nearest_neighbour_distance, 0.0, "the forces settle", ""
    tolerance = settings.buffer_error
    widths: list[float] = []
    forces: list[np.ndarray] = []
    atoms: list[int] = []
    while not _settled(forces, tolerance):
        width = (1.5 + STEP_R0 * len(widths)) * r0
        cluster, place = sphere(crystal, width, rattle=settings.rattle)
        predicted = fitted_cost(subject.timings).seconds(len(cluster))
        if len(widths) >= 2 and spent + predicted > settings.seconds:
            stopped = f"a cluster of {len(cluster)} atoms would take {predicted:.0f} s"
            cure = ", or raise preflight.seconds"
            break
        if len(cluster) > LARGEST:
            stopped = f"a wider cluster would have more than {LARGEST} atoms"
            break
        evaluation = subject.evaluate(cluster)
        spent += evaluation.seconds
        widths.append(width)
        forces.append(evaluation.forces[place])
        atoms.append(len(cluster))
    errors = [float(np.linalg.norm(force - forces[-1])) for force in forces]
    wide_enough, reason = _recommended(widths, errors, tolerance, (stopped, cure))
    decay = decay_of(np.array(widths), np.array(forces)) if wide_enough is None else None
    return Locality(widths, errors, atoms, wide_enough, reason, decay)


def decay_of(widths: np.ndarray, forces: np.ndarray) -> Decay | None:
    """The law of the forces (n, 3), eV/Å, on an atom in clusters of some widths (n,), Å; None for too few."""
    changes = np.linalg.norm(np.diff(forces, axis=0), axis=1)
    if len(changes) < FEWEST_CHANGES or not changes.all():
        return None
    middle, widest = (widths[1:] + widths[:-1]) / 2, float(widths[-1])
    slope, level = np.polyfit(np.log(middle), np.log(changes), 1)
    exponent, last = -float(slope), float(np.exp(level + slope * np.log(widest)))
    if exponent <= 0.5:  # the sum over all shells has no end
        return Decay(exponent, float("inf"))
    step = widths[-1] - widths[-2]
    return Decay(exponent, float(last * np.sqrt(widest / ((2 * exponent - 1) * step))))


def range_check(found: Locality, *, accepted: float) -> Check:
    """Whether forces come to rest in some buffer; refused is what falls like the fields of charges.

    Clusters that were too dear to tell, and models whose forces reach far but fall faster, pass: how wide a buffer has
    to be is then for the case to measure (`locality`).

    accepted : eV/Å; force error that a user has said to be content with
    """
    name, limit, decay = "force on an atom beyond the widest buffer", max(accepted, ACCEPTED), found.decay
    if decay is None:
        return Check(name, found.errors[-2] if len(found.errors) > 1 else None, "eV/Å")
    if decay.exponent >= LONG_RANGE:
        return Check(name, decay.remaining, "eV/Å")
    times = decay.wider(limit)
    need = (
        f"{limit:g} eV/Å would take a buffer of {times * found.widths[-1]:.0f} Å with "
        f"{times**3 * found.atoms[-1]:.0e} atoms"
        if np.isfinite(times)
        else "no buffer would do"
    )
    problem = (
        f"Long range: when the cluster around an atom grows, the change of its force falls as R^-{decay.exponent:.1f} "
        f"of the radius, as it does among charges. About {decay.remaining:.1e} eV/Å are still to come at "
        f"{found.widths[-1]:.1f} Å ({found.atoms[-1]} atoms); {need}. Take a model whose charges are screened "
        "(coul/dsf in LAMMPS), or write the force error that you accept in preflight.buffer_error."
    )
    return limited(name, decay.remaining, "eV/Å", limit, problem=problem)


def time_larger_calls(subject: Subject, crystal: Crystal, settings: Preflight) -> None:
    """Call it on more and more atoms until a call would take too long: their timings price still larger ones.

    Spheres in vacuum, or periodic cells for a model that will see nothing else (`settings.clusters`).
    """
    clusters, rattle = settings.clusters, settings.rattle
    size = 2.0 * crystal.nearest_neighbour_distance if clusters else 4.0
    while True:
        atoms = sphere(crystal, size, rattle=rattle)[0] if clusters else cell_of(crystal, round(size))
        known = max(timing.n_atoms for timing in subject.timings)
        predicted = fitted_cost(subject.timings).seconds(len(atoms))
        if len(atoms) > LARGEST or predicted > PRICED * settings.seconds:
            return
        if len(atoms) > 1.5 * known:
            for seed in range(REPEATS):  # other atoms each time: ASE remembers the last ones
                subject.evaluate(rattled(atoms, 0.1 * rattle, seed=seed))
        size *= 2 ** (1 / 3) if clusters else 2


def _settled(forces: list[np.ndarray], tolerance: float) -> bool:
    last = forces[-SETTLED:]
    return len(last) == SETTLED and all(np.linalg.norm(f - last[-1]) < 0.1 * tolerance for f in last)


def _recommended(
    widths: list[float], errors: list[float], tolerance: float, end: tuple[str, str]
) -> tuple[float | None, str]:
    """The narrowest width from which on all errors are below the tolerance, if wider ones were tried.

    end : why there are no wider clusters, and what would give some
    """
    stopped, cure = end
    wrong = [place for place, error in enumerate(errors) if error >= tolerance]
    first = wrong[-1] + 1 if wrong else 0
    if first >= len(widths) - 1:
        change = errors[-2] if len(errors) > 1 else float("inf")
        return None, (
            f"not settled at {widths[-1]:.1f} Å, where {stopped}; the last half r0 changed the force by {change:.1e} "
            f"eV/Å. Measure it on the case (locality){cure}"
        )
    return widths[first], f"beyond it the force on the centre changes by less than {tolerance:g} eV/Å"
