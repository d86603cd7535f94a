"""A case before its first iteration: its sites, its first partition, and what a QM call of it costs."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list

from qmfront.config.material import Material
from qmfront.config.potential import Potential
from qmfront.config.study import Case, rim_of
from qmfront.crystal.lattice import Crystal, crystal_of
from qmfront.evaluate.evaluation import Evaluation
from qmfront.plan.geometry import UndeformedDomain, undeformed_domain
from qmfront.plan.price import cost_of_clusters
from qmfront.plan.prior import Prior, changed_atoms, general_prior, prior
from qmfront.preflight.cost import Cost
from qmfront.preflight.recommendation import Recommendation
from qmfront.preflight.report import Report
from qmfront.refine.regions import PartitionSettings


@dataclass(frozen=True, eq=False)
class PlannedCase:
    """All that is known of a case before its first iteration.

    calculator : dotted path of the QM model
    case, potential : Case, Potential
    crystal : as the preflight found it at rest
    reach : of the force constants, Å
    advice : calls and hours of the measurements on the crystal
    sphere, cost : Cost
        Of a QM call of a sphere in vacuum, and of a cluster of the case.
    domain : UndeformedDomain
    partition : PartitionSettings
    """

    calculator: str
    case: Case
    potential: Potential
    crystal: Crystal
    reach: float
    advice: Recommendation
    sphere: Cost
    cost: Cost
    domain: UndeformedDomain
    partition: PartitionSettings

    @property
    def kind(self) -> str:
        """Of the defect; a column of point defects in a file is "point"."""
        return "point" if self.domain.is_local else self.case.defect.kind

    @property
    def radius(self) -> float:
        """Of the first QM region, Å."""
        return self.case.first_disc.radius_r0 * self.domain.r0

    @property
    def is_thin(self) -> bool:
        """Whether MM sites beside the first QM region see the defect."""
        return self.radius < self.potential.basis.cutoff

    @property
    def is_matched(self) -> bool:
        """Whether the fit can be expected to meet all force constants: where every site is a centre of inversion.

        A solve leaves them out of its looks then. Relative error in tungsten 2e-7, in copper (EMT) 7e-5; tight-binding
        silicon, two sites per cell, leaves 4e-3.
        """
        return len(self.crystal.numbers) == 1

    @property
    def prior(self) -> Prior:
        """What is known of eta."""
        if self.is_thin or not self.domain.is_local:
            return general_prior()
        neighbours = neighbor_list("i", self.crystal.to_atoms(), 1.1 * self.domain.r0)
        return prior(
            self.potential.order,
            n_qm=self.domain.n_qm,
            r0=self.domain.r0,
            coordination=len(neighbours) / len(self.crystal.numbers),
            dimension=self.domain.dimension,
            changed=changed_atoms(self.case.defect, self.domain.lost),
        )


def planned_case(
    case: Case,
    potential: Potential,
    material: Material,
    preflight: Report,
    call: Callable[[Atoms], Evaluation],
) -> PlannedCase:
    """Sites, first partition and price of a case.

    Parameters
    ----------
    call : the QM model of the case

    Raises
    ------
    ValueError if the preflight gives no price, or the first region does not fit into the domain.
    """
    found, advice = preflight.findings, preflight.recommendation
    if not (found.cost and found.rest and advice):
        raise ValueError(
            f"The preflight of {preflight.material} ended before a call had a price: nothing can be planned. Its "
            "page says why."
        )
    crystal = crystal_of(material.crystal).strained(found.rest.scale * np.eye(3))
    partition = PartitionSettings(case.refine, case.buffer, case.embedding)
    domain = undeformed_domain(crystal, case, partition, rim=rim_of(potential, material))
    cost = cost_of_clusters(domain, found.cost, call, case.embedding, seconds=material.preflight.seconds)
    return PlannedCase(
        calculator=preflight.calculator,
        case=case,
        potential=potential,
        crystal=crystal,
        reach=material.force_constants.reach,
        advice=advice,
        sphere=found.cost,
        cost=cost,
        domain=domain,
        partition=partition,
    )
