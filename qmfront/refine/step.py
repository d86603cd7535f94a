"""The first partition of a case and the next one, by the front or by growing circles."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qmfront.crystal.defect import Defect
from qmfront.refine.circle import grown_circle, initial_regions, seeded_regions
from qmfront.refine.domain import Domain
from qmfront.refine.refinement import Marking, Refinement, refine
from qmfront.refine.regions import Thresholds

CORE_RADIUS_R0 = 1.0
"""Sites within this distance (r0) of the core line must be QM. # ASSUME"""


@dataclass(frozen=True)
class RefineSettings:
    """How partitions are made.

    method : "fast_marching" or "circle"
    marking : Marking
        Of Algorithm 2; its thresholds also give the geometric buffer.
    circle_centre_r0 : (2,) float, r0
    circle_growth : float
    """

    method: str
    marking: Marking
    circle_centre_r0: tuple[float, float]
    circle_growth: float

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "RefineSettings":
        """From the sections refine and buffer of a case: {refine: {...}, buffer: {...}}."""
        refine_section, buffer = config["refine"], config["buffer"]
        thresholds = Thresholds(
            t_new=refine_section["t_new"],
            t_buf=refine_section["t_buf"],
            buffer_width=buffer["width"],
            exact_factor=buffer["residual_factor"],
            minimum_growth=refine_section["minimum_growth"],
        )
        marking = Marking(
            thresholds=thresholds,
            spacing=refine_section["mesh"],
            normalisation=refine_section["normalisation"],
        )
        circle = refine_section["circle"]
        return cls(refine_section["method"], marking, tuple(circle["centre_r0"]), circle["growth"])


def first_region(
    defect: Defect,
    initial: Mapping[str, Any],
    settings: RefineSettings,
    *,
    seeds: np.ndarray | None = None,
) -> np.ndarray:
    """Regions (n,) of iteration 0: a disc {radius_r0, centre_r0} that contains the core, and its buffer.

    With seeds (n,) bool: all free sites within the radius of a seed, and their buffer.
    """
    domain = domain_of(defect, np.zeros_like(defect.predictor))
    if seeds is not None:
        return seeded_regions(
            domain, seeds, radius=defect.r0 * initial["radius_r0"], thresholds=settings.marking.thresholds
        )
    return initial_regions(
        domain,
        centre=defect.r0 * np.asarray(initial["centre_r0"], float),
        radius=defect.r0 * initial["radius_r0"],
        core=defect.core[:2],
        core_radius=CORE_RADIUS_R0 * defect.r0,
        thresholds=settings.marking.thresholds,
    )


def refined_arrays(
    defect: Defect,
    eta_site: np.ndarray,
    region: np.ndarray,
    displacement: np.ndarray,
    *,
    settings: RefineSettings,
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """The next partition: arrays of a store of kind "partition", and its attributes.

    Parameters
    ----------
    defect : Defect
    eta_site : (n,) float, Å
        (4.1), unused by circles.
    region : (n,) int
    displacement : (n, 3) float, Å
    settings : RefineSettings
    """
    domain = domain_of(defect, displacement)
    if settings.method == "circle":
        centre = defect.r0 * np.asarray(settings.circle_centre_r0)
        thresholds = settings.marking.thresholds
        grown = grown_circle(
            region, domain, centre=centre, factor=settings.circle_growth, thresholds=thresholds
        )
        return {"region": grown}, {}
    result = refine(eta_site, region, domain, marking=settings.marking)
    return _arrays(result), {"threshold": float(result.threshold)}


def domain_of(defect: Defect, displacement: np.ndarray) -> Domain:
    """What Algorithm 2 sees of a straight defect: in-plane coordinates and deformed positions."""
    positions = defect.body.reference + displacement
    return Domain(defect.sites[:, :2], positions, defect.free, defect.cell, defect.pbc)


def _arrays(result: Refinement) -> dict[str, np.ndarray]:
    x, y = result.grid.axes()
    return {
        "region": result.region,
        "speed": result.speed,
        "arrival": result.arrival,
        "level_set": result.level_set,
        "grid_x": x,
        "grid_y": y,
        "arrival_site": result.arrival_site,
    }
