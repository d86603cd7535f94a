"""From the description of a case to its defect: straight ones by elasticity, point defects by their sites."""

from collections.abc import Mapping
from typing import Any

from qmfront.crystal.defect import Defect
from qmfront.crystal.point import PointDefect, point_defect
from qmfront.elasticity.bulk import Bulk, cubic_lattice_constant
from qmfront.elasticity.straight import straight_defect
from qmfront.elasticity.surface import Surface


def defect_of(bulk: Bulk, description: Mapping[str, Any], surface: Surface | None = None) -> Defect:
    """The defect of a case.

    Parameters
    ----------
    bulk : Bulk
    description : {kind: "point", position, removed, added, cells}, or as straight_defect
    surface : Surface, for cracks
    """
    if description["kind"] == "point":
        edge = cubic_lattice_constant(bulk.crystal)
        return point_defect(bulk.crystal, edge, PointDefect.from_config(description))
    return straight_defect(bulk, description, surface)
