"""What is chosen where nothing is written stands in the log, with its reason."""

import numpy as np
import pytest

from qmfront.config.defect import Box, Disc, Dislocation, Point, SoluteAtom
from qmfront.config.stages import Buffer, Refine
from qmfront.elasticity.defects import defect_of
from qmfront.plan.choices import choices, mesh_choice

EDGE = Dislocation(line=(0, 1, 0), burgers=(1.0, 0.0, 0.0), plane=(0, 0, 1))


def told(bulk, described, domain, buffer=None) -> list[str]:
    defect, _ = defect_of(bulk, described, domain)
    return choices(bulk, described, domain, defect, buffer=buffer or Buffer(width=10.8), cutoff=5.4)


def test_a_disc_its_clamp_its_core_map_and_its_buffer(tungsten) -> None:
    domain, core, buffer = told(tungsten, EDGE, Disc(radius_r0=12.0))
    assert domain.startswith("domain.radius_r0 = 12 r0: ") and "clamp_width = 15 Å (the default)" in domain
    assert "core map (B.4) of radius 8.22 Å = 3.00 r0: the default, with which it does not fold" in core
    assert buffer.startswith("buffer.width = 10.8 Å: twice qm.cutoff = 5.4 Å")


def test_a_long_burgers_vector_widens_its_core_map(tungsten) -> None:
    """2 a0 with an edge component of 6.33 Å: 3 |b1|, since 3 r0 are less than 2.25 of it."""
    _, core, _ = told(tungsten, EDGE.model_copy(update={"burgers": (2.0, 0.0, 0.0)}), Disc(radius_r0=12.0))
    edge = 2 * tungsten.crystal.nearest_neighbour_distance * 2 / np.sqrt(3)
    assert (
        f"of radius {3 * edge:.2f} Å" in core and f"would fold for an edge component of {edge:.2f} Å" in core
    )
    given = EDGE.model_copy(update={"core_map_radius_r0": 4.0})
    assert "4.00 r0: defect.core_map_radius_r0, as written" in told(tungsten, given, Disc(radius_r0=12.0))[1]


def test_how_near_a_solute_is_to_its_images(tungsten) -> None:
    """At the next lattice point along [010], 3.165 Å away, it is a row."""
    solutes = (SoluteAtom(element="Ta", at=(0.0, 2.0, 0.0)),)
    with_one = EDGE.model_copy(update={"solutes": solutes})
    row = told(tungsten, with_one, Disc(radius_r0=8.0))[1]
    assert (
        row.startswith("domain.periods = 1: 1 solute in 3.16 Å of the line") and "a row without gaps" in row
    )
    apart = told(tungsten, with_one, Disc(radius_r0=8.0, periods=4))[1]
    assert "domain.periods = 4: 1 solute in 12.66 Å" in apart and "row" not in apart
    assert not any("periods" in line for line in told(tungsten, EDGE, Disc(radius_r0=8.0)))


def test_a_box_clamps_nothing_and_a_buffer_may_be_written(tungsten) -> None:
    point = Point(position=(0.0, 0.0, 0.0), removed=((0.0, 0.0, 0.0),))
    domain, buffer = told(tungsten, point, Box(cells=4), Buffer(width=8.0))
    assert domain == "domain.cells = 4: a periodic box of 127 sites, nothing is clamped"
    assert buffer == "buffer.width = 8 Å, as written; twice qm.cutoff would be 10.8 Å"


@pytest.mark.parametrize(
    ("refine", "line"),
    [
        (Refine(), "refine.mesh = 0.4 Å (the default): r0 / 7.0"),
        (Refine(mesh=0.7), "refine.mesh = 0.7 Å: r0 / 4.0"),
        (Refine(method="circle"), "refine.method = circle: no grid is needed"),
    ],
)
def test_the_mesh(refine: Refine, line: str) -> None:
    assert mesh_choice(refine, 2.8).startswith(line)
