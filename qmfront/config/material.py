"""What a material is: its crystal and the reference (QM) model, with the steps used to probe that model."""

from math import dist, sqrt
from pathlib import Path
from re import findall
from typing import Annotated, Any, Literal

from pydantic import JsonValue, StringConstraints, model_validator

from qmfront.config.eam_text import EAM, readable_copy
from qmfront.config.section import Section, Vector, key

Formula = Annotated[str, StringConstraints(pattern=r"^[A-Z][a-z]?([A-Z][a-z]?)?$")]
DottedPath = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")]

NEAREST_NEIGHBOUR = {
    "bcc": sqrt(3) / 2,
    "fcc": 1 / sqrt(2),
    "diamond": sqrt(3) / 4,
    "sc": 1.0,
    "b2": sqrt(3) / 2,
    "rocksalt": 0.5,
    "zincblende": sqrt(3) / 4,
}
"""Nearest-neighbour distance r0 in units of the lattice constant."""
CENTRED: dict[str, tuple[Vector, ...]] = {
    "bcc": ((0.5, 0.5, 0.5),),
    "fcc": ((0.5, 0.5, 0.0), (0.5, 0.0, 0.5), (0.0, 0.5, 0.5)),
    "sc": (),
    "b2": (),
} | dict.fromkeys(("diamond", "rocksalt", "zincblende"), ((0.5, 0.5, 0.0), (0.5, 0.0, 0.5), (0.0, 0.5, 0.5)))
"""Lattice points of the cubic cell beside its corner, a0."""
BASIS: dict[str, Vector] = {
    "diamond": (0.25, 0.25, 0.25),
    "zincblende": (0.25, 0.25, 0.25),
    "b2": (0.5, 0.5, 0.5),
    "rocksalt": (0.5, 0.0, 0.0),
}
"""The second atom at a lattice point of the crystals that have two, a0."""
ATOMS_PER_CUBE = {name: (1 + len(centres)) * (1 + (name in BASIS)) for name, centres in CENTRED.items()}
"""Atoms of the cubic cell."""
BINARY = ("b2", "rocksalt", "zincblende")
"""Structures of two species."""


class Crystal(Section):
    """A cubic crystal of one or two species."""

    structure: Literal["bcc", "fcc", "diamond", "sc", "b2", "rocksalt", "zincblende"] = key(
        "Bravais lattice and basis of the crystal; the last three are of two species"
    )
    symbol: Formula = key("Chemical symbol of the species, or of both, such as NiAl")
    lattice_constant_guess: float = key(
        "Start of the search for the lattice constant at zero stress", unit="Å", gt=1.0, lt=20.0
    )

    @property
    def nearest_neighbour_guess(self) -> float:
        """r0 in Å, from the guess; good enough for the checks made before any job."""
        return NEAREST_NEIGHBOUR[self.structure] * self.lattice_constant_guess

    @property
    def atoms_per_lattice_point(self) -> int:
        """1, or 2 in crystals with a basis."""
        return 1 + (self.structure in BASIS)

    def is_lattice_vector(self, vector: Vector) -> bool:
        """Whether a vector (cubic axes, a0) maps the crystal onto itself."""
        point = self._nearest(vector, self._lattice_points)
        return dist(point, vector) < 1e-6

    def nearest_site(self, position: Vector) -> Vector:
        """The site nearest to a position, relative to one of the first sublattice, cubic axes, a0."""
        own = self._lattice_points
        second = BASIS.get(self.structure)
        other = [(x + second[0], y + second[1], z + second[2]) for x, y, z in own] if second else []
        return self._nearest(position, [*own, *other])

    @property
    def _lattice_points(self) -> list[Vector]:
        return [(0.0, 0.0, 0.0), *CENTRED[self.structure]]

    @staticmethod
    def _nearest(position: Vector, points: list[Vector]) -> Vector:
        """The image under whole cubic cells of one of the points that is nearest to a position."""
        images: list[Vector] = []
        for point in points:
            x, y, z = (p + round(q - p) for p, q in zip(point, position, strict=True))
            images.append((x, y, z))
        return min(images, key=lambda image: dist(image, position))

    @model_validator(mode="after")
    def _as_many_species_as_the_structure_has(self) -> "Crystal":
        species = findall(r"[A-Z][a-z]?", self.symbol)
        wanted = 2 if self.structure in BINARY else 1
        if len(set(species)) != wanted:
            raise ValueError(
                f"structure {self.structure} has {wanted} species, but symbol {self.symbol!r} names "
                f"{len(set(species))}: "
                + (
                    "write both, such as NiAl"
                    if wanted == 2
                    else f"choose one of {', '.join(BINARY)} for two"
                )
            )
        return self


