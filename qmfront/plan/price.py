"""What a job of a case costs: QM calls by the fit of the preflight, and our own part by the number of sites."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms

from qmfront.config.sizes import SITE_MEMORY
from qmfront.config.stages import Embedding
from qmfront.crystal.lattice import Crystal
from qmfront.evaluate.evaluation import Evaluation
from qmfront.plan.finished import FinishedIteration
from qmfront.plan.geometry import UndeformedDomain
from qmfront.preflight.cost import Cost, fitted_cost
from qmfront.preflight.samples import rattled
from qmfront.preflight.subject import Timing, own_seconds, peak_memory

MM_SECONDS = 3e-5
"""Per site and call of a solve: ACE forces (benchmarks/ace_speed.csv) and a step of Anderson."""
SETUP_SECONDS = 3e-4
"""Per site and job: factors of the operators and Riesz maps; from docs/gallery/crack_120_convergence.csv."""
LOOK_SECONDS = 1.2e-6
"""Per site, pair of force constants and look of a solve at the model error, and once per residual: labels of the pairs
(vacancy in copper, reach 10 Å, 360 pairs per site)."""
JOB_SECONDS = 2.5
"""Of a job that does nothing: Python and its imports, once per rule."""
TIMED_SECONDS = 1.0
"""A cluster whose call takes less is called REPEATS times."""
REPEATS = 3
LENIENCE = 2.0
"""A fit to small clusters expects too much of the next one, whose time says most: it may take this much more."""
SMALLEST = 16


@dataclass(frozen=True)
class Price:
    """Seconds and memory of a case.

    cost : Cost
        Of a QM call of a cluster of the case.
    n_sites : sites of the domain
    shape : factor that finished iterations put to it
    own : seconds of our own part of a call, per site
    look : seconds of a look at the model error, per site
    """

    cost: Cost
    n_sites: int
    shape: float = 1.0
    own: float = MM_SECONDS
    look: float = 0.0

    def call(self, n_atoms: int) -> float:
        """Seconds of a QM call of a cluster of the case."""
        return self.shape * self.cost.seconds(n_atoms)

    def job(self, qm_calls: int, n_atoms: int, *, looks: int = 0) -> float:
        """Seconds of a job that makes so many calls, with the MM forces and the looks beside them."""
        ours = JOB_SECONDS + self.n_sites * (SETUP_SECONDS + self.own * qm_calls + self.look * looks)
        return ours + qm_calls * self.call(n_atoms)

    def correction(self, steps: int, qm_calls: int, n_atoms: int) -> float:
        """Seconds of the Hessian correction: forces of the potential in every step, QM calls beside them or not."""
        if not steps:
            return 0.0
        return self.n_sites * (SETUP_SECONDS + steps * self.own) + qm_calls * self.call(n_atoms)

    def memory(self, n_atoms: int) -> float:
        """Peak memory of a job, MB."""
        return self.cost.memory(n_atoms) + SITE_MEMORY * self.n_sites

    def learnt(self, finished: Sequence[FinishedIteration]) -> "Price":
        """The price that finished solves paid.

        The shape is their geometric mean, later ones counting more, since what is predicted is larger still. Looks are
        in what our own part of a call took.
        """
        solves = [each for each in finished if each.qm_calls and each.qm_seconds > 0]
        if not solves:
            return self
        ratio = [each.qm_seconds / each.qm_calls / self.cost.seconds(each.cluster) for each in solves]
        weights = np.arange(1, len(solves) + 1)
        rest = [
            max(each.solve_seconds - each.qm_seconds - SETUP_SECONDS * self.n_sites, 0.0)
            / (each.qm_calls * self.n_sites)
            for each in solves
        ]
        return replace(
            self,
            shape=float(np.exp(np.average(np.log(ratio), weights=weights))),
            own=float(np.average(rest, weights=weights)),
            look=0.0,
        )


def look_seconds(crystal: Crystal, reach: float) -> float:
    """Of a look at the model error, per site: every pair of force constants to a reach (Å) is labelled."""
    pairs = 4 / 3 * np.pi * reach**3 * len(crystal.numbers) / crystal.volume
    return float(LOOK_SECONDS * pairs)


def cost_of_clusters(
    domain: UndeformedDomain,
    sphere: Cost,
    call: Callable[[Atoms], Evaluation],
    embedding: Embedding,
    *,
    seconds: float,
) -> Cost:
    """t(n) of clusters of this case, from calls of some of them; of spheres, scaled, if too few can be afforded.

    Periodic along a line, with k-points, in a vacuum of another shape and with the keyword arguments of the case, a
    cluster costs more than a sphere of as many atoms, and grows otherwise with n.

    Parameters
    ----------
    sphere : of the preflight
    call : the QM model
    seconds : that all of these calls may take
    """
    timings: list[Timing] = []
    for atoms in _clusters(domain, embedding):
        expected = _fitted(timings, sphere).seconds(len(atoms))
        if expected > LENIENCE * seconds - sum(timing.seconds for timing in timings):
            break
        for seed in range(REPEATS if expected < TIMED_SECONDS else 1):
            evaluation = call(rattled(atoms, 0.01, seed=seed))
            timings.append(Timing(len(atoms), own_seconds(evaluation), peak_memory()))
    return _fitted(timings, sphere)


def _clusters(domain: UndeformedDomain, embedding: Embedding) -> Iterator[Atoms]:
    """Smaller ones than the first of the case, that, and larger ones; in a box all boxes there are."""
    if embedding.kind == "box":
        edge = int(np.rint(np.diag(domain.sites.cell) / domain.sites.period).max())
        yield from (domain.box(cells) for cells in range(embedding.minimum_cells, edge + 1))
        return
    count = max((domain.n_qm + domain.n_buf) / 4, SMALLEST)
    while count <= len(domain):
        yield domain.nearest(round(count))
        count *= 2


def _fitted(timings: Sequence[Timing], sphere: Cost) -> Cost:
    """From three sizes on a fit of their own; before, that to spheres, scaled to the largest."""
    sizes = sorted({timing.n_atoms for timing in timings})
    if not sizes:
        return sphere
    if len(sizes) > 2:
        return fitted_cost(timings)
    largest = min(timing.seconds for timing in timings if timing.n_atoms == sizes[-1])
    ratio = largest / sphere.seconds(sizes[-1])
    return replace(sphere, base=ratio * sphere.base, factor=ratio * sphere.factor)
