"""Every study of the project can be used, if its calculator is installed, and says no more than it needs."""

import pytest

from qmfront.config.load import load
from qmfront.config.merge import names_of_files
from qmfront.config.study import Study
from tests.config.conftest import ROOT, STUDIES, study_as_written

POINT_DEFECTS = ("points", "points_minimal", "points_eam", "points_large", "dft", "dft_cluster")


@pytest.fixture(autouse=True)
def _calculators_need_not_be_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qmfront.config.material_checks.missing_module", lambda dotted: None)


def loaded(name: str) -> Study:
    return load(study_as_written(name), ROOT)


@pytest.mark.parametrize("name", STUDIES)
def test_it_can_be_loaded(name: str) -> None:
    study = loaded(name)
    assert list(study.cases) == list(study_as_written(name)["cases"])
    if name in POINT_DEFECTS:
        assert all(case.defect.kind == "point" and case.domain.kind == "box" for case in study.cases.values())


@pytest.mark.parametrize("name", STUDIES)
def test_it_takes_back_no_figure_of_another_study(name: str) -> None:
    figures = study_as_written(name).get("figures", {})
    assert None not in figures.values()


def test_every_case_material_and_potential_is_of_some_study() -> None:
    """What no study names is never computed, and would rot."""
    studies = [loaded(name) for name in STUDIES]
    named = {
        "case": {name for study in studies for name in study.cases},
        "material": {name for study in studies for name in study.materials},
        "potential": {name for study in studies for name in study.potentials},
    }
    for kind, names in named.items():
        assert set(names_of_files(kind, ROOT)) - names == set(), kind


def test_the_default_study_has_figures_1_to_7() -> None:
    figures = loaded("config").figures
    assert set(figures) >= {f"figure_{number}" for number in range(1, 8)}
