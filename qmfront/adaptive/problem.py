"""A case before its first iteration: its two models on the sites, where the first solve starts, the first regions."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from qmfront.adaptive.matching import UNNAMED, FittedPotential, MeasuredMaterial
from qmfront.adaptive.step import Step
from qmfront.config.defect import Crack, Disc
from qmfront.config.section import Section
from qmfront.config.stages import Coarsen
from qmfront.config.study import Case, rim_of
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.mm_minimum import MMMinimum, minimum_from, mm_minimum
from qmfront.coupling.solve import StartingPoint
from qmfront.crystal.defect import Defect
from qmfront.crystal.solutes import same_sites
from qmfront.elasticity.defective_sites import defective_sites
from qmfront.elasticity.defects import cores_of, defect_of
from qmfront.elasticity.surface import surface_of
from qmfront.evaluate.forces import calculator_energy, calculator_forces, journaled_forces
from qmfront.evaluate.journaled import Journaled
from qmfront.mismatch.far_field import far_field, field_strains
from qmfront.mismatch.linear import linear_mismatch
from qmfront.mismatch.model_difference import ModelDifference, model_difference
from qmfront.operators.assembly import assemble
from qmfront.operators.operators import Operators
from qmfront.plan.choices import choices, mesh_choice
from qmfront.refine.next_partition import first_region, region_of_start, united_region
from qmfront.refine.regions import PartitionSettings
from qmfront.training.force_constant_completion import completed

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Problem:
    """What all iterations of a case share.

    measured : MeasuredMaterial
    case : Case
    hybrid : Hybrid
    difference : ModelDifference
        Of the two models, where the QM model is not asked.
    """

    measured: MeasuredMaterial
    case: Case
    hybrid: Hybrid
    difference: ModelDifference

    def partition(self, coarsen: Coarsen | None = None) -> PartitionSettings:
        """How its partitions are made."""
        case = self.case
        return PartitionSettings(case.refine, case.buffer, case.embedding, coarsen or Coarsen())

    def region_of(self, *starts: np.ndarray) -> np.ndarray:
        """The smallest regions (n,) int for some displacements (n, 3) Å: defective sites and the shell of a start."""
        return _region_of(self.hybrid, starts, self.measured, self.case)


def prepared(
    measured: MeasuredMaterial, potential: FittedPotential, case: Case, start: Step | None = None
) -> tuple[Problem, np.ndarray, StartingPoint | None]:
    """A case before its first iteration, its first regions (n,) int, and where its first solve starts."""
    if "width" not in case.buffer.model_fields_set:
        case = case.with_buffer_of(measured.material.qm.cutoff)
    hybrid, region = _hybrid(measured, potential, case)
    begun: StartingPoint | None
    if start is None:
        minimum = begun = _minimum(hybrid, measured, potential, case)
        if minimum is not None and minimum.at_rest and case.initial_region is None:
            region = _region_of(hybrid, (*minimum.minima,), measured, case)
    else:
        site = same_sites(hybrid.defect, start.defect)
        energy = energy_of(hybrid, potential)
        begun = minimum_from(hybrid, energy, case.start, begin=start.solution.displacement[site])
        region = _region_of(hybrid, begun.minima, measured, case)
        partition = PartitionSettings(case.refine, case.buffer, case.embedding)
        region = united_region(hybrid.defect, begun.displacement, region, start.region[site], partition)
    difference = _difference(hybrid, begun, measured, potential, case)
    return Problem(measured, case, hybrid, difference), region, begun


def moved(problem: Problem, potential: FittedPotential, defect: Defect) -> Problem:
    """The same problem for another defect of the same atoms, in their order: its operators, the same two models."""
    measured, difference = problem.measured, problem.difference
    operators = operators_of(measured, potential, defect, problem.case)
    linear = linear_mismatch(measured.bulk, potential.certificate).assembled(defect)
    return replace(
        problem,
        hybrid=replace(problem.hybrid, defect=defect, operators=operators),
        difference=replace(difference, defect=defect, linear=linear if difference.linear else None),
    )


def case_of(
    defect: Section, domain: Section | None, tolerance: float | None, sections: dict[str, Section]
) -> Case:
    """The case of a loop: what its sections leave open has the defaults of a study."""
    written: dict[str, object] = {"title": UNNAMED, "material": UNNAMED, "potential": UNNAMED}
    written |= {"defect": defect, "domain": Disc() if domain is None else domain, **sections}
    case = Case.model_validate(written)
    if tolerance is None:
        return case
    return case.model_copy(update={"adapt": case.adapt.model_copy(update={"tolerance": tolerance})})


def operators_of(
    measured: MeasuredMaterial, potential: FittedPotential, defect: Defect, case: Case
) -> Operators:
    """H_FC and L; force constants beyond the reach of the QM model's are those of the potential where that is asked."""
    steps, laplacian = measured.material.force_constants, case.estimate.laplacian
    bulk, reach = measured.bulk, steps.reach
    if steps.beyond == "potential":
        bulk = completed(bulk, potential.calculator, displacement=steps.displacement)
        reach = max(reach, potential.calculator.force_range)
    return assemble(defect, bulk, reach=reach, decay=laplacian.A, cutoff_r0=laplacian.cutoff_r0)


