"""Settings of the surfaces in the training of a potential."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qmfront.config.defect import Crack
from qmfront.config.errors import ConfigError
from qmfront.config.job_settings import SurfaceSettings
from qmfront.config.load import load
from qmfront.config.material import Crystal, Material, QuantumModel
from qmfront.config.potential import Surfaces

Change = Callable[[dict[str, Any]], dict[str, Any]]


def test_potentials_have_no_surfaces_unless_they_say_so(changed: Change, root: Path) -> None:
    potentials = load(changed({}), root).potentials
    assert potentials["matching_1"].surfaces is None
    assert potentials["surface_1"].surfaces.planes == ((1, 1, 0),)
    assert potentials["surface_1"].surfaces == potentials["surface_2"].surfaces
    assert (potentials["surface_1"].matching, potentials["surface_2"].matching) == (1, 2)


def test_one_setting_can_be_changed(changed: Change, root: Path) -> None:
    config = changed({"potentials.surface_1.surfaces.rattled.amplitudes": [0.0, 0.1]})
    surfaces = load(config, root).potentials["surface_1"].surfaces
    assert surfaces.rattled.amplitudes == (0.0, 0.1) and surfaces.rattled.repeat == (3, 3)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("planes", [], "at least one plane"),
        ("planes", [[0, 0, 0]], "none of them [0, 0, 0]"),
        ("planes", [[1, 1, 0], [2, 2, 0]], "two of them are the same"),
        ("planes", [[1, 1]], "planes"),
        ("rattled.amplitudes", [0.01, 0.9], "each must be >= 0 and <= 0.5"),
        ("rattled.amplitudes", [-0.01, 0.05], "each must be >= 0 and <= 0.5"),
        ("rattled.repeat", [0, 3], "repeat"),
        ("layers", 3, "layers"),
        ("termination", 1.5, "termination"),
        ("termination", 0.0, "surfaces.termination = 0 is the height of a layer of atoms"),
        ("flat.shfit", 0.1, "did you mean"),
    ],
)
def test_mistakes_are_named(path: str, value: Any, words: str, changed: Change, root: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(changed({f"potentials.surface_1.surfaces.{path}": value}), root)
    assert words in str(caught.value) and "surface_1" in str(caught.value)


def test_a_termination_belongs_to_one_plane(changed: Change, root: Path) -> None:
    surfaces = {"planes": [[1, 1, 0], [1, 0, 0]], "termination": 0.5}
    with pytest.raises(ConfigError, match="is the height in one plane, and there are 2"):
        load(changed({"potentials.surface_1.surfaces": surfaces}), root)


@pytest.mark.parametrize(("termination", "name"), [(None, "1_-1_0"), (0.375, "1_-1_0_at_0.375000")])
def test_names_of_surfaces_are_read_as_they_are_written(termination: float | None, name: str) -> None:
    crack = Crack(front=(0, 0, 1), plane=(1, -1, 0), load=0.9, termination=termination)
    assert crack.surface == name == Surfaces(planes=(crack.plane,), termination=termination).names[0]
    crystal = Crystal(structure="bcc", symbol="W", lattice_constant_guess=3.165)
    material = Material(crystal=crystal, qm=QuantumModel(calculator="a.b", cutoff=5.0))
    settings = SurfaceSettings.of(material, name)
    assert (settings.plane, settings.termination) == (crack.plane, termination)
