"""What it costs not to know the QM region: all solves of a loop over one cold solve at its last region.

    python benchmarks/price.py [SYSTEM ...]

Systems of benchmarks/zoo.py, all defaults, solves alone: no stability tests, no journal, side by side in one
process. The cold solve starts where the loop does, at the minimum of the potential. Rows of benchmarks/price.csv, one
per system: system, iterations, n_qm_first, n_qm_last, loop_s and cold_s (processor time), price (their ratio), and
loop_calls and cold_calls.
"""

import logging
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import zoo
from ase import Atoms
from tables import keep

from qmfront import Adapt, adapt, fit, measure
from qmfront.config.stages import Estimate, Solve, Start
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Field, Hybrid
from qmfront.coupling.mm_minimum import mm_minimum
from qmfront.coupling.solution import Solution
from qmfront.coupling.solve import StartingPoint, solve
from qmfront.elasticity.defects import cores_of
from qmfront.evaluate.forces import calculator_energy, calculator_forces
from qmfront.mismatch.far_field import far_field, field_strains
from qmfront.mismatch.linear import linear_mismatch
from qmfront.mismatch.model_difference import model_difference

TABLE = Path(__file__).parent / "price.csv"
SYSTEMS = (
    "w_100",
    "fe_screw",
    "cu_screw",
    "al_screw",
    "w_crack_110",
    "w_five_vacancies",
    "fe_dumbbell",
    "si_sw_60",
)
ALONE = Solve(modes=0, prove=False)


def price(name: str) -> dict:
    """One row."""
    system = zoo.SYSTEMS[name]
    crystal, qm = zoo.MATERIALS[system.material]
    material = measure(crystal, qm, journal=zoo.HERE.parent / "work" / "zoo")
    potential = fit(material, zoo.potential_of(system))
    stop = Adapt(max_iterations=6, max_qm_atoms=450, tolerance=1e-4)
    steps = list(adapt(material, potential, system.defect, system.domain, adapt=stop))
    models = Models(zoo.in_its_box(calculator_forces(zoo.built(qm))), calculator_forces(potential.calculator))
    hybrid = replace(steps[0].hybrid, models=models)
    energy, body = calculator_energy(potential.calculator), hybrid.defect.body
    others = cores_of(material.bulk, system.defect, system.domain, hybrid.defect)
    begun = mm_minimum(hybrid, lambda u: energy(body.atoms(u)), Start(), others=others)
    strains = field_strains(
        hybrid.defect, begun.displacement, material.bulk.crystal, samples=Estimate().far_field_samples
    )
    certificate = potential.certificate
    asked = far_field(
        strains,
        material.bulk.crystal,
        (zoo.built(qm), potential.calculator),
        certificate.polynomial,
        moduli=linear_mismatch(material.bulk, certificate).moduli_difference(certificate),
    )
    forces = model_difference(material.bulk, certificate, hybrid.defect, asked).for_stop().forces
    start, loop_s, loop_calls = begun, 0.0, 0
    for step in steps:
        seconds, calls, start = timed(hybrid, step.region, forces, start)
        loop_s, loop_calls = loop_s + seconds, loop_calls + calls
    cold_s, cold_calls, _ = timed(hybrid, steps[-1].region, forces, begun)
    return {
        "system": name,
        "iterations": len(steps),
        "n_qm_first": steps[0].n_qm,
        "n_qm_last": steps[-1].n_qm,
        "loop_s": loop_s,
        "cold_s": cold_s,
        "price": loop_s / cold_s,
        "loop_calls": loop_calls,
        "cold_calls": cold_calls,
    }


def timed(
    hybrid: Hybrid, region: np.ndarray, forces: Field, start: StartingPoint
) -> tuple[float, int, Solution]:
    """Processor time (s) of a solve, its calls of the QM model, and its solution."""
    calls, qm = [], hybrid.models.qm

    def counted(atoms: Atoms) -> np.ndarray:
        calls.append(len(atoms))
        return qm(atoms)

    own, begin = replace(hybrid, models=Models(counted, hybrid.models.mm)), time.process_time()
    found = solve(own, region, forces, start=start, settings=ALONE)
    return time.process_time() - begin, len(calls), found


def main(names: list[str]) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    for name in names or SYSTEMS:
        print(keep([price(name)], TABLE).to_string(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
