"""What a point defect costs: E(defect) - E(perfect crystal) - sum_s mu_s dn_s, relaxed, with an error bar.

Mixed forces have no energy, but atoms that are taken out, put in or exchanged with all others held are felt as far as
the QM model reaches and no farther, so that two clusters around them tell it. What follows is a relaxation, along which
mixed forces do work (`energy`):

    E_f = E_cl^QM[defect; 0] - E_cl^QM[crystal] - sum_s mu_s dn_s                  unrelaxed
          - int_0^1 (F^H + dF)(t u) . u dt                                         work, layer and beyond
          - 1/2 <r, H^-1 r>                                                        relaxation

The ends of the clusters are the same and held, and drop out.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from qmfront.coupling.curve import straight
from qmfront.coupling.embedding import embedded_atoms
from qmfront.coupling.hybrid import Hybrid
from qmfront.crystal.cluster import cluster_around, surrounded
from qmfront.crystal.correspondence import same_atoms
from qmfront.crystal.defect import Defect
from qmfront.estimate.energy import force_parts, work_along
from qmfront.estimate.residual import ResidualSettings, exact_core
from qmfront.estimate.substitution import SolutionState
from qmfront.mismatch.model_difference import ModelDifference

Energy = Callable[[Atoms], float]
"""Atoms -> eV, of the QM model."""
WANTED = 1e-3
"""eV; the error of the integral along the relaxation is small beside it."""
NEAREST_R0 = 1.3
"""r0; atoms this close to what was changed are those that a box of the QM model is built around."""


@dataclass(frozen=True)
class FormationEnergy:
    """E(defect) - E(perfect crystal) - sum mu dn of the QM model, eV.

    unrelaxed : all other atoms held at their sites
    work : of the mixed forces, from there to the solution
    layer, beyond : what they lack, on the layer by a QM call and farther out by the Cauchy-Born difference
    relaxation : by how much the equilibrium of the QM model is below the solution, never positive
    quadrature : change of the integral by the last refinement of its rule
    buffer : |change of `unrelaxed`| where its clusters are made smaller
    """

    unrelaxed: float
    work: float
    layer: float
    beyond: float
    relaxation: float
    quadrature: float
    buffer: float

    @property
    def value(self) -> float:
        """The best value, eV."""
        return self.unrelaxed + self.work + self.layer + self.beyond + self.relaxation

    @property
    def bar(self) -> float:
        """Its error, eV: corrections that are estimates count in full."""
        return abs(self.beyond) + abs(self.relaxation) + self.quadrature + self.buffer

    def numbers(self) -> dict[str, float]:
        """Plain values, eV, for a table."""
        return asdict(self) | {"value": self.value, "bar": self.bar}


def formation_energy(
    hybrid: Hybrid,
    solution: SolutionState,
    perfect: Defect,
    difference: ModelDifference,
    energies: tuple[Energy, Mapping[int, float]],
    *,
    settings: ResidualSettings,
) -> FormationEnergy:
    """E_f of a point defect: 5 QM calls or more on QM region and layer, 4 on the surroundings of what was changed.

    Parameters
    ----------
    hybrid : Hybrid
    solution : SolutionState
    perfect : Defect
        The sites of the same domain without the defect.
    difference : ModelDifference
    energies : the QM model, and mu (eV) by atomic number of what was put in or taken out
    settings : ResidualSettings
        Layer and buffers; its names are not used.

    Raises
    ------
    ValueError
        If nothing was changed, or a chemical potential is missing.
    """
    energy, potentials = energies
    wide = _unrelaxed(hybrid, perfect, energy, potentials, settings.width)
    narrow = _unrelaxed(hybrid, perfect, energy, potentials, settings.buffer.width)
    u, defect = solution.displacement, hybrid.defect
    core = exact_core(u, defect, solution.region, settings)
    parts = force_parts(hybrid, solution.region, difference, core, settings.width)
    found = work_along(parts, core, straight(0.0 * u, u, 1), free=defect.free, bar=WANTED)
    return FormationEnergy(
        unrelaxed=wide,
        work=found.work,
        layer=found.layer,
        beyond=found.beyond,
        relaxation=solution.relaxation,
        quadrature=found.quadrature,
        buffer=abs(wide - narrow),
    )


def _unrelaxed(
    hybrid: Hybrid, perfect: Defect, energy: Energy, potentials: Mapping[int, float], width: float
) -> float:
    """E_cl[defect; 0] - E_cl[crystal] - sum mu dn, eV, of the atoms within a width (Å) of those that were changed."""
    defect = hybrid.defect
    site = same_atoms(defect, perfect)
    gone = np.setdiff1d(np.arange(perfect.n_sites), site)
    places = np.concatenate([defect.sites[site < 0], perfect.sites[gone]])
    if len(places) == 0:
        raise ValueError("The defect is the perfect crystal: no atom was taken out, put in or exchanged.")
    exchanged = _exchanged(defect, perfect, potentials)
    near, around = (_within(perfect, places, reach) for reach in (NEAREST_R0 * defect.r0, width))
    ends = [
        _cluster_energy(hybrid, body, inner, included, energy)
        for body, inner, included in (
            (defect, _carried(near, site), _carried(around, site)),
            (perfect, near, around),
        )
    ]
    return ends[0] - ends[1] - exchanged


def _exchanged(defect: Defect, perfect: Defect, potentials: Mapping[int, float]) -> float:
    """sum_s mu_s dn_s, eV."""
    most = int(max(defect.numbers.max(), perfect.numbers.max())) + 1
    more = np.bincount(defect.numbers, minlength=most) - np.bincount(perfect.numbers, minlength=most)
    missing = [chemical_symbols[number] for number in np.flatnonzero(more) if number not in potentials]
    if missing:
        raise ValueError(
            f"The formation energy needs the chemical potential of {' and '.join(missing)} (eV), the energy of an atom "
            "in the reservoir that it comes from: give it in chemical_potentials."
        )
    return float(sum(potentials[int(number)] * more[number] for number in np.flatnonzero(more)))


def _within(body: Defect, places: np.ndarray, width: float) -> np.ndarray:
    """Sites within a width of some places (p, 3) Å, (n,) bool."""
    positions = np.concatenate([body.sites, places])
    inner = np.arange(len(positions)) >= body.n_sites
    return surrounded(inner, positions, body.cell, body.pbc, width=width)[: body.n_sites]


def _carried(mask: np.ndarray, site: np.ndarray) -> np.ndarray:
    """A mask of perfect sites for the atoms of the defect; those that were put in are in it."""
    return np.where(site < 0, True, mask[site])


def _cluster_energy(
    hybrid: Hybrid, body: Defect, inner: np.ndarray, included: np.ndarray, energy: Energy
) -> float:
    atoms, _ = embedded_atoms(body.body, cluster_around(inner, included), hybrid.embedding)
    return energy(atoms(np.zeros_like(body.sites)))
