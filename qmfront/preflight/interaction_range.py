"""How far a model interacts: which planes of a crystal feel that one of them is moved.

In a cell that is long along one axis all atoms at one height are moved by the same vector. The force on an atom at
distance d changes if any of them is within the reach R of forces: the largest such d tells R up to the distance of two
planes, with two calls on few atoms. At rest no neighbours may lie between the last shell and the cut-off. Some of
them do beside a defect, and in a crystal that is compressed: there the same is asked again.
"""

from typing import Any

import numpy as np
from ase import Atoms

from qmfront.crystal.lattice import Crystal

LONGEST = 16.0
"""Å; models that reach farther are not measured."""
SCALES = (1.0, 0.9, 0.8)
"""Of the lattice constant."""
STEP = np.array([0.03, 0.02, 0.05])
"""Å; of the plane, along and across the long axis."""
FELT = 1e-6
"""Of the largest change of a force; smaller ones are none."""
SAME_PLANE = 1e-3
"""Å"""


def force_range(calculator: Any, crystal: Crystal) -> float | None:
    """Distance R (Å) beyond which atoms do not change the force on an atom, rounded up to a plane of the crystal.

    None if the model reaches farther than LONGEST, 0 if no force changes.

    Parameters
    ----------
    calculator : ASE calculator
        That says it itself by an attribute force_range is believed.
    crystal : Crystal
    """
    told = getattr(calculator, "force_range", None)
    if told is not None:
        return float(told)
    farthest = 0.0
    for scale in SCALES:
        reach = _reach(calculator, crystal.strained(scale * np.eye(3)))
        if not reach:
            return reach
        farthest = max(farthest, reach)
    return farthest


def _reach(calculator: Any, crystal: Crystal) -> float | None:
    """Of one density; None and 0 as in `force_range`."""
    atoms = _long_cell(crystal)
    moved, height = atoms.copy(), atoms.positions[:, 2]
    edge = atoms.cell.array[2, 2]
    apart = np.abs(height - height[0])
    apart = np.minimum(apart, edge - apart)
    moved.positions[apart < SAME_PLANE] += STEP
    change = np.linalg.norm(_forces(calculator, moved) - _forces(calculator, atoms), axis=1)
    if not change.any():
        return 0.0
    planes = np.unique(np.round(apart, 3))
    felt = [
        plane for plane in planes if change[np.abs(apart - plane) < SAME_PLANE].max() > FELT * change.max()
    ]
    beyond = planes[planes > max(felt, default=0.0)]
    return float(beyond[0]) if len(beyond) else None


def _long_cell(crystal: Crystal) -> Atoms:
    """A cell of the crystal, twice LONGEST and more along z."""
    from ase.build import make_supercell  # imports a third of ASE

    found = make_supercell(crystal.to_atoms(), crystal.supercell)
    found.rotate(found.cell.array[2], "z", rotate_cell=True)
    return found.repeat((1, 1, int(np.ceil(2 * LONGEST / abs(found.cell.array[2, 2])))))


def _forces(calculator: Any, atoms: Atoms) -> np.ndarray:
    asked = atoms.copy()
    asked.calc = calculator
    return np.array(asked.get_forces())
