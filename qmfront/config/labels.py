"""What cases and potentials are called in figures."""

from qmfront.config.figures import Certificate, Efficiency, Errors, Figure
from qmfront.config.potential import Potential
from qmfront.config.study import Study

MATCHING = (
    "matching 0, force constants",
    "matching 1, the paper's observations",
    "matching 2, and higher derivatives",
    "matching 3, and higher ones still",
)


def labels_of(figure: Figure, study: Study) -> list[str]:
    """One label per case or potential of a figure: title, observations, or what the figure asks for."""
    if isinstance(figure, Certificate):
        return [_potential_label(name, study) for name in figure.potentials]
    if isinstance(figure, Errors) and figure.labels == "matching":
        return [_observed(study.potential_of(case)) for case in figure.cases]
    if isinstance(figure, Efficiency):
        return [_growth_label(case, study) for case in figure.cases]
    return [study.cases[case].title for case in figure.cases]


def _potential_label(name: str, study: Study) -> str:
    """Name, observations and regression of a potential."""
    chosen = study.potentials[name]
    return f"{name} ({_observed(chosen)}; {chosen.regression.method})"


def _observed(potential: Potential) -> str:
    """What a potential is fitted to, in words."""
    return MATCHING[potential.order] + ", strains of the field" * (potential.field_samples > 0)


def _growth_label(case: str, study: Study) -> str:
    """What a case is called beside circles."""
    chosen = study.cases[case]
    return chosen.title if chosen.refine.method == "circle" else f"adaptive, {chosen.title}"
