"""From the description of a case to its defect, whatever its kind, and where its first QM region begins."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from qmfront.crystal.defect import Defect
from qmfront.crystal.point_defect import PointDefect, point_defect
from qmfront.crystal.structure_file import StructureFile, defect_of_file
from qmfront.elasticity.bulk import Bulk, cubic_lattice_constant
from qmfront.elasticity.straight import straight_defect
from qmfront.elasticity.surface import Surface


def defect_of(
    bulk: Bulk, description: Mapping[str, Any], surface: Surface | None = None
) -> tuple[Defect, np.ndarray | None]:
    """The defect, and the seeds (n,) bool of its first QM region where a file has them.

    Parameters
    ----------
    bulk : Bulk
    description : {kind, ...}
        The section defect with the keys of domain: of a point defect {position, removed, added, cells}, of a straight
        one as straight_defect, of a file also `rim`, Å, see StructureFile.
    surface : Surface, for cracks
    """
    kind = description["kind"]
    if kind == "point":
        edge = cubic_lattice_constant(bulk.crystal)
        return point_defect(bulk.crystal, edge, PointDefect.from_config(description)), None
    if kind != "file":
        return straight_defect(bulk, description, surface), None
    names = StructureFile.__dataclass_fields__
    chosen = {name: value for name, value in description.items() if name in names}
    chosen |= {"file": Path(description["file"]), "axes": np.array(description["axes"])}
    return defect_of_file(bulk.crystal, cubic_lattice_constant(bulk.crystal), StructureFile(**chosen))
