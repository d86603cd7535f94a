"""One iteration of the adaptive loop: regions, solution, estimate, and what is said of them."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms

from qmfront.config.study import Case
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import REGION_NAMES, Region
from qmfront.coupling.solution import Solution
from qmfront.crystal.defect import Defect
from qmfront.estimate.iteration import EstimatedIteration
from qmfront.estimate.numbers import IterationNumbers
from qmfront.estimate.substitution import SolutionState, remaining_relaxation
from qmfront.estimate.trust import Trust
from qmfront.mismatch.model_difference import ModelDifference


@dataclass(frozen=True)
class Step:
    """One iteration.

    k : int
        Counted from 0.
    hybrid : Hybrid
        The two models on the sites of the defect.
    region : (n,) int
        See `Region`.
    solution : Solution
    estimated : EstimatedIteration
    numbers : IterationNumbers
        Those of results/{case}/{k}/estimate.json: n_qm, eta, qm_calls, all estimators and trust.
    reason : str
        Why the loop stops, or goes on.
    difference : ModelDifference
        Of the two models, where the QM model is not asked.
    case : Case
        Its settings.
    """

    k: int
    hybrid: Hybrid
    region: np.ndarray
    solution: Solution
    estimated: EstimatedIteration
    numbers: IterationNumbers
    reason: str
    difference: ModelDifference
    case: Case

    @property
    def n_qm(self) -> int:
        """Number of QM atoms."""
        return int(np.sum(self.region == Region.QM))

    @property
    def defect(self) -> Defect:
        """Its sites, predictor and clamp."""
        return self.hybrid.defect

    @property
    def trust(self) -> Trust:
        """Whether eta is to be trusted, and why not."""
        return self.numbers.trust

    @property
    def trusted(self) -> bool:
        """Whether nothing speaks against eta; `trust.reasons` says what does."""
        return self.trust.trusted

    @property
    def eta(self) -> float:
        """Estimated error ||D (u - u_bar)||, Å."""
        return self.estimated.estimates.chosen

    @property
    def state(self) -> SolutionState:
        """What an energy needs to know of the solution."""
        residual = self.estimated.residuals[self.case.estimate.residual]
        relaxation = remaining_relaxation(residual, self.estimated.estimates.phi)
        return SolutionState(self.region, self.solution.displacement, relaxation)

    def atoms(self) -> Atoms:
        """The relaxed structure with arrays region, eta (Å) and displacement (Å); `info` says how sure it is.

        That of a file is as the file has it.
        """
        atoms = self.defect.in_file(self.solution.displacement)
        atoms.set_array("region", np.array(REGION_NAMES)[self.region])
        atoms.set_array("eta", self.estimated.estimates.eta_site)
        atoms.info |= {"eta": self.eta, "trusted": self.trusted, "reasons": "; ".join(self.trust.told)}
        if not np.isnan(self.trust.lowest_eigenvalue):
            atoms.info["lowest_eigenvalue"] = self.trust.lowest_eigenvalue
        return atoms
