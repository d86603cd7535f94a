"""Settings of the surfaces in the training of a potential."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qmfront.config.errors import ConfigError
from qmfront.config.load import load

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
        ("flat.shfit", 0.1, "did you mean"),
    ],
)
def test_mistakes_are_named(path: str, value: Any, words: str, changed: Change, root: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(changed({f"potentials.surface_1.surfaces.{path}": value}), root)
    assert words in str(caught.value) and "surface_1" in str(caught.value)
