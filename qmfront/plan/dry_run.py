"""What a dry run refuses beyond the settings: files of defects that are not what their cases say, before any job."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from qmfront.config.defect import File
from qmfront.config.errors import ConfigError
from qmfront.config.figures import NEED_FRONT
from qmfront.config.load import load
from qmfront.config.study import Case, Study, rim_of

FARTHEST_GUESS = 0.03
"""Relative; by so much the lattice constant of a file may differ from the guess of that at rest."""


def study_of(
    config: Mapping[str, Any], root: Path, *, files: Iterable[Path | str] = (), deep: bool = True
) -> Study:
    """As `config.load.load`, with the files of defects read and matched to their crystals.

    Parameters
    ----------
    deep : bool
        Whether these files are read: jobs of a study that was checked need not do it again.

    Raises
    ------
    ConfigError
    """
    study = load(config, root, files=files)
    if deep and (problems := list(problems_of_files(study, root))):
        raise ConfigError(problems)
    return study


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
    from qmfront.plan.structure_check import dimension_of_file  # numpy and scipy, for cases with files alone

    case = study.cases[names[0]]
    material, potential = study.materials[case.material], study.potentials[case.potential]
    place = f"cases.{names[0]}.defect"
    try:
        dimension = dimension_of_file(
            case, material.crystal, root, rim=rim_of(potential, material), farthest=FARTHEST_GUESS
        )
    except ValueError as error:
        yield f"{place}: {str(error).replace(f'{root}/', '')}"
        return
    if dimension == 3:
        yield from _of_supercell(names, place, study)


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
