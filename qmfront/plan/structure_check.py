"""The file of a defect against a crystal that is not at rest yet: the one of the guess, strained to fit the file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.data import chemical_symbols

from qmfront.config.defect import File
from qmfront.config.material import Crystal as CrystalSettings
from qmfront.config.study import Case
from qmfront.crystal.defect import ADDED
from qmfront.crystal.lattice import Crystal, crystal_of
from qmfront.crystal.orientation import grains_of
from qmfront.crystal.site_assignment import is_foreign
from qmfront.crystal.structure_reading import named_species, read_structure
from qmfront.elasticity.defects import defect_without_field
from qmfront.refine.next_partition import first_region
from qmfront.refine.regions import PartitionSettings


@dataclass(frozen=True)
class FoundDefect:
    """What the file of a case turns out to be.

    dimension : 2 of a straight defect, 3 of one in a supercell
    on_sites, between : symbols of the solutes on sites of the crystal and between them
    """

    dimension: int
    on_sites: tuple[str, ...]
    between: tuple[str, ...]


def found_in_file(
    case: Case, settings: CrystalSettings, root: Path, *, rim: float, farthest: float
) -> FoundDefect:
    """The defect in the file of a case.

    # ASSUME what is matched to the crystal of the file is matched to that at rest as well: it is the same but for a
    small strain, which the job that knows the crystal at rest checks.

    Parameters
    ----------
    rim : Å, see StructureFile
    farthest : relative difference of the lattice constant of the file from the guess that is none of a rest state

    Raises
    ------
    ValueError
        If the file is not what it is said to be, or its first QM region does not fit into it.
    """
    assert isinstance(case.defect, File)
    defect = case.defect.model_copy(update={"file": str(root / case.defect.file)})
    crystal = crystal_of(settings)
    if defect.lattice_constant is None:
        crystal = _fitted(crystal, defect, farthest)
    partition = PartitionSettings(case.refine, case.buffer, case.embedding)
    found, seeds = defect_without_field(crystal, defect, case.domain, rim=rim)
    first_region(found, case.initial_region, partition, seeds=seeds)
    solutes = is_foreign(found.numbers, crystal)
    is_between = (found.basis_index == ADDED) & (found.frames is None)  # at a boundary of grains are no sites
    symbols = (
        tuple(chemical_symbols[n] for n in found.numbers[solutes & part])
        for part in (~is_between, is_between)
    )
    return FoundDefect(found.dimension, *symbols)


def _fitted(crystal: Crystal, defect: File, farthest: float) -> Crystal:
    """The crystal with the strain of the file, as far as its symmetry allows; as it is where the file has it not."""
    path = Path(defect.file)
    read = read_structure(
        path, file_format=defect.format, pbc=defect.pbc, types=defect.types, frame=defect.frame
    )
    grains = grains_of(named_species(read, crystal, path), crystal)
    if not grains:
        return crystal
    F = grains[0].gradient
    stretch = grains[0].frame.T @ F
    symmetric = np.mean([R.T @ stretch @ R for R in crystal.point_group()], axis=0)
    if abs(grains[0].scale - 1) > farthest:
        constant = grains[0].scale * crystal.lattice_constant
        raise ValueError(
            f"{path} has a crystal with a lattice constant of {constant:.4g} Å, and the guess of that at rest is "
            f"{crystal.lattice_constant:.4g} Å. Give defect.lattice_constant: {constant:.4g}, so that the structure is "
            "scaled to that at rest, or correct the guess."
        )
    return crystal.strained((symmetric + symmetric.T) / 2)
