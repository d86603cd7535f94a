"""Tungsten (EAM) and small discs of it, built once per session: where many tests start."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from qmfront.crystal.defect import Defect
from qmfront.crystal.faces import NO_CRACK
from qmfront.crystal.lattice import cubic_crystal
from qmfront.crystal.stencil import stencil
from qmfront.elasticity.bulk import Bulk, bulk_of
from qmfront.elasticity.straight import StraightDislocation, dislocation_defect
from qmfront.elasticity.straight_crack import StraightCrack, crack_defect
from qmfront.models.eam import EAM
from qmfront.operators.assembly import assemble
from qmfront.operators.operators import Operators
from tests.settings import probe

LONGEST = ("workflow", "faults", "adaptive", "coupling")
"""Folders under tests/ that are begun first, so that no worker is left alone with a long one."""


FINISHED = "the finished minimal case"
SHARING = {f"tests/workflow/test_{name}.py" for name in ("minimal", "bad_input", "export", "report", "start")}
"""Files whose tests begin with it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        first = item.path.relative_to(Path(__file__).parent).parts[0]
        return LONGEST.index(first) if first in LONGEST else len(LONGEST)

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """What a file shares, and the finished minimal case, is made by one worker and not by each."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return FINISHED if file in SHARING else file

    return ByFile(config, log)


@pytest.fixture(scope="session")
def eam() -> EAM:
    return EAM(potential="W_zhou")


@pytest.fixture(scope="session")
def eam_forces(eam) -> Callable[[Atoms], np.ndarray]:
    return lambda atoms: np.array(eam.get_forces(atoms))


@pytest.fixture(scope="session")
def tungsten(eam) -> Bulk:
    return bulk_of(cubic_crystal("W", "bcc", 3.165), eam, probe(eam.force_range))


@pytest.fixture(scope="session")
def edge(tungsten, eam) -> Defect:
    """<100>{001} edge dislocation, 304 free sites of 674."""
    return dislocation_defect(
        tungsten,
        StraightDislocation(
            line=(0, 1, 0),
            plane=(0, 0, 1),
            burgers=(1.0, 0.0, 0.0),
            core_offset=(0.0, 0.0),
            core_map_radius_r0=3.5,
            radius_r0=8.0,
            clamp_width=eam.force_range,
        ),
    )


@pytest.fixture(scope="session")
def mixed(tungsten, eam) -> Defect:
    """1/2<111>{110} dislocation of mixed character, 71 degrees, in a frame that is no symmetry of the crystal."""
    return dislocation_defect(
        tungsten,
        StraightDislocation(
            line=(1, 1, 1),
            plane=(1, -1, 0),
            burgers=(-0.5, -0.5, 0.5),
            core_offset=(0.0, 0.0),
            core_map_radius_r0=3.5,
            radius_r0=8.0,
            clamp_width=eam.force_range,
        ),
    )


SURFACE_ENERGY = 0.15855
"""eV/Å^2 of the relaxed W (110) surface of this potential (tests/elasticity/test_surface.py)."""


@pytest.fixture(scope="session")
def crack(tungsten, eam) -> Defect:
    """(110)[001] crack at 0.86 of the Griffith load, 676 free sites."""
    description = StraightCrack(
        front=(0, 0, 1),
        plane=(1, 1, 0),
        load=0.86,
        tip_offset=(0.0, 0.0),
        radius_r0=12.0,
        clamp_width=eam.force_range + 1.0,
    )
    return crack_defect(tungsten, description, surface_energy=SURFACE_ENERGY)


@pytest.fixture(scope="session")
def glued(crack, tungsten) -> Defect:
    """The same sites and predictor, with the neighbours of the perfect crystal across the crack."""
    crystal = tungsten.crystal.rotated(crack.frame)
    neighbours = stencil(crack.sites, crack.cell, crack.pbc, crystal, basis_index=crack.basis_index)
    return replace(crack, stencil=neighbours, crack_tip=NO_CRACK)


@pytest.fixture(scope="session")
def crack_operators(crack, tungsten, eam) -> Operators:
    return assemble(crack, tungsten, reach=eam.force_range, decay=3.0, cutoff_r0=2.5)


@pytest.fixture(scope="session")
def perfect(tungsten, edge) -> Defect:
    """The sites of `edge` without the dislocation."""
    crystal = tungsten.crystal.rotated(edge.frame)
    neighbours = stencil(edge.sites, edge.cell, edge.pbc, crystal, basis_index=edge.basis_index)
    return replace(edge, predictor=np.zeros_like(edge.sites), stencil=neighbours)


@pytest.fixture(scope="session")
def edge_operators(edge, tungsten, eam) -> Operators:
    return assemble(edge, tungsten, reach=eam.force_range, decay=3.0, cutoff_r0=2.5)


@pytest.fixture(scope="session")
def perfect_operators(perfect, tungsten, eam) -> Operators:
    return assemble(perfect, tungsten, reach=eam.force_range, decay=3.0, cutoff_r0=2.5)
