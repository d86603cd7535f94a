"""Whether a fit has the simple defects of the reference model: faults, vacancy, distorted cells, close atoms.

    gamma(t) = E(t) / A along the slip systems,   E_v of a vacancy with all other atoms at rest, and relaxed,
    |F^MM - F^QM| / |F^QM| on cells that were not fitted to,   omega^2 of the perfect lattice

A potential that meets every derivative of the perfect lattice can fail in all of them, and a solve with it then ends in
forces that mean nothing. What is wrong is told before that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms, units

from qmfront.crystal.slip import Fault, faults, slip_systems
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.rest_state import rest_state
from qmfront.models.ace.calculator import ACE
from qmfront.models.force_constant_set import with_sum_rule
from qmfront.storage.layout import Declared
from qmfront.training.observe.off_lattice import UNSEEN, close_cells
from qmfront.training.observe.rattled import CellSet, ObservedCells
from qmfront.training.observe.solutes import SOLUTES_UNSEEN

MILLIJOULE = 1e-3 * units.J / units.m**2
"""eV/Å^2 per mJ/m^2."""
FAULT = 0.2
"""Largest error of a fault curve over its highest point."""
FORCES = 0.35
"""Largest relative error of forces on unseen cells."""
VACANCY = 0.3
"""Largest relative error of the energy of a vacancy."""
UNSTABLE = 1e-3
"""Eigenvalues of the dynamical matrix below minus this fraction of the largest are unstable waves."""
WAVES = 6
"""Waves along each reciprocal vector at which the lattice is looked at."""
NEAR = np.arange(0.6, 0.29, -0.05)
"""Distances of two atoms, in r0, along which they must repel ever more."""

DECLARED = {
    "fault_plane": Declared("fault component", "i", "1", "Miller indices of the plane that has slipped"),
    "fault_path": Declared("fault component", "f", "1", "whole slip in lattice constants"),
    "fault_shift": Declared("fault", "f", "1", "slip over the whole slip"),
    "fault_fitted": Declared("fault", "i", "1", "1 where the potential was fitted to the fault"),
    "fault_energy_qm": Declared("fault", "f", "eV/Å^2", "energy of the fault, QM"),
    "fault_energy_mm": Declared("fault", "f", "eV/Å^2", "energy of the fault, MM"),
    "lattice_constant_qm": Declared("", "f", "Å", "edge of the cubic cell at rest, QM"),
    "lattice_constant_mm": Declared("", "f", "Å", "edge of the cubic cell at rest, MM"),
    "vacancy_energy_qm": Declared("", "f", "eV", "vacancy, all other atoms at rest, QM"),
    "vacancy_energy_mm": Declared("", "f", "eV", "vacancy, all other atoms at rest, MM"),
    "vacancy_energy_relaxed": Declared("", "f", "eV", "relaxed vacancy, MM"),
    "unseen_error": Declared("", "f", "1", "relative error of forces on rattled cells of small strain"),
    "strained_error": Declared("", "f", "1", "relative error of forces on rattled cells of large strain"),
    "holes_error": Declared("", "f", "1", "relative error of forces on rattled cells with a vacancy"),
    "unseen_dilute_error": Declared("", "f", "1", "relative error of forces on rattled cells with a solute"),
    "unseen_interstitial_error": Declared("", "f", "1", "the same, the solute between the sites"),
    "lowest_wave": Declared("", "f", "1", "lowest eigenvalue of the lattice over the largest, MM"),
    "near_distance": Declared("near", "f", "r0", "distance of two atoms"),
    "near_energy_alone": Declared("near", "f", "eV", "energy of two atoms alone, MM"),
    "near_energy_crystal": Declared("near", "f", "eV", "energy of one atom pushed to a neighbour, MM"),
}


@dataclass(frozen=True, eq=False)
class FaultCurves:
    """Energies of faults of both models.

    faults : tuple of Fault
    fitted : (f,) bool
    qm, mm : (f,) float, eV/Å^2
    """

    faults: tuple[Fault, ...]
    fitted: np.ndarray
    qm: np.ndarray
    mm: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """See DECLARED."""
        return {
            "fault_plane": np.array([fault.system.plane for fault in self.faults]),
            "fault_path": np.array([fault.system.path for fault in self.faults]),
            "fault_shift": np.array([fault.shift for fault in self.faults]),
            "fault_fitted": self.fitted.astype(int),
            "fault_energy_qm": self.qm,
            "fault_energy_mm": self.mm,
        }

    def of(self, name: str) -> "FaultCurves":
        """Those of one slip system, in the order of their slip."""
        kept = [place for place, fault in enumerate(self.faults) if fault.system.name == name]
        kept.sort(key=lambda place: self.faults[place].shift)
        chosen = tuple(self.faults[place] for place in kept)
        return FaultCurves(chosen, self.fitted[kept], self.qm[kept], self.mm[kept])

    @property
    def systems(self) -> list[str]:
        """Names of the slip systems."""
        return list(dict.fromkeys(fault.system.name for fault in self.faults))

    def error(self) -> float:
        """Largest difference of one of the curves over the highest point of that, zero without any."""
        errors = [
            float(np.abs(curve.mm - curve.qm).max() / np.abs(curve.qm).max())
            for curve in map(self.of, self.systems)
        ]
        return max(errors, default=0.0)


@dataclass(frozen=True, eq=False)
class DefectCertificate:
    """Simple defects of a potential beside those of the reference model.

    curves : FaultCurves or None
    forces : set of cells -> relative error of forces
        Of sets that were not fitted to.
    vacancy : (qm, mm, mm relaxed), eV, or None
        None of a compound, where the energy of one alone has no meaning.
    lowest_wave : float
        Lowest eigenvalue of the dynamical matrix over the largest.
    near : (2, d) float, eV
        Energies of two atoms alone and of one pushed to a neighbour, at NEAR.
    lattice : (qm, mm), Å, or None
        Lattice constants at rest; None if the fit has none near that of the reference model.
    """

    curves: FaultCurves | None
    forces: dict[CellSet, float]
    vacancy: tuple[float, float, float] | None
    lowest_wave: float
    near: np.ndarray
    lattice: tuple[float, float] | None = None

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a certificate, see DECLARED; what was not observed is left out."""
        arrays: dict[str, np.ndarray] = {} if self.curves is None else self.curves.arrays()
        if self.vacancy is not None:
            energies = zip(("qm", "mm", "relaxed"), self.vacancy, strict=True)
            arrays |= {f"vacancy_energy_{name}": np.asarray(value) for name, value in energies}
        if self.lattice is not None:
            edges = zip(("qm", "mm"), self.lattice, strict=True)
            arrays |= {f"lattice_constant_{name}": np.asarray(value) for name, value in edges}
        arrays |= {f"{name}_error": np.asarray(value) for name, value in self.forces.items()}
        arrays["lowest_wave"] = np.asarray(self.lowest_wave)
        arrays["near_distance"] = NEAR
        arrays["near_energy_alone"], arrays["near_energy_crystal"] = self.near
        return arrays

    def declared(self) -> dict[str, Declared]:
        """Declarations of `arrays`."""
        return {name: DECLARED[name] for name in self.arrays()}

    def table(self) -> dict[str, float]:
        """Rows of fit.csv: relative errors by name."""
        rows = {f"{name}_forces": value for name, value in self.forces.items()}
        if self.curves is not None:
            rows["fault_curves"] = self.curves.error()
        if self.vacancy is not None:
            rows["vacancy"] = abs(self.vacancy[1] / self.vacancy[0] - 1.0)
        if self.lattice is not None:
            rows["lattice_constant"] = abs(self.lattice[1] / self.lattice[0] - 1.0)
        return rows

    def problems(self) -> list[str]:
        """What is wrong, in words; an empty list if the potential is accepted."""
        problems = []
        if self.lowest_wave < -UNSTABLE:
            problems.append(
                f"the perfect lattice is unstable (lowest eigenvalue {self.lowest_wave:.1e} of the largest)"
            )
        for curve in [] if self.curves is None else map(self.curves.of, self.curves.systems):
            worst = int(np.abs(curve.mm - curve.qm).argmax())
            if not abs(curve.mm[worst] - curve.qm[worst]) <= FAULT * np.abs(curve.qm).max():
                problems.append(
                    f"the fault curve of {curve.systems[0]} is off: {curve.mm[worst] / MILLIJOULE:.0f} for "
                    f"{curve.qm[worst] / MILLIJOULE:.0f} mJ/m^2 at {curve.faults[worst].shift:g} of the path"
                )
        if self.vacancy is not None:
            qm, mm, relaxed = self.vacancy
            if not (abs(mm - qm) <= VACANCY * abs(qm) and np.sign(relaxed) == np.sign(qm)):
                problems.append(
                    f"a vacancy costs {mm:.2f} eV, relaxed {relaxed:.2f} eV, for {qm:.2f} eV before relaxation"
                )
        for name, error in self.forces.items():
            if name == "unseen" and not error <= FORCES:
                problems.append(
                    f"forces on rattled cells that it has not seen are off by {100 * error:.0f} %"
                )
        for what, energy in zip(("two atoms alone", "an atom near a neighbour"), self.near, strict=True):
            if not np.all(np.diff(energy) > 0):
                problems.append(f"{what} do not repel ever more below {NEAR[0]:g} r0")
        return problems

    def problems_of_solutes(self) -> list[str]:
        """What is wrong with the solutes, in words; an empty list if there are none, or they are accepted."""
        return [
            f"forces on rattled cells with a solute that it has not seen ({name}) are off by {100 * error:.0f} %"
            for name, error in self.forces.items()
            if name in SOLUTES_UNSEEN and not error <= FORCES
        ]

    def report(self) -> str:
        """A few lines for the log."""
        lines = [f"forces on unseen cells: {', '.join(f'{n} {e:.3f}' for n, e in self.forces.items())}"]
        for curve in [] if self.curves is None else map(self.curves.of, self.curves.systems):
            points = ", ".join(
                f"{fault.shift:g}: {mm / MILLIJOULE:.0f} ({qm / MILLIJOULE:.0f})"
                for fault, qm, mm in zip(curve.faults, curve.qm, curve.mm, strict=True)
            )
            lines.append(f"fault {curve.systems[0]}, mJ/m^2 by slip, QM in brackets: {points}")
        if self.vacancy is not None:
            lines.append("vacancy {1:.3f} ({0:.3f}) eV, relaxed {2:.3f} eV".format(*self.vacancy))
        if self.lattice is not None:
            lines.append("lattice constant {1:.5f} ({0:.5f}) Å".format(*self.lattice))
        return "\n".join(lines)


