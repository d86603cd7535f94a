"""From the configuration that Snakemake read to a complete, checked study."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from qmfront.config.checks import problems_of_study
from qmfront.config.defect_checks import problems_of_four_indices
from qmfront.config.errors import ConfigError, problems_of
from qmfront.config.figures import Certificate
from qmfront.config.implied import Implied, unwritten_potential
from qmfront.config.material import Material
from qmfront.config.merge import Definitions, Layer, dotted, merged, place_of
from qmfront.config.potential import Potential
from qmfront.config.reading import read_yaml
from qmfront.config.section import Yaml, defaults_of
from qmfront.config.study import Case, Configuration, Study

Part = TypeVar("Part", Case, Material, Potential)


def load(config: Yaml, root: Path, *, library: Path | None = None, files: Iterable[Path | str] = ()) -> Study:
    """Resolve and check a configuration.

    Parameters
    ----------
    config : the merged configuration, as Snakemake's `config`
    root : folder of the study, which holds config/cases and which relative paths start from
    library : folder of the project: its config/cases, materials and potentials count where the first folder has no
        file of that name
    files : files that the configuration comes from. They are read again: where Snakemake has read them by itself, it
        has kept the last of two equal keys in silence (`config.guard`)

    Raises
    ------
    ConfigError : with every problem found: unknown keys, wrong types or ranges, missing files and
        settings that contradict each other
    """
    root = Path(root)
    for file in map(Path, files):
        if file.is_file():
            read_yaml(file, shown=file.name)
    written = _configuration(config)
    figures = {name: figure for name, figure in written.figures.items() if figure is not None}
    implied = Implied(written)
    cases = _Resolver(
        Case, Definitions("case", written.cases, root, library), written.case_defaults, implied.of_case
    )
    materials = _Resolver(
        Material, Definitions("material", written.materials, root, library), written.material_defaults
    )
    problems: dict[str, None] = {}  # ordered, and a problem of a file that others extend is told once
    problems |= dict.fromkeys(cases.problems_of_defaults())
    found_cases = cases.resolved(written.cases, problems)
    given = Definitions("potential", written.potentials, root, library)
    entries = {**written.potentials, **_unwritten(found_cases, given, materials)}
    potentials = _Resolver(
        Potential, replace(given, entries=entries), written.potential_defaults, implied.of_potential
    )
    for part in (potentials, materials):
        problems |= dict.fromkeys(part.problems_of_defaults())
    shown = [
        name for figure in figures.values() if isinstance(figure, Certificate) for name in figure.potentials
    ]
    named = [*written.potentials, *(case.potential for case in found_cases.values()), *shown]
    found_potentials = potentials.resolved(potentials.known(named), problems)
    made_of = [
        *(case.material for case in found_cases.values()),
        *(potential.material for potential in found_potentials.values()),
    ]
    found_materials = materials.resolved(materials.known([*written.materials, *made_of]), problems)
    if problems:
        raise ConfigError(problems)
    for name, case in found_cases.items():
        if not case.title:
            found_cases[name] = case = case.model_copy(update={"title": name})
        if case.material in found_materials and not cases.says(name, "buffer", "width"):
            found_cases[name] = case.with_buffer_of(found_materials[case.material].qm.cutoff)
    study = Study(
        cases=found_cases,
        materials=found_materials,
        potentials=found_potentials,
        figures=figures,
        trust=written.trust,
    )
    contradictions = problems_of_study(study, root)
    contradictions += problems_of_four_indices(study, cases.written, potentials.written)
    if contradictions:
        raise ConfigError(contradictions)
    return study


def _unwritten(
    cases: dict[str, Case], potentials: Definitions, materials: "_Resolver[Material]"
) -> dict[str, Yaml]:
    """The potentials that cases take by the name of their material, and that stand nowhere."""
    found: dict[str, Yaml] = {}
    for case in cases.values():
        name = case.potential
        if name == case.material and not potentials.is_there(name) and name not in found:
            known = materials.resolved(materials.known([name]), {}).get(name)
            found[name] = unwritten_potential(name, [c for c in cases.values() if c.potential == name], known)
    return found


def _configuration(config: Yaml) -> Configuration:
    try:
        return Configuration.model_validate(config)
    except ValidationError as error:
        raise ConfigError(problems_of(error, Configuration, config, name_of=dotted)) from error


@dataclass(frozen=True)
class _Resolver(Generic[Part]):
    """Cases, materials or potentials from their names.

    defaults : what the study says of all of them
    implied : what stands below their layers, from these; None: the defaults of the settings
    written : by name, what was resolved, as it is written
    """

    model: type[Part]
    definitions: Definitions
    defaults: Yaml
    implied: Callable[[list[Layer]], Yaml] | None = None
    written: dict[str, Yaml] = field(default_factory=dict)

    @property
    def _defaults(self) -> Layer:
        return Layer(f"{self.definitions.kind}_defaults", self.defaults)

    def known(self, names: Iterable[str]) -> list[str]:
        """Those of the names that are defined, each once; the checks tell the others."""
        defined = set(self.definitions.names)
        return [name for name in dict.fromkeys(names) if name in defined]

    def problems_of_defaults(self) -> list[str]:
        """What is wrong with the defaults, whether or not any name takes the values; they need not be complete."""
        layers = [self._defaults]
        try:
            content = merged(self._below(layers), self.defaults)
            self.model.model_validate(content)
        except ValidationError as error:
            found = problems_of(
                error, self.model, content, name_of=lambda location: place_of(location, layers)
            )
            return [problem for problem in found if ": the key is missing" not in problem]
        return []

    def resolved(self, names: Iterable[str], problems: dict[str, None]) -> dict[str, Part]:
        """What the names stand for; what is wrong with some of them joins the problems."""
        parts: dict[str, Part] = {}
        for name in names:
            try:
                parts[name] = self._one(name)
            except ConfigError as error:
                problems |= dict.fromkeys(error.problems)
        return parts

    def says(self, name: str, section: str, key: str) -> bool:
        """Whether a value is written anywhere, or is the default."""
        return any(key in (layer.content.get(section) or {}) for layer in self._layers(name))

    def _below(self, layers: list[Layer]) -> Yaml:
        return defaults_of(self.model) if self.implied is None else self.implied(layers)

    def _layers(self, name: str) -> list[Layer]:
        return [self._defaults, *self.definitions.layers_of(name)]

    def _one(self, name: str) -> Part:
        layers = self._layers(name)
        content = self._below(layers)
        for layer in layers:
            content = merged(content, layer.content)
        self.written[name] = content
        try:
            return self.model.model_validate(content)
        except ValidationError as error:
            raise ConfigError(
                problems_of(error, self.model, content, name_of=lambda location: place_of(location, layers))
            ) from error
