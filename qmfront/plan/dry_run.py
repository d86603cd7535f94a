"""What a dry run refuses beyond the settings: files of defects that are not what their cases say, before any job."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from qmfront.config.defect import File
from qmfront.config.errors import ConfigError
from qmfront.config.figures import NEED_FRONT
from qmfront.config.solute_checks import (
    problems_of_pairs,
    problems_of_unknown_elements,
    subtracted_solutes,
)
from qmfront.config.study import Case, Study, rim_of
from qmfront.preflight.construction import refuse_at_dry_run

FARTHEST_GUESS = 0.03
"""Relative; by so much the lattice constant of a file may differ from the guess of that at rest."""


def refuse_before_jobs(study: Study, root: Path, options: Sequence[str], *, is_main: bool) -> None:
    """Read the files of defects and match them to their crystals; at a dry run the models are built as well.

    Parameters
    ----------
    options : of Snakemake
    is_main : whether no job asks, which need not read the files of a study that was checked

    Raises
    ------
    ConfigError
        With every file that cannot be used, or every model.
    """
    if is_main and (problems := list(problems_of_files(study, root))):
        raise ConfigError(problems)
    refuse_at_dry_run(study, root, options)


def problems_of_files(study: Study, root: Path) -> Iterator[str]:
    """What is wrong with the files of defects of a study, one message for each that cannot be used."""
    asked: dict[object, list[str]] = {}
    for name, case in study.cases.items():
        if isinstance(case.defect, File):
            parts = {"material", "potential", "defect", "domain", "initial_region", "buffer", "embedding"}
            asked.setdefault(str(case.model_dump(include=parts)), []).append(name)
    for names in asked.values():
        yield from _problems(names, study, root)


def _problems(names: list[str], study: Study, root: Path) -> Iterator[str]:
    from qmfront.plan.structure_check import found_in_file  # numpy and scipy, for cases with files alone

    case = study.cases[names[0]]
    material, potential = study.materials[case.material], study.potentials[case.potential]
    place = f"cases.{names[0]}.defect"
    try:
        found = found_in_file(
            case, material.crystal, root, rim=rim_of(potential, material), farthest=FARTHEST_GUESS
        )
    except ValueError as error:
        yield f"{place}: {str(error).replace(f'{root}/', '')}"
        return
    if found.dimension == 3:
        yield from _of_supercell(names, place, study)
    elif found.on_sites and case.embedding.subtract_lattice:
        yield f"{place}: {subtracted_solutes()}"
    own, name = material.crystal.species, f"potentials.{case.potential}"
    on_sites, between = set(found.on_sites), set(found.between)
    for problem in (
        *problems_of_unknown_elements(on_sites, between, own, potential, name),
        *problems_of_pairs(len(found.on_sites), potential, name),
    ):
        yield f"{place}.file: {problem}"


def _of_supercell(names: list[str], place: str, study: Study) -> Iterator[str]:
    """What point defects have not."""
    for name in names:
        case: Case = study.cases[name]
        if case.embedding.subtract_lattice:
            yield (
                f"{place}: the file is a periodic supercell. embedding.subtract_lattice = true would subtract the "
                "forces on the sites of its defect, which would not relax at all. Set it to false"
            )
    for name, figure in study.figures.items():
        if isinstance(figure, NEED_FRONT) and set(figure.cases) & set(names):
            yield (
                f"figures.{name}: shows a front in the plane, but the file of {names[0]!r} is a periodic supercell: "
                "choose null to draw no figure"
            )
