"""The whole configuration: as written (`Configuration`) and with its cases resolved (`Study`)."""

from pydantic import JsonValue

from qmfront.config.case import Case
from qmfront.config.figures import Figure
from qmfront.config.material import Material, Measurements
from qmfront.config.potential import Potential
from qmfront.config.section import Name, Names, Section, key


class Configuration(Section):
    """The configuration file as written."""

    cases: Names = key("Cases to compute: names of files in config/cases, without .yaml", min_length=1)
    material_defaults: Measurements = key(
        "How reference models are asked: what a material does not say is taken from here"
    )
    materials: dict[Name, dict[str, JsonValue]] = key(
        "Materials by name: crystal and qm, and how their measurements differ"
    )
    potential_defaults: Potential = key(
        "A complete potential: what a potential does not say is taken from here"
    )
    potentials: dict[Name, dict[str, JsonValue]] = key("MM potentials by name; each says how it differs")
    case_defaults: Case = key("A complete case: what a case file does not say is taken from here")
    figures: dict[Name, Figure | None] = key(
        "Figures by name, which is that of the file and of the target; null draws none, and takes back a default; "
        "null in place of all of them draws no figure"
    )


class Study(Section):
    """A configuration whose cases are complete and checked.

    cases : the resolved cases by name, in the order in which they were listed
    """

    cases: dict[Name, Case] = key("Resolved cases by name")
    materials: dict[Name, Material] = key("Materials by name")
    potentials: dict[Name, Potential] = key("MM potentials by name")
    figures: dict[Name, Figure] = key("Figures to draw by name")

    def material_of(self, case: str) -> Material:
        """Material of a case."""
        return self.materials[self.cases[case].material]

    def potential_of(self, case: str) -> Potential:
        """MM potential of a case."""
        return self.potentials[self.cases[case].potential]

    def first_case_of(self, potential: str) -> str | None:
        """The first case that has a potential; None if there is none."""
        return next((name for name, case in self.cases.items() if case.potential == potential), None)
