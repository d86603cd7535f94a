"""The first region of a relaxed defect, and a loop that ends where the domain does."""

import numpy as np
import pytest

from qmfront.config.stages import CORE_RADIUS_R0, Adapt, InitialRegion
from qmfront.coupling.partition import BUFFER, QM
from qmfront.refine.decision import decision
from qmfront.refine.next_partition import (
    FIRST_RADII_R0,
    SHELL_R0,
    SiteEstimates,
    advanced,
    first_region,
    region_of_start,
)
from qmfront.refine.regions import DomainExhaustedError
from tests.partitions import partition

THIN = partition(width=3.0, residual_factor=1.0)


def distance_to(defect, chosen: np.ndarray) -> np.ndarray:
    away = defect.coordinates[:, None] - defect.coordinates[chosen][None]
    return np.linalg.norm(away, axis=2).min(axis=1) / defect.r0


def islands(defect) -> np.ndarray:
    """Sites about two places of the glide plane."""
    x, y = defect.coordinates.T / defect.r0
    return defect.free & (np.minimum(np.hypot(x - 3, y), np.hypot(x + 3, y)) < 0.8)


def test_defective_sites_and_a_shell_are_qm_as_several_islands(edge, caplog):
    chosen, u = islands(edge), np.zeros_like(edge.sites)
    with caplog.at_level("INFO"):
        region = region_of_start(edge, u, chosen, THIN, shell_r0=None)
    assert f"first QM region: {np.sum(region == QM)} sites, which are the {chosen.sum()} defec" in caplog.text
    near = distance_to(edge, chosen)
    assert np.array_equal(region == QM, near <= SHELL_R0[2] * (1 + 1e-9))
    assert (region == BUFFER).any() and (region[near > 3.0] != QM).all()
    bare = region_of_start(edge, u, chosen, THIN, shell_r0=0.0)
    assert np.array_equal(bare == QM, near < 1e-9)


def test_a_core_that_no_site_betrays_has_a_disc(edge):
    region = region_of_start(
        edge, np.zeros_like(edge.sites), np.zeros(edge.n_sites, bool), THIN, shell_r0=None
    )
    radius = np.linalg.norm(edge.coordinates, axis=1)[region == QM] / edge.r0
    assert 2.5 < radius.max() < 3.31


def test_a_crack_always_has_its_disc(crack):
    one = np.zeros(crack.n_sites, bool)
    one[np.argmin(np.linalg.norm(crack.coordinates, axis=1))] = True
    region = region_of_start(crack, np.zeros_like(crack.sites), one, THIN, shell_r0=None)
    assert np.linalg.norm(crack.coordinates, axis=1)[region == QM].max() > 2.5 * crack.r0


def test_a_region_that_outgrows_the_domain_ends_the_loop(edge):
    """The last region stays, and the reason names the domain."""
    u = np.zeros_like(edge.sites)
    region = region_of_start(edge, u, islands(edge), THIN, shell_r0=None)
    eta = np.where(region <= BUFFER, 1.0, 0.0)
    sites = SiteEstimates(eta, eta)
    made = decision(1.0, int((region == QM).sum()), 0, Adapt())
    wide = partition(width=12.0, residual_factor=1.0, t_new=20.0, maximum_growth=None)
    ended, kept = advanced(made, edge, sites, region, u, wide)
    assert not made.stop and ended.stop and "domain is used up" in ended.reason
    assert np.array_equal(kept.region, region)
    goes_on, grown = advanced(made, edge, sites, region, u, THIN)
    assert not goes_on.stop and (grown.region == QM).sum() > (region == QM).sum()


def test_a_start_without_room_says_whether_the_defect_runs_away(edge):
    u, rim = np.zeros_like(edge.sites), np.linalg.norm(edge.coordinates[edge.free], axis=1).max()
    with pytest.raises(DomainExhaustedError, match=r"(?s)farthest 3\.\d r0 .*Enlarge the domain") as refused:
        region_of_start(edge, u, islands(edge), partition(width=30.0), shell_r0=None)
    assert "touches the clamp" in str(refused.value.__cause__)
    emitted = islands(edge)
    emitted[np.argmax(np.where(edge.free, np.linalg.norm(edge.coordinates, axis=1), 0.0))] = True
    with pytest.raises(DomainExhaustedError, match=f"farthest {rim / edge.r0:.1f} r0 .*runs to the rim"):
        region_of_start(edge, u, emitted, THIN, shell_r0=None)


def test_a_first_region_that_nobody_asked_for_shrinks_to_fit(edge):
    """The widest of the radii whose buffer leaves free sites; a region that was asked for is taken or refused."""
    away, rim = (
        np.linalg.norm(edge.coordinates, axis=1) / edge.r0,
        np.linalg.norm(edge.coordinates, axis=1).max(),
    )
    for radius in FIRST_RADII_R0:
        # a buffer that reaches the rim from here, and from everything wider
        settings = partition(width=4.0, residual_factor=(rim - (radius + 0.05) * edge.r0) / 4.0)
        region = first_region(edge, None, settings)
        assert np.array_equal(region == QM, edge.free & (away <= radius * (1 + 1e-9)))
        for wider in FIRST_RADII_R0:
            if wider > radius:
                with pytest.raises(DomainExhaustedError, match="ends beyond the clamped rim"):
                    first_region(edge, InitialRegion(radius_r0=wider), settings)
    with pytest.raises(DomainExhaustedError, match="beyond the clamped rim"):
        first_region(edge, None, partition(width=4.0, residual_factor=rim / 4.0))
    assert FIRST_RADII_R0[-1] == CORE_RADIUS_R0


def test_an_estimate_that_may_change_its_mind_ends_nothing():
    assert decision(1e-6, 50, 1, Adapt()).stop
    waits = decision(1e-6, 50, 1, Adapt(), settled=False)
    assert not waits.stop and "not settled" in waits.reason
    assert decision(1e-6, 50, 11, Adapt(max_iterations=12), settled=False).stop
