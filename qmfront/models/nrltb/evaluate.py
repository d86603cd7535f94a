"""Energies, forces and virial of NRL tight binding, from arrays.

The gradient of the free energy, of A at fixed N as of Omega at fixed mu, is that of tr(P H) - tr(W S) at fixed P and W.
It has three parts: of the radial functions, of the directions of the bonds, and of the on-site levels.
"""

from dataclasses import dataclass, replace

import numpy as np

from qmfront.models.bonds import Bonds, bond_list
from qmfront.models.nrltb import environment, occupation
from qmfront.models.nrltb.electrons import Electrons, spectrum
from qmfront.models.nrltb.green import grand_state
from qmfront.models.nrltb.matrices import Blocks, Weights, bond_images
from qmfront.models.nrltb.parameters import HOPPING, OVERLAP, Parameters
from qmfront.models.nrltb.radial import radial_functions
from qmfront.models.nrltb.slater_koster import block_gradient, blocks
from qmfront.models.nrltb.strips import Strips
from qmfront.models.refusals import checked_structure, refuse_overlap


@dataclass(frozen=True)
class Structure:
    """Atoms as the model sees them.

    kind : (n,) int
        Position of each atom's species in `Parameters.species`.
    bonds : Bonds
        All within the cutoff, each once.
    images : (p, 3) float, whole numbers
        Cell of the second atom of each bond.
    """

    kind: np.ndarray
    bonds: Bonds
    images: np.ndarray


@dataclass(frozen=True)
class Gradient:
    """forces (n, 3), eV/Å, and virial (3, 3), eV, dF/dstrain, symmetric, of the free energy F."""

    forces: np.ndarray
    virial: np.ndarray


@dataclass(frozen=True)
class Evaluation:
    """Result of one call.

    energy : float, eV
        Band energy E.
    free_energy : float, eV
        Omega at fixed mu, A for neutral atoms.
    eigenvalues : (m, 4n) float, eV, or None
        Ascending at each of the m k-points; None if the poles found the rest without them.
    chemical_potential : float, eV
    n_electrons : float
    gradient : Gradient or None
    """

    energy: float
    free_energy: float
    eigenvalues: np.ndarray | None
    chemical_potential: float
    n_electrons: float
    gradient: Gradient | None


def structure(
    parameters: Parameters, positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, numbers: np.ndarray
) -> Structure:
    """Bonds and species of atoms in any cell, small multi-image cells included.

    Parameters
    ----------
    positions : (n, 3) float, Å
    cell : (3, 3) float, Å
        Rows are the cell vectors; only rows of periodic directions matter.
    pbc : (3,) bool
    numbers : (n,) int
        Atomic numbers.

    Raises
    ------
    ValueError
        Without atoms, for positions that are not finite, dependent cell vectors, species without parameters, and atoms
        closer than `parameters.minimum_distance`.
    """
    positions, cell, pbc = checked_structure(positions, cell, pbc)
    kind = parameters.kind(np.asarray(numbers))
    bonds = bond_list(positions, cell, pbc, parameters.cutoff).within(positions, parameters.cutoff)
    advice = "since the energy collapses there, or cap the steps of the optimiser (0.15 Å)"
    refuse_overlap(bonds, parameters.minimum_distance, advice=advice)
    return Structure(kind, bonds, bond_images(bonds, positions, cell, pbc))


def evaluate(
    parameters: Parameters,
    atoms: Structure,
    electrons: Electrons,
    *,
    gradient: bool = True,
    strips: Strips | None = None,
) -> Evaluation:
    """Energies, and forces and virial if wanted.

    Parameters
    ----------
    strips : Strips or None
        With strips the poles of the Fermi function take the place of eigenvalues. That needs a fixed mu, and gives the
        gradient whether wanted or not, for it costs nothing there.

    Raises
    ------
    RuntimeError
        If LAPACK does not solve the eigenvalue problem, or levels lie beyond the reach of the poles.
    """
    values, slopes = radial_functions(parameters, atoms.kind, atoms.bonds)
    rho = environment.density(atoms.kind, atoms.bonds, values, len(parameters.species))
    on_site = environment.levels(parameters, atoms.kind, rho)
    hopping, overlap = (blocks(atoms.bonds, values[:, part]) for part in (HOPPING, OVERLAP))
    shared = Blocks(atoms.bonds, atoms.images, hopping, overlap, on_site.energy)
    if strips is None:
        neutral = float(parameters.electrons[atoms.kind].sum())
        energies, weights = _by_eigenvalues(shared, electrons, neutral=neutral, gradient=gradient)
    else:
        energies, weights = _by_poles(shared, electrons, strips)
    if weights is None:
        return energies
    return replace(energies, gradient=_gradient(atoms, on_site, values, slopes, weights))


def _by_eigenvalues(
    shared: Blocks, electrons: Electrons, *, neutral: float, gradient: bool
) -> tuple[Evaluation, Weights | None]:
    found = spectrum(shared, electrons, neutral=neutral, gradient=gradient)
    state = found.eigenvalues, electrons.kpoints.weights, found.mu, electrons.kT
    omega = occupation.grand_potential(*state)
    energies = Evaluation(
        energy=occupation.band_energy(*state),
        free_energy=omega if electrons.mu is not None else omega + found.mu * neutral,
        eigenvalues=found.eigenvalues,
        chemical_potential=found.mu,
        n_electrons=occupation.electron_number(*state),
        gradient=None,
    )
    return energies, found.weights


def _by_poles(shared: Blocks, electrons: Electrons, strips: Strips) -> tuple[Evaluation, Weights]:
    found = grand_state(shared, strips, electrons)
    energies = Evaluation(
        energy=found.energy,
        free_energy=found.grand_potential,
        eigenvalues=None,
        chemical_potential=electrons.mu,  # type: ignore[arg-type]
        n_electrons=found.n_electrons,
        gradient=None,
    )
    return energies, found.weights


def _gradient(
    atoms: Structure, on_site: environment.Levels, values: np.ndarray, slopes: np.ndarray, weights: Weights
) -> Gradient:
    """Forces and virial from the derivative along each bond."""
    bonds = atoms.bonds
    pull = environment.bond_slope(atoms.kind, bonds, slopes, weights.levels, on_site)
    along = (pull / bonds.distance)[:, None] * bonds.vector
    for part, weight in ((HOPPING, weights.hopping), (OVERLAP, weights.overlap)):
        along += block_gradient(bonds, values[:, part], slopes[:, part], weight)
    n = len(atoms.kind)
    forces = np.stack(
        [np.bincount(bonds.first, column, n) - np.bincount(bonds.second, column, n) for column in along.T],
        axis=1,
    )
    virial = along.T @ bonds.vector
    return Gradient(forces, 0.5 * (virial + virial.T))  # symmetric but for rounding
