"""A small tungsten edge dislocation before its first iteration, and iterations that may be finished."""

from typing import Any

from ase import Atoms

from qmfront.config.material import Crystal, ForceConstantSteps, Material, Preflight, QuantumModel
from qmfront.config.potential import Potential
from qmfront.config.study import Case
from qmfront.evaluate.evaluation import Evaluation
from qmfront.plan.case import PlannedCase, planned_case
from qmfront.plan.finished import Finished, FinishedIteration
from qmfront.preflight.cost import Cost
from qmfront.preflight.examination import Findings
from qmfront.preflight.recommendation import Recommendation, SolveCalls
from qmfront.preflight.report import Report
from qmfront.preflight.rest import Rest

COST = Cost(base=0.0, factor=1e-3, exponent=2.0, memory_base=200.0, memory_factor=0.5, largest=400)
ADVICE = Recommendation(
    buffer=None,
    supercell=432,
    bulk_calls=60,
    bulk_hours=0.1,
    solve_calls=SolveCalls(first=20, later=6),
    clusters=[],
)
PREFLIGHT = Report(
    "tungsten", "qmfront.models.eam.EAM", Findings([], Rest(1.0, 1.0), None, COST, 1, 1.0), ADVICE
)
CASE: dict[str, Any] = {
    "title": "edge dislocation",
    "material": "tungsten",
    "potential": "matching_1",
    "defect": {"kind": "dislocation", "line": [0, 1, 0], "burgers": [1.0, 0.0, 0.0], "plane": [0, 0, 1]},
    "domain": {"kind": "disc", "radius_r0": 25.0},
    "reference": {"compute": False},
    "estimate": {"norm": "force_constants"},
    "adapt": {"tolerance": 5e-3},
}
POTENTIAL = Potential(material="tungsten", recipe="paper")
MATERIAL = Material(
    crystal=Crystal(structure="bcc", symbol="W", lattice_constant_guess=3.165),
    qm=QuantumModel(calculator="qmfront.models.eam.EAM", kwargs={"potential": "W_zhou"}, cutoff=5.4),
    preflight=Preflight(seconds=1e-9),  # no cluster is timed: a call costs what a sphere does, COST
    force_constants=ForceConstantSteps(reach=5.0),
)


def case(**changes: dict[str, Any]) -> Case:
    """Sections with some keys changed; of another kind a section is replaced."""
    content = dict(CASE)
    for name, change in changes.items():
        section = CASE.get(name, {})
        is_other_kind = "kind" in change and change["kind"] != section.get("kind")
        content[name] = change if is_other_kind else {**section, **change}
    return Case.model_validate(content)


def planned(potential: Potential = POTENTIAL, **changes: dict[str, Any]) -> PlannedCase:
    """The case with some keys of its sections changed."""
    return planned_case(case(**changes), potential, MATERIAL, PREFLIGHT, never_called)


def never_called(atoms: Atoms) -> Evaluation:
    raise AssertionError(f"{len(atoms)} atoms were evaluated.")


def finished(count: int, *, reference: bool = False, energy: bool = False, **changes: Any) -> Finished:
    """Iterations whose eta falls as N^-2 and whose calls take twice what COST says."""
    found = []
    for k, n_qm in enumerate([56, 123, 254][:count]):
        cluster, calls = 2 * n_qm + 150, 20 if k == 0 else 8
        seconds = 2 * COST.seconds(cluster) * calls
        content = {
            "eta": 0.1 * (n_qm / 56) ** -2,
            "qm_calls": calls,
            "residual_calls": 1,
            "correction_calls": 0,
            "solve_seconds": seconds + 1.0,
            "qm_seconds": seconds,
            "residual_seconds": 100.0,
            "rest_seconds": 1.0,
        }
        found.append(FinishedIteration(k=k, n_qm=n_qm, cluster=cluster, **{**content, **changes}))
    return Finished(tuple(found), reference=reference, energy=energy)
