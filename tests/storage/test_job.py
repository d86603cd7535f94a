"""What Snakemake hands to a job becomes the nouns that its script declares, or is refused by name."""

from dataclasses import dataclass

import pytest
from pydantic import ValidationError

from qmfront.config.stages import Laplacian
from qmfront.storage.job import given


@dataclass(frozen=True)
class Noun:
    structure: str
    patches: tuple[str, ...]
    laplacian: Laplacian
    before: str | None = None


GIVEN = {"code": "c", "structure": "a.zarr", "patches": ["p", "q"], "laplacian": {"A": 2.0, "cutoff_r0": 1.5}}


def test_what_is_not_named_is_left_out():
    found = given(Noun, GIVEN)
    assert found == Noun("a.zarr", ("p", "q"), Laplacian(A=2.0, cutoff_r0=1.5))
    assert given(Noun, GIVEN | {"before": "b"}).before == "b"


@pytest.mark.parametrize(
    ("change", "word"), [({"laplacian": {"A": -1.0}}, "laplacian.A"), ({"structure": 3}, "structure")]
)
def test_what_is_wrong_is_named(change, word):
    with pytest.raises(ValidationError, match=word):
        given(Noun, GIVEN | change)
    with pytest.raises(ValidationError, match="patches"):
        given(Noun, {name: value for name, value in GIVEN.items() if name != "patches"})
