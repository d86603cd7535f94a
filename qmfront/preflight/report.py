"""From the configuration of a material to the content of its preflight report, and to its refusal."""

import logging
from collections.abc import Mapping
from typing import Any

from qmfront.crystal.lattice import Crystal
from qmfront.models.calculator import build
from qmfront.preflight.examination import Limits, examine
from qmfront.preflight.recommendation import recommendation
from qmfront.preflight.subject import RefusedError

log = logging.getLogger(__name__)


def report(guess: Crystal, spec: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values of findings and recommendation.

    Parameters
    ----------
    guess : Crystal
    spec : {calculator: dotted path, kwargs: {...}}
    settings : {preflight, force_constants, stress_samples}, sections of a material
    """
    steps = settings["force_constants"]
    chosen = {name: value for name, value in settings["preflight"].items() if name != "refuse"}
    findings = examine(
        lambda: build(spec),
        spec["calculator"],
        guess,
        Limits(**chosen, displacement=steps["displacement"]),
    )
    advice = recommendation(
        findings,
        guess,
        reach=steps["reach"],
        force_range=float(getattr(build(spec), "force_range", 0.0)),
        samples=settings["stress_samples"]["count"],
        cubic=steps["supercell"] == "cubic",
    )
    return {"calculator": spec["calculator"], **findings.plain(), "recommendation": advice}


def refuse(content: Mapping[str, Any], strictly: bool) -> None:
    """Raise RefusedError if the model failed and that is to stop the run; log a warning otherwise."""
    causes = [check["problem"] for check in content["checks"] if check["problem"]]
    if not causes:
        return
    text = f"{content['calculator']} is refused for {content['material']}. " + " Besides: ".join(causes)
    if strictly:
        raise RefusedError(f"{text} (materials.{content['material']}.preflight holds the limits.)")
    log.warning("%s Going on, since preflight.refuse is false.", text)
