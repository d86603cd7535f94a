"""Structures and parameter sets of the tests: rattled, unsymmetric, so that swapped indices show."""

import copy
import json
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.lattice.cubic import Diamond

from qmfront.models.nrltb.parameters import PACKAGED

LATTICE_CONSTANT = 5.4263  # Å, at kT = 0.1 eV


def sheared(repeat: tuple[int, int, int] = (1, 1, 1), *, seed: int = 3, rattle: float = 0.12) -> Atoms:
    """A triclinic, rattled silicon cell; one cube holds 8 atoms, and each atom meets several images of itself."""
    rng = np.random.default_rng(seed)
    atoms = bulk("Si", a=LATTICE_CONSTANT, cubic=True).repeat(repeat)
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.03 * rng.normal(size=(3, 3))), scale_atoms=True)
    atoms.positions += rattle * rng.uniform(-1.0, 1.0, size=atoms.positions.shape)
    return atoms


def cluster(n: int = 17, *, seed: int = 5) -> Atoms:
    """The n atoms nearest to an atom of the crystal, rattled, without cell."""
    crystal = bulk("Si", a=LATTICE_CONSTANT, cubic=True).repeat(3)
    middle = crystal.positions[
        np.argmin(np.linalg.norm(crystal.positions - crystal.positions.mean(axis=0), axis=1))
    ]
    nearest = np.argsort(np.linalg.norm(crystal.positions - middle, axis=1), kind="stable")[:n]
    positions = crystal.positions[nearest] - middle
    positions += 0.1 * np.random.default_rng(seed).uniform(-1.0, 1.0, size=positions.shape)
    return Atoms(f"Si{n}", positions=positions)


def disc(radius: float, *, seed: int = 7, rattle: float = 0.05) -> Atoms:
    """Atoms of a crystal within a radius (Å) of a line along [110], one period of 3.84 Å, rattled; vacuum around."""
    crystal = Diamond(
        "Si", latticeconstant=LATTICE_CONSTANT, directions=[[-1, 1, 0], [0, 0, 1], [1, 1, 0]], size=(1, 1, 1)
    )
    repeats = [int(2.0 * radius / length) + 3 for length in crystal.cell.lengths()[:2]]
    crystal = crystal.repeat((*repeats, 1))
    line = 0.5 * crystal.cell.lengths()[:2] + [0.3, 0.1]
    atoms = crystal[np.hypot(*(crystal.positions[:, :2] - line).T) < radius]
    atoms.pbc = (False, False, True)
    atoms.positions += rattle * np.random.default_rng(seed).normal(size=atoms.positions.shape)
    return atoms


def silicon_content() -> dict[str, Any]:
    """The packaged parameter file, parsed."""
    return json.loads((PACKAGED / "silicon.json").read_text(encoding="utf-8"))


def two_species_content() -> dict[str, Any]:
    """Silicon and an invented second species "Ge", with nothing in common but the cutoff; not a material.

    The hetero overlap has no cubic term, because the oracle of the tests knows none.
    """
    content = silicon_content()
    content["species"]["Ge"] = {"electrons": 4, "density_decay": 1.13, "s": -0.12, "p": 0.41}
    own = content["environment"]["Si"]["Si"]
    scaled = [(("Si", "Ge"), 1.1), (("Ge", "Si"), 0.8), (("Ge", "Ge"), 0.9)]
    for (of, by), factor in scaled:
        entry = {level: [factor * value for value in own[level]] for level in "sp"}
        content["environment"].setdefault(of, {})[by] = entry
    pair = content["pairs"]["Si-Si"]
    content["pairs"]["Ge-Ge"] = _stretched(pair, 1.04)
    mixed = _stretched(pair, 0.98)
    # Written the other way round than the species are sorted: <s_Ge|p_Si> is sp_sigma, <p_Ge|s_Si> is ps_sigma.
    mixed["hopping"]["ps_sigma"] = [1.2 * value for value in mixed["hopping"]["sp_sigma"][:3]] + [0.87]
    mixed["overlap"] = {
        "ss_sigma": [1.9, 0.5, 0.03, 1.21],
        "sp_sigma": [6.1, -9.7, 3.1, 1.50],
        "ps_sigma": [5.2, -8.8, 2.9, 1.47],
        "pp_sigma": [4.0, -0.9, -0.35, 1.27],
        "pp_pi": [-52.0, 31.0, -0.6, 1.97],
    }
    content["pairs"]["Ge-Si"] = mixed
    return content


def _stretched(pair: dict[str, Any], factor: float) -> dict[str, Any]:
    """The radial functions with other decays."""
    out = copy.deepcopy(pair)
    for entries in out.values():
        for coefficients in entries.values():
            coefficients[-1] *= factor
    return out