def energy_of(hybrid: Hybrid, potential: FittedPotential) -> Callable[[np.ndarray], float]:
    """u (n, 3) Å -> energy of the potential on all sites, eV."""
    energy, body = calculator_energy(potential.calculator), hybrid.defect.body
    return lambda u: energy(body.atoms(u))


def _hybrid(measured: MeasuredMaterial, potential: FittedPotential, case: Case) -> tuple[Hybrid, np.ndarray]:
    """The QM/MM model of a case, and its first regions (n,) int."""
    surface = None
    if isinstance(case.defect, Crack):
        surface = surface_of(
            measured.bulk,
            Journaled(measured.spec, measured.journal, measured.tally),
            case.defect.plane,
            measured.material.surface,
            displacement=measured.material.force_constants.displacement,
            termination=case.defect.termination,
        )
        logger.info("%s", surface)
    rim = rim_of(potential.settings, measured.material)
    defect, seeds = defect_of(measured.bulk, case.defect, case.domain, surface=surface, rim=rim)
    models = Models(
        journaled_forces(measured.spec, measured.journal, measured.tally),
        calculator_forces(potential.calculator),
    )
    hybrid = Hybrid(defect, operators_of(measured, potential, defect, case), models, case.embedding)
    cutoff = measured.material.qm.cutoff
    told = choices(measured.bulk, case.defect, case.domain, defect, buffer=case.buffer, cutoff=cutoff)
    for line in (*told, mesh_choice(case.refine, defect.r0)):
        logger.info("%s", line)
    first = PartitionSettings(buffer=case.buffer, embedding=case.embedding)
    return hybrid, first_region(defect, case.initial_region, first, seeds=seeds)


def _minimum(
    hybrid: Hybrid, measured: MeasuredMaterial, potential: FittedPotential, case: Case
) -> MMMinimum | None:
    """Where iteration 0 starts; None for the predictor."""
    if not case.start.relax:
        return None
    others = cores_of(measured.bulk, case.defect, case.domain, hybrid.defect)
    return mm_minimum(hybrid, energy_of(hybrid, potential), case.start, others=others)


def _region_of(
    hybrid: Hybrid, starts: Sequence[np.ndarray], measured: MeasuredMaterial, case: Case
) -> np.ndarray:
    """The first regions (n,) int: where the first of some starts (n, 3) Å, or one that competes, is defective."""
    crystal, u = measured.bulk.crystal, starts[0]
    defective = np.any([defective_sites(hybrid.defect, one, crystal) for one in starts], axis=0)
    settings = PartitionSettings(buffer=case.buffer, embedding=case.embedding)
    return region_of_start(hybrid.defect, u, defective, settings, shell_r0=case.start.shell_r0)


def _difference(
    hybrid: Hybrid,
    begun: StartingPoint | None,
    measured: MeasuredMaterial,
    potential: FittedPotential,
    case: Case,
) -> ModelDifference:
    """How the models differ beyond the QM region, at the strains of the case."""
    defect, bulk, certificate = hybrid.defect, measured.bulk, potential.certificate
    u = np.zeros_like(defect.predictor) if begun is None else begun.displacement
    asked = far_field(
        field_strains(defect, u, bulk.crystal, samples=case.estimate.far_field_samples),
        bulk.crystal,
        (Journaled(measured.spec, measured.journal, measured.tally), potential.calculator),
        certificate.polynomial,
        moduli=linear_mismatch(bulk, certificate).moduli_difference(certificate),
    )
    return model_difference(bulk, certificate, defect, asked)
