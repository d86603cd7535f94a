"""How far the model sees: the force on an atom of a rattled crystal against the radius of the cluster around it."""

from dataclasses import dataclass

import numpy as np

from qmfront.config.material import Preflight
from qmfront.crystal.lattice import Crystal
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


@dataclass(frozen=True)
class Locality:
    """Force error against the width of the buffer.

    widths, errors, atoms : Å, eV/Å, number of atoms of the clusters; the error is against the widest of them
    width : Å; the recommended buffer, None if the widest cluster that could be afforded does not settle it
    reason : in words
    """

    widths: list[float]
    errors: list[float]
    atoms: list[int]
    width: float | None
    reason: str


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
    return Locality(widths, errors, atoms, *_recommended(widths, errors, tolerance, (stopped, cure)))


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
