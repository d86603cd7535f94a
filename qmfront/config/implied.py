"""What a study need not say, since what it says leaves no choice: the only material, its potential, a box for a point.

A potential that is not written is fitted to the material of the cases that take it, with all defaults, to the faces of
their cracks and to the solutes in them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from qmfront.config.defect import Crack, Point
from qmfront.config.material import Material
from qmfront.config.merge import Layer, merged
from qmfront.config.section import Yaml, defaults_of
from qmfront.config.study import Case, Configuration


@dataclass(frozen=True)
class Implied:
    """Keys that cases and potentials of a study have where they say nothing.

    written : the study
    """

    written: Configuration

    def of_case(self, layers: Iterable[Layer]) -> Yaml:
        """What stands below the layers of a case."""
        said = _together(layers)
        found = defaults_of(Case) | self._only_material
        defect, domain = said.get("defect"), said.get("domain", {})
        is_point = isinstance(defect, Mapping) and defect.get("kind") == "point"
        if is_point and isinstance(domain, Mapping) and set(domain) <= {"cells"}:
            found["domain"] = {"kind": "box"}
        potentials = list(self.written.potentials)
        if len(potentials) == 1:
            found["potential"] = potentials[0]
        elif not potentials and isinstance(material := said.get("material", found.get("material")), str):
            found["potential"] = material
        return found

    def of_potential(self, layers: Iterable[Layer]) -> Yaml:
        """What stands below the layers of a potential."""
        from qmfront.config.potential import Potential

        return defaults_of(Potential) | self._only_material

    @property
    def _only_material(self) -> Yaml:
        names = list(self.written.materials)
        return {"material": names[0]} if len(names) == 1 else {}


def unwritten_potential(material: str, cases: Iterable[Case], known: Material | None) -> Yaml:
    """A potential of a material for cases that name none, as it might stand in the study.

    Parameters
    ----------
    known : of that name, None if something is wrong with it
    """
    planes: dict[tuple[int, ...], None] = {}
    on_sites: dict[str, None] = {}
    between: dict[str, None] = {}
    for case in cases:
        defect = case.defect
        if isinstance(defect, Crack):
            planes[defect.plane] = None
        placed = defect.substituted if isinstance(defect, Point) else defect.solutes
        on_sites |= dict.fromkeys(atom.element for atom in placed)
        if isinstance(defect, Point):
            between |= dict.fromkeys(atom.element for atom in defect.added if atom.element)
    own = known.crystal.species if known is not None else []
    found: Yaml = {"material": material}
    if planes:
        found["surfaces"] = {"planes": [list(plane) for plane in planes]}
    for name, elements in (("solutes", on_sites), ("interstitial_solutes", between)):
        if foreign := [element for element in elements if element not in own]:
            found[name] = foreign
    return found


def _together(layers: Iterable[Layer]) -> Yaml:
    said: Yaml = {}
    for layer in layers:
        said = merged(said, layer.content)
    return said