def defect_certificate(
    bulk: Bulk, model: ACE, observed: Mapping[CellSet, ObservedCells], lattice: np.ndarray
) -> DefectCertificate:
    """The simple defects of a fit.

    Parameters
    ----------
    bulk : Bulk
        Of the reference model.
    model : ACE
        The fit.
    observed : name -> ObservedCells
        As the reference model said.
    lattice : (m, 3, 3) float, eV/Å^2
        Force constants of the fit, in the order of the bulk.
    """
    whole = float(model.get_potential_energy(bulk.crystal.to_atoms())) / len(bulk.crystal.basis)
    forces: dict[CellSet, float] = {
        name: relative_force_error(model, observed[name])
        for name in UNSEEN
        if name in observed and name != "between"
    }
    return DefectCertificate(
        curves=_fault_curves(bulk, model, observed, whole),
        forces=forces,
        vacancy=_vacancy(model, observed["vacancy"], whole)
        if "vacancy" in observed and len(bulk.crystal.species) == 1
        else None,
        lowest_wave=lowest_wave(bulk, lattice),
        near=near_energies(bulk, model),
        lattice=_lattice(bulk, model),
    )


def relative_force_error(model: ACE, cells: ObservedCells) -> float:
    """|F^MM - F^QM| / |F^QM| over all cells of a set."""
    qm = np.concatenate(cells.forces)
    mm = np.concatenate([model.get_forces(cell) for cell in cells.cells])
    return float(np.linalg.norm(mm - qm) / np.linalg.norm(qm))


