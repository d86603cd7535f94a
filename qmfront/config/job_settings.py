"""What jobs are given of a study: their parts of it alone, so that a change of another part runs nothing again."""

from qmfront.config.defect import AnyDefect, AnyDomain, DescribedDefect
from qmfront.config.material import Crystal, ForceConstantSteps, Material, Probe, RelaxedSlab, SurfaceSlab
from qmfront.config.potential import Basis, Fitting, Potential, Training
from qmfront.config.section import Direction, Section
from qmfront.config.stages import Buffer, Embedding, InitialRegion, Laplacian, Start
from qmfront.config.study import Case, Study


class BulkSettings(Section):
    """Of the perfect crystal."""

    crystal: Crystal
    probe: Probe

    @classmethod
    def of(cls, material: Material) -> "BulkSettings":
        """Those of a material."""
        return cls(crystal=material.crystal, probe=material.part(Probe))


class SurfaceSettings(Section):
    """Of a free surface.

    plane : Miller indices
    termination : height of the cut that is wanted, the cheapest if None
    displacement : of the central differences for its force constants, Å
    """

    plane: Direction
    termination: float | None
    slab: SurfaceSlab
    displacement: float

    @classmethod
    def of(cls, material: Material, name: str) -> "SurfaceSettings":
        """Those of a material, for a surface as it is called in names of files, see `surface_name`."""
        plane, _, height = name.partition("_at_")
        h, k, l = (int(index) for index in plane.split("_"))
        return cls(
            plane=(h, k, l),
            termination=float(height) if height else None,
            slab=material.surface,
            displacement=material.force_constants.displacement,
        )


class TrainingSettings(Section):
    """Of the observations that a potential is fitted to.

    field : the defect at whose strains stresses are observed, if any is
    """

    training: Training
    force_constants: ForceConstantSteps
    slab: RelaxedSlab
    field: DescribedDefect | None

    @classmethod
    def of(cls, study: Study, potential: str) -> "TrainingSettings":
        """Those of a potential."""
        chosen, case = study.potentials[potential], study.field_of(potential)
        material = study.materials[chosen.material]
        return cls(
            training=chosen.part(Training),
            force_constants=material.force_constants,
            slab=material.surface.part(RelaxedSlab),
            field=None if case is None else study.described(case),
        )


class FitSettings(Section):
    """Of a fit and its certificate."""

    basis: Basis
    fitting: Fitting
    force_constants: ForceConstantSteps
    surface: SurfaceSlab

    @classmethod
    def of(cls, study: Study, potential: str) -> "FitSettings":
        """Those of a potential."""
        chosen = study.potentials[potential]
        material = study.materials[chosen.material]
        return cls(
            basis=chosen.basis,
            fitting=chosen.part(Fitting),
            force_constants=material.force_constants,
            surface=material.surface,
        )


class StructureSettings(Section):
    """Of sites, first partition and operators; a changed front touches none of them.

    cutoff : of the QM model, Å, which is told beside the buffer
    """

    described: DescribedDefect
    initial_region: InitialRegion | None
    buffer: Buffer
    embedding: Embedding
    force_constants: ForceConstantSteps
    laplacian: Laplacian
    cutoff: float

    @classmethod
    def of(cls, study: Study, case: str) -> "StructureSettings":
        """Those of a case."""
        chosen = study.cases[case]
        return cls(
            described=study.described(case),
            initial_region=chosen.initial_region,
            buffer=chosen.buffer,
            embedding=chosen.embedding,
            force_constants=study.material_of(case).force_constants,
            laplacian=chosen.estimate.laplacian,
            cutoff=study.material_of(case).qm.cutoff,
        )


class StartSettings(Section):
    """Of the minimum of the potential, and of the first partition there; keys of a case."""

    defect: AnyDefect
    domain: AnyDomain
    start: Start
    initial_region: InitialRegion | None
    buffer: Buffer
    embedding: Embedding


class PlanSettings(Section):
    """Of a plan: all that a case is."""

    case: Case
    potential: Potential
    material: Material

    @classmethod
    def of(cls, study: Study, case: str) -> "PlanSettings":
        """Those of a case."""
        return cls(
            case=study.cases[case], potential=study.potential_of(case), material=study.material_of(case)
        )
