"""Point defects of Stillinger-Weber silicon in small periodic boxes, built once."""

from functools import cache

from qmfront.config.defect import Box, Point
from qmfront.crystal.defect import Defect
from qmfront.elasticity.defects import defect_of
from qmfront.operators.assembly import assemble
from qmfront.operators.operators import Operators
from tests.silicon import REACH, silicon

H = 0.155
DEFECTS = {
    "vacancy": {"removed": ((0.0, 0.0, 0.0),), "added": ()},
    "divacancy": {"removed": ((0.0, 0.0, 0.0), (0.25, 0.25, 0.25)), "added": ()},
    "split": {"removed": ((0.0, 0.0, 0.0),), "added": ((0.16, 0.16, 0.02), (-0.16, -0.16, 0.02))},
    "hexagonal": {"removed": (), "added": ((0.375, 0.375, 0.625),)},
    "triangular": {"removed": ((0.0, 0.0, 0.0),), "added": ((-H, H, H), (H, -H, H), (H, H, -H))},
}


@cache
def point(name: str, cells: int = 3, position: tuple[float, float, float] = (1.25, 1.5, 1.0)) -> Defect:
    described = Point(kind="point", position=position, **DEFECTS[name])
    return defect_of(silicon(), described, Box(kind="box", cells=cells))[0]


@cache
def operators_of(name: str, cells: int = 3) -> Operators:
    return assemble(point(name, cells), silicon(), reach=REACH, decay=3.0, cutoff_r0=2.5)