class QuantumModel(Section):
    """The reference model: any ASE calculator."""

    calculator: DottedPath = key("Dotted path of an ASE calculator class or factory")
    kwargs: dict[str, JsonValue] = key("Keyword arguments of the calculator", default={})
    files: dict[str, str] = key(
        "Keyword arguments that are paths of files, relative to the root of the project; they override "
        "kwargs, or take the place of {name} in the texts of kwargs, and their content counts as input of every job "
        "that uses the model",
        default={},
    )
    cutoff: float = key("Range of the model's interaction", unit="Å", gt=0.0, lt=50.0)
    time_limit: float | None = key(
        "Time after which a call counts as failed; null waits for ever", unit="s", default=None, gt=0.0
    )
    retries: int = key(
        "Further tries after a call that raised, took too long or returned NaN, each with a new calculator",
        unit="1",
        default=1,
        ge=0,
        le=100,
    )

    def arguments(self, root: Path) -> dict[str, Any]:
        """All keyword arguments of the calculator; files as absolute paths, as text.

        An EAM file that our reader would refuse for its text is a copy in plain text (`config.eam_text`).
        """
        paths = {name: str((root / file).resolve()) for name, file in self.files.items()}
        if self.calculator == EAM and "potential" in paths:
            paths["potential"] = str(readable_copy(Path(paths["potential"]), root.resolve()))
        kwargs = _filled(self.kwargs, paths)
        return kwargs | {
            name: path for name, path in paths.items() if "{" + name + "}" not in str(self.kwargs)
        }


def _filled(value: Any, paths: dict[str, str]) -> Any:
    """The value with every {name} in its texts replaced by the path of that name."""
    if isinstance(value, dict):
        return {key: _filled(item, paths) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, paths) for item in value]
    if isinstance(value, str):
        for name, path in paths.items():
            value = value.replace("{" + name + "}", path)
    return value


class ForceConstantSteps(Section):
    """How the force constants of the homogeneous lattice are measured."""

    reach: float = key(
        "Force constants of atoms farther apart than this are zero", unit="Å", default=11.0, gt=0.0, lt=50.0
    )
    displacement: float = key(
        "Displacement of the central difference of forces", unit="Å", default=2e-4, gt=0.0, le=0.1
    )
    beyond: Literal["zero", "potential"] = key(
        "Force constants beyond the reach in the operators of a case: zero, or those of its potential, where a "
        "supercell is so small that what it cuts off carries the elasticity",
        default="zero",
    )
    supercell: Literal["primitive", "cubic"] = key(
        "Cells that the supercell is made of; cubic ones give a model with k-points those of the boxes of a case",
        default="primitive",
    )


class StressSamples(Section):
    """Strained homogeneous lattices from which the Cauchy-Born difference QM - MM is fitted."""

    amplitude: float = key("Largest component of the sampled strains", unit="1", default=0.03, gt=0.0, le=0.1)
    count: int = key("Number of sampled strains", unit="1", default=24, ge=6, le=1000)
    seed: int = key("Seed of the random strains", unit="1", default=0, ge=0)


