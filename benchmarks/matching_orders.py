"""What a fit observes against what it leaves: QM discs about the core of the W edge dislocation, EAM as QM.

    PYTHONPATH=. python benchmarks/matching_orders.py results > benchmarks/matching_orders.csv

Needs bulk, structure, operators and reference of edge_T4 in a results folder. At the reference the QM forces vanish, so
that those of a fit outside a disc of N_QM sites are the exact residual of a QM/MM model with that disc, as far as its
solution differs from the reference by a small change: eta in the norm H_FC, Å. Beside it: functions, QM calls of the
training data, root mean square of the force error on rattled cells that no fit has seen (eV/Å), the exponent of eta
from 60 to 1 000, and processor seconds of the fit.
"""

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from qmfront.config.material import ForceConstantSteps
from qmfront.config.potential import Fitting, Rattled, Regression, SmoothnessPrior, Training, Weights
from qmfront.coupling.force_mixing import model_forces
from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.estimate.estimator import estimator
from qmfront.evaluate.forces import calculator_forces
from qmfront.models.ace.basis import build_basis
from qmfront.models.ace.calculator import ACE
from qmfront.models.eam import EAM
from qmfront.operators.operators import Operators
from qmfront.storage import store
from qmfront.storage.layout import Kind
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.operators import OPERATORS
from qmfront.storage.layouts.reference import REFERENCE
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.training.fit import fit_potential
from qmfront.training.observations import Observations, observations_of
from qmfront.training.observe.rattled import rattled_cells

COUNTS = (60, 120, 250, 500, 1000, 2000)
SMALL, LARGE, LARGER = (16, 14, 10), (20, 18, 12), (24, 20, 14)
SITES = 300
CONSTANTS = ForceConstantSteps(reach=11.0, displacement=2e-4)
WEIGHTS = {"sampled_stress": 0.0}
"""Beside the defaults."""
RATTLED = Rattled(repeat=(2, 2, 2), count=40, amplitudes=(0.01, 0.12), strain=0.02, seed=2)
HELD_OUT = Rattled(repeat=(2, 2, 2), count=12, amplitudes=(0.01, 0.12), strain=0.02, seed=1)


@dataclass(frozen=True)
class Candidate:
    """A fit: what it observes, its basis, and how weights and prior differ."""

    label: str
    matching: int
    degree: tuple[int, int, int] = LARGE
    decay: float = 1.0
    cutoff: float = 5.5
    sites: int = 0
    rattled: float = 0.0
    strength: float = 1e-8
    smoothness: float = 0.0
    weights: dict[str, float] = field(default_factory=dict)


CANDIDATES = (
    Candidate("matching_0 of the study", 0, SMALL, 2.0, strength=1e-7, smoothness=1.0),
    Candidate("matching_1 of the study", 1, SMALL, 2.0, strength=1e-7, smoothness=1.0),
    Candidate("matching_2 of the study", 2, SMALL, 0.1),
    Candidate("matching 1", 1),
    Candidate("matching 2", 2),
    Candidate("matching 3", 3),
    Candidate("matching 2, smoother radial functions", 2, decay=2.0),
    Candidate("matching 2, rougher radial functions", 2, decay=0.1),
    Candidate("matching 2, cut-off 6.5 Å", 2, cutoff=6.5),
    Candidate("matching 2, smooth prior", 2, smoothness=1.0),
    Candidate("matching 2, strained force constants 0.01", 2, weights={"strained_force_constants": 0.01}),
    Candidate("matching 2, strained force constants 100", 2, weights={"strained_force_constants": 100.0}),
    Candidate("matching 2, larger basis", 2, LARGER),
    Candidate("matching 3, larger basis", 3, LARGER),
    Candidate("matching 2, rattled cells 1e-8", 2, rattled=1e-8),
    Candidate("matching 2, rattled cells 1e-6", 2, rattled=1e-6),
    Candidate("matching 2, rattled cells 1e-4", 2, rattled=1e-4),
    Candidate("matching 2, rattled cells 1e-2", 2, rattled=1e-2),
    Candidate("matching 1 and field", 1, sites=SITES),
    Candidate("matching 2 and field", 2, sites=SITES),
    Candidate("matching 2 and field, weight 1", 2, sites=SITES, weights={"field_stress": 1.0}),
    Candidate("matching 2 and field, weight 1e-4", 2, sites=SITES, weights={"field_stress": 1e-4}),
    Candidate(
        "matching 2 and field, rattled cells 1e-8 (matching_2_field of the study)",
        2,
        sites=SITES,
        rattled=1e-8,
    ),
    Candidate("matching 2 and field, larger basis", 2, LARGER, sites=SITES),
    Candidate("matching 3 and field", 3, sites=SITES),
    Candidate("matching 3 and field, larger basis", 3, LARGER, sites=SITES),
)


