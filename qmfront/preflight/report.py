"""The report on a reference model: made from the settings of a material, written as JSON, read by the plan."""

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from qmfront.config.material import ForceConstantSteps, Preflight, StressSamples
from qmfront.crystal.lattice import Crystal
from qmfront.preflight.examination import Findings, examine
from qmfront.preflight.recommendation import Recommendation, recommendation
from qmfront.preflight.subject import RefusedError, Subject

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """What is known of the reference model of a material.

    material : its name
    calculator : dotted path
    findings : Findings
    recommendation : Recommendation, None if no call was timed
    """

    material: str
    calculator: str
    findings: Findings
    recommendation: Recommendation | None

    def json(self) -> str:
        """The content of results/preflight/{material}.json."""
        content = {
            "material": self.material,
            "calculator": self.calculator,
            "passed": self.findings.passed,
            **asdict(self.findings),
            "recommendation": asdict(self.recommendation) if self.recommendation else {},
        }
        return json.dumps(content, indent=2) + "\n"

    @classmethod
    def read(cls, path: Path | str) -> "Report":
        """The report in a file that `json` made."""
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        advice = content["recommendation"] or None
        return cls(
            content["material"],
            content["calculator"],
            TypeAdapter(Findings).validate_python(content),
            TypeAdapter(Recommendation | None).validate_python(advice),
        )


def report(
    material: str,
    subject: Subject,
    guess: Crystal,
    settings: Preflight,
    steps: ForceConstantSteps,
    samples: StressSamples,
) -> Report:
    """Findings and recommendation.

    Parameters
    ----------
    material : its name
    subject : the reference model
    guess : Crystal
        Near rest.
    """
    findings = examine(subject, guess, settings, steps)
    force_range = float(getattr(subject.calculator, "force_range", 0.0))
    advice = recommendation(findings, guess, steps, samples, force_range=force_range)
    return Report(material, subject.name, findings, advice)


def refuse(found: Report, *, strictly: bool, page: str = "") -> None:
    """Raise RefusedError if the model failed and that is to stop the run; log warnings otherwise.

    page : where all findings stand
    """
    for text in found.findings.warnings:
        log.warning("%s: %s", found.material, text)
    causes = found.findings.problems
    if not causes:
        return
    text = f"{found.calculator} is refused for {found.material}. " + " Besides: ".join(
        [*causes, *found.findings.warnings]
    )
    if strictly:
        where = f"; all that was found is in {page}" if page else ""
        raise RefusedError(f"{text} (materials.{found.material}.preflight holds the limits{where}.)")
    log.warning("%s Going on, since preflight.refuse is false.", text)
