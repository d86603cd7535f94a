"""Vacancies from files, of copper and of a compound, with a calculator of ASE: the estimate stands for the error."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from ase.build import bulk as ase_bulk
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.io import write

from qmfront.config.defect import Disc, File
from qmfront.config.material import ForceConstantSteps, Probe
from qmfront.config.potential import Fitting, Regression, SmoothnessPrior, Training
from qmfront.config.stages import Buffer, Estimate, InitialRegion, Reference, Solve
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import QM
from qmfront.coupling.reference import reference_solution
from qmfront.coupling.solve import solve
from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import cubic_crystal
from qmfront.elasticity.bulk import Bulk, bulk_of
from qmfront.elasticity.defects import defect_of
from qmfront.estimate.estimator import Responses, estimates, representatives, true_error
from qmfront.estimate.residual import ResidualSettings, residual_arrays
from qmfront.evaluate.forces import calculator_forces
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.models.ace.basis import build_basis
from qmfront.models.ace.calculator import ACE
from qmfront.operators.assembly import assemble
from qmfront.refine.next_partition import SiteEstimates, first_region, next_partition
from qmfront.storage.timing import Seconds
from qmfront.training.fit import Fit, fit_potential
from qmfront.training.observations import observations_of
from tests.partitions import partition
from tests.settings import steps

BUFFER = 9.0
"""Å; in 6 Å of the compound the buffer alone leaves 0.04 Å, and a larger QM region gains nothing."""


class Made(NamedTuple):
    """How the potential of a crystal is made, and how far from the vacancy its forces do not see it (r0)."""

    symbol: str
    structure: Any
    guess: float
    cutoff: float
    degrees: tuple[int, ...]
    radial_decay: float
    prior: SmoothnessPrior
    radius_r0: float

    @property
    def reach(self) -> float:
        """Å"""
        return 2 * self.cutoff + 0.2


ESTIMATE = Estimate(norm="force_constants", layer_r0=1.0, face_layer=0.0)

COPPER = Made("Cu", "fcc", 3.6, 4.2, (14, 12, 8), 0.1, SmoothnessPrior(strength=1e-8, smoothness=0.0), 2.0)
COMPOUND = Made("AlAu", "b2", 3.19, 4.8, (8, 6), 2.0, SmoothnessPrior(strength=1e-6), 2.4)


class Own(NamedTuple):
    """A crystal, its fit and a vacancy in it."""

    bulk: Bulk
    fit: Fit
    defect: Defect
    seeds: np.ndarray


def own(made: Made, folder: Path) -> Own:
    crystal = cubic_crystal(made.symbol, made.structure, made.guess)
    constants = ForceConstantSteps(reach=made.reach, displacement=2e-3)
    bulk = bulk_of(crystal, EMT(), Probe(force_constants=constants))
    basis = build_basis(
        bulk.crystal.species, cutoff=made.cutoff, max_degree=made.degrees, decay=made.radial_decay
    )
    observed = observations_of(bulk, EMT(), Training(), steps(made.reach))
    fit = fit_potential(observed, bulk, basis, Fitting(regression=Regression(prior=made.prior)))
    cell = ase_bulk(
        made.symbol, {"b2": "cesiumchloride"}.get(made.structure, made.structure), a=made.guess, cubic=True
    )
    described = File(
        kind="file",
        file=str(vacancy(cell, folder)),
        axes=((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        lattice_constant=made.guess,
        lattice=None,
        clamp="fix_atoms",
        seed=None,
        core=None,
    )
    domain = Disc(kind="disc", radius_r0=1.0, clamp_width=1.0)
    return Own(bulk, fit, *defect_of(bulk, described, domain, rim=2 * made.cutoff))


def vacancy(cell: Any, folder: Path) -> Path:
    """A cylinder three cells high, an atom at its axis missing: of AlAu a Au."""
    free, rim = 23.0, 10.5
    turns = int(np.ceil(2 * (free + rim) / cell.cell[0, 0])) + 2
    atoms = cell.repeat((turns, turns, 3))
    apart = np.linalg.norm(atoms.positions - atoms.positions.mean(axis=0), axis=1)
    middle = np.where(atoms.numbers == atoms.numbers.max(), apart, np.inf).argmin()
    distance = np.linalg.norm((atoms.positions - atoms.positions[middle])[:, :2], axis=1)
    keep = distance < free + rim
    keep[middle] = False
    atoms, distance = atoms[keep], distance[keep]
    atoms.pbc = (False, False, True)
    atoms.set_constraint(FixAtoms(mask=distance > free))
    path = folder / "vacancy.extxyz"
    write(path, atoms, columns=["symbols", "positions", "move_mask"])
    return path


@pytest.mark.parametrize(
    "made", [pytest.param(COPPER, id="Cu", marks=pytest.mark.slow), pytest.param(COMPOUND, id="AlAu")]
)
def test_the_estimate_of_a_vacancy(made: Made, tmp_path: Path) -> None:
    """QM where MM forces would see the vacancy; the exact estimator and the default one, beside the true error."""
    bulk, fit, defect, seeds = own(made, tmp_path)
    thresholds = partition(width=BUFFER, residual_factor=1.5)
    initial = InitialRegion(radius_r0=made.radius_r0)
    region = first_region(defect, initial, thresholds, seeds=seeds)
    assert np.all(region[seeds] == QM)
    operators = assemble(defect, bulk, reach=made.reach, decay=3.0, cutoff_r0=2.5)
    hybrid = Hybrid(
        defect, operators, Models(calculator_forces(EMT()), calculator_forces(ACE(fit.potential)))
    )
    reference = reference_solution(hybrid, Reference(max_force=1e-7, max_calls=60))
    assert 0 < reference.lowest_eigenvalue < 1.1
    difference = ModelDifference(defect, fit.mismatch)
    solution = solve(hybrid, region, difference.forces, settings=Solve())
    error = true_error(solution.displacement, reference.displacement, defect.stencil)
    relaxation = true_error(0 * solution.displacement, reference.displacement, defect.stencil)
    buffer = Buffer(width=BUFFER, residual_factor=1.5)
    settings = ResidualSettings(("exact", "cauchy_born"), ESTIMATE, buffer)
    residuals = residual_arrays(hybrid, region, solution, difference, settings=settings, seconds=Seconds())
    responses = Responses(residuals, representatives(residuals, hybrid.riesz))
    found = estimates(hybrid, region, solution.forces, responses, ESTIMATE)
    assert error < 0.02 * relaxation
    assert 0.5 < found.eta["force_constants/exact"] / error < 1.5
    assert 0.3 < found.eta["force_constants/cauchy_born"] / error < 3.0
    if made is COMPOUND:
        refined = next_region(defect, found.eta_site, region, solution.displacement)
        grown = solve(hybrid, refined, difference.forces, start=solution, settings=Solve())
        assert np.all(refined[region == QM] == QM)
        assert 1.3 * np.sum(region == QM) < np.sum(refined == QM) < 6 * np.sum(region == QM)
        assert true_error(grown.displacement, reference.displacement, defect.stencil) < 0.5 * error


def next_region(
    defect: Defect, eta_site: np.ndarray, region: np.ndarray, displacement: np.ndarray
) -> np.ndarray:
    """One step of Algorithm 2 with the default norm."""
    settings = partition(
        t_new=1.0, t_buf=1.0, width=BUFFER, residual_factor=1.5, minimum_growth=0.4, mesh=0.5
    )
    estimates = SiteEstimates(eta_site, np.zeros_like(eta_site))
    found = next_partition(defect, estimates, region, displacement, settings=settings)
    return found.region
