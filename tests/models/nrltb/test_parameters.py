"""Parameter files: what is refused, and that the order in which species and pairs are written means nothing."""

import json

import numpy as np
import pytest

from qmfront.models.nrltb.parameters import from_mapping, load_parameters
from tests.models.nrltb.structures import silicon_content, two_species_content


def test_unknown_names_missing_entries_and_units_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"'carbon' is unknown. Choose one of \['silicon'\]"):
        load_parameters("carbon")
    content = silicon_content()
    del content["pairs"]["Si-Si"]["overlap"]["pp_pi"]
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ValueError, match="broken.json: entry 'pp_pi' is missing"):
        load_parameters(path)
    content = silicon_content()
    content["units"]["energy"] = "hartree"
    with pytest.raises(ValueError, match="hartree"):
        from_mapping(content)
    with pytest.raises(ValueError, match=r"no parameters for \['C', 'W'\]; it knows \['Si'\]"):
        load_parameters("silicon").kind(np.array([14, 6, 74]))


def test_a_file_gives_the_same_as_the_packaged_set(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(silicon_content()), encoding="utf-8")
    mine, packaged = load_parameters(path, minimum_distance=1.5), load_parameters("silicon")
    np.testing.assert_array_equal(mine.channels, packaged.channels)
    assert (mine.minimum_distance, packaged.minimum_distance) == (1.5, 1.9)


def test_the_order_of_entries_does_not_matter():
    content = two_species_content()
    other = two_species_content()
    other["species"] = dict(reversed(other["species"].items()))
    turned = other["pairs"].pop("Ge-Si")
    for entries in turned.values():
        entries["sp_sigma"], entries["ps_sigma"] = entries["ps_sigma"], entries["sp_sigma"]
    other["pairs"]["Si-Ge"] = turned
    one, two = from_mapping(content), from_mapping(other)
    assert one.species.tolist() == two.species.tolist() == [14, 32]
    np.testing.assert_array_equal(one.channels, two.channels)
    np.testing.assert_array_equal(one.environment, two.environment)
    assert one.environment[0, 1, 0, 0] / one.environment[1, 0, 0, 0] == pytest.approx(1.1 / 0.8)
