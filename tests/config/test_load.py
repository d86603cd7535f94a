"""Resolution of cases: what a case file leaves open comes from the case it extends, then from the defaults."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from qmfront.config.errors import ConfigError
from qmfront.config.load import load
from qmfront.config.material import Crystal, QuantumModel
from qmfront.config.potential import RelevanceDetermination, Weights
from qmfront.config.reading import read_yaml
from qmfront.config.stages import Refine
from tests.config.conftest import EDGE, ROOT

Change = Callable[[dict[str, Any]], dict[str, Any]]
Project = Callable[..., Path]
NO_FIGURES: dict[str, Any] = {}


def test_shipped_configurations_are_sound(shipped: dict[str, Any], root: Path) -> None:
    study = load(shipped, root)
    assert list(study.cases) == shipped["cases"]
    assert all(study.potential_of(name).material == study.cases[name].material for name in study.cases)
    assert study.material_of(shipped["cases"][0]).crystal.symbol == "W"


def test_case_file_wins_over_parent_wins_over_defaults(changed: Change, project: Project) -> None:
    folder = project(
        base="{refine: {t_new: 2.0, mesh: 0.3}, adapt: {tolerance: 1.0e-3}}",
        child="{extends: base, refine: {t_new: 8.0}}",
    )
    config = changed(
        {"cases": ["child"], "figures": NO_FIGURES, "case_defaults": EDGE | {"buffer": {"width": 9.0}}}
    )
    case = load(config, folder).cases["child"]
    assert case.refine.t_new == 8.0  # the file
    assert case.refine.mesh == 0.3  # the case it extends
    assert case.adapt.tolerance == 1e-3
    assert case.buffer.width == 9.0  # the defaults of the study
    assert case.refine.t_buf == Refine().t_buf  # those of the code


def test_a_buffer_that_nobody_names_is_twice_the_cut_off(changed: Change, root: Path) -> None:
    """Of the QM model; a width that stands anywhere is taken, also where it is that of the default."""
    longer = {"qm": {"cutoff": 6.5}}
    config = changed({"material_defaults": longer, "materials.tungsten": longer, "figures": NO_FIGURES})
    assert {case.buffer.width for case in load(config, root).cases.values()} == {13.0}
    config = changed(
        {"materials.tungsten": longer, "figures": NO_FIGURES, "case_defaults": {"buffer": {"width": 10.8}}}
    )
    assert {case.buffer.width for case in load(config, root).cases.values()} == {10.8}


def test_the_study_of_the_readme_is_complete(root: Path) -> None:
    """As it is written there, but for the file; the case has its name for a title."""
    text = re.search(r"```yaml\n(.*?)```", (root / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert text is not None
    written = text[1].replace("vacancy.extxyz", "config/structures/cu_vacancy.extxyz")
    case = load(yaml.safe_load(written), root).cases["vacancy"]
    assert case.title == "vacancy" and case.buffer.width == 9.2 and case.initial_region is None


def test_potential_says_only_how_it_differs(changed: Change, root: Path) -> None:
    config = changed({"potentials.matching_2": {"matching": 2, "weights": {"stress": 3.0}}})
    potential = load(config, root).potentials["matching_2"]
    assert potential.matching == 2
    assert potential.weights.stress == 3.0
    assert potential.weights.force_constants == Weights().force_constants


def test_the_regression_merges_key_by_key(changed: Change, root: Path) -> None:
    """An entry that sets the strength of the prior keeps the smoothness of the file and the default settings of ard."""
    config = changed(
        {
            "potentials.matching_2": {
                "matching": 2,
                "regression": {"method": "ard", "prior": {"strength": 0.5}},
            }
        }
    )
    regression = load(config, root).potentials["matching_2"].regression
    held_out = load(config, root).potentials["matching_2"].held_out
    assert held_out is not None and held_out.count == 12, "what the file of that name says stays"
    assert (regression.method, regression.prior.strength) == ("ard", 0.5)
    assert regression.prior.smoothness == 0.0
    assert regression.ard == RelevanceDetermination()


def test_what_a_study_names_is_loaded_and_no_more(changed: Change, root: Path) -> None:
    """Materials and potentials come from their files when a case or a figure names them."""
    certificate = {"kind": "certificate", "potentials": ["silicon_0"]}
    study = load(changed({"cases": ["edge_T4"], "potentials": {}, "figures": {"c": certificate}}), root)
    assert (set(study.potentials), set(study.materials)) == (
        {"matching_1", "silicon_0"},
        {"tungsten", "silicon"},
    )


def test_a_study_can_say_everything_itself(tmp_path: Path) -> None:
    """Cases, materials and potentials without any file in config, one of each from another one."""
    material = {
        "crystal": {"structure": "bcc", "symbol": "W", "lattice_constant_guess": 3.165},
        "qm": {"calculator": "qmfront.models.eam.EAM", "kwargs": {"potential": "W_zhou"}, "cutoff": 5.4},
    }
    config = {
        "cases": {
            "one": EDGE | {"material": "mine", "potential": "weak"},
            "two": {"extends": "one", "buffer": {"width": 9.0}},
        },
        "materials": {"mine": material},
        "potentials": {"strong": {"material": "mine"}, "weak": {"extends": "strong", "matching": 0}},
    }
    study = load(config, tmp_path)
    assert (study.cases["two"].buffer.width, study.cases["two"].defect) == (9.0, study.cases["one"].defect)
    assert study.potentials["weak"] == study.potentials["strong"].model_copy(update={"matching": 0})
    assert study.materials["mine"].force_constants.reach == 11.0
    assert study.figures == {}


def test_overriding_a_default_reaches_every_case(changed: Change, root: Path) -> None:
    study = load(changed({"case_defaults.solve.step_cap": 0.25}), root)
    assert {case.solve.step_cap for case in study.cases.values()} == {0.25}


def test_loading_changes_nothing_in_the_input(changed: Change, root: Path) -> None:
    config, untouched = changed({}), changed({})
    load(config, root)
    assert config == untouched


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"a": "{refine: {tnew: 2.0}}"},
            r"config/cases/a.yaml: refine.tnew: unknown key (did you mean 't_new'?)",
        ),
        (
            {"a": "{extends: b}", "b": "{refine: {mesh: -1.0}}"},
            "config/cases/b.yaml: refine.mesh: -1.0 is refused",
        ),
        ({"a": "{extends: b}", "b": "{extends: a}"}, "cases extend each other in a circle: a -> b -> a"),
        (
            {"a": "{extends: c}", "cc": ""},
            "config/cases/a.yaml extends 'c', but there is no file config/cases/c.yaml",
        ),
        ({"a": "{extends: [b]}"}, "extends = ['b'] should be the name of one other case"),
        ({"a": "refine: {t_new: 2.0}\nrefine: {mesh: 0.3}"}, "the key 'refine' occurs twice"),
        ({"a": "refine: {t_new: 2.0"}, "config/cases/a.yaml is not valid YAML"),
        ({"a": "[1, 2]"}, "config/cases/a.yaml holds a list"),
        ({"b": ""}, "cases lists 'a', but there is no file config/cases/a.yaml"),
    ],
)
def test_broken_case_files(files: dict[str, str], message: str, changed: Change, project: Project) -> None:
    with pytest.raises(ConfigError) as caught:
        load(changed({"cases": ["a"], "figures": NO_FIGURES, "case_defaults": EDGE}), project(**files))
    assert message in str(caught.value)


def test_another_kind_of_defect_replaces_the_default_one(changed: Change, project: Project) -> None:
    """Keys of a dislocation do not leak into a crack: they are not unknown keys of it, and its own are missing."""
    folder = project(a="{defect: {kind: crack, front: [0, 0, 1]}}")
    with pytest.raises(ConfigError) as caught:
        load(changed({"cases": ["a"], "figures": NO_FIGURES, "case_defaults": EDGE}), folder)
    missing = [problem.split(": the key is missing")[0] for problem in caught.value.problems]
    assert missing == [f"config/cases/a.yaml: defect.{name}" for name in ("plane", "load")]


def test_a_crack_is_a_case(changed: Change, project: Project) -> None:
    text = "{defect: {kind: crack, front: [0, 0, 1], plane: [1, 1, 0], load: 0.9, tip_offset: [0, 0]}}"
    study = load(changed({"cases": ["a"], "figures": NO_FIGURES, "case_defaults": EDGE}), project(a=text))
    crack = study.cases["a"].defect
    assert (crack.kind, crack.plane, crack.load) == ("crack", (1, 1, 0), 0.9)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"front": [0, 1, 0]}, "front [0, 1, 0] does not lie in the cut plane with normal [1, 1, 0]"),
        ({"plane": [0, 0, 0]}, "plane is the zero vector"),
        ({"load": -0.5}, "defect.load: -0.5 is refused: it should be greater than 0"),
        ({"lod": 1.0}, "defect.lod: unknown key (did you mean 'load'?)"),
        ({"kind": "krack"}, "'krack' is refused (did you mean 'crack'?)"),
    ],
)
def test_bad_cracks(wrong: dict[str, Any], message: str, changed: Change, project: Project) -> None:
    crack = {"kind": "crack", "front": [0, 0, 1], "plane": [1, 1, 0], "load": 0.9, "tip_offset": [0.0, 0.0]}
    text = yaml.safe_dump({"defect": crack | wrong})
    with pytest.raises(ConfigError) as caught:
        load(changed({"cases": ["a"], "figures": NO_FIGURES, "case_defaults": EDGE}), project(a=text))
    assert any(message in problem for problem in caught.value.problems), caught.value.problems


@pytest.mark.parametrize(
    ("structure", "shell"),
    [("bcc", (1, 1, 1)), ("fcc", (0, 1, 1)), ("diamond", (0.5, 0.5, 0.5)), ("sc", (2, 0, 0))],
)
def test_nearest_neighbour(structure: Any, shell: tuple[float, float, float]) -> None:
    crystal = Crystal(structure=structure, symbol="W", lattice_constant_guess=3.0)
    assert crystal.nearest_neighbour_guess == pytest.approx(1.5 * sum(x * x for x in shell) ** 0.5)


def test_files_override_keyword_arguments(tmp_path: Path) -> None:
    model = QuantumModel(
        calculator="a.B",
        kwargs={"potential": "x", "skin": 1},
        files={"potential": "W.fs"},
        cutoff=5.0,
        time_limit=None,
        retries=1,
    )
    assert model.arguments(tmp_path) == {"potential": str(tmp_path / "W.fs"), "skin": 1}


@pytest.mark.parametrize("kind", ["case", "extended case", "material", "potential"])
def test_a_link_that_leaves_the_configuration_is_not_read(
    kind: str, changed: Change, project: Project, tmp_path: Path
) -> None:
    """Named in the study or by `extends`: a file of a stranger's project is not one of the reader's."""
    folder = project(own="extends: edge", edge=yaml.safe_dump(EDGE)) / "config"
    linked = {
        "case": "cases/own.yaml",
        "extended case": "cases/edge.yaml",
        "material": "materials/tungsten.yaml",
        "potential": f"potentials/{EDGE['potential']}.yaml",
    }[kind]
    config = changed({"cases": ["own"], "figures": NO_FIGURES, "potentials": {}})
    inside, outside = folder / "elsewhere.yaml", tmp_path / "private.yaml"
    (folder / linked).rename(inside)
    (folder / linked).symlink_to(inside)
    assert list(load(config, folder.parent).cases) == ["own"]
    inside.rename(outside)
    (folder / linked).unlink()
    (folder / linked).symlink_to(outside)
    with pytest.raises(ConfigError, match=rf"config/{linked} is a link to '.*, which is outside of config"):
        load(config, folder.parent)


def test_a_folder_of_the_configuration_may_be_a_link(
    changed: Change, project: Project, tmp_path: Path
) -> None:
    """Of the whole configuration, as of results."""
    folder = project(edge=yaml.safe_dump(EDGE)) / "config"
    folder.rename(tmp_path / "shared")
    folder.symlink_to(tmp_path / "shared")
    config = changed({"cases": ["edge"], "figures": NO_FIGURES, "potentials": {}})
    assert list(load(config, folder.parent).cases) == ["edge"]


def test_structure_files_are_where_the_user_says(tmp_path: Path) -> None:
    """Outside of the project, or behind a link: the study names them."""
    study = read_yaml(ROOT / "config/studies/own.yaml", shown="own.yaml")
    (name,) = study["cases"]
    file = tmp_path / "link.extxyz"
    file.symlink_to(ROOT / study["cases"][name]["defect"]["file"])
    study["cases"][name]["defect"]["file"] = str(file)
    assert load(study, ROOT).cases[name].defect.file == str(file)  # type: ignore[union-attr]