class Counted(EAM):
    """An EAM that counts what it is asked."""

    calls = 0

    def calculate(self, *arguments: object, **named: object) -> None:
        self.calls += 1
        super().calculate(*arguments, **named)


class Study:
    """The dislocation, its reference, and cells that no fit has seen."""

    def __init__(self, results: Path) -> None:
        def load(place: str, kind: Kind) -> store.Store:
            return store.load(results / f"{place}.zarr" / "zarr.json", kind)

        self.bulk = Bulk.from_arrays(load("bulk/tungsten", BULK))
        self.defect = Defect.from_arrays(load("edge_T4/structure", STRUCTURE))
        operators = Operators.from_arrays(load("edge_T4/operators", OPERATORS))
        self.riesz = operators.force_constant_map(self.defect.free, tolerance=1e-8)
        self.reference = load("edge_T4/reference", REFERENCE)["displacement"]
        self.radius = np.linalg.norm(self.defect.sites[:, :2], axis=1)
        self.cells = rattled_cells(self.bulk.crystal, HELD_OUT)
        self.forces = [EAM(potential="W_zhou").get_forces(cell) for cell in self.cells]
        self.training: dict[tuple[int, int, bool], tuple[Observations, int]] = {}

    def observed(self, candidate: Candidate) -> tuple[Observations, int]:
        """Observations and the QM calls that they took, once for all bases."""
        key = candidate.matching, candidate.sites, candidate.rattled > 0
        if key not in self.training:
            calculator = Counted(potential="W_zhou")
            settings = Training(
                matching=candidate.matching,
                rattled=RATTLED if candidate.rattled else None,
                field_samples=candidate.sites,
            )
            observations = observations_of(
                self.bulk, calculator, settings, CONSTANTS, defect=self.defect if candidate.sites else None
            )
            self.training[key] = observations, calculator.calls
        return self.training[key]

    def row(self, candidate: Candidate) -> dict[str, float | str]:
        """Of the table."""
        observations, calls = self.observed(candidate)
        start = time.process_time()
        basis = build_basis(
            ["W"], cutoff=candidate.cutoff, max_degree=candidate.degree, decay=candidate.decay, l_weight=1.5
        )
        rattled = dict.fromkeys(("rattled_energy", "rattled_forces"), candidate.rattled)
        prior = SmoothnessPrior(strength=candidate.strength, smoothness=candidate.smoothness)
        settings = Fitting(
            matching=candidate.matching,
            weights=Weights(**(WEIGHTS | rattled | candidate.weights)),
            regression=Regression(prior=prior),
        )
        fit = fit_potential(observations, self.bulk, basis, settings)
        seconds, calculator = time.process_time() - start, ACE(fit.potential)
        eta = self.etas(calculator)
        wrong = [calculator.get_forces(a) - f for a, f in zip(self.cells, self.forces, strict=True)]
        slope = np.polyfit(np.log(COUNTS[:5]), np.log(eta[:5]), 1)[0]
        return {
            "fit": candidate.label,
            "functions": len(basis),
            "qm_calls": calls,
            **{f"eta_{n}": float(f"{value:.3e}") for n, value in zip(COUNTS, eta, strict=True)},
            "slope_60_1000": round(float(slope), 2),
            "held_out": float(f"{np.sqrt(np.mean(np.square(wrong))):.2e}"),
            "seconds": round(seconds, 1),
        }

    def etas(self, calculator: ACE) -> list[float]:
        """eta of discs with COUNTS free sites, Å."""
        forces = model_forces(self.defect.body, self.defect.free, calculator_forces(calculator))(
            self.reference
        )
        edges = np.sort(self.radius[self.defect.free])[np.array(COUNTS) - 1] + 1e-6
        outside = [(self.radius > edge) & self.defect.free for edge in edges]
        return [
            estimator(self.riesz.solve(np.where(far[:, None], forces, 0.0)), self.defect.stencil)
            for far in outside
        ]


if __name__ == "__main__":
    study = Study(Path(sys.argv[1]))
    table = []
    for candidate in CANDIDATES:
        table.append(study.row(candidate))
        print(table[-1], file=sys.stderr, flush=True)
    print(pd.DataFrame(table).to_csv(index=False), end="")
