"""Checks of solutes: that the potential knows them, the QM model too, and that they have a place."""

from collections.abc import Iterator
from math import hypot
from pathlib import Path

from qmfront.config.defect import AnyDefect, Disc, File, Point, StraightDefect
from qmfront.config.eam_text import EAM, elements_of
from qmfront.config.errors import did_you_mean
from qmfront.config.material import Material, QuantumModel
from qmfront.config.potential import Potential
from qmfront.config.study import Case, Study

SAME_PLACE_R0 = 0.3
"""r0; two solutes this close are nearest to one site."""


def problems_of_solutes(case: Case, material: Material, potential: Potential) -> Iterator[str]:
    """What is wrong with the solutes of a case, one message each; its material and potential are known."""
    crystal = material.crystal.species
    yield from _known(case, crystal, potential)
    defect = case.defect
    if not isinstance(defect, StraightDefect):
        if _elements_on_sites(case) - set(crystal) and case.embedding.subtract_lattice:
            yield subtracted_solutes()
        return
    if isinstance(defect, File) and isinstance(case.domain, Disc) and case.domain.periods > 1:
        yield (
            f"domain.periods = {case.domain.periods}: a file has the height that it has. Take 1, and repeat the atoms "
            "of the file along its line where more is wanted"
        )
    if not defect.solutes:
        return
    if case.embedding.subtract_lattice:
        yield subtracted_solutes()
    if isinstance(case.domain, Disc):
        yield from _places(defect, case.domain, material)


def problems_of_host(case: Case, study: Study) -> Iterator[str]:
    """What is wrong with the case without the solutes that a case starts from, and with the energy over it."""
    of_solutes = case.energy.compute and case.energy.of == "substitution"
    if of_solutes and not case.places:
        yield "energy.of = substitution: the defect has no solutes and no substituted atoms. Choose relaxation"
    defect = case.defect
    if case.host is None:
        alone = isinstance(defect, Point) and not defect.removed and not defect.added
        if of_solutes and not alone:
            yield (
                "energy.of = substitution: without the solutes the defect is no perfect crystal. Name the case of the "
                "defect without them as host"
            )
        return
    host = study.cases.get(case.host)
    if host is None:
        yield f"host: {case.host!r} is not among the cases of the study{did_you_mean(case.host, study.cases)}"
        return
    chain = [case.host]
    while (further := study.cases.get(chain[-1])) is not None and further.host is not None:
        if further.host in chain:
            yield f"host: {' starts from '.join((*chain, further.host))}. One of them has to start by itself"
            return
        chain.append(further.host)
    if (host.material, host.qm_kwargs) != (case.material, case.qm_kwargs):
        yield f"host: {case.host!r} has another material or other qm_kwargs. Energies of one QM model are compared"
    if _without_solutes(host.defect) != _without_solutes(defect):
        yield (
            f"host: {case.host!r} is another defect. It must be the same but for its solutes (of a point defect: "
            "substituted)"
        )
    yield from _domains(case, host)


def _domains(case: Case, host: Case) -> Iterator[str]:
    own, other = case.domain, host.domain
    if isinstance(own, Disc) and isinstance(other, Disc):
        if own.periods % other.periods:
            yield (
                f"host: its domain is {other.periods} periods high, which do not fit into domain.periods = "
                f"{own.periods}. Choose a multiple"
            )
        own = own.model_copy(update={"periods": other.periods})
    if own != other:
        yield f"host: {case.host!r} has another domain. Only domain.periods may differ"


def _without_solutes(defect: AnyDefect) -> AnyDefect:
    name = "substituted" if isinstance(defect, Point) else "solutes"
    return defect.model_copy(update={name: ()})


def problems_of_foreign_elements(
    name: str, potential: Potential, material: Material, root: Path
) -> Iterator[str]:
    """What is wrong with the solutes of a potential, one message each."""
    crystal = material.crystal.species
    own = [symbol for symbol in potential.foreign if symbol in crystal]
    if own:
        yield (
            f"potentials.{name}.solutes: {' and '.join(own)} is an element of the crystal, which the potential knows "
            "already. List those alone that the crystal does not have"
        )
    if potential.foreign and potential.recipe == "paper":
        yield (
            f"potentials.{name}.solutes: the recipe paper observes the perfect lattice alone, and cells with "
            f"{' and '.join(potential.foreign)} are observed by the recipe robust. Choose that, or leave solutes empty"
        )
    known = _elements_of_model(material.qm, root)
    unknown = [symbol for symbol in potential.foreign if known and symbol not in known]
    if unknown:
        yield (
            f"potentials.{name}.solutes: {' and '.join(unknown)} is not among the elements of the QM model "
            f"(materials.{potential.material}.qm, {', '.join(known)}). Take a model that has it"
        )


