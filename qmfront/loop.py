"""The adaptive loop as code (Algorithm 1), on the functions that the rules of the workflow call.

    tungsten = measure(crystal, qm)
    potential = fit(tungsten)
    for step in adapt(tungsten, potential, dislocation, disc, tolerance=1e-3): ...

Every QM call goes through a journal, so that a second run asks for none of them again. What a study sets in YAML is set
here with the same typed sections.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
from ase import Atoms

from qmfront.config.defect import Crack, Disc
from qmfront.config.material import Crystal, Material, QuantumModel
from qmfront.config.potential import Potential
from qmfront.config.section import Section
from qmfront.config.stages import Coarsen
from qmfront.config.study import Case, rim_of
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.mm_minimum import MMMinimum, minimum_from, mm_minimum
from qmfront.coupling.partition import REGION_NAMES, Region
from qmfront.coupling.solution import Solution
from qmfront.coupling.solve import StartingPoint, solve
from qmfront.coupling.stability import proof
from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import crystal_of
from qmfront.crystal.solutes import same_sites
from qmfront.elasticity.bulk import Bulk, bulk_of
from qmfront.elasticity.certificate import Certificate
from qmfront.elasticity.defective_sites import defective_sites
from qmfront.elasticity.defects import cores_of, defect_of
from qmfront.elasticity.surface import surface_of
from qmfront.estimate.exact_layer import LayeredSettings
from qmfront.estimate.iteration import EstimatedIteration, estimated_iteration
from qmfront.estimate.numbers import IterationNumbers, iteration_numbers
from qmfront.estimate.residual import ResidualSettings
from qmfront.estimate.substitution import (
    HostState,
    SolutionState,
    SubstitutionEnergy,
    remaining_relaxation,
    substitution_energy,
)
from qmfront.estimate.trust import Attained, Trust, trust, verdict_words
from qmfront.evaluate.forces import calculator_energy, calculator_forces, journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.mismatch.far_field import far_field, field_strains
from qmfront.mismatch.linear import linear_mismatch
from qmfront.mismatch.model_difference import ModelDifference, model_difference
from qmfront.models.ace.calculator import ACE
from qmfront.operators.assembly import assemble
from qmfront.operators.operators import Operators
from qmfront.plan.choices import choices, mesh_choice
from qmfront.preflight.embedding import warnings_of_crystal, warnings_of_solution
from qmfront.refine.coarsening import Coarsening, coarsened, known_error
from qmfront.refine.decision import decision
from qmfront.refine.next_partition import (
    SiteEstimates,
    advanced,
    domain_of,
    first_region,
    region_of_start,
    united_region,
)
from qmfront.refine.regions import PartitionSettings
from qmfront.refine.report import report
from qmfront.storage.timing import Seconds
from qmfront.training.certificate import certificate_of
from qmfront.training.defect_certificate import DefectCertificate
from qmfront.training.force_constant_completion import completed
from qmfront.training.observations import observations_of
from qmfront.training.recipe import fit_by_recipe

logger = logging.getLogger(__name__)

UNNAMED = "unnamed"
"""What a case calls its material and potential here, where no file names them."""


@dataclass(frozen=True)
class MeasuredMaterial:
    """A crystal and its QM model, measured.

    material : Material
    bulk : Bulk
        Rest state, moduli, force constants and strained lattices of the QM model.
    journal : Journal
        Of all its evaluations.
    tally : Tally
        Counts them: `calls`, `computed`.
    """

    material: Material
    bulk: Bulk
    journal: Journal
    tally: Tally = field(default_factory=Tally)

    @property
    def spec(self) -> ModelSpec:
        """The QM model as the journal knows it."""
        qm = self.material.qm
        return ModelSpec(**qm.spec(Path()))


@dataclass(frozen=True)
class FittedPotential:
    """An MM potential and how it differs from the QM model on the perfect crystal.

    settings : Potential
    calculator : ACE
        An ASE calculator; `save` writes it.
    certificate : Certificate
    defects : DefectCertificate or None
        Faults, vacancy and distorted cells beside those of the QM model, with the recipe robust.
    """

    settings: Potential
    calculator: ACE
    certificate: Certificate
    defects: DefectCertificate | None = None


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


def measure(
    crystal: Crystal, qm: QuantumModel, *, journal: Path | str = "work/journal", **measurements: Section
) -> MeasuredMaterial:
    """Rest state, moduli and force constants of a QM model.

    Parameters
    ----------
    crystal : Crystal
    qm : QuantumModel
        Any ASE calculator, by its dotted path.
    journal : folder of the finished QM evaluations
    measurements : sections of a material, such as force_constants=ForceConstantSteps(reach=12.0)
    """
    material = Material.model_validate({"crystal": crystal, "qm": qm, **measurements})
    guess = crystal_of(crystal)
    book, tally = Journal(journal), Tally()
    spec = ModelSpec(**qm.spec(Path()))
    bulk = bulk_of(guess, Journaled(spec, book, tally), material)
    for warning in warnings_of_crystal(spec, bulk.crystal, rattle=material.preflight.rattle):
        logger.warning("%s", warning)
    return MeasuredMaterial(material, bulk, book, tally)


def fit(measured: MeasuredMaterial, potential: Potential | None = None) -> FittedPotential:
    """Observe the QM model and fit an ACE potential to it, (2.12), (4.5).

    Parameters
    ----------
    potential : Potential, optional
        What is observed, basis and regression; left out, the recipe robust, as far as the noise of the model allows.
    """
    settings = Potential(material=UNNAMED) if potential is None else potential
    material, bulk = measured.material, measured.bulk
    calculator = Journaled(measured.spec, measured.journal, measured.tally)
    observed = observations_of(bulk, calculator, settings, material.force_constants, slab=material.surface)
    fitted = fit_by_recipe(observed, bulk, settings.basis, settings)
    certificate = certificate_of(bulk, fitted, material.force_constants)
    return FittedPotential(settings, ACE(fitted.potential), certificate, fitted.defects)


def adapt(
    measured: MeasuredMaterial,
    potential: FittedPotential,
    defect: Section,
    domain: Section | None = None,
    *,
    tolerance: float | None = None,
    start: Step | None = None,
    **sections: Section,
) -> Iterator[Step]:
    """Algorithm 1: solve, estimate, refine, until the estimate is below the tolerance.

    Parameters
    ----------
    defect : Dislocation, Crack, Point or File
    domain : Disc or Box, optional
    tolerance : float, Å, optional
        Of eta; shorthand for adapt=Adapt(tolerance=...).
    start : Step, optional
        Of the same defect without solutes, in a domain as high or lower: the first solve starts from its solution,
        relaxed with the potential, and its QM atoms are QM. Left out, the minimum of the potential.
    sections : of a case, such as buffer=Buffer(width=12.0) or refine=Refine(t_new=2.0); coarsen=Coarsen() lets sites
        that the tolerance does not need leave the QM region at the end, once

    Yields
    ------
    Step
        After each estimate, the last one included.
    """
    coarsen, sections = coarsen_of(sections)
    case = case_of(defect, domain, tolerance, sections)
    problem, region, begun = prepared(measured, potential, case, start)
    yield from iterations(problem, region, begun, coarsen=coarsen)


def coarsen_of(sections: dict[str, Section]) -> tuple[Coarsen | None, dict[str, Section]]:
    """The section coarsen, which is no section of a case yet, and the others."""
    coarsen = sections.get("coarsen")
    if coarsen is not None and not isinstance(coarsen, Coarsen):
        raise TypeError(f"coarsen is a {type(coarsen).__name__}; give it as coarsen=Coarsen(...).")
    return coarsen, {name: section for name, section in sections.items() if name != "coarsen"}


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
        energy = _energy_of(hybrid, potential)
        begun = minimum_from(hybrid, energy, case.start, begin=start.solution.displacement[site])
        region = _region_of(hybrid, begun.minima, measured, case)
        partition = PartitionSettings(case.refine, case.buffer, case.embedding)
        region = united_region(hybrid.defect, begun.displacement, region, start.region[site], partition)
    difference = _difference(hybrid, begun, measured, potential, case)
    return Problem(measured, case, hybrid, difference), region, begun


def iterations(
    problem: Problem, region: np.ndarray, begun: StartingPoint | None, *, coarsen: Coarsen | None = None
) -> Iterator[Step]:
    """The iterations of Algorithm 1, from regions (n,) int and a displacement on.

    Parameters
    ----------
    coarsen : Coarsen, optional
        Once the estimate is below the tolerance, sites that it does not need leave the QM region, and one more solve
        follows. They leave once, so that N_QM does not oscillate; left out, none leave.
    """
    measured, case, hybrid, difference = problem.measured, problem.case, problem.hybrid, problem.difference
    partition = problem.partition(coarsen)
    residual = ResidualSettings((case.estimate.residual,), case.estimate, case.buffer)
    layer, before = None, None
    for k in count():
        calls = measured.tally.calls
        solution = solve(hybrid, region, difference.for_stop().forces, start=begun, settings=case.solve)
        calls = measured.tally.calls - calls - solution.test_calls
        _warn_of_tables(measured, hybrid.defect, solution)
        settings = LayeredSettings(residual, layer)
        found = estimated_iteration(
            hybrid, region, solution, difference, settings=settings, seconds=Seconds()
        )
        algebraic = solution.measure[-1]
        judged = partial(
            trust,
            solution,
            found.estimates.phi,
            r0=hybrid.defect.r0,
            attained=(before, Attained(found.estimates.chosen, int(np.sum(region == Region.QM)))),
            polynomial_error=found.polynomial_error,
        )
        numbers = iteration_numbers(
            found.estimates, region, case.estimate, judged(), algebraic=algebraic, qm_calls=calls
        )
        made, partition_of_next = advanced(
            decision(numbers.eta, numbers.n_qm, k, case.adapt, settled=numbers.trust.settled),
            hybrid.defect,
            SiteEstimates(found.estimates.marking_site, found.estimates.work_site),
            region,
            solution.displacement,
            partition,
        )
        next_region = partition_of_next.region
        step = Step(k, hybrid, region, solution, found, numbers, made.reason, difference, case)
        fewer = None
        if coarsen is not None and made.stop and numbers.eta < case.adapt.tolerance:
            fewer, coarsen = sites_given_up(problem, step, coarsen), None
            if fewer.removed.any():
                made, next_region = made.resumed(f"{fewer.removed.sum()} sites leave"), fewer.region
        if made.stop and case.adapt.prove:
            last = proof(hybrid, region, solution.displacement)
            numbers = replace(numbers, trust=judged(proven=last.eigenvalue), proof_calls=last.calls)
        logger.info("%s", report(case.title, made, numbers))
        yield replace(step, numbers=numbers, reason=made.reason)
        if made.stop:
            return
        begun, layer, region = solution, found.layer, next_region
        shrunk = fewer is not None and fewer.removed.any()
        before = None if shrunk else Attained(numbers.eta, numbers.n_qm, numbers.trust.lowest_eigenvalue)


def sites_given_up(problem: Problem, step: Step, coarsen: Coarsen) -> Coarsening:
    """Sites of a step that the tolerance of its case does not need; defective ones and their shell stay."""
    hybrid, u = step.hybrid, step.solution.displacement
    known = known_error(hybrid, step.region, step.solution, step.estimated.estimates.phi, step.case.estimate)
    kept = problem.region_of(u) == Region.QM
    return coarsened(
        step.region,
        domain_of(hybrid.defect, u),
        known,
        kept=kept,
        tolerance=step.case.adapt.tolerance,
        settings=problem.partition(coarsen),
    )


def substitution(measured: MeasuredMaterial, step: Step, host: Step | None = None) -> SubstitutionEnergy:
    """E(with solute) - E(without), both relaxed, eV: `substitution_energy` of a step of `adapt`.

    The binding energy of a solute to a defect is the difference of two of them: `beyond`.

    Parameters
    ----------
    step : Step
        Of a defect with solutes; best the last one, of a loop with start=host.
    host : Step, optional
        Of the same defect without them, in a domain as high or lower; left out, the perfect crystal.

    A step that is not trusted is named in the log: no bar holds for a state that may be another one.
    """
    for untrusted in (one for one in (step, host) if one is not None and not one.trusted):
        verdict = verdict_words(trusted=False, told=untrusted.trust.told)
        logger.warning("iteration %d is %s. The bar of an energy of it need not hold.", untrusted.k, verdict)
    defect, case = step.defect, step.case
    state = (
        HostState.perfect(defect, measured.bulk.crystal.numbers)
        if host is None
        else HostState.repeated(defect, host.defect, host.state)
    )
    journaled = Journaled(measured.spec, measured.journal, measured.tally)
    settings = ResidualSettings((), case.estimate, case.buffer)
    return substitution_energy(
        step.hybrid, step.state, state, step.difference, calculator_energy(journaled), settings=settings
    )


def _minimum(
    hybrid: Hybrid, measured: MeasuredMaterial, potential: FittedPotential, case: Case
) -> MMMinimum | None:
    """Where iteration 0 starts; None for the predictor."""
    if not case.start.relax:
        return None
    others = cores_of(measured.bulk, case.defect, case.domain, hybrid.defect)
    return mm_minimum(hybrid, _energy_of(hybrid, potential), case.start, others=others)


def _energy_of(hybrid: Hybrid, potential: FittedPotential) -> Callable[[np.ndarray], float]:
    """u (n, 3) Å -> energy of the potential on all sites, eV."""
    energy, body = calculator_energy(potential.calculator), hybrid.defect.body
    return lambda u: energy(body.atoms(u))


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


def _warn_of_tables(measured: MeasuredMaterial, defect: Defect, solution: Solution) -> None:
    """Where the tables of an EAM do not resolve what a solution asks of them."""
    atoms = defect.body.atoms(solution.displacement)
    for warning in warnings_of_solution(measured.spec, atoms, defect.free):
        logger.warning("%s", warning)


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
