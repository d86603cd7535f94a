"""Tables of embedded-atom potentials where a crystal uses them: how coarse F(rho) is there, and where it ends.

Interpolations of a table agree as long as the table resolves its function. Where it does not, forces and moduli are
those of the interpolation, and ours (quintic, C^4) is not that of LAMMPS (cubic, C^1). Beyond its last point F is
continued linearly by both, with no second derivative left.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from qmfront.crystal.lattice import Crystal
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.models.bonds import bond_list
from qmfront.models.eam import EAM, EAMModel, Evaluation, energy_forces
from qmfront.models.eam_file import EAMTables
from qmfront.models.eam_table import TabulatedEAM, tabulated
from qmfront.preflight.samples import cell_of, rattled, strained

DIFFERENT = 1e-3
"""Relative difference between the forces of two interpolations that is worth a word."""
STRAIN = 0.03
"""Of the cells on which they are compared, either sign: what a core does to its neighbourhood."""
ATOMS = 32
NOTICEABLE = 0.01
"""eV/Å; difference between the forces of two interpolations on an atom of a solution that is worth a word."""
CURE = (
    "To have what LAMMPS has, write materials.*.qm.kwargs: {interpolation: lammps}; third derivatives then jump at "
    "every point of the table. A finer table of the same potential cures both."
)


@dataclass(frozen=True)
class _Differences:
    """Between our interpolation and that of LAMMPS, over samples.

    forces : largest relative difference
    modulus : relative difference of the bulk modulus
    density, species : where F' differs most, and the atomic number of such an atom
    """

    forces: float
    modulus: float
    density: float
    species: int


def embedding_warnings(calculator: object, crystal: Crystal, *, rattle: float) -> list[str]:
    """What a user of a tabulated potential should know of F(rho) in this crystal; nothing for other models.

    Parameters
    ----------
    calculator : ASE calculator
    crystal : Crystal
        Near rest.
    rattle : float, Å
        Standard deviation of displacements in the cells that are looked at.
    """
    model = table_of(calculator)
    if model is None:
        return []
    moved = rattled(cell_of(crystal, ATOMS), rattle)
    samples = [strained(moved, scale * np.eye(3)) for scale in (-STRAIN, 0.0, STRAIN)]
    found = [text for text in [_ends(model, samples)] if text]
    if model.linear_below:  # quintic; LAMMPS's own needs no comparison
        difference = _differences(model, crystal, samples)
        if max(difference.forces, difference.modulus) > DIFFERENT:
            found.append(_coarse(model, difference, crystal, samples))
    return found


def warnings_of_crystal(spec: ModelSpec, crystal: Crystal, *, rattle: float) -> list[str]:
    """As `embedding_warnings`, of a model that is built for it if it is our EAM."""
    return embedding_warnings(spec.build(), crystal, rattle=rattle) if _is_eam(spec) else []


def warnings_of_solution(spec: ModelSpec, atoms: Atoms, free: np.ndarray) -> list[str]:
    """What a user of a tabulated potential should know of F(rho) at the end of a solve; nothing for other models.

    Parameters
    ----------
    spec : ModelSpec
        Of the reference model; built again if it is our EAM.
    atoms : Atoms
        The whole structure.
    free : (n,) bool
        Atoms on which two interpolations are compared; the others may have a surface that is none of the defect's.
    """
    model = table_of(spec.build()) if _is_eam(spec) else None
    if model is None:
        return []
    found = [text for text in [_ends(model, [atoms])] if text]
    if model.linear_below:  # quintic; LAMMPS's own needs no comparison
        found += _coarse_at(model, atoms, free)
    return found


def _is_eam(spec: ModelSpec) -> bool:
    return spec.calculator == f"{EAM.__module__}.{EAM.__name__}"


def table_of(calculator: object) -> TabulatedEAM | None:
    """The tables of a calculator that is our EAM with a file."""
    if not isinstance(calculator, EAM):
        return None
    return calculator.model if isinstance(calculator.model, TabulatedEAM) else None


def densities(model: TabulatedEAM, atoms: Atoms) -> np.ndarray:
    """rho of every atom, (n,)."""
    pbc = np.asarray(atoms.pbc, bool)
    bonds = bond_list(atoms.positions, atoms.cell.array, pbc, model.cutoff).within(
        atoms.positions, model.cutoff
    )
    kind = np.searchsorted(model.species, atoms.numbers)
    terms = model.bond_terms(kind, bonds)
    n = len(atoms)
    return np.bincount(bonds.first, terms[:, 0], n) + np.bincount(bonds.second, terms[:, 2], n)


def _last(model: TabulatedEAM) -> float:
    return model.embedding_coefficients.shape[1] * model.rho_spacing


def _ends(model: TabulatedEAM, samples: list[Atoms]) -> str:
    found = np.concatenate([densities(model, atoms) for atoms in samples])
    beyond = found > _last(model)
    if not beyond.any():
        return ""
    return (
        f"{beyond.sum()} of {len(found)} atoms have a density rho up to {found.max():.4g}, beyond the last point of "
        f"the EAM table, rho = {_last(model):.4g}: F is continued there with constant slope, as in LAMMPS, so that "
        "moduli and forces are not those of the potential. Use a table that goes farther, or look for atoms too close."
    )


def _differences(model: TabulatedEAM, crystal: Crystal, samples: list[Atoms]) -> _Differences:
    other = tabulated(_tables(model), interpolation="lammps")
    forces, worst = 0.0, (0.0, 0.0, 0)
    for atoms in samples:
        ours, theirs = _evaluated(model, atoms).forces, _evaluated(other, atoms).forces
        size = max(float(np.linalg.norm(ours)), 1e-12)
        forces = max(forces, float(np.linalg.norm(ours - theirs)) / size)
        rho, kind = densities(model, atoms), np.searchsorted(model.species, atoms.numbers)
        apart = np.abs(model.embedding(kind, rho)[1] - other.embedding(kind, rho)[1])
        most = int(np.argmax(apart))
        worst = max(worst, (float(apart[most]), float(rho[most]), int(atoms.numbers[most])))
    modulus = abs(_modulus(other, crystal) / _modulus(model, crystal) - 1)
    return _Differences(forces, modulus, *worst[1:])


def _coarse_at(model: TabulatedEAM, atoms: Atoms, free: np.ndarray) -> list[str]:
    """A warning if the forces of both interpolations on free atoms differ by more than NOTICEABLE."""
    other = tabulated(_tables(model), interpolation="lammps")
    apart = np.linalg.norm((_evaluated(model, atoms).forces - _evaluated(other, atoms).forces)[free], axis=1)
    if len(apart) == 0 or apart.max() <= NOTICEABLE:
        return []
    worst = np.flatnonzero(free)[int(np.argmax(apart))]
    return [
        f"The EAM table does not resolve F(rho) at this solution: between our interpolation and that of LAMMPS forces "
        f"differ by up to {apart.max():.3g} eV/Å, on {int(np.sum(apart > NOTICEABLE))} of {len(apart)} free atoms by "
        f"more than {NOTICEABLE:g} eV/Å, most at a density rho = {densities(model, atoms)[worst]:.4g} (points "
        f"{model.rho_spacing:.3g} apart). {CURE}"
    ]


def _evaluated(model: TabulatedEAM, atoms: Atoms) -> Evaluation:
    eam = cast(EAMModel, model)  # its fields are frozen, and the protocol does not say that they may be
    return energy_forces(eam, atoms.positions, atoms.cell.array, atoms.pbc, atoms.numbers)


def _modulus(model: TabulatedEAM, crystal: Crystal) -> float:
    """Bulk modulus at this lattice, eV/Å^3, from the tension at strains of one per cent."""
    step = 0.01
    tension = []
    for sign in (1, -1):
        atoms = crystal.strained((1 + sign * step) * np.eye(3)).to_atoms()
        tension.append(float(np.trace(_evaluated(model, atoms).virial)) / 3 / atoms.get_volume())
    return (tension[0] - tension[1]) / (6 * step)


def _tables(model: TabulatedEAM) -> EAMTables:
    """The points of the tables of a model."""

    def values(coefficients: np.ndarray) -> np.ndarray:
        return np.concatenate([coefficients[..., 0], coefficients[..., -1:, :].sum(axis=-1)], axis=-1)

    return EAMTables(
        species=model.species,
        embedding=values(model.embedding_coefficients),
        density=values(model.density_coefficients),
        pair=values(model.pair_coefficients),
        rho_spacing=model.rho_spacing,
        r_spacing=model.r_spacing,
        cutoff=model.cutoff,
    )


def _coarse(model: TabulatedEAM, difference: _Differences, crystal: Crystal, samples: list[Atoms]) -> str:
    rest = densities(model, crystal.to_atoms())
    seen = np.concatenate([densities(model, atoms) for atoms in samples])
    return (
        f"The EAM table does not resolve F(rho) where this crystal uses it (rho = {rest.mean():.4g} at the lattice "
        f"constant given, {seen.min():.4g} to {seen.max():.4g} in rattled and strained cells, "
        f"points {model.rho_spacing:.3g} apart): "
        f"between our interpolation and that of LAMMPS forces differ by {difference.forces:.1%} and the bulk modulus "
        f"by {difference.modulus:.1%}, most of it at rho = {difference.density:.4g} of "
        f"{chemical_symbols[difference.species]}. {CURE}"
    )
