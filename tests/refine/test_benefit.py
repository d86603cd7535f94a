"""Marking by benefit per cost: where the residual works, and where an atom more is cheap."""

import numpy as np
import pytest

from qmfront.refine.benefit import benefit_regions
from qmfront.refine.circle import circle_regions
from qmfront.refine.domain import Domain
from qmfront.refine.regions import BUFFER, FAR_FIELD, QM
from tests.partitions import PartitionSettings, changed, partition

ORIGIN = np.zeros(2)
R0 = 2.74  # Å, W
CHOICE = partition(width=6.0, minimum_growth=0.4)


@pytest.fixture(scope="module")
def old(disc: Domain) -> np.ndarray:
    return circle_regions(disc, centre=ORIGIN, radius=12.0, settings=CHOICE)


def grown(work: np.ndarray, old: np.ndarray, disc: Domain, choice: PartitionSettings = CHOICE) -> np.ndarray:
    return benefit_regions(work, old, disc, r0=R0, settings=choice)


def test_the_region_grows_where_the_residual_works(disc, old):
    x, y = disc.coordinates.T
    work = np.exp(-((x - 14.0) ** 2 + y**2) / 20)
    new = grown(work, old, disc)
    fresh = (new == QM) & (old != QM)
    assert np.all(new[old == QM] == QM) and np.mean(x[fresh] > 8) > 0.8
    counts = np.sum(new == QM) / np.sum(old == QM)
    assert 1.4 <= counts < 1.45
    assert np.array_equal(new == FAR_FIELD, ~disc.free) and np.any(new == BUFFER)


def test_even_work_gives_an_even_rim_and_few_more_buffer_atoms(disc, old):
    """Without a preference the cheapest sites are those that fill the shape: no islands, no arms."""
    new = grown(np.ones(len(disc)), old, disc)
    radius = np.linalg.norm(disc.coordinates[new == QM], axis=1)
    circle = circle_regions(
        disc, centre=ORIGIN, radius=12.0 * np.sqrt(np.sum(new == QM) / np.sum(old == QM)), settings=CHOICE
    )
    assert radius.max() < 12.0 + 6.0
    assert np.sum(new <= BUFFER) < 1.05 * np.sum(circle <= BUFFER)


def test_the_cost_decides_between_equal_benefits(disc, old):
    """A site at the rim of the buffer brings a half of a buffer of its own, one beside the QM region a crescent."""
    radius = np.linalg.norm(disc.coordinates, axis=1)
    work = ((radius > 12.0) & (radius < 13.5)) | ((radius > 16.5) & (radius < 18.0))
    new = grown(work.astype(float), old, disc, changed(CHOICE, minimum_growth=0.1))
    fresh = (new == QM) & (old != QM)
    assert radius[fresh].max() < 15.0


def test_work_that_is_no_reason_is_refused(disc, old):
    for work, message in (
        (np.zeros(len(disc)), "nothing to gain"),
        (np.full(len(disc), np.nan), "NaN or infinite"),
        (np.ones(3), "one value per site"),
    ):
        with pytest.raises(ValueError, match=message):
            grown(work, old, disc)
    with pytest.raises(ValueError, match="do not fit"):
        grown(np.ones(len(disc)), old, disc, changed(CHOICE, minimum_growth=1e3))
