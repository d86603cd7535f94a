"""Checks of the potentials of a study, against its materials and its cases."""

from collections.abc import Iterator
from math import prod
from pathlib import Path

from qmfront.config import sizes
from qmfront.config.defect import Disc, File
from qmfront.config.defect_checks import problems_of_termination
from qmfront.config.figures import Certificate
from qmfront.config.material import Crystal
from qmfront.config.merge import no_such
from qmfront.config.potential import Potential, Surfaces
from qmfront.config.sizes import short, there_is
from qmfront.config.solute_checks import problems_of_foreign_elements
from qmfront.config.study import Study

LEAST_DEGREES = (16, 14, 10)
"""Of a basis whose max_degree is null, the smallest that is tried."""
MATRICES_OF_FUNCTIONS, MATRICES_OF_ROWS = 8, 6
"""That a fit holds at once: functions by functions, and observations by functions; measured with 2 000 functions."""


def problems_of_potentials(study: Study, root: Path) -> Iterator[str]:
    """Every inconsistency of the potentials of a study, one message each."""
    for name, potential in study.potentials.items():
        material = study.materials.get(potential.material)
        if material is None:
            told = no_such("material", potential.material, study.materials, root)
            yield f"potentials.{name}.material: {told}"
            continue
        cutoff, reach = potential.basis.cutoff, material.force_constants.reach
        # what is not observed of its force constants is held by rattled cells, if there are some
        needed = cutoff if potential.rattled or potential.recipe == "robust" else 2 * cutoff
        if reach < needed:
            yield (
                f"potentials.{name}.basis.cutoff = {cutoff:g} Å: its force constants reach {2 * cutoff:g} Å, "
                f"but materials.{potential.material}.force_constants.reach is {reach:g} Å (at least {needed:g} Å "
                "here). Increase the reach or decrease the cut-off"
            )
        if not _is_unreadable(material.crystal):
            yield from _fit(f"potentials.{name}", potential, material.crystal)
            yield from _termination(f"potentials.{name}.surfaces", potential.surfaces, material.crystal)
            yield from problems_of_foreign_elements(name, potential, material, root)
        if potential.field_samples:
            yield from (f"potentials.{name}.field_samples {problem}" for problem in _field(name, study))


def _termination(place: str, surfaces: Surfaces | None, crystal: Crystal) -> Iterator[str]:
    """A cut of the only plane, where there is one, lies between two layers."""
    if surfaces is not None:
        problems = problems_of_termination(surfaces.termination, surfaces.planes[0], crystal)
        yield from (f"{place}.{problem}" for problem in problems)


def _fit(place: str, potential: Potential, crystal: Crystal) -> Iterator[str]:
    """What the fit of a potential needs, if that is more than there is: its functions, and what they are fitted to."""
    from qmfront.config.basis_size import number_of_functions  # brings NumPy

    there, basis = sizes.memory(), potential.basis
    degrees = basis.max_degree or LEAST_DEGREES
    possible = (1e6 * there / (8 * MATRICES_OF_FUNCTIONS)) ** 0.5
    n = number_of_functions(len(crystal.species), degrees, basis.angular_weight, beyond=possible)
    needed = 8e-6 * MATRICES_OF_FUNCTIONS * n**2
    if needed > there:
        yield (
            f"{place}.basis.max_degree = {list(degrees)} with angular_weight = {basis.angular_weight:g} makes "
            f"{short(n)} functions or more, whose fit needs {short(needed / 1e3)} GB; {there_is(there)}. Decrease the "
            "degrees: [20, 18, 12] makes 666 functions of one species"
        )
        return
    for key, cells, atoms in _cells(potential, crystal):
        needed = 8e-6 * MATRICES_OF_ROWS * n * 3 * cells * atoms
        if needed > there:
            yield (
                f"{place}.{key}: {cells} cells of {atoms} atoms have {short(3.0 * cells * atoms)} forces, and to "
                f"fit {short(n)} functions to them needs {short(needed / 1e3)} GB; {there_is(there)}. Decrease count "
                "or repeat"
            )


def _cells(potential: Potential, crystal: Crystal) -> Iterator[tuple[str, int, int]]:
    """Key, number of cells, and atoms of each, of all whose forces a potential is compared with."""
    sets = {"rattled": potential.rattled, "held_out": potential.held_out}
    if potential.recipe == "robust":
        robust = potential.robust
        sets |= {"robust.cells": robust.cells, "robust.strained": robust.strained}
        sets |= {"robust.unseen": robust.unseen, "robust.unseen_strained": robust.unseen_strained}
    for key, rattled in sets.items():
        if rattled is not None:
            yield key, rattled.count, prod(rattled.repeat) * len(crystal.cell.sites)
    if potential.surfaces is not None:
        slabs, planes = potential.surfaces, len(potential.surfaces.planes)
        atoms = slabs.layers * prod(slabs.rattled.repeat)
        yield "surfaces.rattled", planes * slabs.rattled.count, atoms


def _is_unreadable(crystal: Crystal) -> bool:
    """Whether its file is no crystal, which is told elsewhere."""
    try:
        return not crystal.species
    except ValueError:
        return True


def _field(name: str, study: Study) -> Iterator[str]:
    """Strains are those of a straight defect, or of none."""
    shown = any(
        name in figure.potentials for figure in study.figures.values() if isinstance(figure, Certificate)
    )
    case = study.first_case_of(name)
    if case is None:
        if shown:
            yield (
                "takes the strains of the first case with this potential, and there is none, but a figure shows its "
                "certificate: list such a case, take the potential out of the figure, or choose 0"
            )
    elif not isinstance(study.cases[case].domain, Disc) or isinstance(study.cases[case].defect, File):
        yield (
            f"takes the strains of a predictor, and {case!r}, the first case with this potential, is no straight "
            "dislocation or crack: choose 0"
        )
