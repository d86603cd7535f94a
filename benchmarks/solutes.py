"""Solutes in aluminium beside full relaxations: binding to an edge dislocation, to a vacancy and to each other.

    python benchmarks/solutes.py [SYSTEM[@PLACE,PLACE...] ... | list]

Places of a solute are counted from 0; left out, all of them. Rows go to benchmarks/crystals.csv. Binding energies are
dE(defect) - dE(crystal) of `qmfront.substitution`, the bar is that of both. Beside them is the same difference of
bodies that LBFGS brings to rest with the QM model everywhere, in the same domains with the same rim: by LAMMPS for the
table of Angelo, Moody and Baskes (eam/alloy), by ASE for EMT.
"""

import logging
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from ase import Atoms
from ase.calculators.calculator import BaseCalculator
from ase.constraints import FixAtoms
from ase.data import atomic_numbers
from ase.optimize import LBFGS
from crystal_systems import by_lammps, eam
from crystals import TABLE, row, write
from zoo import HERE, built, in_its_box

from qmfront import (
    Adapt,
    Box,
    Buffer,
    Crystal,
    Disc,
    Dislocation,
    Point,
    Potential,
    QuantumModel,
    Solve,
    adapt,
    fit,
    measure,
    substitution,
)
from qmfront.adaptive.matching import FittedPotential, MeasuredMaterial
from qmfront.adaptive.step import Step

LOMER = {"line": (1, -1, 0), "burgers": (0.5, 0.5, 0.0), "plane": (0, 0, 1)}
"""b = a/2 [110] in (001): it cannot glide, so that its core stays where it is."""
GLIDE = {"line": (1, 1, -2), "burgers": (0.5, -0.5, 0.0), "plane": (1, 1, 1)}
"""b = a/2 [1-10] in (111), which splits into partials."""
PLACES = (
    (0.0, 1.5, 0.0),
    (0.0, -1.5, 0.0),
    (0.0, 5.5, 0.0),
    (0.0, -5.5, 0.0),
    (6.0, 1.5, 0.0),
    (6.0, -1.5, 0.0),
)
"""Å from the core along e1, e2, e3: above and below, beside it, near and farther."""
NEIGHBOUR = (0.5, 0.5, 0.0)
"""a0"""
CELLS = 7
"""Cubic cells along each edge of the box of a point defect."""
AT_REST = 3e-4
"""eV/Å; largest force component of a body relaxed as a whole."""


@dataclass(frozen=True)
class Alloy:
    """A host with a solute, and who relaxes it as a whole."""

    crystal: Crystal
    qm: QuantumModel
    solute: str
    code: str

    def alone(self) -> BaseCalculator:
        """The QM model of the whole body."""
        if self.code == "LAMMPS":
            species = [*self.crystal.species, self.solute]
            return built(by_lammps("eam/alloy", species, self.qm.files["potential"], self.qm.cutoff))
        return built(self.qm)


ALLOYS = {
    "AlNi": Alloy(*eam("fcc", "Al", 4.05, "NiAlH_jea.eam.alloy", 5.65), "Ni", "LAMMPS"),
    "AlCu_emt": Alloy(
        Crystal(structure="fcc", symbol="Al", lattice_constant_guess=3.994),
        QuantumModel(calculator="ase.calculators.emt.EMT", cutoff=5.9),
        "Cu",
        "ASE EMT",
    ),
}


@dataclass(frozen=True)
class System:
    """An alloy, its dislocation or point defects, and the domain."""

    alloy: str
    dislocation: dict | None = None
    radius_r0: float = 11.5
    periods: int = 3


SYSTEMS = {
    "AlNi_points": System("AlNi"),
    "AlNi_lomer": System("AlNi", LOMER),
    "AlNi_edge": System("AlNi", GLIDE, radius_r0=14.0, periods=2),
    "AlCu_emt_lomer": System("AlCu_emt", LOMER, radius_r0=10.0, periods=2),
}


@cache
def fitted(name: str) -> tuple[MeasuredMaterial, FittedPotential]:
    alloy = ALLOYS[name]
    material = measure(alloy.crystal, alloy.qm, journal=HERE.parent / "work" / "solutes")
    return material, fit(material, Potential(material=name, solutes=(alloy.solute,)))


def solved(name: str, defect: Point | Dislocation, domain: Box | Disc, start: Step | None = None) -> Step:
    """The last step of a loop; no Lanczos run looks for soft modes, since the whole body is relaxed from there."""
    material, potential = fitted(name)
    settings = {
        "adapt": Adapt(tolerance=2e-2, max_iterations=4, max_qm_atoms=400, prove=False),
        "solve": Solve(prove=False),
        "buffer": Buffer(width=2 * material.material.qm.cutoff, residual_factor=1.0),
    }
    for step in adapt(material, potential, defect, domain, start=start, **settings):
        print(f"{name} {step.k}: N_QM {step.n_qm} of {step.defect.n_sites}, eta {step.eta:.1e} Å", flush=True)
    return step


