"""The defect of the tutorial: a vacancy in a cylinder of copper that repeats along z, as one builds it with ASE."""

import sys

import numpy as np
from ase.build import bulk
from ase.constraints import FixAtoms
from ase.io import write

A0, FREE, RIM = 3.6, 34.0, 10.0  # Å: lattice constant, radius of the free atoms, width of the fixed rim

atoms = bulk("Cu", cubic=True, a=A0).repeat((25, 25, 3))
centre = atoms.positions[np.linalg.norm(atoms.positions - atoms.positions.mean(axis=0), axis=1).argmin()]
distance = np.linalg.norm((atoms.positions - centre)[:, :2], axis=1)
vacancy = np.linalg.norm(atoms.positions - centre, axis=1) < 0.1
chosen = (distance < FREE + RIM) & ~vacancy
atoms, distance = atoms[chosen], distance[chosen]
atoms.pbc = (False, False, True)
atoms.set_constraint(FixAtoms(mask=distance > FREE))
write(sys.argv[1], atoms, columns=["symbols", "positions", "move_mask"])
