"""A dislocation driven through its valleys by a shear, with a QM region that follows it.

    python benchmarks/paths.py [PATH ...]

Tungsten with an EAM as QM model (W_zhou), so that the path of the full model is known: the same code with that EAM in
place of the fitted potential, where all forces are those of one model. The 71 degrees mixed dislocation 1/2 <111> {110}
in a disc of 12 nearest-neighbour distances (33 Å), through one valley or more. The edge dislocation (001)[100] glides
at no shear below 8 %, some 12 GPa, and is no study of paths.

moving    the QM region gives up what the tolerance does not need
growing   it never does
full      the full model

Rows of benchmarks/paths_steps.csv, one per load: path, load, stress (GPa), position (Å), n_qm, added, removed, eta and
error (Å; against the full model at rest at that load, from the same state), qm_calls, lost_calls, lowest_eigenvalue,
jumped, load_shift. Rows of benchmarks/paths.csv: study, quantity, ours, bar, full_model; the bar of a stress is half
its bracket and what the estimated error shifts it by, that of other quantities the bound that they should keep. The
figure of docs/paths.md is drawn from these rows.
"""

import logging
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from ase.units import GPa

from qmfront import (
    EAM,
    Adapt,
    Coarsen,
    Crystal,
    Disc,
    Dislocation,
    Estimate,
    LoadPath,
    PathStep,
    QuantumModel,
    Refine,
    Solve,
    fit,
    follow,
    measure,
)
from qmfront.config.stages import Hessian
from qmfront.coupling.anderson import NoEquilibriumError
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.reference import relax_reference
from qmfront.estimate.estimator import true_error
from qmfront.evaluate.forces import calculator_forces

HERE = Path(__file__).parent
TABLE, STEPS = HERE / "paths.csv", HERE / "paths_steps.csv"
FIGURE = HERE.parent / "docs" / "gallery" / "path.png"
CRYSTAL = Crystal(structure="bcc", symbol="W", lattice_constant_guess=3.165)
QM = QuantumModel(calculator="qmfront.models.eam.EAM", kwargs={"potential": "W_zhou"}, cutoff=5.4)
DEFECT = Dislocation(line=(1, 1, 1), burgers=(-0.5, -0.5, 0.5), plane=(1, -1, 0))
DOMAIN = Disc(radius_r0=12.0)
LOADS = LoadPath(end=0.03, step=2e-3, smallest_step=1e-4, jumps=2)
TOLERANCE = 5e-3
"""Å."""
ESTIMATE = Estimate(far_field_samples=0, hessian=Hessian(mixed_calls=1))
"""Two QM calls a solution: one for the exact layer, and one which doubts the answer of the potential."""
SMALL_STEPS = Refine(maximum_growth=0.3)
"""What a step of the front takes too much has to leave again."""
SOLVE = Solve(modes=1, prove=False, algebraic_fraction=0.1)
PATHS = {
    "moving": {"adapt": Adapt(tolerance=TOLERANCE, prove=False), "solve": SOLVE},
    "growing": {
        "adapt": Adapt(tolerance=TOLERANCE, prove=False),
        "solve": SOLVE,
        "coarsen": Coarsen(least=1.0),
    },
    "full": {"adapt": Adapt(tolerance=1.0, prove=False), "solve": Solve(modes=1, prove=False)},
}
BASIN_R0 = 0.1
"""r0; a site of the full model that is farther from its place in ours has left the basin."""


def rows_of(name: str) -> list[dict]:
    """One row per load."""
    tungsten = measure(CRYSTAL, QM, journal=HERE.parent / "work" / "zoo")
    potential = fit(tungsten)
    if name == "full":
        potential = replace(potential, calculator=EAM("W_zhou"))
    rows = []
    sections = {"estimate": ESTIMATE, "refine": SMALL_STEPS, **PATHS[name]}
    for step in follow(tungsten, potential, DEFECT, DOMAIN, path=LOADS, **sections):
        rows.append(_row(name, step))
        print(rows[-1], flush=True)
    return rows


def _row(name: str, step: PathStep) -> dict:
    return {
        "path": name,
        "load": step.load,
        "stress": step.stress / GPa,
        "position": step.position,
        "n_qm": step.n_qm,
        "added": step.added,
        "removed": step.removed,
        "eta": np.nan if name == "full" else step.eta,
        "error": np.nan if name == "full" else _error(step),
        "qm_calls": step.qm_calls,
        "lost_calls": step.lost_calls,
        "lowest_eigenvalue": step.lowest_eigenvalue,
        "jumped": step.jumped,
        "load_shift": step.load_shift,
    }


def _error(step: PathStep) -> float:
    """Against the equilibrium of the full model at the same load and in the same basin; NaN if there is none."""
    forces, found = calculator_forces(EAM("W_zhou")), step.step
    alone, u = replace(found.hybrid, models=Models(forces, forces)), found.solution.displacement
    try:
        exact = relax_reference(
            alone.mm_forces(), alone.riesz, start=u, max_force=1e-5, settings=Solve(max_calls=200)
        ).displacement
    except NoEquilibriumError:
        return np.nan
    if np.abs(exact - u).max() > BASIN_R0 * found.defect.r0:
        return np.nan
    return true_error(u, exact, found.defect.stencil)