def _known(case: Case, crystal: list[str], potential: Potential) -> Iterator[str]:
    """The potential is fitted to cells with every foreign element of the case, where it is in the case."""
    name = f"potentials.{case.potential}"
    yield from problems_of_unknown_elements(
        _elements_on_sites(case), _elements_between(case), crystal, potential, name
    )
    yield from problems_of_pairs(_solutes_on_sites(case, crystal), potential, name)


def problems_of_unknown_elements(
    on_sites: set[str], between: set[str], crystal: list[str], potential: Potential, name: str
) -> Iterator[str]:
    """Elements that neither the crystal has nor cells that a potential is fitted to, one message each.

    Parameters
    ----------
    on_sites, between : symbols of atoms on sites of the crystal and of others
    crystal : symbols
    name : place of the potential in the study
    """
    for symbol in sorted(on_sites - {*crystal, *potential.solutes}):
        yield (
            f"{symbol} is no element of the crystal ({' and '.join(crystal)}), and {name} is not fitted to cells with "
            f"it. Write {name}.solutes: [{', '.join((*potential.solutes, symbol))}]"
        )
    for symbol in sorted(between - {*crystal, *potential.interstitial_solutes}):
        yield (
            f"{symbol} is no element of the crystal ({' and '.join(crystal)}), and {name} is not fitted to cells with "
            f"it between the sites. Write {name}.interstitial_solutes: "
            f"[{', '.join((*potential.interstitial_solutes, symbol))}]"
        )


def problems_of_pairs(count: int, potential: Potential, name: str) -> Iterator[str]:
    """Several solutes need a potential that has seen two."""
    if count > 1 and potential.solutes and not potential.robust.solute_shells:
        yield (
            f"{count} solutes interact, and {name}.robust.solute_shells = 0 observes no pairs of them. Increase it"
        )


def _elements_on_sites(case: Case) -> set[str]:
    defect = case.defect
    if isinstance(defect, Point):
        return {atom.element for atom in defect.substituted}
    return {solute.element for solute in defect.solutes}


def _elements_between(case: Case) -> set[str]:
    added = case.defect.added if isinstance(case.defect, Point) else ()
    return {atom.element for atom in added if atom.element is not None}


def _solutes_on_sites(case: Case, crystal: list[str]) -> int:
    defect = case.defect
    atoms = defect.substituted if isinstance(defect, Point) else defect.solutes
    return sum(atom.element not in crystal for atom in atoms)


def subtracted_solutes() -> str:
    """Why forces on the perfect crystal cannot be subtracted."""
    return (
        "embedding.subtract_lattice = true: the perfect crystal on the sites of a defect with solutes has the solutes "
        "as well, and forces on them would be subtracted. Set it to false"
    )


def _places(defect: StraightDefect, domain: Disc, material: Material) -> Iterator[str]:
    """Solutes are in the free part of the disc, at places of their own."""
    r0 = material.crystal.nearest_neighbour_guess
    radius = domain.radius_r0 * r0
    for number, solute in enumerate(defect.solutes):
        away = hypot(*solute.at[:2])
        if away > radius + r0 and not isinstance(defect, File):
            yield (
                f"defect.solutes: {solute.element} at {list(solute.at)} Å is {away:.1f} Å from the core, and the free "
                f"part of the domain ends at {radius:.1f} Å. Put it nearer, or increase domain.radius_r0"
            )
        for other in defect.solutes[:number]:
            apart = [a - b for a, b in zip(solute.at, other.at, strict=True)]
            if hypot(*apart) < SAME_PLACE_R0 * r0:
                yield (
                    f"defect.solutes: two are at {list(solute.at)} Å, {hypot(*apart):.2f} Å apart. Every site has one "
                    "atom: keep one of them"
                )


def _elements_of_model(qm: QuantumModel, root: Path) -> list[str]:
    """The elements of an EAM file or of one of our EAM models; none of other models, which tell when asked."""
    if qm.calculator != EAM:
        return []
    if "potential" in qm.files:
        return elements_of(root / qm.files["potential"])
    named = str(qm.kwargs.get("potential", ""))
    return [named.partition("_")[0]] if named else []
