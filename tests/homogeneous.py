"""Homogeneous crystals as defects without a defect: where strains are what a test makes them."""

import numpy as np
from ase import Atoms

from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.stencil import stencil


def homogeneous(crystal: Crystal, atoms: Atoms, frame: np.ndarray | None = None) -> Defect:
    """A periodic piece of a crystal, cells repeated one by one; crystal and atoms in the frame."""
    nb = len(crystal.basis)
    basis = np.tile(np.arange(nb), len(atoms) // nb)
    cell, pbc = atoms.cell.array, atoms.pbc
    return Defect(
        sites=atoms.positions,
        predictor=np.zeros_like(atoms.positions),
        numbers=atoms.numbers,
        basis_index=basis,
        free=np.ones(len(atoms), bool),
        stencil=stencil(atoms.positions, cell, pbc, crystal, basis_index=basis),
        cell=cell,
        pbc=pbc,
        frame=np.eye(3) if frame is None else frame,
        core=np.zeros(3),
        r0=crystal.nearest_neighbour_distance,
    )
