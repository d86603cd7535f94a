"""QM/MM on an edge dislocation of silicon: the error falls with the QM region, and the estimator follows it."""

import numpy as np
import pytest

from qmfront.config.potential import Training
from qmfront.config.stages import Buffer, Estimate, Reference, Solve
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import BUFFER, FAR_FIELD, MM, QM
from qmfront.coupling.reference import reference_solution
from qmfront.coupling.solve import solve
from qmfront.crystal.cluster import surrounded
from qmfront.estimate.estimator import Responses, estimates, representatives, true_error
from qmfront.estimate.residual import ResidualSettings, residual_arrays
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.models.ace.basis import build_basis
from qmfront.models.ace.calculator import ACE
from qmfront.operators.assembly import assemble
from qmfront.storage.timing import Seconds
from qmfront.training.fit import fit_potential
from qmfront.training.observations import observations_of
from tests.settings import fitting, steps
from tests.silicon import FORCE_RANGE, REACH, edge, silicon, stillinger_weber, sw_forces


@pytest.fixture(scope="module")
def fit():
    basis = build_basis(["Si"], cutoff=3.75, max_degree=(8, 6), l_weight=1.0, decay=1.0)
    observed = observations_of(silicon(), stillinger_weber(), Training(), steps(REACH))
    return fit_potential(observed, silicon(), basis, fitting())


def regions(defect, radius_r0: float) -> np.ndarray:
    qm = defect.free & (np.linalg.norm(defect.sites[:, :2], axis=1) < radius_r0 * defect.r0)
    buffer = surrounded(qm, defect.body.reference, defect.cell, defect.pbc, width=FORCE_RANGE + 0.5)
    region = np.where(buffer, BUFFER, MM)
    region[qm], region[~defect.free] = QM, FAR_FIELD
    return region


@pytest.mark.slow
def test_error_falls_with_the_qm_radius(fit):
    """Disc of 10 r0, potential of matching 1: exact, Cauchy-Born and true error within a factor of two."""
    defect = edge(10.0)
    operators = assemble(defect, silicon(), reach=REACH, decay=3.0, cutoff_r0=2.5)
    mm = ACE(fit.potential)
    models = Models(sw_forces, lambda atoms: np.array(mm.get_forces(atoms)))
    hybrid, difference = Hybrid(defect, operators, models), ModelDifference(defect, fit.mismatch)
    reference = reference_solution(hybrid, Reference(max_force=1e-6, max_calls=100))
    assert reference.lowest_eigenvalue > 0.05 and np.abs(reference.displacement).max() > 0.5
    estimate = Estimate(norm="force_constants", layer_r0=1.5, face_layer=0.0)
    buffer = Buffer(width=FORCE_RANGE, residual_factor=1.0)
    wanted = ResidualSettings(("exact", "cauchy_born", "paper"), estimate, buffer)
    start, errors = None, []
    for radius in (4.0, 5.0, 6.5):
        region = regions(defect, radius)
        solution = solve(hybrid, region, difference.forces, start=start, settings=Solve(max_calls=100))
        start = solution
        errors.append(true_error(solution.displacement, reference.displacement, defect.stencil))
        residuals = residual_arrays(hybrid, region, solution, difference, settings=wanted, seconds=Seconds())
        responses = Responses(residuals, representatives(residuals, hybrid.riesz))
        found = estimates(hybrid, region, solution.forces, responses, estimate)
        for norm in ("force_constants", "laplacian"):
            for name in ("exact", "cauchy_born"):
                assert 0.4 < found.eta[f"{norm}/{name}"] / errors[-1] < 2.0, (norm, name, radius)
            assert found.eta[f"{norm}/paper"] > 0.5 * errors[-1]
    assert errors[0] > 3 * errors[1] > 9 * errors[2], errors
    assert found.eta["force_constants/exact"] == pytest.approx(errors[-1], rel=0.1)