def summary(steps: pd.DataFrame) -> pd.DataFrame:
    """What the paths say, beside the full model and beside a region that only grows."""
    paths = {name: part.reset_index(drop=True) for name, part in steps.groupby("path")}
    ours, rows = paths["moving"], []
    for number, (mine, full) in enumerate(zip(_jumps(ours), _jumps(paths["full"]), strict=False), 1):
        for quantity in ("load", "stress"):
            rows.append(
                [f"{quantity} of jump {number}", mine[quantity], mine[f"{quantity}_bar"], full[quantity]]
            )
    at_rest = ours[np.isfinite(ours["error"])]
    ratio = at_rest["eta"] / at_rest["error"]
    quiet = ours[~ours["jumped"]].iloc[1:]
    rows += [
        ["smallest eta / error", ratio.min(), 0.67, np.nan],
        ["largest eta / error", ratio.max(), 1.5, np.nan],
        ["loads without a full model in the same basin", len(ours) - len(at_rest), 0, np.nan],
        ["largest over smallest N_QM", ours["n_qm"].max() / ours["n_qm"].min(), 1.6, np.nan],
        ["largest eta / tolerance", ours["eta"].max() / TOLERANCE, 1.0, np.nan],
        ["mean QM calls of a load without a jump", quiet["qm_calls"].mean(), 8, np.nan],
        ["largest QM calls of a load without a jump", quiet["qm_calls"].max(), 8, np.nan],
        ["mean QM calls of a jump, tries included", _mean_jump(ours), 8, np.nan],
    ]
    if "growing" in paths:
        rows.append(
            ["cost over that of a growing region", _cost(ours) / _cost(paths["growing"]), 0.6, np.nan]
        )
    return pd.DataFrame(
        [["W 71 degrees mixed", *row] for row in rows],
        columns=["study", "quantity", "ours", "bar", "full_model"],
    )


def _jumps(path: pd.DataFrame) -> list[dict[str, float]]:
    """Middle and bar of every bracket: half of its width, and the shift that the estimated error makes."""
    found = []
    for k in np.flatnonzero(path["jumped"]):
        before, after = path.iloc[k - 1], path.iloc[k]
        slope = (after["stress"] - before["stress"]) / (after["load"] - before["load"])
        bar = 0.5 * (after["load"] - before["load"]) + abs(before["load_shift"])
        middle = {name: 0.5 * (before[name] + after[name]) for name in ("load", "stress")}
        found.append(middle | {"load_bar": bar, "stress_bar": bar * slope})
    return found


def _cost(path: pd.DataFrame) -> float:
    """QM atoms times QM calls, the first load left out, which all paths share."""
    return float((path["n_qm"] * (path["qm_calls"] + path["lost_calls"])).iloc[1:].sum())


def _mean_jump(path: pd.DataFrame) -> float:
    jumped = path[path["jumped"]]
    return float((jumped["qm_calls"] + jumped["lost_calls"]).mean())


def draw(steps: pd.DataFrame) -> None:
    """Position of the core, QM atoms, and error with its estimate, over the stress."""
    plt.style.use(HERE.parent / "qmfront" / "figures" / "qmfront.mplstyle")
    figure, axes = plt.subplots(1, 3, figsize=(9.0, 2.8), constrained_layout=True)
    ours, full = (steps[steps["path"] == name] for name in ("moving", "full"))
    growing = steps[steps["path"] == "growing"]
    axes[0].plot(full["stress"], full["position"], "k-", label="full model")
    axes[0].plot(ours["stress"], ours["position"], "o", ms=3, label="moving region")
    axes[0].set(xlabel="stress / GPa", ylabel="position of the core / Å")
    axes[1].plot(ours["stress"], ours["n_qm"], "o-", ms=3, label="moving region")
    if len(growing):
        axes[1].plot(growing["stress"], growing["n_qm"], "s--", ms=3, label="growing region")
    axes[1].set(xlabel="stress / GPa", ylabel="QM atoms", ylim=(0, None))
    axes[2].semilogy(ours["stress"], ours["error"], "k-", label="true error")
    axes[2].semilogy(ours["stress"], ours["eta"], "o", ms=3, label="estimate")
    axes[2].axhline(TOLERANCE, color="0.6", lw=0.8)
    axes[2].set(xlabel="stress / GPa", ylabel="error / Å")
    for one in axes:
        one.legend(fontsize="small")
    figure.savefig(FIGURE, dpi=160)


def main(names: list[str]) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    for name in names or list(PATHS):
        found = pd.DataFrame(rows_of(name))
        known = pd.read_csv(STEPS) if STEPS.is_file() else found.iloc[:0]
        steps = pd.concat([known[known["path"] != name], found], ignore_index=True)
        steps.to_csv(STEPS, index=False, float_format="%.6g")
    steps = pd.read_csv(STEPS)
    if {"moving", "full"} <= set(steps["path"]):
        summary(steps).to_csv(TABLE, index=False, float_format="%.5g")
        draw(steps)


if __name__ == "__main__":
    main(sys.argv[1:])
