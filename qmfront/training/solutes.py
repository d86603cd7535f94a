"""What the atoms of solutes add to a potential of the crystal alone, which they leave as it is.

    E = sum_l B^host(l) . c^host + sum_l B^solute(l) . c^solute + sum_X n_X E0_X

B^host are the functions that see atoms of the crystal alone, with the coefficients that they have without solutes; a
solute is a hole to them. B^solute has a solute at its centre or among its neighbours, one or two in all: it vanishes
where no solute is within the cut-off. So moduli, force constants, faults and certificate of the crystal are the same to
the last digit, and cells with solutes determine c^solute alone,

    min sum_j |A_j c^solute - (y_j - A_j^host c^host)|^2 / |y_j|^2 + ridge.

Energies count up to n_X mu_X: how many atoms of a solute a cell has is not for the functions to tell. E0_X takes what
is left of them, so that an atom on a site costs what the reference model says.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from ase.data import atomic_numbers

from qmfront.config.potential import Basis as BasisSettings
from qmfront.config.potential import Fitting
from qmfront.elasticity.bulk import Bulk
from qmfront.models.ace.basis import Basis, Function, build_basis
from qmfront.models.ace.calculator import ACE
from qmfront.models.ace.design import design
from qmfront.models.ace.potential import Potential
from qmfront.training.fit import Fit
from qmfront.training.observations import Observations
from qmfront.training.observe.rattled import PERIODIC, CellSet, ObservedCells
from qmfront.training.observe.solutes import SOLUTES_FITTED, SOLUTES_UNSEEN
from qmfront.training.pops import ParameterBox
from qmfront.training.regression import ridge
from qmfront.training.repulsion import without_repulsion
from qmfront.training.uncertainty import Uncertainty

logger = logging.getLogger(__name__)

SIZES = ((10, 8, 5), (12, 10, 6), (14, 12, 8))
"""max_degree of the functions with a solute, tried in turn: 437, 714 and 1365 for one solute in a crystal of one
species with 354 functions."""
MOST_SOLUTES = 2
"""Atoms of solutes in one function: cells have at most two."""
WEIGHTS = (1e-6, 1e-4, 1e-2, 1.0)
"""Of the cells against the ridge; the one with the least error on unseen cells is taken."""
ENOUGH = 0.1
"""Relative error of forces on unseen cells up to which no larger basis is tried."""


@dataclass(frozen=True, eq=False)
class SoluteFunctions:
    """The functions of solutes, and how they stand among all functions of a potential.

    basis : Basis
        Of all functions.
    alone : Basis
        Of those with a solute.
    host, solute : (n,) int
        Places in `basis` of the functions of the crystal, and of those with a solute.
    """

    basis: Basis
    alone: Basis
    host: np.ndarray
    solute: np.ndarray

    @classmethod
    def beside(
        cls, host: Basis, solutes: Sequence[str], degrees: Sequence[int], *, angular_weight: float
    ) -> "SoluteFunctions":
        """Those of `build_basis` with one or two atoms of solutes, beside the functions of a crystal."""
        bond = host.bonds[0]
        build = partial(
            build_basis,
            [*host.species, *solutes],
            cutoff=bond.cutoff,
            l_weight=angular_weight,
            decay=bond.decay,
            taper=bond.taper,
        )
        built = build(max_degree=degrees)
        foreign = [symbol in solutes for symbol in built.species]
        largest = max(l for function in (*host.functions, *built.functions) for l in function.ls)
        widest = build(max_degree=(1, 2 * angular_weight * largest))
        known = {(function.centre, function.mus, function.ns, function.ls) for function in built.functions}
        chosen = [
            function
            for function in (*built.functions, *_of_momentum(widest, largest, foreign, known))
            if 1 <= foreign[function.centre] + sum(foreign[mu] for mu in function.mus) <= MOST_SOLUTES
        ]
        chosen.sort(key=lambda function: function.centre)
        place = [built.species.index(symbol) for symbol in host.species]
        own = [
            replace(function, centre=place[function.centre], mus=tuple(place[mu] for mu in function.mus))
            for function in host.functions
        ]
        both: list[Function] = [*own, *chosen]
        order = sorted(range(len(both)), key=lambda number: both[number].centre)
        n_radial = max(bond.n_radial, built.bonds[0].n_radial)
        bonds = tuple(replace(each, n_radial=n_radial) for each in built.bonds)
        is_host = np.array(order) < len(own)
        return cls(
            Basis(built.species, bonds, tuple(both[number] for number in order)),
            Basis(built.species, bonds, tuple(chosen)),
            np.flatnonzero(is_host),
            np.flatnonzero(~is_host),
        )

    def combined(self, host: np.ndarray, solute: np.ndarray) -> np.ndarray:
        """Coefficients, or rows of them, (n, ...) of all functions from those of both parts."""
        both = np.zeros((len(self.basis), *np.shape(host)[1:]))
        both[self.host], both[self.solute] = host, solute
        return both


def _of_momentum(widest: Basis, largest: int, foreign: Sequence[bool], known: set[tuple]) -> list[Function]:
    """The functions of a solute and an atom of the crystal that have the largest angular momentum, unless known.

    All neighbours of an atom need the same largest one, whatever their species: `models.ace.contraction` leaves rows
    that are missing below the largest of all as they were.
    """
    return [
        function
        for function in widest.functions
        if function.ns == (1, 1)
        and function.ls == (largest, largest)
        and sum(foreign[mu] for mu in function.mus) == 1
        and (function.centre, function.mus, function.ns, function.ls) not in known
    ]


@dataclass(frozen=True, eq=False)
class _Cells:
    """Cells of some sets, for one basis.

    energies : (cells,) float, eV
        What the functions of the crystal, which take solutes for holes, and the repulsion leave; per bulk atom nothing.
    forces : (rows,) float, eV/Å
        The same of all forces.
    energy_rows, force_rows : (cells, functions), (rows, functions)
    counts : (cells, species) int
        Atoms whose chemical potential is free.
    size : float, eV/Å
        |F| of the reference model.
    """

    energies: np.ndarray
    forces: np.ndarray
    energy_rows: np.ndarray
    force_rows: np.ndarray
    counts: np.ndarray
    size: float

    def system(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and right side of the regression: energies up to free chemical potentials, and forces."""
        free = np.eye(len(self.counts)) - self.counts @ np.linalg.pinv(self.counts)
        energies = free @ self.energies
        scale = 1.0 / np.linalg.norm(energies), 1.0 / self.size
        rows = [scale[0] * free @ self.energy_rows, scale[1] * self.force_rows]
        return np.concatenate(rows), np.concatenate([scale[0] * energies, scale[1] * self.forces])

    def error(self, coefficients: np.ndarray) -> float:
        """|F^MM - F^QM| / |F^QM|."""
        return float(np.linalg.norm(self.force_rows @ coefficients - self.forces) / self.size)

    def potentials(self, coefficients: np.ndarray) -> np.ndarray:
        """Energy of one atom of each species, (species,) eV, that the functions leave."""
        return np.linalg.pinv(self.counts) @ (self.energies - self.energy_rows @ coefficients)


