"""Defects that no default was made on, with the defaults: does the loop end, where, and does its error bar hold?

    python benchmarks/zoo.py [SYSTEM ...]    these systems, or all
    python benchmarks/zoo.py page            docs/zoo.md from the table

Every system is a crystal, a calculator, a defect and a domain; all else is left out. The reference is the QM model's
own minimum, reached from the last solution (the basin that the loop has found), and for its energy the lowest minimum
of descents with the QM model from the predictor with noise. Rows of benchmarks/zoo.csv, one per iteration: system, k,
n_qm, eta and error (Å), effectivity, same_basin, energy_above (meV, of the basin found over the lowest known one, per
period of a line), trusted, reasons, lowest_eigenvalue, qm_calls, test_calls, processor_s, stiff_error (Å) and
stiff_effectivity: the same without the part along the softest mode of the reference, along which a core glides, and
energy_left (meV): of the solution, with the QM model, over that of the reference.
"""

import argparse
import logging
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from ase.calculators.calculator import BaseCalculator
from tables import keep
from zoo_page import page
from zoo_systems import MATERIALS, SYSTEMS, System

from qmfront import (
    Adapt,
    Box,
    Crack,
    Potential,
    QuantumModel,
    Step,
    adapt,
    fit,
    measure,
)
from qmfront.config.stages import Reference, Stability, Start
from qmfront.coupling.anderson import NoEquilibriumError
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Field, Hybrid
from qmfront.coupling.mm_minimum import mm_minimum
from qmfront.coupling.reference import ReferenceSolution, reference_solution
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.defects import cores_of
from qmfront.evaluate.forces import calculator_energy, calculator_forces
from qmfront.models.calculator import build
from qmfront.operators.norm import stencil_norm

HERE = Path(__file__).parent
TABLE = HERE / "zoo.csv"
MARGIN = 12.0
"""Å, around atoms in an open box."""
SMALLEST_ERROR = 1e-9
"""Å; below it there is nothing to compare: a vacancy in Stillinger-Weber silicon does not relax."""
STILL, REST = 1e-7, 1e-6
"""eV/Å; largest force at a reference, and where noise does not let it come so far. Along a mode of 0.007, in the screw
dislocation of silver, 1e-6 were 1e-4 Å."""
SAME = 1e-3
"""eV per period; minima whose energies differ by less are the same one."""
AWAY_R0 = 0.3
"""r0; a reference in which a site is farther from its place in the last solution has left its basin."""
LARGEST = {2: 450, 3: 300}
"""QM atoms at which a straight and a point defect stop."""


def run(name: str, system: System) -> list[dict]:
    """One row per iteration; one row with the error where the system does not run."""
    base, begin = {"system": name, "chosen_on": system.chosen_on}, time.process_time()
    try:
        crystal, qm = MATERIALS[system.material]
        material = measure(crystal, qm, journal=HERE.parent / "work" / "zoo")
        potential = fit(material, potential_of(system))
        stop = Adapt(
            max_iterations=6, max_qm_atoms=LARGEST[3 if isinstance(system.domain, Box) else 2], tolerance=1e-4
        )
        steps = []
        for step in adapt(material, potential, system.defect, system.domain, adapt=stop):
            print(f"{name} {step.k}: N_QM {step.n_qm}, eta {step.eta:.3e} Å, {step.trust}", flush=True)
            steps.append(step)
        return compared(base, material.bulk, steps, time.process_time() - begin)
    except Exception as error:  # whatever ends a system is what the table has to show
        traceback.print_exc()
        return [
            base | {"k": -1, "trusted": False, "reasons": f"does not run: {type(error).__name__}: {error}"}
        ]


def potential_of(system: System) -> Potential:
    """The default; a crack names the surface that it opens."""
    if isinstance(system.defect, Crack):
        return Potential(material="zoo", surfaces={"planes": [system.defect.plane]})
    return Potential(material="zoo")


def in_its_box(model: Callable[[Atoms], Any]) -> Callable[[Atoms], Any]:
    """The model on atoms whose cell encloses them: LAMMPS loses those that are outside."""

    def boxed(atoms: Atoms) -> Any:
        inside = atoms.copy()
        for axis in np.flatnonzero(~atoms.pbc):
            low, high = inside.positions[:, axis].min(), inside.positions[:, axis].max()
            inside.positions[:, axis] += MARGIN - low
            inside.cell[axis] = np.eye(3)[axis] * (high - low + 2 * MARGIN)
        return model(inside)

    return boxed


def built(qm: QuantumModel) -> BaseCalculator:
    return build({"calculator": qm.calculator, "kwargs": qm.arguments(Path())})