class ModuliSteps(Section):
    """How the elastic moduli are measured."""

    step: float | None = key(
        "Strain of the differences of stresses; null: from the polynomial through the strain samples, which a model "
        "with noise needs",
        unit="1",
        default=1e-3,
        gt=0.0,
        le=0.02,
    )
    rest_force: float = key(
        "Largest force that is left on the sublattices of a strained crystal",
        unit="eV/Å",
        default=1e-11,
        gt=0.0,
        le=1e-2,
    )


class RelaxedSlab(Section):
    """A slab whose faces come to rest."""

    vacuum: float = key("Empty space beside the slab", unit="Å", default=12.0, gt=0.0, le=200.0)
    max_force: float = key(
        "Largest force that is left on a relaxed slab", unit="eV/Å", default=1e-6, gt=0.0, le=0.1
    )


class SurfaceSlab(RelaxedSlab):
    """The slab on which a free surface is measured."""

    layers: int = key("Number of atomic layers of the slab", unit="1", default=24, ge=4, le=400)
    phonon_cells: int = key(
        "Number N of surface cells in a row from which the phonons of the slab are measured at N/2 + 1 waves",
        unit="1",
        default=8,
        ge=2,
        le=64,
    )


class Preflight(Section):
    """How the reference model is doubted before any long job."""

    refuse: bool = key(
        "Whether a model that fails stops the run; the page is written either way", default=True
    )
    atoms: int = key(
        "Least number of atoms of the cell in which energy, forces and stress are compared",
        unit="1",
        default=24,
        ge=2,
        le=500,
    )
    rattle: float = key(
        "Standard deviation of the displacements in it", unit="Å", default=0.05, gt=0.0, le=0.3
    )
    noise: float = key(
        "Largest difference between the forces that two answers to the same question give",
        unit="eV/Å",
        default=1e-4,
        gt=0.0,
    )
    force_error: float = key(
        "Largest difference between forces and derivatives of the energy, relative",
        unit="1",
        default=1e-3,
        gt=0.0,
        lt=1.0,
    )
    stress_error: float = key(
        "Largest difference between stress and derivatives of the energy, relative; plane waves at a low cut-off "
        "need a loose one",
        unit="1",
        default=1e-3,
        gt=0.0,
        lt=1.0,
    )
    size_error: float = key(
        "Largest change of the energy per atom and of forces when the cell is doubled; a model with k-points needs "
        "a loose one",
        unit="eV, eV/Å",
        default=1e-4,
        gt=0.0,
    )
    difference_error: float = key(
        "Largest relative error that noise of the forces causes in differences at force_constants.displacement",
        unit="1",
        default=1e-3,
        gt=0.0,
        lt=1.0,
    )
    buffer_error: float = key(
        "Force error that a buffer of the recommended width leaves at its centre",
        unit="eV/Å",
        default=1e-5,
        gt=0.0,
    )
    clusters: bool = key(
        "Whether clusters in vacuum are asked about; a plane-wave model that will only see periodic boxes pays for the "
        "vacuum and learns nothing from it",
        default=True,
    )
    seconds: float = key(
        "Larger clusters are left out once they would take longer than this, all together",
        unit="s",
        default=30.0,
        gt=0.0,
    )


class Probe(Section):
    """How the perfect crystal of the reference model is measured."""

    force_constants: ForceConstantSteps = key(
        "Measurement of the force constants", default=ForceConstantSteps()
    )
    stress_samples: StressSamples = key(
        "Strains sampled for the Cauchy-Born difference", default=StressSamples()
    )
    moduli: ModuliSteps = key("Measurement of the elastic moduli", default=ModuliSteps())


class Measurements(Probe):
    """How the reference model is examined, and what is measured of its crystal."""

    preflight: Preflight = key("How the reference model is doubted before any long job", default=Preflight())
    surface: SurfaceSlab = key("Measurement of free surfaces", default=SurfaceSlab())


class Material(Measurements):
    """A crystal and its reference model."""

    crystal: Crystal = key("The perfect crystal")
    qm: QuantumModel = key("The reference (QM) model")
