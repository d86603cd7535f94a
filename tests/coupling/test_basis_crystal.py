"""QM/MM on an edge dislocation of silicon: the error falls with the QM region, and the estimator follows it."""

from functools import partial

import numpy as np
import pytest

from qmfront.config.potential import Training
from qmfront.coupling.anderson import AndersonSettings
from qmfront.coupling.partition import BUFFER, FAR_FIELD, MM, QM
from qmfront.coupling.reference import ReferenceSettings, reference_arrays
from qmfront.coupling.solve import SolveSettings, solution_arrays
from qmfront.crystal.cluster import surrounded
from qmfront.estimate.estimator import estimates, true_error
from qmfront.estimate.residual import ResidualSettings, residual_arrays
from qmfront.mismatch.model_difference import model_difference
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
    defect, settings = edge(10.0), AndersonSettings(max_calls=100)
    operators = assemble(defect, silicon(), reach=REACH, decay=3.0, cutoff_r0=2.5)
    reference = reference_arrays(defect, operators, sw_forces, settings=ReferenceSettings(1e-6, settings))
    assert reference["lowest_eigenvalue"] > 0.05 and np.abs(reference["displacement"]).max() > 0.5
    mm = ACE(fit.potential)
    models, start, errors = (sw_forces, lambda atoms: np.array(mm.get_forces(atoms))), None, []
    wanted = ResidualSettings(("exact", "cauchy_born", "paper"), 1.5, 0.0, FORCE_RANGE)
    for radius in (4.0, 5.0, 6.5):
        region = regions(defect, radius)
        solution = solution_arrays(
            defect,
            operators,
            region,
            models,
            start=start,
            difference=partial(model_difference, defect=defect, mismatch=fit.mismatch),
            settings=SolveSettings(0.03, settings),
        )
        start = solution["displacement"]
        errors.append(true_error(start, reference["displacement"], defect.stencil))
        residuals = residual_arrays(
            solution,
            defect,
            operators,
            region,
            sw_forces,
            mismatch=fit.mismatch,
            settings=wanted,
            seconds=Seconds(),
        )
        found = estimates(
            residuals,
            defect,
            operators,
            region,
            solution["forces"],
            norm="force_constants",
            residual="cauchy_born",
            stabilisation=0.0,
        )
        for norm in ("force_constants", "laplacian"):
            for name in ("exact", "cauchy_born"):
                assert 0.4 < found.eta[f"{norm}/{name}"] / errors[-1] < 2.0, (norm, name, radius)
            assert found.eta[f"{norm}/paper"] > 0.5 * errors[-1]
    assert errors[0] > 3 * errors[1] > 9 * errors[2], errors
    assert found.eta["force_constants/exact"] == pytest.approx(errors[-1], rel=0.1)
