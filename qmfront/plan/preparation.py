"""What comes before the first iteration: crystal, training data, fit, buffer and reference; calls and seconds."""

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from qmfront.crystal.lattice import Crystal
from qmfront.mismatch.far_field import PROBES
from qmfront.models.lattice_symmetry import crystal_operations
from qmfront.plan.price import JOB_SECONDS, Price
from qmfront.preflight.cost import Cost
from qmfront.training.observe.kinds import kinds_of, observed_gradients, observed_supercells
from qmfront.training.observe.lattice import Lattice

REFERENCE_CALLS = 15
"""Force calls of a reference; each vector of its stability test takes two more, or one."""
SHIFT_CALLS = 10
"""Calls that bring the sublattices of a crystal with a basis to rest under a strain."""
RELAXED_SLABS = 40
"""Calls that relax the free slab of a crack plane, in its own job and for the fit."""
FIT_SECONDS = 30.0
# ASSUME; 13 s for the potential of config/own.yaml, a minute or two for those of config.yaml.


def preparation(
    case: Mapping[str, Any],
    potential: Mapping[str, Any],
    crystal: Crystal,
    price: Price,
    preflight: Mapping[str, Any],
    *,
    clusters: Mapping[str, int],
    finished: Mapping[str, bool],
) -> list[dict[str, Any]]:
    """Rows {stage, calls, atoms, seconds, memory, finished} of the jobs before the first iteration.

    Parameters
    ----------
    case : {reference, locality, embedding}, plain values
    potential : {matching, strain_step, rattled, held_out, field_samples, surfaces}
    crystal : at rest
    preflight : content of its JSON file
    clusters : {"first": atoms of the first QM region and buffer, "domain": those of the whole domain}
    finished : {"reference": ..., "others": ...}
    """
    advice, sphere = preflight["recommendation"], Cost(**preflight["cost"])
    rows = [
        _row("bulk", advice["bulk_calls"], advice["supercell"], 3600 * advice["bulk_hours"], price),
        training(potential, crystal, price, sphere, advice["supercell"]),
        _row("potential", 0, 0, FIT_SECONDS, price),
        _row("operators", 0, 0, price.job(0, 0), price),
    ]
    if potential["held_out"]:
        asked, atoms = _rattled(potential["held_out"], crystal)
        rows.append(
            _row("intervals", asked, atoms, JOB_SECONDS + asked * float(sphere.seconds(atoms)), price)
        )
    calls = 2 if case["embedding"]["subtract_lattice"] else 1
    measured = len(case["locality"]["widths"])
    if measured:
        asked = calls * (measured + len(case["locality"]["alternatives"]))
        seconds = price.job(asked, clusters["first"]) + calls * price.call(clusters["domain"])
        rows.append(_row("locality", asked + calls, clusters["domain"], seconds, price))
    if case["reference"]["compute"]:
        stability = case["reference"]["stability"]
        asked = REFERENCE_CALLS + (1 if stability["one_sided"] else 2) * stability["vectors"]
        rows.append(_row("reference", asked, clusters["domain"], price.job(asked, clusters["domain"]), price))
    return [{**row, "finished": finished.get(row["stage"], finished["others"])} for row in rows]


def training(
    potential: Mapping[str, Any], crystal: Crystal, price: Price, sphere: Cost, supercell: int
) -> dict[str, Any]:
    """The row of the training data: primitive cells, strained supercells, rattled cells, slabs."""
    operations = crystal_operations(crystal.to_atoms())
    several = len(crystal.numbers) > 1
    permutations = np.array([operation.permutation for operation in operations]) if several else None
    rotations = np.array([operation.rotation for operation in operations])
    lattice = Lattice(np.zeros((1, 3)), rotations, potential["strain_step"], permutations=permutations)
    kinds = kinds_of(potential["matching"], lattice)
    small = len(observed_gradients(kinds, lattice)) * (1 + SHIFT_CALLS * several) * (1 + several)
    small += potential["field_samples"] * (1 + SHIFT_CALLS * several)
    differences = 6 * len(crystal.numbers) if several else 2
    large = differences * (1 + observed_supercells(kinds, lattice))
    asked = [(small, len(crystal.numbers)), (large, supercell)]
    if potential["rattled"]:
        asked.append(_rattled(potential["rattled"], crystal))
    if potential["surfaces"]:
        slabs, planes = potential["surfaces"], len(potential["surfaces"]["planes"])
        asked.append((planes * (slabs["flat"]["count"] + RELAXED_SLABS), slabs["layers"]))
        asked.append((planes * slabs["rattled"]["count"], slabs["layers"] * prod(slabs["rattled"]["repeat"])))
    seconds = JOB_SECONDS + sum(calls * float(sphere.seconds(atoms)) for calls, atoms in asked)
    largest = max(atoms for _, atoms in asked)
    return _row("training", sum(calls for calls, _ in asked), largest, seconds, price)


def _rattled(sampling: Mapping[str, Any], crystal: Crystal) -> tuple[int, int]:
    """Number of rattled cells, and atoms of one."""
    cubic = len(crystal.numbers) * prod(sampling["repeat"]) * _cubic_over_primitive(crystal)
    return sampling["count"], round(cubic)


def far_field(
    samples: int, crystal: Crystal, price: Price, sphere: Cost, *, finished: bool
) -> list[dict[str, Any]]:
    """The row of the homogeneous lattices at strains of the far field, at most; none if the polynomial is believed."""
    if not samples:
        return []
    atoms = len(crystal.numbers)
    calls = (PROBES + samples) * (1 + SHIFT_CALLS * (atoms > 1))
    seconds = JOB_SECONDS + calls * float(sphere.seconds(atoms))
    return [{**_row("far field", calls, atoms, seconds, price), "finished": finished}]


def _cubic_over_primitive(crystal: Crystal) -> float:
    from qmfront.elasticity.bulk import cubic_lattice_constant

    return cubic_lattice_constant(crystal) ** 3 / crystal.volume


def _row(stage: str, calls: int, atoms: int, seconds: float, price: Price) -> dict[str, Any]:
    return {
        "stage": stage,
        "calls": int(calls),
        "atoms": int(atoms),
        "seconds": float(seconds),
        "memory": price.memory(atoms),
    }
