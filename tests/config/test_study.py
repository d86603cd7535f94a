"""What jobs of a study share, what cases ask for, and what follows from their settings."""

from typing import Any

import pytest

from qmfront.config.defect import DescribedDefect
from qmfront.config.job_settings import (
    BulkSettings,
    FitSettings,
    PlanSettings,
    StartSettings,
    StructureSettings,
    SurfaceSettings,
    TrainingSettings,
)
from qmfront.config.load import load
from qmfront.config.material import QuantumModel
from qmfront.config.merge import merged
from qmfront.config.potential import Potential, Training
from qmfront.config.study import Study, rim_of
from tests.config.conftest import ROOT, study_as_written


def study(cases: dict[str, Any], **more: Any) -> Study:
    """The minimal study with cases of its own, which change keys of its dislocation."""
    written = study_as_written("minimal")
    named = {name: {"extends": "minimal", **changed} for name, changed in cases.items()}
    return load(merged({**written, "cases": named, "figures": {}}, more), ROOT)


def test_cases_that_differ_in_the_loop_share_operators_and_reference() -> None:
    """The first of them computes both; another domain, Laplacian or embedding is another origin."""
    found = study(
        {
            "one": {},
            "stopped": {"adapt": {"tolerance": 0.5}, "buffer": {"width": 11.0}},
            "larger": {"domain": {"radius_r0": 20.0}},
            "laplacian": {"estimate": {"laplacian": {"A": 2.0}}},
            "larger_stopped": {"domain": {"radius_r0": 20.0}, "adapt": {"tolerance": 0.5}},
        }
    ).origins()
    assert found == {
        "one": "one",
        "stopped": "one",
        "larger": "larger",
        "laplacian": "laplacian",
        "larger_stopped": "larger",
    }


@pytest.mark.parametrize(
    ("start", "beyond", "shared"),
    [("predictor", "zero", True), ("minimum", "zero", False), ("predictor", "potential", False)],
)
def test_what_another_potential_is_shared_with(start: str, beyond: str, shared: bool) -> None:
    """Nothing, where the reference starts at its minimum, or where the operators go on with its force constants."""
    changed = {"reference": {"start": start}, "start": {"relax": True}}
    found = study(
        {"one": changed, "other": {**changed, "potential": "minimal_surface"}},
        materials={"tungsten": {"force_constants": {"beyond": beyond}}},
    )
    assert (found.origins()["other"] == "one") is shared


def test_the_stages_that_cases_ask_for() -> None:
    found = study(
        {
            "all": {
                "start": {"relax": True},
                "locality": {"widths": [12.0]},
                "estimate": {"far_field_samples": 3},
                "reference": {"compute": True},
                "energy": {"compute": True},
                "clamp": {"factor": 1.5},
            },
            "none": {"start": {"relax": False}, "reference": {"compute": False}},
        }
    )
    stages = {"start", "locality", "far_field", "reference", "energy", "clamp"}
    assert found.cases["all"].asked_stages == stages
    assert found.cases["none"].asked_stages == set()
    assert all(found.asking(stage) == ["all"] for stage in stages)


def test_the_defect_at_whose_strains_stresses_are_observed() -> None:
    observed = study({"one": {}, "two": {}}, potentials={"minimal": {"field_samples": 4}})
    assert observed.field_of("minimal") == "one"
    assert study({"one": {}}).field_of("minimal") is None


def test_a_described_defect_comes_back_from_its_values() -> None:
    """As a job is given it; enlarged, only its radius is another one."""
    found = study({"one": {}}).described("one")
    assert DescribedDefect.model_validate(found.plain()) == found
    assert found.rim == 0.0
    larger = found.enlarged(1.5)
    assert larger.domain.radius_r0 == 1.5 * found.domain.radius_r0
    assert larger.model_copy(update={"domain": found.domain}) == found


def test_a_box_is_not_enlarged() -> None:
    written = load(study_as_written("points_minimal"), ROOT)
    with pytest.raises(ValueError, match="A box has no radius"):
        written.described(next(iter(written.cases))).enlarged(2.0)


def test_free_atoms_of_a_file_stay_as_far_from_its_surface_as_models_reach() -> None:
    written = load(study_as_written("own"), ROOT)
    name = next(iter(written.cases))
    rim = rim_of(written.potential_of(name), written.material_of(name))
    assert written.described(name).rim == rim
    assert rim == max(2 * written.potential_of(name).basis.cutoff, written.material_of(name).qm.cutoff)


def test_the_end_of_an_iteration_does_not_depend_on_what_is_computed_elsewhere() -> None:
    one, other, wider = (
        study({"one": changed}).cases["one"].loop_settings
        for changed in (
            {},
            {"estimate": {"laplacian": {"A": 2.0}, "far_field_samples": 3}, "solve": {"max_calls": 99}},
            {"estimate": {"layer_r0": 3.0}},
        )
    )
    assert one == other != wider


@pytest.mark.parametrize(("jobs", "parts"), [(1, []), (3, [0, 1, 2])])
def test_one_job_alone_is_not_scattered(jobs: int, parts: list[int]) -> None:
    assert list(Potential(material="tungsten", jobs=jobs).parts) == parts


def test_a_case_changes_arguments_of_the_model() -> None:
    qm = QuantumModel(calculator="package.Model", kwargs={"a": 1, "b": 2}, cutoff=5.0)
    assert qm.spec(ROOT) == {"calculator": "package.Model", "kwargs": {"a": 1, "b": 2}}
    assert qm.spec(ROOT, {"b": 3})["kwargs"] == {"a": 1, "b": 3}
    assert qm.kwargs == {"a": 1, "b": 2}


def test_what_jobs_are_given_follows_their_own_settings_alone() -> None:
    """A front, a solver and a title change none of it; what a job names comes back from its plain values."""

    def given(name: str) -> dict[str, Any]:
        chosen = changed.potentials[changed.cases[name].potential]
        material = changed.material_of(name)
        return {
            "bulk": BulkSettings.of(material),
            "surface": SurfaceSettings.of(material, "1_-1_0"),
            "training": TrainingSettings.of(changed, changed.cases[name].potential),
            "fit": FitSettings.of(changed, changed.cases[name].potential),
            "structure": StructureSettings.of(changed, name),
            "start": changed.cases[name].part(StartSettings),
            "observed": chosen.part(Training),
        }

    changed = study(
        {
            "one": {},
            "other": {"title": "other", "refine": {"mesh": 1.0}, "adapt": {"tolerance": 0.5}},
            "wider": {"buffer": {"width": 11.0}},
            "laplacian": {"estimate": {"laplacian": {"A": 2.0}}},
        }
    )
    one = given("one")
    assert given("other") == one
    assert {name for name, part in given("wider").items() if part != one[name]} == {"structure", "start"}
    assert {name for name, part in given("laplacian").items() if part != one[name]} == {"structure"}
    assert all(type(part).model_validate(part.plain()) == part for part in one.values())
    assert one["surface"].plane == (1, -1, 0) and one["surface"].termination is None
    assert one["training"].field is None


def test_a_plan_is_given_all_that_a_case_is() -> None:
    found = study({"one": {}})
    plan = PlanSettings.of(found, "one")
    assert PlanSettings.model_validate(plan.plain()) == plan
    assert (plan.case, plan.material) == (found.cases["one"], found.material_of("one"))
