"""Stillinger-Weber silicon (matscipy), its bulk record and small discs of it, built once: crystals with a basis."""

from dataclasses import replace
from functools import cache

import numpy as np
from ase import Atoms
from matscipy.calculators.manybody import Manybody
from matscipy.calculators.manybody.explicit_forms import StillingerWeber
from matscipy.calculators.manybody.explicit_forms.stillinger_weber import Stillinger_Weber_PRB_31_5262_Si

from qmfront.config.defect import Disc, Dislocation
from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import cubic_crystal
from qmfront.crystal.stencil import stencil
from qmfront.elasticity.bulk import Bulk, bulk_of
from qmfront.elasticity.defects import defect_of
from qmfront.elasticity.straight_crack import StraightCrack, crack_defect
from qmfront.operators.assembly import assemble
from qmfront.operators.operators import Operators
from tests.settings import probe

REACH = 5.0
"""Å; force constants of this model end with the second neighbours at 3.84 Å."""
FORCE_RANGE = 7.55
"""Å, twice the cutoff."""
SHUFFLE = 0.375
"""Height of the middle of the wide gap of (111), over the period."""
SURFACE_ENERGY = 0.084887
"""eV/Å^2 of the relaxed surface there (tests/elasticity/test_surface.py)."""


@cache
def stillinger_weber() -> Manybody:
    return Manybody(**StillingerWeber(Stillinger_Weber_PRB_31_5262_Si))


def sw_forces(atoms: Atoms) -> np.ndarray:
    return np.array(stillinger_weber().get_forces(atoms))


@cache
def silicon() -> Bulk:
    return bulk_of(cubic_crystal("Si", "diamond", 5.43), stillinger_weber(), probe(REACH))


@cache
def edge(radius_r0: float = 8.0) -> Defect:
    """1/2<110>{001} edge dislocation, which the configuration of a case describes like this."""
    described = Dislocation(
        kind="dislocation",
        line=(1, -1, 0),
        plane=(0, 0, 1),
        burgers=(0.5, 0.5, 0.0),
        core_offset=(0.0, 0.0),
        core_map_radius_r0=4.0,
    )
    return defect_of(silicon(), described, Disc(kind="disc", radius_r0=radius_r0, clamp_width=FORCE_RANGE))[0]


@cache
def crack(radius_r0: float = 10.0) -> Defect:
    """(111)[1-10] crack between the layers of shuffle, at 0.9 of the Griffith load for the relaxed surface."""
    described = StraightCrack((1, -1, 0), (1, 1, 1), 0.9, (0.0, 0.0), radius_r0, FORCE_RANGE, SHUFFLE)
    return crack_defect(silicon(), described, surface_energy=SURFACE_ENERGY)


@cache
def perfect() -> Defect:
    """The sites of `edge` without the dislocation."""
    defect = edge()
    crystal = silicon().crystal.rotated(defect.frame)
    neighbours = stencil(defect.sites, defect.cell, defect.pbc, crystal, basis_index=defect.basis_index)
    return replace(defect, predictor=np.zeros_like(defect.sites), stencil=neighbours)


@cache
def operators_of(case: str) -> Operators:
    defect = {"edge": edge, "perfect": perfect}[case]()
    return assemble(defect, silicon(), reach=REACH, decay=3.0, cutoff_r0=2.5)
