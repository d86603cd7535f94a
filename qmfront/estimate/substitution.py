"""What it costs to put a solute into a defect: E(defect with solute) - E(defect), both relaxed, with an error bar.

No path of atoms leads from one element to another, and mixed forces have no energy. But an exchange of elements with
all atoms held is felt as far as the QM model reaches and no farther, so that two clusters around the site tell it. What
follows is a relaxation, and mixed forces do work (`energy`). With u_h, u_s the solutions without and with the solute,

    dE = E_cl^QM[s; u_h] - E_cl^QM[h; u_h]                                          exchange
         - int_0^1 (F^H + dF)(s; u_h + t (u_s - u_h)) . (u_s - u_h) dt              work and difference
         - 1/2 <r_s, phi_s> + 1/2 <r_h, phi_h>                                      what either could still relax

The ends of the clusters are the same and held, and drop out. dF is what the mixed forces lack, exact on the QM region
and its layer, the Cauchy-Born difference beyond; r and phi are residual and answer of the estimate. The difference of
two dE is a binding energy: of a solute to a dislocation, to a vacancy, to another solute.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
from ase import Atoms

from qmfront.coupling.embedding import embedded_atoms
from qmfront.coupling.hybrid import Hybrid
from qmfront.crystal.cluster import cluster_around, surrounded
from qmfront.crystal.defect import ADDED, Defect
from qmfront.crystal.solutes import same_sites
from qmfront.estimate.energy import force_parts, path_work
from qmfront.estimate.residual import ResidualSettings, exact_core
from qmfront.mismatch.model_difference import ModelDifference

Energy = Callable[[Atoms], float]
"""Atoms -> eV, of the QM model."""


@dataclass(frozen=True)
class SolutionState:
    """A solution, and what is known of the energy that it is above equilibrium.

    region : (n,) int
    displacement : (n, 3) float, Å
    relaxation : float, eV
        -1/2 <r, phi>, by how much equilibrium is lower: see `remaining_relaxation`.
    """

    region: np.ndarray
    displacement: np.ndarray
    relaxation: float


@dataclass(frozen=True)
class HostState:
    """The same defect without the solute, on the sites of the defect with it.

    numbers : (n,) int
    displacement : (n, 3) float, Å
    relaxation : float, eV
    """

    numbers: np.ndarray
    displacement: np.ndarray
    relaxation: float = 0.0

    @classmethod
    def repeated(cls, defect: Defect, host: Defect, state: SolutionState) -> "HostState":
        """A solution of a defect without the solute, in a domain as high as that of the defect with it or lower.

        Raises
        ------
        ValueError
            If the domains have other sites or predictors.
        """
        site = same_sites(defect, host)
        periods = defect.n_sites / host.n_sites
        return cls(host.numbers[site], state.displacement[site], periods * state.relaxation)

    @classmethod
    def perfect(cls, defect: Defect, species: np.ndarray) -> "HostState":
        """The perfect crystal that a solute was put into.

        Parameters
        ----------
        species : (basis,) int
            Atomic numbers of the crystal, by sublattice.

        Raises
        ------
        ValueError
            If the crystal has sites that the defect has not, or the defect atoms that have no site.
        """
        full = np.bincount(np.maximum(defect.basis_index, 0), minlength=len(species))
        if np.any(defect.basis_index == ADDED) or np.ptp(full) or np.any(defect.predictor):
            raise ValueError(
                "Without its solutes this defect is not the perfect crystal, since sites are missing, atoms are added, "
                "or the crystal is deformed: relax the defect without the solute, and pass that step as host."
            )
        return cls(species[defect.basis_index], np.zeros_like(defect.predictor))


@dataclass(frozen=True)
class SubstitutionEnergy:
    """E(with solute) - E(without), both at equilibrium, eV per height of the domain.

    exchange : of elements, all atoms held where they are without the solute
    work : of the mixed forces, from there to the solution with the solute
    difference : what the error of the potential outside the QM region adds to it
    relaxation, host_relaxation : by how much either equilibrium is below its solution, never positive
    quadrature : |Kronrod - Gauss| of work and difference
    buffer : |change of the exchange| where its clusters are made smaller
    """

    exchange: float
    work: float
    difference: float
    relaxation: float
    host_relaxation: float
    quadrature: float
    buffer: float

    @property
    def energy(self) -> float:
        """The best value, eV; only differences of it mean something, since elements are exchanged."""
        return self.exchange + self.work + self.difference + self.relaxation - self.host_relaxation

    @property
    def bar(self) -> float:
        """Its error, eV, all that could be wrong added up."""
        corrections = (self.difference, self.relaxation, self.host_relaxation)
        return sum(map(abs, corrections)) + self.quadrature + self.buffer

    def beyond(self, other: "SubstitutionEnergy") -> tuple[float, float]:
        """The binding energy to this place relative to another one, negative where this one attracts, and its bar."""
        return self.energy - other.energy, self.bar + other.bar

    def numbers(self) -> dict[str, float]:
        """Plain values, eV, for a table."""
        return asdict(self) | {"energy": self.energy, "bar": self.bar}


def remaining_relaxation(residual: np.ndarray, phi: np.ndarray) -> float:
    """-1/2 <r, phi>, eV, for a residual r (n, 3) eV/Å and the displacement phi (n, 3) Å that answers it."""
    return -0.5 * float(np.vdot(residual, phi))


def substitution_energy(
    hybrid: Hybrid,
    solution: SolutionState,
    host: HostState,
    difference: ModelDifference,
    energy: Energy,
    *,
    settings: ResidualSettings,
) -> SubstitutionEnergy:
    """dE of a defect with solutes over that without: 7 QM calls on QM region and layer, 4 on small clusters.

    Parameters
    ----------
    hybrid : Hybrid
        Of the defect with its solutes.
    solution : SolutionState
        Of it.
    host : HostState
    difference : ModelDifference
    energy : Energy
        Of the QM model.
    settings : ResidualSettings
        Layer and buffers; its names are not used.

    Raises
    ------
    ValueError
        If no element differs.
    """
    wide = _exchange(hybrid, host, energy, settings.width)
    narrow = _exchange(hybrid, host, energy, settings.buffer.width)
    core = exact_core(solution.displacement, hybrid.defect, solution.region, settings)
    parts = force_parts(hybrid, solution.region, difference, core, settings.width)
    work, lacking, quadrature = path_work(parts, start=host.displacement, end=solution.displacement, points=7)
    return SubstitutionEnergy(
        exchange=wide,
        work=work,
        difference=lacking,
        relaxation=solution.relaxation,
        host_relaxation=host.relaxation,
        quadrature=quadrature,
        buffer=abs(wide - narrow),
    )


def _exchange(hybrid: Hybrid, host: HostState, energy: Energy, width: float) -> float:
    """E[s; u_h] - E[h; u_h], eV, of the atoms within a width (Å) of those that differ."""
    body = hybrid.defect.body
    differs = body.numbers != host.numbers
    if not differs.any():
        raise ValueError(
            "The defects with and without solute have the same elements: there is nothing to compare."
        )
    positions = body.reference + host.displacement
    around = surrounded(differs, positions, body.cell, body.pbc, width=width)
    cluster = cluster_around(differs, around)
    without = replace(body, numbers=host.numbers)
    ends = (embedded_atoms(each, cluster, hybrid.embedding)[0](host.displacement) for each in (body, without))
    with_solute, alone = map(energy, ends)
    return with_solute - alone
