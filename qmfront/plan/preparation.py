"""What comes before the first iteration: crystal, training data, fit, buffer and reference; calls and seconds."""

from collections import Counter
from dataclasses import replace
from math import prod

import numpy as np

from qmfront.config.potential import Potential, Rattled
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.slab import slab_size
from qmfront.crystal.termination import terminations
from qmfront.models.lattice_symmetry import crystal_operations
from qmfront.plan.case import PlannedCase
from qmfront.plan.finished import Finished
from qmfront.plan.jobs import Job
from qmfront.plan.price import JOB_SECONDS, Price
from qmfront.training.observe.kinds import kinds_of, observed_gradients, observed_supercells
from qmfront.training.observe.lattice import Lattice
from qmfront.training.observe.noise import other_lattice
from qmfront.training.observe.off_lattice import cells_off_lattice
from qmfront.training.observe.solutes import cells_with_solutes

REFERENCE_CALLS = 15
"""Force calls of a reference; each vector of its stability test takes two more, or one."""
SHIFT_CALLS = 10
"""Calls that bring the sublattices of a crystal with a basis to rest under a strain."""
RELAXED_SLABS = 40
"""Calls that relax the free slab of a crack plane at each of its terminations, in its own job and for the fit."""
FIT_SECONDS = 30.0
# ASSUME; 13 s for the potential of config/studies/own.yaml, a minute or two for those of config/config.yaml.


def preparation(planned: PlannedCase, price: Price, finished: Finished, *, cluster: int) -> list[Job]:
    """The jobs before the first iteration.

    Parameters
    ----------
    cluster : atoms of the first QM region and buffer
    """
    jobs = [
        *_measurements(planned, price),
        *_intervals(planned, price),
        *_locality(planned, price, cluster),
        *_reference(planned, price),
        *_far_field(planned, price),
    ]
    return [
        replace(job, finished=finished.reference if job.stage == "reference" else bool(finished.iterations))
        for job in jobs
    ]


def _measurements(planned: PlannedCase, price: Price) -> list[Job]:
    """Bulk, training, potential and structure."""
    advice = planned.advice
    return [
        _job("bulk", advice.bulk_calls, advice.supercell, 3600 * advice.bulk_hours, price),
        _training(planned, price),
        _job("potential", 0, 0, FIT_SECONDS, price),
        _job("structure", 0, 0, price.job(0, 0), price),
    ]


def _training(planned: PlannedCase, price: Price) -> Job:
    """Primitive cells, strained supercells, rattled cells, slabs."""
    samples = training_calls(planned.potential, planned.crystal, supercell=planned.advice.supercell)
    seconds = JOB_SECONDS + sum(calls * planned.sphere.seconds(atoms) for calls, atoms in samples)
    calls, largest = sum(calls for calls, _ in samples), max(atoms for _, atoms in samples)
    return _job("training", calls, largest, seconds, price)


def training_calls(potential: Potential, crystal: Crystal, *, supercell: int) -> list[tuple[int, int]]:
    """QM calls of the training data, and atoms of each of them.

    Parameters
    ----------
    supercell : atoms of the supercell of the force constants
    """
    operations = crystal_operations(crystal.to_atoms())
    several = len(crystal.numbers) > 1
    permutations = np.array([operation.permutation for operation in operations]) if several else None
    rotations = np.array([operation.rotation for operation in operations])
    lattice = Lattice(np.zeros((1, 3)), rotations, potential.strain_step, permutations=permutations)
    kinds, robust = kinds_of(potential.order, lattice), potential.recipe == "robust"
    if robust and potential.matching is None:
        kinds = kinds_of(2, lattice)  # at most: where the fourth derivative is no noise
    gradients = observed_gradients(kinds, lattice)
    if robust:
        other = observed_gradients(kinds, other_lattice(lattice))
        gradients = np.unique(np.concatenate([gradients, other]), axis=0)
    small = len(gradients) * (1 + SHIFT_CALLS * several) * (1 + several)
    small += potential.field_samples * (1 + SHIFT_CALLS * several)
    differences = 6 * len(crystal.numbers) if several else 2
    large = (1 + robust) * differences * (1 + observed_supercells(kinds, lattice))
    samples = [(small, len(crystal.numbers)), (large, supercell)]
    if potential.rattled:
        samples.append(_rattled(potential.rattled, crystal))
    if robust:
        sets = cells_off_lattice(crystal, potential.robust) | cells_with_solutes(crystal, potential)
        sizes = Counter(len(atoms) for cells in sets.values() for atoms in cells)
        samples += [(count, atoms) for atoms, count in sizes.items()]
    if potential.surfaces:
        slabs = potential.surfaces
        for plane in slabs.planes:
            atoms = slab_size(crystal, plane, slabs.layers)
            cuts = len(terminations(crystal, crystal.plane_normal(plane)))
            samples.append((slabs.flat.count + cuts * RELAXED_SLABS, atoms))
            samples.append((slabs.rattled.count, atoms * prod(slabs.rattled.repeat)))
    return samples


def _rattled(sampling: Rattled, crystal: Crystal) -> tuple[int, int]:
    """Number of rattled cells, and atoms of one."""
    primitive = abs(round(float(np.linalg.det(crystal.supercell))))
    return sampling.count, len(crystal.numbers) * prod(sampling.repeat) * primitive


def _intervals(planned: PlannedCase, price: Price) -> list[Job]:
    """Held-out cells, if there are some."""
    if planned.potential.held_out is None:
        return []
    calls, atoms = _rattled(planned.potential.held_out, planned.crystal)
    return [_job("intervals", calls, atoms, JOB_SECONDS + calls * planned.sphere.seconds(atoms), price)]


def _locality(planned: PlannedCase, price: Price, cluster: int) -> list[Job]:
    """Buffers of several widths and the whole domain, if they are compared."""
    locality, atoms = planned.case.locality, len(planned.domain)
    if not locality.widths:
        return []
    each = 2 if planned.case.embedding.subtract_lattice else 1
    calls = each * (len(locality.widths) + len(locality.alternatives))
    seconds = price.job(calls, cluster) + each * price.call(atoms)
    return [_job("locality", calls + each, atoms, seconds, price)]


def _reference(planned: PlannedCase, price: Price) -> list[Job]:
    """The full QM solution and its stability test, if it is computed."""
    reference, atoms = planned.case.reference, len(planned.domain)
    if not reference.compute:
        return []
    calls = REFERENCE_CALLS + (1 if reference.stability.one_sided else 2) * reference.stability.vectors
    return [_job("reference", calls, atoms, price.job(calls, atoms), price)]


def _far_field(planned: PlannedCase, price: Price) -> list[Job]:
    """Homogeneous lattices at strains of the far field, at most; none if the polynomial is believed.

    No more lattices than free sites.
    """
    samples = min(planned.case.estimate.far_field_samples, int(planned.domain.sites.free.sum()))
    if not samples:
        return []
    atoms = len(planned.crystal.numbers)
    calls = samples * (1 + SHIFT_CALLS * (atoms > 1))
    return [_job("far field", calls, atoms, JOB_SECONDS + calls * planned.sphere.seconds(atoms), price)]


def _job(stage: str, calls: int, atoms: int, seconds: float, price: Price) -> Job:
    return Job(stage, int(calls), int(atoms), float(seconds), price.memory(atoms))
