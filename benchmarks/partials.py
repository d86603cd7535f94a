"""Partials of dissociated fcc dislocations: how far apart the loop puts them, and what the QM region has to hold.

    python benchmarks/partials.py [cu_edge | cu_screw ...]

Copper of Mishin in a disc of 100 Å, all defaults. The separation is the distance between the places where the
disregistry across the glide plane, along the Burgers vector b, is b/4 and 3b/4. LAMMPS, relaxed with the same potential
in a disc of the same radius with the anisotropic Stroh solution at its rim, has it at 36.6 Å (edge) and 13.9 Å (screw).
Beside the front, circles on the middle between the partials, for the QM atoms at equal error.

Rows of benchmarks/partials.csv, one per iteration: system, marking (front or circle), k, n_qm, eta and error (Å),
separation, reference_separation (the QM model's own minimum) and lammps_separation (Å), both_in_qm, trusted.
"""

import logging
import sys
from pathlib import Path

import numpy as np
import zoo
from tables import keep

from qmfront import Adapt, Disc, Refine, adapt, fit, measure
from qmfront.config.stages import Reference, Stability
from qmfront.coupling.partition import Region
from qmfront.coupling.reference import reference_solution
from qmfront.crystal.defect import Defect
from qmfront.estimate.estimator import true_error

TABLE = Path(__file__).parent / "partials.csv"
RADIUS_R0 = 39.0
"""Of nearest neighbours, 2.556 Å: 100 Å."""
LAMMPS = {"cu_edge": 36.6, "cu_screw": 13.9}
"""Å; at rest to 2e-5 eV/Å, November 2026."""


def partials(defect: Defect, u: np.ndarray, burgers: np.ndarray) -> tuple[float, float]:
    """x1 (Å) where the disregistry across the glide plane x2 = 0 is b/4 and 3b/4.

        delta(x1) = (u_above - u_below) . b / |b|^2

    with u = u0 + u_bar of the rows next to the plane, linear between rows.

    Parameters
    ----------
    u : (n, 3) float, Å
    burgers : (3,) float, Å
        In the frame of the case.
    """
    x1, x2 = defect.coordinates.T
    share = (defect.predictor + u) @ burgers / (burgers @ burgers)
    rows = []
    for side in (x2 > 0, x2 < 0):
        nearest = np.abs(x2[side]).min()
        layer = np.flatnonzero(side & (np.abs(np.abs(x2) - nearest) < 1e-3))
        order = layer[np.argsort(x1[layer])]
        rows.append((x1[order], share[order]))
    (x, above), (below_x, below) = rows
    inner = (x > below_x.min()) & (x < below_x.max())
    x, delta = x[inner], above[inner] - np.interp(x[inner], below_x, below)
    delta = np.abs(delta)
    places = [_crossing(x, delta, level) for level in (0.25, 0.75)]
    return min(places), max(places)


def _crossing(x: np.ndarray, values: np.ndarray, level: float) -> float:
    steps = np.flatnonzero((values[:-1] - level) * (values[1:] - level) <= 0)
    if not len(steps):
        raise ValueError(f"The disregistry never passes {level:g} b: this core is not dissociated along x1.")
    i = steps[0]
    return float(x[i] + (level - values[i]) / (values[i + 1] - values[i]) * (x[i + 1] - x[i]))


def rows_of(name: str) -> list[dict]:
    """Front and circles."""
    system = zoo.SYSTEMS[name]
    crystal, qm = zoo.MATERIALS[system.material]
    material = measure(crystal, qm, journal=zoo.HERE.parent / "work" / "zoo")
    potential = fit(material)
    stop = Adapt(max_iterations=8, max_qm_atoms=900, tolerance=1e-4)
    domain = Disc(radius_r0=RADIUS_R0)
    front = list(adapt(material, potential, system.defect, domain, adapt=stop))
    last = front[-1]
    hybrid = zoo.of_qm_alone(last.hybrid, qm)
    settings = Reference(max_force=1e-6, max_calls=400, stability=Stability(tolerance=1e-2))
    reference = reference_solution(hybrid, settings, last.solution.displacement).displacement
    burgers = last.defect.frame @ np.asarray(system.defect.burgers) * material.bulk.crystal.lattice_constant
    low, high = partials(last.defect, reference, burgers)
    middle = ((low + high) / 2 / last.defect.r0, 0.0)
    circle = Refine(method="circle", circle={"growth": 1.6, "centre_r0": middle})
    first = {"radius_r0": (high - low) / 2 / last.defect.r0 + 1.2, "centre_r0": middle}
    circles = adapt(
        material, potential, system.defect, domain, adapt=stop, refine=circle, initial_region=first
    )
    rows = []
    for marking, steps in (("front", front), ("circle", circles)):
        for step in steps:
            u = step.solution.displacement
            found = partials(step.defect, u, burgers)
            in_qm = step.defect.coordinates[step.region == Region.QM][:, 0]
            rows.append(
                {
                    "system": name,
                    "marking": marking,
                    "k": step.k,
                    "n_qm": step.n_qm,
                    "eta": step.eta,
                    "error": true_error(u, reference, step.defect.stencil),
                    "separation": found[1] - found[0],
                    "reference_separation": high - low,
                    "lammps_separation": LAMMPS[name],
                    "both_in_qm": bool(in_qm.min() < low and in_qm.max() > high),
                    "trusted": step.trusted,
                }
            )
            print(rows[-1], flush=True)
    return rows


def main(names: list[str]) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    for name in names or list(LAMMPS):
        keep(rows_of(name), TABLE)


if __name__ == "__main__":
    main(sys.argv[1:])
