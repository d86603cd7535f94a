"""Sections of the configuration as the tests need them."""

from typing import TypeVar

from qmfront.config.material import ForceConstantSteps, Probe, StressSamples
from qmfront.config.potential import Fitting, Regression, SmoothnessPrior, Weights
from qmfront.config.section import Section

STRAIN_STEP = 2.5e-3
AnySection = TypeVar("AnySection", bound=Section)


def steps(reach: float, *, displacement: float = 1e-3) -> ForceConstantSteps:
    """Force constants to a reach, Å."""
    return ForceConstantSteps(reach=reach, displacement=displacement)


def probe(reach: float) -> Probe:
    """Of a crystal, with strain samples of 2 %."""
    samples = StressSamples(amplitude=0.02, count=40, seed=3)
    return Probe(force_constants=steps(reach), stress_samples=samples)


def fitting(
    matching: int = 1, *, strength: float = 1e-8, smoothness: float = 0.0, **weights: float
) -> Fitting:
    """Ridge regression with a weak prior; weights that are not given are one."""
    return Fitting(
        matching=matching,
        strain_step=STRAIN_STEP,
        weights=Weights(**(dict.fromkeys(Weights.model_fields, 1.0) | weights)),
        regression=Regression(prior=SmoothnessPrior(strength=strength, smoothness=smoothness)),
    )


def changed(section: AnySection, **values: object) -> AnySection:
    """The section with other values, checked again."""
    return section.model_validate(section.model_dump() | values)
