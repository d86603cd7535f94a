"""The whole configuration: as written (`Configuration`) and with its cases resolved (`Study`)."""

from pydantic import JsonValue

from qmfront.config.case import Case
from qmfront.config.material import Material
from qmfront.config.potential import Potential
from qmfront.config.section import Name, Names, Section, key


class Snapshot(Section):
    """One iteration of one case."""

    case: Name = key("Name of the case")
    iteration: int = key(
        "Iteration: 0 the first, -1 the last, -2 the one before it; beyond the ends the nearest is taken",
        unit="1",
    )


class Figures(Section):
    """Which case feeds which figure; null draws none."""

    figure_1: Snapshot | None = key("Partition into QM, buffer, MM and far field")
    figure_2: Snapshot | None = key("Local estimator on the sites and speed on the grid")
    figure_3: Snapshot | None = key("Mark and refine: old and new interfaces over the speed")
    figure_4: Names | None = key("Cases with different t_new: error and estimator against N_QM")
    efficiency: Names | None = key("Cases whose errors against N_QM are compared: adaptive and discs")
    certificate: Names | None = key("Potentials whose consistency with the reference model is drawn")
    effectivity: Name | None = key("Case whose eta/error is shown for all norms and residuals")
    matching: Names | None = key("Cases with potentials of different matching: error against N_QM")


class Configuration(Section):
    """The configuration file as written."""

    cases: Names = key("Cases to compute: names of files in config/cases, without .yaml", min_length=1)
    materials: dict[Name, Material] = key("Materials by name")
    potential_defaults: Potential = key(
        "A complete potential: what a potential does not say is taken from here"
    )
    potentials: dict[Name, dict[str, JsonValue]] = key("MM potentials by name; each says how it differs")
    case_defaults: Case = key("A complete case: what a case file does not say is taken from here")
    figures: Figures = key("Which case feeds which figure")


class Study(Section):
    """A configuration whose cases are complete and checked.

    cases : the resolved cases by name, in the order in which they were listed
    """

    cases: dict[Name, Case] = key("Resolved cases by name")
    materials: dict[Name, Material] = key("Materials by name")
    potentials: dict[Name, Potential] = key("MM potentials by name")
    figures: Figures = key("Which case feeds which figure")

    def material_of(self, case: str) -> Material:
        """Material of a case."""
        return self.materials[self.cases[case].material]

    def potential_of(self, case: str) -> Potential:
        """MM potential of a case."""
        return self.potentials[self.cases[case].potential]