def lowest_wave(bulk: Bulk, matrix: np.ndarray) -> float:
    """Lowest eigenvalue of the dynamical matrix over the largest, on a grid of waves.

    matrix : (m, 3, 3) float, eV/Å^2
        Force constants in the order of the bulk.
    """
    constants = with_sum_rule(replace(bulk.force_constants, matrix=matrix))
    points = np.arange(WAVES) / WAVES
    grid = np.array(np.meshgrid(points, points, points, indexing="ij")).reshape(3, -1).T
    reciprocal = 2 * np.pi * np.linalg.inv(bulk.crystal.cell).T
    eigenvalues = np.linalg.eigvalsh(constants.dynamical_matrix(grid @ reciprocal))
    return float(eigenvalues.min() / eigenvalues.max())


def near_energies(bulk: Bulk, model: ACE) -> np.ndarray:
    """Energies (2, d), eV, of two atoms alone, and of one atom pushed to a neighbour, at distances NEAR."""
    r0, numbers = bulk.crystal.nearest_neighbour_distance, bulk.crystal.numbers
    alone = [Atoms(np.resize(numbers, 2), [[0.0, 0.0, 0.0], [distance * r0, 0.0, 0.0]]) for distance in NEAR]
    pushed = close_cells(bulk.crystal, NEAR.tolist())
    return np.array([[float(model.get_potential_energy(a)) for a in part] for part in (alone, pushed)])


def _fault_curves(
    bulk: Bulk, model: ACE, observed: Mapping[CellSet, ObservedCells], whole: float
) -> FaultCurves | None:
    if "faults" not in observed:
        return None
    systems = slip_systems(bulk.crystal)
    seen, between = faults(bulk.crystal, systems), faults(bulk.crystal, systems, between=True)
    found = (*seen, *between)
    area = np.array([fault.area for fault in found])
    qm = np.concatenate([observed["faults"].energy, observed["between"].energy])
    mm = [float(model.get_potential_energy(f.atoms)) - len(f.atoms) * whole for f in found]
    fitted = np.arange(len(found)) < len(seen)
    return FaultCurves(found, fitted, qm / area, np.array(mm) / area)


def _lattice(bulk: Bulk, model: ACE) -> tuple[float, float] | None:
    """Lattice constants of QM and MM, Å; None where the fit keeps a pressure at every one that is near."""
    try:
        found = rest_state(bulk.crystal, model)
    except RuntimeError:
        return None
    return bulk.crystal.lattice_constant, found.lattice_constant


def _vacancy(model: ACE, observed: ObservedCells, whole: float) -> tuple[float, float, float]:
    """Energies of the first cell: QM, MM, and MM relaxed."""
    from ase.optimize import FIRE  # slow to import

    cell = observed.cells[0].copy()
    cell.calc = model
    energy = float(cell.get_potential_energy()) - len(cell) * whole
    try:
        FIRE(cell, logfile=None).run(fmax=0.02, steps=150)
        relaxed = float(cell.get_potential_energy()) - len(cell) * whole
    except ValueError:  # atoms fell into each other
        relaxed = -np.inf
    return float(observed.energy[0]), energy, relaxed
