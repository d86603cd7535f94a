"""From a case of a study with results to the files of another program."""

from collections.abc import Mapping
from pathlib import Path

from ase.data import chemical_symbols

from qmfront.analysis.structure import FinishedIteration, finished_iteration
from qmfront.config.study import Study
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.export.lammps import lammps_files
from qmfront.export.lammps_models import NoPairStyle, PairStyle, mm_pair_style, qm_pair_style
from qmfront.export.mlmix import mlmix_files
from qmfront.models.ace.io import load_potential
from qmfront.models.ace.potential import Potential
from qmfront.storage.writing import write_file


def write_lammps(root: Path, study: Study, case: str, k: int, folder: Path) -> list[Path]:
    """Write iteration k of a case for LAMMPS; the files.

    Raises
    ------
    ValueError
        If LAMMPS can read neither of its models.
    """
    found = finished_iteration(root / "results" / case, k)
    models = pair_styles(root, study, case, found)
    return _written(lammps_files(found, models, title=_title(case, k)), folder)


def write_mlmix(root: Path, study: Study, case: str, k: int, folder: Path) -> list[Path]:
    """Write iteration k of a case for ML-MIX; the files.

    Raises
    ------
    ValueError
        If ML-MIX cannot mix its models.
    """
    found = finished_iteration(root / "results" / case, k)
    cutoffs = study.material_of(case).qm.cutoff, _potential(root, study, case).basis.cutoff
    models = pair_styles(root, study, case, found)
    return _written(mlmix_files(found, models, title=_title(case, k), cutoffs=cutoffs), folder)


def pair_styles(
    root: Path, study: Study, case: str, found: FinishedIteration
) -> dict[str, PairStyle | NoPairStyle]:
    """ "qm" and "mm" -> the models of a case as LAMMPS reads them, for the elements of a structure."""
    material = study.material_of(case).qm
    spec = ModelSpec(**material.spec(root, study.cases[case].qm_kwargs))
    files = {name: str((root / file).resolve()) for name, file in material.files.items()}
    species = [chemical_symbols[number] for number in sorted(set(found.atoms.numbers.tolist()))]
    qm = qm_pair_style(spec, species, files)
    return {"qm": qm, "mm": mm_pair_style(_potential(root, study, case), qm.species or species)}


def _potential(root: Path, study: Study, case: str) -> Potential:
    folder = root / "results" / "potentials" / study.cases[case].potential
    return load_potential(folder / "potential.json")


def _title(case: str, k: int) -> str:
    return f"{case}, iteration {k}, by qmfront"


def _written(files: Mapping[str, str | bytes], folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_file(folder / name, content)
    return [folder / name for name in sorted(files)]
