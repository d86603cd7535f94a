"""Checks of figures, and of titles that matplotlib has to draw."""

from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from qmfront.config.defect import Box, Point
from qmfront.config.errors import did_you_mean, shown_value
from qmfront.config.figures import (
    NEED_ERRORS,
    NEED_FRONT,
    Binding,
    Certificate,
    Curves,
    Figure,
    Locality,
    Scaling,
)
from qmfront.config.labels import labels_of
from qmfront.config.merge import no_such
from qmfront.config.study import Study

RULES = (
    "adapt", "all", "bulk", "check", "clamp", "convergence", "energy", "far_field", "gather", "intervals", "job",
    "locality", "mismatch", "patch", "plan", "plans", "potential", "preflight", "qm_job", "reference", "scatter",
    "shared", "solve", "start", "structure", "summary", "surface", "table", "tiles", "timed_job", "training",
    "verdict",
)  # fmt: skip
"""Rules of the workflow, whose names no figure may have; nor one that begins with all_ or draw_."""

LONGEST_TITLE = 200
DEEPEST_MATHEMATICS = 5
"""Braces in each other between two dollars: many more exceed the recursion limit of Python where they are set."""


def problems_of_figures(study: Study, root: Path) -> Iterator[str]:
    """Names that figures may not have, cases that are not there, and what a kind of figure needs of its cases."""
    for name, figure in study.figures.items():
        place = f"figures.{name}"
        if name in RULES or name.startswith(("all_", "draw_")):
            yield f"{place}: {name!r} is the name of a rule of the workflow, and figures are targets: choose another"
        if isinstance(figure, Certificate):
            for potential in figure.potentials:
                if potential not in study.potentials:
                    yield f"{place}.potentials: {no_such('potential', potential, study.potentials, root)}"
        absent = [case for case in figure.cases if case not in study.cases]
        if absent:
            hint = did_you_mean(absent[0], study.cases) if len(absent) == 1 else ""
            verb = "is" if len(absent) == 1 else "are"
            told = ", ".join(map(repr, absent))
            yield f"{place}: {told} {verb} not among the cases{hint}; null draws no figure"
        else:
            yield from (f"{place} {problem}" for problem in _figure(figure, study))


def _figure(figure: Figure, study: Study) -> Iterator[str]:
    for name in figure.cases:
        case = study.cases[name]
        if isinstance(figure, NEED_ERRORS) and not case.reference.compute:
            yield (
                f"shows errors of {name!r}, but its reference.compute is false: "
                "compute the reference, or leave the case out of the figure"
            )
        if isinstance(figure, Binding) and not (case.energy.compute and case.energy.of == "substitution"):
            yield (
                f"shows the energy of the solutes of {name!r}, which computes none: give it "
                "energy: {compute: true, of: substitution}"
            )
        if isinstance(figure, Locality) and not case.locality.widths:
            yield (
                f"shows the locality of {name!r}, but its locality.widths is empty, so that nothing is measured: "
                "list some widths, or choose null to draw no figure"
            )
        if isinstance(figure, Scaling) and not isinstance(case.domain, Box):
            yield f"shows divide and conquer of {name!r}, whose domain is no periodic box: choose point defects"
        if isinstance(figure, NEED_FRONT) and case.refine.method != "fast_marching":
            yield (
                f"shows a front, but refine.method of {name!r} is {case.refine.method}, which has none: "
                "choose a case with fast_marching, or null to draw no figure"
            )
        if isinstance(figure, NEED_FRONT) and isinstance(case.defect, Point):
            yield f"shows a front in the plane, but {name!r} is a point defect: choose null to draw no figure"
    known = all(study.cases[name].potential in study.potentials for name in figure.cases)
    labels = labels_of(figure, study) if isinstance(figure, Curves) and known else []
    for label in dict.fromkeys(label for label in labels if labels.count(label) > 1):
        among = ", ".join(name for name, own in zip(figure.cases, labels, strict=True) if own == label)
        yield f"calls {among} all {label!r}: give the cases titles that differ, or show one of them"


def drawn(place: str, text: str) -> Iterator[str]:
    """One line that figures can set; between two dollars stands mathematics."""
    odd = next((character for character in text if not character.isprintable()), None)
    if odd is not None:
        yield f"{place}: {shown_value(text)} holds {odd!r}, which cannot be printed. Write one line of text"
    if len(text) > LONGEST_TITLE:
        yield f"{place}: {shown_value(text)} has {len(text)} characters, and {LONGEST_TITLE} fit. Write a shorter one"
        return
    if text.count("$") < 2:
        return
    if _depth(text) > DEEPEST_MATHEMATICS:
        yield f"{place}: {shown_value(text)} has more than {DEEPEST_MATHEMATICS} braces in each other. Write it simpler"
        return
    from matplotlib.mathtext import MathTextParser  # half a second, for titles with mathematics alone

    try:
        MathTextParser("path").parse(text)
    except ValueError as error:
        problem = str(error).strip().splitlines()[-1].split(": ", 1)[-1]
        yield (
            f"{place}: {shown_value(text)} cannot be set ({problem[:LONGEST_TITLE]}). Correct what stands between the "
            "dollars, or write \\$"
        )


def _depth(text: str) -> int:
    """The most braces that are open at a place."""
    return max(
        accumulate(text, lambda depth, character: depth + {"{": 1, "}": -1}.get(character, 0), initial=0)
    )
