"""A dry run builds the models of a study, and names the key of what is wrong with one."""

from pathlib import Path
from typing import Any

import pytest
from ase.calculators.calculator import Calculator

from qmfront.config.errors import ConfigError
from qmfront.config.load import load
from qmfront.config.study import Study
from qmfront.preflight.construction import problems_of_models, refuse_at_dry_run
from tests.config.test_trust import study as written

ROOT = Path(__file__).parents[2]
ESPRESSO = "ase.calculators.espresso"


def study(**profile: Any) -> Study:
    told = {"object": f"{ESPRESSO}.EspressoProfile", "command": "pw.x", "pseudo_dir": "config", **profile}
    qm = {"calculator": f"{ESPRESSO}.Espresso", "kwargs": {"profile": told}}
    return load(written(qm, trust=[ESPRESSO]), ROOT)


def test_a_sound_model_is_built_and_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: Any) -> None:
        raise AssertionError("asked")

    monkeypatch.setattr(Calculator, "get_property", never)
    monkeypatch.chdir(ROOT)
    assert list(problems_of_models(study(), ROOT)) == []
    refuse_at_dry_run(study(), ROOT, ["snakemake", "-n"])


@pytest.mark.parametrize("options", [["-n"], ["--dry-run"], ["--dryrun"], ["--cores", "2", "-pn"]])
def test_a_dry_run_refuses_and_a_run_does_not(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    wrong = study(comand="pw.x")
    with pytest.raises(
        ConfigError, match=r"materials.mine.qm: kwargs.profile: .*comand.*Correct kwargs.profile"
    ):
        refuse_at_dry_run(wrong, ROOT, options)
    refuse_at_dry_run(wrong, ROOT, ["--cores", "2"])


def test_arguments_of_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    qm = {"calculator": "ase.calculators.lj.LennardJones"}
    found = load(written(qm, qm_kwargs={"sigma": {"object": "ase.calculators.lj.Wrong"}}), ROOT)
    (problem,) = problems_of_models(found, ROOT)
    assert problem.startswith("case mine, qm_kwargs: kwargs.sigma: ase.calculators.lj.Wrong")


def test_objects_obey_the_list_of_trusted_packages() -> None:
    """Nothing of them is imported or built otherwise."""
    told = {"object": "antigravity.Profile", "inner": [{"object": "shutil.rmtree"}]}
    with pytest.raises(ConfigError) as caught:
        load(written({"calculator": "ase.calculators.emt.EMT", "kwargs": {"profile": told}}), ROOT)
    assert "materials.mine.qm.kwargs.profile.object = 'antigravity.Profile' is code" in str(caught.value)
    assert "materials.mine.qm.kwargs.profile.inner.0.object = 'shutil.rmtree' is code" in str(caught.value)


def test_a_folder_is_an_input_of_jobs_file_by_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    qm = {
        "calculator": f"{ESPRESSO}.Espresso",
        "kwargs": {
            "profile": {"object": f"{ESPRESSO}.EspressoProfile", "command": "pw.x", "pseudo_dir": "{pseudos}"}
        },
        "files": {"pseudos": "config/materials"},
    }
    model = load(written(qm, trust=[ESPRESSO]), ROOT).materials["mine"].qm
    assert "config/materials/tungsten.yaml" in model.input_files or len(model.input_files) > 1
    assert model.arguments(ROOT)["profile"]["pseudo_dir"] == str(ROOT / "config/materials")
    assert model.dotted_paths == [f"{ESPRESSO}.Espresso", f"{ESPRESSO}.EspressoProfile"]