def fit_with_solutes(
    fit: Fit, observations: Observations, bulk: Bulk, basis: BasisSettings, settings: Fitting
) -> Fit:
    """The fit of a crystal with the solutes of the settings beside it; the fit itself without any.

    Parameters
    ----------
    fit : Fit
        Of the crystal alone.
    observations : Observations
        With `observe.solutes.observe_solutes`.
    bulk : Bulk
    basis : section `basis` of the potential
        Its angular weight.
    settings : Fitting
    """
    if not settings.foreign:
        return fit
    host = fit.potential
    per_atom = float(ACE(host).get_potential_energy(bulk.crystal.to_atoms())) / len(bulk.crystal.basis)
    sets = {
        name: (observations.off_lattice[name], _left_by_host(observations.off_lattice[name], host, per_atom))
        for name in (*SOLUTES_FITTED, *SOLUTES_UNSEEN)
        if name in observations.off_lattice
    }
    tried: list[_Trial] = []
    for degrees in SIZES:
        functions = SoluteFunctions.beside(
            host.basis, settings.foreign, degrees, angular_weight=basis.angular_weight
        )
        tried.append(_trial(functions, sets, settings))
        if tried[-1].error <= ENOUGH:
            break
    return _joined(fit, min(tried, key=lambda trial: trial.error))


_Sets = Mapping[CellSet, tuple[ObservedCells, ObservedCells]]
"""What the reference model says of each set, and what the crystal alone leaves of it."""


@dataclass(frozen=True, eq=False)
class _Trial:
    """Functions of solutes, their coefficients, E0 of their elements (eV), and relative errors of forces by set."""

    functions: SoluteFunctions
    coefficients: np.ndarray
    single: dict[str, float]
    errors: dict[CellSet, float]

    @property
    def error(self) -> float:
        """The largest on unseen cells."""
        return max(value for name, value in self.errors.items() if name in SOLUTES_UNSEEN)


