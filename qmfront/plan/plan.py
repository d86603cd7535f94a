"""The plan of a case: N_QM, QM calls, hours and memory to its end, before they are spent."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase.neighborlist import neighbor_list

from qmfront.crystal.lattice import Crystal
from qmfront.elasticity.bulk import cubic_lattice_constant
from qmfront.models.calculator import build
from qmfront.plan.decay import assumed_slope, decays
from qmfront.plan.geometry import Ground, first_partition, ground_of
from qmfront.plan.iterations import Loop, energy_of, finished_iterations, predicted_iterations
from qmfront.plan.preparation import far_field, preparation
from qmfront.plan.price import Price, cost_of_clusters, look_seconds
from qmfront.plan.prior import Prior, changed_atoms, general_prior, prior
from qmfront.plan.resources import with_resources
from qmfront.preflight.cost import Cost
from qmfront.refine.next_partition import RefineSettings
from qmfront.refine.regions import Thresholds

SCENARIOS = ("low", "expected", "high")


@dataclass(frozen=True, eq=False)
class Prospect:
    """All that is known of a case before its first iteration.

    crystal : as the preflight found it at rest
    preflight : content of results/preflight/{material}.json
    case, potential : resolved sections, plain values
    residuals : names of the residuals that are computed
    n_qm, n_buf : sites of the first partition
    reach : of the force constants, Å
    cost : Cost
        Of a QM call of its clusters.
    """

    crystal: Crystal
    preflight: Mapping[str, Any]
    case: Mapping[str, Any]
    potential: Mapping[str, Any]
    residuals: Sequence[str]
    ground: Ground
    thresholds: Thresholds
    n_qm: int
    n_buf: int
    cost: Cost
    reach: float

    @property
    def radius(self) -> float:
        """Of the first QM region, Å."""
        return self.case["initial_region"]["radius_r0"] * self.ground.r0

    @property
    def is_thin(self) -> bool:
        """Whether MM sites beside the first QM region see the defect."""
        return self.radius < self.potential["basis"]["cutoff"]

    @property
    def is_matched(self) -> bool:
        """Whether the fit can be expected to meet all force constants: where every site is a centre of inversion.

        Relative error in tungsten 2e-7, in copper (EMT) 7e-5; tight-binding silicon, two sites per cell, leaves 4e-3.
        """
        return len(self.crystal.numbers) == 1

    @property
    def prior(self) -> Prior:
        """What is known of eta."""
        if self.is_thin or not self.ground.is_local:
            return general_prior()
        neighbours = neighbor_list("i", self.crystal.to_atoms(), 1.1 * self.ground.r0)
        return prior(
            self.potential["matching"],
            n_qm=self.n_qm,
            r0=self.ground.r0,
            coordination=len(neighbours) / len(self.crystal.numbers),
            dimension=self.ground.dimension,
            changed=changed_atoms(self.case["defect"], self.ground.lost),
        )


def plan(
    guess: Crystal,
    preflight: Mapping[str, Any],
    spec: Mapping[str, Any],
    study: Mapping[str, Any],
    folder: Path,
) -> dict[str, Any]:
    """Plain values for JSON and page.

    Parameters
    ----------
    guess : crystal of the material, as in the configuration
    preflight : content of results/preflight/{material}.json
    spec : {calculator, kwargs}, of the case
    study : {case, potential, residuals, seconds, reach}
        Resolved sections, names of the residuals that are computed, the seconds that the price of calls may cost, and
        the reach of the force constants, Å.
    folder : results/{case}; what it holds of finished iterations is learnt from

    Raises
    ------
    ValueError if the preflight tells no price, or the first region does not fit into the domain.
    """
    prospect = prospect_of(guess, preflight, spec, study)
    done = {
        "reference": (folder / "reference.zarr" / "zarr.json").is_file(),
        "energy": (folder / "energy.json").is_file(),
    }
    found = planned(prospect, finished_iterations(folder), **done)
    return {"calculator": spec["calculator"], **found}


def prospect_of(
    guess: Crystal, preflight: Mapping[str, Any], spec: Mapping[str, Any], study: Mapping[str, Any]
) -> Prospect:
    """Sites, first partition and price of a case; parameters and errors as `plan`."""
    if not (preflight["cost"] and preflight["rest"]):
        raise ValueError(
            f"The preflight of {preflight['material']} ended before a call had a price: nothing can be planned. Its "
            "page says why."
        )
    case, potential = study["case"], study["potential"]
    crystal = guess.strained(preflight["rest"]["scale"] * np.eye(3))
    thresholds = RefineSettings.from_config(case).marking.thresholds
    rim = 2 * potential["basis"]["cutoff"]
    ground = ground_of(crystal, cubic_lattice_constant(crystal), case, rim=rim)
    n_qm, n_buf = first_partition(ground, thresholds)
    cost = cost_of_clusters(
        ground,
        Cost(**preflight["cost"]),
        build(spec),
        name=spec["calculator"],
        cluster=n_qm + n_buf,
        seconds=study["seconds"],
        box_cells=case["embedding"]["minimum_cells"] if case["embedding"]["kind"] == "box" else 0,
    )
    return Prospect(
        crystal=crystal,
        preflight=preflight,
        case=case,
        potential=potential,
        residuals=study["residuals"],
        ground=ground,
        thresholds=thresholds,
        n_qm=n_qm,
        n_buf=n_buf,
        cost=cost,
        reach=study["reach"],
    )


def planned(
    prospect: Prospect, finished: Sequence[Mapping[str, Any]], *, reference: bool, energy: bool = False
) -> dict[str, Any]:
    """The plan after some iterations, plain values.

    Parameters
    ----------
    finished : rows of `finished_iterations`
    reference, energy : whether they are there
    """
    case, n_sites = prospect.case, len(prospect.ground.numbers)
    look = look_seconds(prospect.crystal, prospect.reach)
    price = Price(prospect.cost, n_sites, look=look).learnt(finished)
    loop = Loop(prospect.ground, price, prospect.thresholds, case, prospect.residuals, prospect.is_matched)
    before = preparation(
        case,
        prospect.potential,
        prospect.crystal,
        price,
        prospect.preflight,
        clusters={"first": loop.cluster(prospect.n_qm), "domain": n_sites},
        finished={"reference": reference, "others": bool(finished)},
    )
    before += _far_field(prospect, price, done=bool(finished))
    slope, first = assumed_slope(loop.kind, prospect.potential["matching"]), prospect.prior
    ways, tolerance = decays(slope, finished, first), case["adapt"]["tolerance"]
    found = {name: predicted_iterations(loop, ways[name], prospect.n_qm, finished) for name in SCENARIOS}
    after = {name: energy_of(loop, rows, done=energy) for name, (rows, _) in found.items()}
    return {
        "tolerance": tolerance,
        "finished": len(finished),
        "sites": n_sites,
        "prior": first.words,
        "decay": {name: way.plain() for name, way in ways.items()},
        "notes": _notes(prospect),
        "price": {**asdict(price.cost), "shape": price.shape},
        "scenarios": {
            name: _summed(rows, (before, after[name]), reason, ways[name].needed(tolerance))
            for name, (rows, reason) in found.items()
        },
        "preparation": with_resources(before),
        "iterations": with_resources(found["expected"][0]),
        "afterwards": with_resources(after["expected"]),
    }


def _far_field(prospect: Prospect, price: Price, *, done: bool) -> list[dict[str, Any]]:
    """Straight defects alone have one; no more lattices than free sites."""
    samples, ground = prospect.case["estimate"]["far_field_samples"], prospect.ground
    if ground.dimension == 3:
        return []
    samples = min(samples, int(ground.domain.free.sum()))
    sphere = Cost(**prospect.preflight["cost"])
    return far_field(samples, prospect.crystal, price, sphere, finished=done)


def _notes(prospect: Prospect) -> list[str]:
    """What a look at the sizes tells, in words."""
    if not prospect.is_thin:
        return []
    cutoff = prospect.potential["basis"]["cutoff"]
    needed = np.ceil(100 * cutoff / prospect.ground.r0) / 100
    return [
        f"The first QM region ends {prospect.radius:.1f} Å from the defect, less than the cut-off of the potential "
        f"({cutoff:g} Å): the forces on MM atoms beside it are made with the defect in sight, which the potential was "
        f"not fitted to. A first solve may not converge; initial_region.radius_r0 = {needed:g} is wide enough."
    ]


def _summed(
    rows: Sequence[Mapping[str, Any]],
    others: tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]],
    reason: str,
    needed: float,
) -> dict[str, Any]:
    """Totals of a way in which eta may fall; what is finished is not in the hours that are left.

    others : rows of what comes before the iterations and after them
    """
    before, after = others
    every = [*before, *rows, *after]
    ahead = [row for row in every if not row["finished"]]
    return {
        "n_qm_for_tolerance": needed,
        "iterations": len(rows),
        "n_qm": rows[-1]["n_qm"] if rows else 0,
        "eta": rows[-1]["eta"] if rows else None,
        "reason": reason,
        "qm_calls": sum(row["calls"] for row in rows),
        "preparation_calls": sum(row["calls"] for row in before),
        "preparation_hours": sum(row["seconds"] for row in before) / 3600,
        "afterwards_calls": sum(row["calls"] for row in after),
        "afterwards_hours": sum(row["seconds"] for row in after) / 3600,
        "hours": sum(row["seconds"] for row in rows) / 3600,
        "hours_left": sum(row["seconds"] for row in ahead) / 3600,
        "memory": max((row["memory"] for row in every), default=0.0),
    }
