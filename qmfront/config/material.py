"""What a material is: its crystal and the reference (QM) model, with the steps used to probe that model."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from re import findall, fullmatch
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import JsonValue, StringConstraints, model_validator

from qmfront.config.eam_text import EAM, readable_copy
from qmfront.config.section import (
    CALCULATOR,
    FORMULA,
    CalculatorArguments,
    FileName,
    ModelEntry,
    Section,
    Symbol,
    Yaml,
    key,
)
from qmfront.config.unit_cell import HEXAGONAL, SPECIES, Structure, UnitCell, named_cell

ELEMENTS = ("bcc", "fcc", "diamond", "sc", "hcp")
"""Structures of elements."""
Formula = Annotated[str, StringConstraints(pattern=FORMULA)]
DottedPath = Annotated[str, StringConstraints(pattern=CALCULATOR, max_length=300)]


class Crystal(Section):
    """A crystal: by name, or from a file."""

    structure: Structure = key(
        "The crystal: bcc, fcc, diamond, sc and hcp of one species; b2, l1_2, rocksalt, zincblende and wurtzite of "
        "two; file for any other one",
        left_out="that of the element",
    )
    symbol: Formula | None = key(
        "Chemical symbol of the species, or of both, such as NiAl; l1_2 has three of the first for one of the second; "
        "null for a file, which tells it",
        default=None,
    )
    lattice_constant_guess: float | None = key(
        "Start of the search for the lattice constant a at zero stress; null: that of the element at room temperature, "
        "where it has this structure, or that of a file",
        unit="Å",
        default=None,
        gt=1.0,
        lt=50.0,
    )
    ratio_guess: float | None = key(
        "Start of the search for c / a of hcp and wurtzite; null: that of close-packed spheres",
        unit="1",
        default=None,
        gt=0.5,
        lt=5.0,
    )
    file: FileName | None = key(
        "Path of a CIF, POSCAR or extended XYZ file with the crystal, relative to the root of the project: directions, "
        "planes and positions refer to its cell as it is written",
        default=None,
    )

    @property
    def cell(self) -> UnitCell:
        """The conventional cell, from the guess; good enough for the checks made before any job.

        Raises ValueError if there is a file and it is not what it is said to be.
        """
        if self.file is not None:
            from qmfront.config.crystal_file import cell_of_file  # half a second, for crystals of files alone

            return cell_of_file(Path(self.file))
        assert self.symbol and self.lattice_constant_guess, "validated"
        return named_cell(self.structure, self.symbol, self.lattice_constant_guess, self.ratio_guess)

    @property
    def a0(self) -> float:
        """Length of the first vector of the conventional cell, Å, from the guess."""
        return self.cell.a0

    @property
    def nearest_neighbour_guess(self) -> float:
        """r0 in Å, from the guess."""
        return self.cell.nearest_neighbour

    @property
    def box_edges(self) -> tuple[float, float, float]:
        """Edges of the right-angled cell that boxes are made of, Å."""
        return self.cell.box_edges

    @property
    def atoms_per_lattice_point(self) -> int:
        """1, or more in crystals with a basis."""
        return len(self.cell.places)

    @property
    def species(self) -> list[str]:
        """Chemical symbols, in the order of the cell."""
        return list(dict.fromkeys(self.cell.symbols))

    @model_validator(mode="before")
    @classmethod
    def _of_the_element(cls, content: Any) -> Any:
        """An element alone stands for its crystal."""
        if not isinstance(content, dict) or content.get("file") is not None:
            return content
        if all(content.get(name) is not None for name in ("structure", "lattice_constant_guess")):
            return content
        known = _crystal_of_element(content.get("symbol"))
        structure = content.get("structure", known.get("structure"))
        if not known or structure != known["structure"]:
            return content
        given = {name: value for name, value in content.items() if value is not None}
        return content | known | given

    @model_validator(mode="after")
    def _named_or_in_a_file(self) -> "Crystal":
        if (self.structure == "file") != (self.file is not None):
            raise ValueError("structure: file and the key file belong together: give both, or none")
        told = ("symbol", "lattice_constant_guess", "ratio_guess")
        if self.file is not None:
            given = [name for name in told if getattr(self, name) is not None]
            if given:
                raise ValueError(f"{' and '.join(given)}: the file tells that; leave it out")
            return self
        missing = [name for name in told[:2] if getattr(self, name) is None]
        if missing:
            raise ValueError(f"structure {self.structure} needs {' and '.join(missing)}")
        if self.ratio_guess is not None and self.structure not in HEXAGONAL:
            raise ValueError(
                f"structure {self.structure} has no ratio_guess: it is of {' and '.join(HEXAGONAL)}"
            )
        species = findall(r"[A-Z][a-z]?", str(self.symbol))
        wanted = SPECIES[self.structure]
        if len(set(species)) != wanted:
            binary = [name for name, count in SPECIES.items() if count == 2]
            raise ValueError(
                f"structure {self.structure} has {wanted} species, but symbol {self.symbol!r} names "
                f"{len(set(species))}: "
                + (
                    "write both, such as NiAl"
                    if wanted == 2
                    else f"choose one of {', '.join(binary)} for two"
                )
            )
        return self


def _crystal_of_element(symbol: Any) -> Yaml:
    """Structure, lattice constant and ratio of an element that ASE tabulates, at room temperature; empty for others."""
    if not isinstance(symbol, str) or not fullmatch("[A-Z][a-z]?", symbol):
        return {}
    from ase.data import atomic_numbers, reference_states  # 0.1 s, for crystals by their element alone

    states: Mapping[str, Any] = reference_states[atomic_numbers.get(symbol, 0)] or {}
    if states.get("symmetry") not in ELEMENTS or "a" not in states:
        return {}
    found: Yaml = {"structure": states["symmetry"], "lattice_constant_guess": float(states["a"])}
    is_hexagonal = states["symmetry"] == "hcp" and "c/a" in states
    return found | ({"ratio_guess": float(states["c/a"])} if is_hexagonal else {})


class QuantumModel(Section):
    """The reference model: any ASE calculator."""

    calculator: DottedPath = key("Dotted path of an ASE calculator class or factory")
    kwargs: dict[str, JsonValue] = key(
        "Keyword arguments of the calculator. One that is no plain value is a mapping {object: dotted path of a class "
        "or function, and its own keyword arguments}, which may hold further ones and stand in lists",
        default={},
    )
    files: dict[str, FileName] = key(
        "Keyword arguments that are paths of files or folders, relative to the root of the project; they override "
        "kwargs, or take the place of {name} in the texts of kwargs, and their content counts as input of every job "
        "that uses the model",
        default={},
    )
    cutoff: float = key("Range of the model's interaction", unit="Å", gt=0.0, lt=50.0)
    time_limit: float | None = key(
        "Time after which a call counts as failed; null waits for ever", unit="s", default=None, ge=1e-3
    )
    retries: int = key(
        "Further tries after a call that raised, took too long or returned NaN, each with a new calculator",
        unit="1",
        default=1,
        ge=0,
        le=100,
    )

    moments: dict[Symbol, float] = key(
        "Initial magnetic moment of every atom by element, such as {Fe: 2.2}, in all calls: crystal, training cells, "
        "clusters and boxes. A file of the user has its own",
        unit="μB",
        default={},
    )
    charges: dict[Symbol, float] = key("Initial charge of every atom by element", unit="e", default={})

    @property
    def time_limit_ms(self) -> int:
        """The time limit in milliseconds, since Snakemake wants whole numbers; 0 for none."""
        return round(1000 * (self.time_limit or 0.0))

    @property
    def dotted_paths(self) -> list[str]:
        """Those of the calculator and of the objects among its arguments, each once."""
        return list(dict.fromkeys([self.calculator, *_objects(self.kwargs)]))

    @property
    def input_files(self) -> list[str]:
        """Files of the model; of a folder all that are below it."""
        found: list[str] = []
        for file in self.files.values():
            below = sorted(str(path) for path in Path(file).rglob("*") if path.is_file())
            found += below if Path(file).is_dir() else [file]
        return found

    def spec(self, root: Path, changed: CalculatorArguments = MappingProxyType({})) -> ModelEntry:
        """What calls are made with: path and arguments of the calculator, some changed, and moments and charges."""
        found = ModelEntry(calculator=self.calculator, kwargs={**self.arguments(root), **changed})
        if self.moments:
            found["moments"] = self.moments
        if self.charges:
            found["charges"] = self.charges
        return found

    def arguments(self, root: Path) -> CalculatorArguments:
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


def _objects(value: Any) -> Iterator[str]:
    """Dotted paths of the objects in a value."""
    if isinstance(value, dict):
        if isinstance(value.get("object"), str):
            yield value["object"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _objects(item)


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

    layers: int = key(
        "Number of atomic layers of the slab, rounded up to whole periods of lattice planes",
        unit="1",
        default=24,
        ge=4,
        le=400,
    )
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

    @property
    def input_files(self) -> list[str]:
        """Files of the model and of the crystal."""
        return [*self.qm.input_files, *([self.crystal.file] if self.crystal.file else [])]