def _trial(functions: SoluteFunctions, sets: _Sets, settings: Fitting) -> _Trial:
    """The weight of the cells against the ridge that is best on unseen cells."""
    cells = {name: _cells(functions, *observed, settings.foreign) for name, observed in sets.items()}
    fitted = _together([cells[name] for name in cells if name in SOLUTES_FITTED])
    rows, right = fitted.system()
    found: list[_Trial] = []
    for weight in WEIGHTS:
        factor = np.sqrt(weight)
        solved = ridge(factor * rows, factor * right, functions.alone.smoothness, settings.regression.prior)
        errors = {name: each.error(solved) for name, each in cells.items()}
        single = dict(zip(settings.foreign, fitted.potentials(solved).tolist(), strict=False))
        found.append(_Trial(functions, solved, single, errors))
    told = ", ".join(
        f"{trial.error:.3f} with {weight:.0e}" for trial, weight in zip(found, WEIGHTS, strict=True)
    )
    logger.info("%d functions with a solute, error of unseen forces %s", len(functions.alone), told)
    return min(found, key=lambda trial: trial.error)


def _left_by_host(cells: ObservedCells, host: Potential, per_atom: float) -> ObservedCells:
    """What the functions of the crystal, which take solutes for holes, and the repulsion leave of some cells."""
    rest = cells if host.repulsion is None else without_repulsion(cells, host.repulsion)
    model = ACE(replace(host, repulsion=None))
    energy, forces = [], []
    for cell, given in zip(rest.cells, rest.forces, strict=True):
        own = np.isin(cell.numbers, host.basis.numbers)
        left = given.copy()
        left[own] -= model.get_forces(cell[own])
        forces.append(left)
        energy.append(float(model.get_potential_energy(cell[own])) - len(cell) * per_atom)
    return replace(rest, energy=rest.energy - np.array(energy), forces=tuple(forces))


def _cells(
    functions: SoluteFunctions, observed: ObservedCells, left: ObservedCells, solutes: Sequence[str]
) -> _Cells:
    energy_rows, force_rows, basis = [], [], functions.alone
    for cell in left.cells:
        rows = design(cell.positions, cell.cell.array, PERIODIC, cell.numbers, basis)
        energy_rows.append(rows.energy)
        force_rows.append(rows.forces.reshape(len(basis), -1).T)
    host = [symbol for symbol in basis.species if symbol not in solutes]
    species = [
        *solutes,
        *(host if len(host) > 1 else []),
    ]  # of one species alone the bulk tells what it costs
    counts = [[np.sum(cell.numbers == atomic_numbers[one]) for one in species] for cell in left.cells]
    return _Cells(
        left.energy,
        np.concatenate(left.forces).ravel(),
        np.array(energy_rows),
        np.concatenate(force_rows),
        np.array(counts, float),
        float(np.linalg.norm(np.concatenate(observed.forces))),
    )


def _together(parts: Sequence[_Cells]) -> _Cells:
    return _Cells(
        np.concatenate([part.energies for part in parts]),
        np.concatenate([part.forces for part in parts]),
        np.concatenate([part.energy_rows for part in parts]),
        np.concatenate([part.force_rows for part in parts]),
        np.concatenate([part.counts for part in parts]),
        float(np.linalg.norm([part.size for part in parts])),
    )


def _joined(fit: Fit, trial: _Trial) -> Fit:
    """Both parts as one potential; what is known of the crystal, its intervals too, stays."""
    functions, host, spread = trial.functions, fit.potential, fit.uncertainty
    single = dict(zip(host.basis.species, host.reference_energies.tolist(), strict=True)) | trial.single
    potential = replace(
        host,
        basis=functions.basis,
        coefficients=functions.combined(host.coefficients, trial.coefficients),
        reference_energies=np.array([single[symbol] for symbol in functions.basis.species]),
    )
    none = np.zeros(len(functions.alone))
    box = ParameterBox(
        potential.coefficients,
        functions.combined(spread.box.axes, np.multiply.outer(none, spread.box.low)),
        spread.box.low,
        spread.box.high,
    )
    half = functions.combined(spread.half, np.multiply.outer(none, spread.half[0]))
    errors = {f"{name}_forces": error for name, error in trial.errors.items() if name in SOLUTES_FITTED}
    unseen = {name: error for name, error in trial.errors.items() if name in SOLUTES_UNSEEN}
    defects = fit.defects
    return replace(
        fit,
        potential=potential,
        uncertainty=Uncertainty(half, box),
        relative_error={**fit.relative_error, **errors},
        defects=None if defects is None else replace(defects, forces={**defects.forces, **unseen}),
    )