def of_qm_alone(hybrid: Hybrid, qm: QuantumModel) -> Hybrid:
    """The same case with the QM model everywhere, without a journal."""
    forces = in_its_box(calculator_forces(built(qm)))
    return replace(hybrid, models=Models(forces, forces))


def compared(base: dict, bulk: Bulk, steps: list, seconds: float) -> list[dict]:
    """Errors against the QM minimum of the basin that was found, and how that lies to the lowest known one."""
    last, (_, qm) = steps[-1], MATERIALS[SYSTEMS[base["system"]].material]
    hybrid, defect = of_qm_alone(last.hybrid, qm), last.defect
    energy = in_its_box(calculator_energy(built(qm)))

    def of(u: np.ndarray) -> float:
        return energy(defect.body.atoms(u))

    try:
        own = reference(hybrid, last.solution.displacement)
    except RuntimeError as error:  # a crack that has closed, for one: there is no error, but a verdict
        print(f"{base['system']}: no reference, {error}")
        return [base | told(step) | {"same_basin": False, "processor_s": seconds} for step in steps]
    lowest = at_rest = of(own.displacement)
    try:
        beside = cores_of(bulk, SYSTEMS[base["system"]].defect, SYSTEMS[base["system"]].domain, defect)
        descents = Start(tries=3, max_force=1e-4, max_calls=2000)
        other = mm_minimum(hybrid, of, descents, others=beside)
        lowest = min(lowest, of(other.displacement))
    except NoEquilibriumError as error:
        print(f"{base['system']}: no other reference, {error}")
    above = 1e3 * (at_rest - lowest)
    away = np.linalg.norm(own.displacement - last.solution.displacement, axis=1).max()
    stiff = without_mode(own.lowest_mode, last.hybrid.riesz.forces(own.lowest_mode))
    rows = []
    for step in steps:
        off = step.solution.displacement - own.displacement
        error, stiff_error = (stencil_norm(part, defect.stencil) for part in (off, stiff(off)))
        stiff_eta = stencil_norm(stiff(step.estimated.estimates.phi), defect.stencil)
        rows.append(
            base
            | told(step)
            | {
                "error": error,
                "effectivity": step.eta / error if error > SMALLEST_ERROR else np.nan,
                "stiff_error": stiff_error,
                "stiff_effectivity": stiff_eta / stiff_error if stiff_error > SMALLEST_ERROR else np.nan,
                "energy_left": 1e3 * (of(step.solution.displacement) - at_rest),
                "same_basin": above < 1e3 * SAME and away < AWAY_R0 * defect.r0,
                "energy_above": above,
                "reference_eigenvalue": own.lowest_eigenvalue,
                "processor_s": seconds,
            }
        )
    return rows


def without_mode(mode: np.ndarray, stretched: np.ndarray) -> Field:
    """u -> u - v (v . H_FC u) / (v . H_FC v) for a mode v (n, 3) and H_FC v (n, 3): what it does not share with v."""
    return lambda u: u - np.vdot(stretched, u) / np.vdot(stretched, mode) * mode


def reference(hybrid: Hybrid, start: np.ndarray) -> ReferenceSolution:
    """The QM minimum beside a displacement (n, 3) Å, to the least force that the model's noise allows."""
    for force in (STILL, REST):
        settings = Reference(max_force=force, max_calls=400, stability=Stability(tolerance=1e-2))
        try:
            return reference_solution(hybrid, settings, start)
        except RuntimeError:
            if force == REST:
                raise
    raise AssertionError("the last try returns or raises")


def told(step: Step) -> dict[str, float | bool | str]:
    """What a user is told of an iteration, and what it has cost."""
    return {
        "k": step.k,
        "n_qm": step.n_qm,
        "eta": step.eta,
        "trusted": step.trusted,
        "reasons": "; ".join((*step.trust.reasons, *step.trust.notes)),
        "lowest_eigenvalue": step.trust.lowest_eigenvalue,
        "qm_calls": step.numbers.qm_calls,
        "test_calls": step.solution.test_calls,
    }


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("systems", nargs="*", metavar="SYSTEM", help=f"page, or {', '.join(SYSTEMS)}")
    names = parser.parse_args(arguments).systems
    if unknown := sorted({*names} - {*SYSTEMS, "page"}):
        parser.error(f"no system has the name {', '.join(unknown)}; --help lists them")
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    if names == ["page"]:
        text = page(pd.read_csv(TABLE), pd.read_csv(HERE / "price.csv"))
        (HERE.parent / "docs" / "zoo.md").write_text(text, encoding="utf-8")
        return
    for name in names or list(SYSTEMS):
        rows = keep(run(name, SYSTEMS[name]), TABLE)
        print(rows.drop(columns=["reasons", "chosen_on"]).to_string(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
