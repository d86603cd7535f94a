"""Checks of the potentials of a study, against its materials and its cases."""

from collections.abc import Iterator
from pathlib import Path

from qmfront.config.defect import Disc, File
from qmfront.config.errors import did_you_mean
from qmfront.config.figures import Certificate
from qmfront.config.material import Material
from qmfront.config.merge import names_of_files
from qmfront.config.potential import Potential
from qmfront.config.sizes import too_many_functions
from qmfront.config.study import Study


def problems_of_potentials(study: Study, root: Path) -> Iterator[str]:
    """Every inconsistency of the potentials of a study, one message each."""
    for name, potential in study.potentials.items():
        material = study.materials.get(potential.material)
        if material is None:
            known = {*study.materials, *names_of_files("material", root)}
            yield (
                f"potentials.{name}.material: no material {potential.material!r}"
                f"{did_you_mean(potential.material, known)}"
            )
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
        yield from _basis(name, potential, material)
        if potential.field_samples:
            yield from (f"potentials.{name}.field_samples {problem}" for problem in _field(name, study))


def _basis(name: str, potential: Potential, material: Material) -> Iterator[str]:
    """A basis that can be fitted; a crystal that is none is told elsewhere."""
    try:
        n_species = len(material.crystal.species)
    except ValueError:
        return
    yield from too_many_functions(f"potentials.{name}.basis", potential.basis, n_species)


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
