"""Files as users have them: supercells with vectors of their own, cylinders of matscipy, blocks in atomman's manner.

Each function writes a file of tungsten below work/files and says what a case has to know of it: nothing, or what the
format cannot say. Lattice constants are those of tables, not that of the model at rest.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk, make_supercell
from ase.io import write
from matscipy.dislocation import BCCEdge111Dislocation, BCCScrew111Dislocation
from scipy.spatial.transform import Rotation

from qmfront import File

HERE = Path(__file__).parents[1] / "work" / "files"
A0 = 3.165
MODULI = (522.0, 204.0, 161.0)
"""C11, C12, C44 in GPa, for the displacements of matscipy."""


def primitive_supercell(name: str, *, strain: float = 0.0) -> File:
    """A vacancy in 12 x 12 x 12 primitive cells that are turned and rattled, atoms in any image and order."""
    rng = np.random.default_rng(4)
    atoms = bulk("W", a=A0).repeat(12)
    del atoms[700]
    turn = Rotation.random(random_state=4).as_matrix()
    atoms.set_cell((1 + strain) * atoms.cell.array @ turn.T, scale_atoms=True)
    atoms.positions += rng.normal(scale=0.05, size=atoms.positions.shape)
    atoms.positions += rng.integers(-1, 2, atoms.positions.shape) @ atoms.cell.array
    return _written(atoms[rng.permutation(len(atoms))], f"{name}.extxyz")


def dumbbell_supercell(name: str) -> File:
    """A <110> dumbbell in LAMMPS data of charge style, edges along [110], [-110] and [001]."""
    atoms = make_supercell(bulk("W", a=A0, cubic=True), [[7, 7, 0], [-7, 7, 0], [0, 0, 10]])
    atoms.rotate(-45, "z", rotate_cell=True)
    atoms.wrap()
    middle = int(np.linalg.norm(atoms.positions - atoms.cell.sum(axis=0) / 2, axis=1).argmin())
    atoms.append("W")
    atoms.positions[-1] = atoms.positions[middle] - [1.0, 0.0, 0.0]
    atoms.positions[middle] += [1.0, 0.0, 0.0]
    atoms.set_initial_charges(np.zeros(len(atoms)))
    return _written(atoms, f"{name}.data", format="lammps-data", atom_style="charge", masses=True)


def matscipy_cylinder(name: str) -> File:
    """A screw, as `build_cylinder` makes it."""
    made = BCCScrew111Dislocation(A0, *MODULI, symbol="W")
    _, atoms = made.build_cylinder(65.0, method="adsl", verbose=False)
    return _written(atoms, f"{name}.xyz", format="extxyz")


def atomman_block(name: str) -> File:
    """An edge with its line along x and the origin at its core, atoms of type 2 held, as LAMMPS data."""
    made = BCCEdge111Dislocation(A0, *MODULI, symbol="W")
    _, atoms = made.build_cylinder(70.0, method="adsl", verbose=False)
    core, order = np.append(atoms.info["core_positions"][0][:2], 0.0), [2, 0, 1]
    held = 1 + atoms.arrays["fix_mask"]
    turned = Atoms(
        numbers=atoms.numbers,
        positions=(atoms.positions - core)[:, order],
        cell=atoms.cell.array[order][:, order],
        pbc=(True, False, False),
    )
    path = HERE / f"{name}.data"
    path.parent.mkdir(parents=True, exist_ok=True)
    low, high = turned.positions.min(axis=0), turned.positions.max(axis=0)
    low[0], high[0] = 0.0, turned.cell.array[0, 0]
    bounds = "".join(f"{a:.10f} {b:.10f} {x}lo {x}hi\n" for a, b, x in zip(low, high, "xyz", strict=True))
    rows = "".join(
        f"{n} {kind} {x:.12f} {y:.12f} {z:.12f}\n"
        for n, (kind, (x, y, z)) in enumerate(zip(held, turned.positions, strict=True), 1)
    )
    path.write_text(
        f"\n{len(turned)} atoms\n2 atom types\n{bounds}\nAtoms # atomic\n\n{rows}", encoding="utf-8"
    )
    return File(file=str(path), pbc=(True, False, False), clamp="type=2")


MADE: dict[str, Callable[[str], File]] = {
    "W_file_supercell": primitive_supercell,
    "W_file_strained": lambda name: primitive_supercell(name, strain=0.01),
    "W_file_dumbbell": dumbbell_supercell,
    "W_file_cylinder": matscipy_cylinder,
    "W_file_block": atomman_block,
}


def _written(atoms: Atoms, name: str, **how: object) -> File:
    HERE.mkdir(parents=True, exist_ok=True)
    write(HERE / name, atoms, **how)
    return File(file=str(HERE / name))