def at_rest(alloy: Alloy, step: Step, *, pure: bool = False) -> float:
    """Energy, eV, of the body of a step at rest, the QM model everywhere; pure: the crystal alone on its sites."""
    found = step.atoms()
    host = atomic_numbers[alloy.crystal.species[0]]
    body = Atoms(found.numbers, found.positions, cell=found.cell, pbc=found.pbc)
    if pure:
        body = Atoms(np.full(len(found), host), step.defect.sites, cell=found.cell, pbc=found.pbc)
    body = in_its_box(lambda atoms: atoms)(body)
    body.calc = alloy.alone()
    body.set_constraint(FixAtoms(mask=~step.defect.free))
    LBFGS(body, logfile=None, maxstep=0.1).run(fmax=AT_REST, steps=1000)
    return float(body.get_potential_energy())


def in_the_crystal(system: System) -> tuple[Step, float]:
    """The solute alone in the crystal, and what it costs at rest, eV."""
    alloy = ALLOYS[system.alloy]
    alone = Point(substituted=({"element": alloy.solute},))
    step = solved(system.alloy, alone, Box(cells=CELLS))
    return step, at_rest(alloy, step) - at_rest(alloy, step, pure=True)


def rows_of_dislocation(name: str, system: System, places: Sequence[int]) -> Iterator[dict]:
    """Binding energies of one solute at some of PLACES."""
    assert system.dislocation is not None, "it has one"
    alloy, (material, _) = ALLOYS[system.alloy], fitted(system.alloy)
    crystal, cost = in_the_crystal(system)
    free = substitution(material, crystal)
    yield row(name, f"{alloy.solute} in the crystal (eV)", free.energy, free.bar, cost, alloy.code)
    domain = Disc(radius_r0=system.radius_r0)
    host = solved(system.alloy, Dislocation(**system.dislocation), domain)
    higher = domain.model_copy(update={"periods": system.periods})
    bare = None
    for place in (PLACES[number] for number in places):
        solutes = ({"element": alloy.solute, "at": place},)
        step = solved(system.alloy, Dislocation(**system.dislocation, solutes=solutes), higher, start=host)
        if bare is None:
            bare = system.periods * at_rest(alloy, host)
        bound = substitution(material, step, host)
        print(f"{name} at {place}: {bound}, {step.trust}", flush=True)
        energy, bar = bound.beyond(free)
        other = at_rest(alloy, step) - bare - cost
        words = f"binding of {alloy.solute} at {list(place)} Å (eV)"
        yield row(name, words, energy, bar, other, alloy.code)


def rows_of_points(name: str, system: System) -> Iterator[dict]:
    """Binding energies of a solute beside a vacancy, and of two that are neighbours."""
    alloy, (material, _) = ALLOYS[system.alloy], fitted(system.alloy)
    crystal, cost = in_the_crystal(system)
    free, box = substitution(material, crystal), Box(cells=CELLS)
    one = ({"element": alloy.solute},)
    vacancy = solved(system.alloy, Point(removed=(NEIGHBOUR,)), box)
    beside = solved(system.alloy, Point(removed=(NEIGHBOUR,), substituted=one), box, start=vacancy)
    two = (*one, {"element": alloy.solute, "at": NEIGHBOUR})
    pair = solved(system.alloy, Point(substituted=two), box, start=crystal)
    for words, step, host in (("a vacancy", beside, vacancy), (f"another {alloy.solute}", pair, crystal)):
        energy, bar = substitution(material, step, host).beyond(free)
        other = at_rest(alloy, step) - at_rest(alloy, host) - cost
        yield row(name, f"binding of {alloy.solute} to {words} (eV)", energy, bar, other, alloy.code)


def main(names: list[str]) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    if names == ["list"]:
        print("\n".join(SYSTEMS))
        return
    for name, _, places in (each.partition("@") for each in names or SYSTEMS):
        system = SYSTEMS[name]
        numbers = [int(place) for place in places.split(",")] if places else range(len(PLACES))
        made = (
            rows_of_points(name, system)
            if system.dislocation is None
            else rows_of_dislocation(name, system, numbers)
        )
        try:
            for one in made:
                write_beside(name, one)
        except Exception as error:  # what does not run is a row of the table
            traceback.print_exc()
            write_beside(name, row(name, f"stops: {type(error).__name__}: {error}", np.nan, 0, np.nan, ""))


def write_beside(name: str, new: dict) -> None:
    """A row beside the others of its system."""
    known = pd.read_csv(TABLE)
    others = known[(known["system"] == name) & (known["quantity"] != new["quantity"])]
    write(name, [*others.to_dict("records"), new])


if __name__ == "__main__":
    main(sys.argv[1:])
