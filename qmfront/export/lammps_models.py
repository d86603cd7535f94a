"""The two models of a case as LAMMPS reads them: commands for `pair_style` and `pair_coeff`, and the files they name.

The MM model is `pair_style pace` with the fit as a `.yace` file, and its repulsion as an analytic pair potential
(`lepton`) on top. The QM model has a pair style if it is an embedded-atom model, or LAMMPS behind ASE's `LAMMPSlib`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_masses, atomic_numbers, chemical_symbols

from qmfront.config.eam_text import EAM
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.export.yace import yace
from qmfront.models.ace.potential import Potential, Repulsion
from qmfront.models.bonds import Bonds
from qmfront.models.eam_zhou import EMBEDDING, ZhouEAM, packaged_potentials, packaged_zhou

LAMMPSLIB = "ase.calculators.lammpslib.LAMMPSlib"
POINTS = 24001
"""Of the tables of an analytic embedded-atom model: LAMMPS's cubic splines give its forces to 1e-8 eV/Å with these."""
DENSEST = 4.0
"""Where the table of F(rho) ends, over the density at equilibrium."""


@dataclass(frozen=True)
class Part:
    """A pair style of which a model is made, alone or with others on top of it.

    style, settings : of `pair_style`
    coefficients : arguments of each `pair_coeff`, the types first, without the style
    """

    style: str
    settings: str
    coefficients: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PairStyle:
    """A model as LAMMPS reads it.

    parts : its pair styles, which are summed
    files : name -> content of the files that they name
    species : chemical symbols of the types 1, 2, ...
    note : what is not the same, in a sentence; empty if nothing
    others : further commands that it needs
    """

    parts: tuple[Part, ...]
    files: Mapping[str, str | bytes]
    species: tuple[str, ...]
    note: str = ""
    others: tuple[str, ...] = ()

    @property
    def styles(self) -> tuple[str, ...]:
        """Names of the pair styles."""
        return tuple(part.style for part in self.parts)

    @property
    def commands(self) -> tuple[str, ...]:
        """pair_style, pair_coeff, and what else the model needs."""
        several = len(self.parts) > 1
        settings = " ".join(f"{part.style} {part.settings}".strip() for part in self.parts)
        lines = [f"pair_style {'hybrid/overlay ' if several else ''}{settings}"]
        for part in self.parts:
            named = f"{part.style} " if several else ""
            lines += [f"pair_coeff {types} {named}{text}" for types, text in part.coefficients]
        return (*lines, *self.others)


@dataclass(frozen=True)
class NoPairStyle:
    """Why LAMMPS cannot read a model, in a sentence."""

    reason: str
    species: tuple[str, ...] = field(default=())


def mm_pair_style(potential: Potential, species: Sequence[str], *, file: str = "mm.yace") -> PairStyle:
    """The fitted potential, for types that are the given species.

    Raises
    ------
    ValueError
        If the potential does not know a species.
    """
    potential.basis.species_of(np.array([atomic_numbers[symbol] for symbol in species]))
    parts = [Part("pace", "", (("* *", f"{file} {' '.join(species)}"),))]
    if potential.repulsion is not None:
        formula = f'"{repulsion_formula(potential.repulsion)}"'
        parts.append(Part("lepton", repr(potential.repulsion.radius), (("* *", formula),)))
    return PairStyle(tuple(parts), {file: yace(potential)}, tuple(species))


def repulsion_formula(repulsion: Repulsion) -> str:
    """s (R / r - 1)^4, eV, as a formula of r in Å."""
    return f"{repulsion.strength!r}*({repulsion.radius!r}/r-1)^4"


def qm_pair_style(
    model: ModelSpec, species: Sequence[str], files: Mapping[str, str]
) -> PairStyle | NoPairStyle:
    """The reference model, where LAMMPS can read it.

    Parameters
    ----------
    model : ModelSpec
    species : chemical symbols of the atoms, by atomic number
    files : keyword argument -> absolute path of the files of the model
    """
    if model.calculator == EAM:
        return _embedded_atom(model.kwargs, tuple(species))
    if model.calculator == LAMMPSLIB:
        return _lammpslib(model.kwargs, files)
    return NoPairStyle(
        f"the QM model {model.calculator} has no pair style of LAMMPS: those with one are {EAM} and {LAMMPSLIB}",
        tuple(species),
    )


def _embedded_atom(kwargs: Mapping[str, Any], species: tuple[str, ...]) -> PairStyle | NoPairStyle:
    potential, names = str(kwargs.get("potential", "W_zhou")), " ".join(species)
    if potential in packaged_potentials():
        file, model = f"{potential}.eam.alloy", packaged_zhou(potential)
        note = f"the analytic {potential} is a table of {POINTS} points here"
        part = Part("eam/alloy", "", (("* *", f"{file} {names}"),))
        return PairStyle((part,), {file: setfl(model)}, species, note)
    if kwargs.get("switch_width", 0.0):
        return NoPairStyle(
            f"switch_width = {kwargs['switch_width']} Å changes the EAM model below its cut-off, which LAMMPS cannot",
            species,
        )
    path = Path(potential)
    style = "eam/fs" if path.name.endswith(".eam.fs") else "eam/alloy"
    note = ""
    if kwargs.get("interpolation", "quintic") != "lammps":
        note = (
            "between the points of the table LAMMPS has cubic splines, this study quintic ones: with the keyword "
            "interpolation: lammps of the QM model the forces would be the same"
        )
    part = Part(style, "", (("* *", f"{path.name} {names}"),))
    return PairStyle((part,), {path.name: path.read_bytes()}, species, note)


def _lammpslib(kwargs: Mapping[str, Any], files: Mapping[str, str]) -> PairStyle | NoPairStyle:
    """The commands that ASE hands to LAMMPS; paths in them become names of files beside the script."""
    types: Mapping[str, int] = kwargs.get("atom_types") or {}
    if sorted(types.values()) != list(range(1, len(types) + 1)) or not types:
        return NoPairStyle(
            "the QM model does not say by atom_types: {symbol: 1, ...} which type of LAMMPS an element has"
        )
    commands, contents = [str(command) for command in kwargs.get("lmpcmds", [])], {}
    for file in map(Path, files.values()):
        if not file.is_file():
            return NoPairStyle(f"{file.name}, which the commands of the QM model name, is a folder")
        contents[file.name] = file.read_bytes()
        commands = [command.replace(str(file), file.name) for command in commands]
    styles = [command.split()[1:] for command in commands if command.split()[:1] == ["pair_style"]]
    if len(styles) != 1 or styles[0][0].startswith("hybrid"):
        return NoPairStyle("the commands of the QM model do not have one pair_style, or have a hybrid one")
    coefficients = [command.split(maxsplit=3)[1:] for command in commands if command.startswith("pair_coeff")]
    part = Part(
        styles[0][0], " ".join(styles[0][1:]), tuple((f"{a} {b}", text) for a, b, text in coefficients)
    )
    others = tuple(command for command in commands if not command.startswith(("pair_style", "pair_coeff")))
    return PairStyle((part,), contents, tuple(sorted(types, key=lambda s: types[s])), others=others)


def setfl(model: ZhouEAM) -> str:
    """The analytic model of one element as the text of an `eam/alloy` table."""
    number = int(model.species[0])
    r = np.linspace(0.0, model.cutoff, POINTS)
    none = np.zeros(POINTS, int)
    terms = model.bond_terms(none, Bonds(none, none, np.zeros((POINTS, 3)), r))
    equilibrium = float(model.embedding_parameters[EMBEDDING.index("rhoe")])
    rho = np.linspace(0.0, DENSEST * equilibrium, POINTS)
    lines = ["# tabulated from the analytic form by qmfront", "#", "#", f"1 {chemical_symbols[number]}"]
    lines.append(f"{POINTS} {rho[1]:.16e} {POINTS} {r[1]:.16e} {model.cutoff:.16e}")
    lines.append(f"{number} {atomic_masses[number]:.6f} 0.0 none")
    for values in (model.embedding(none, rho)[0], terms[:, 0], r * terms[:, 4]):
        lines += [f"{value:.16e}" for value in values]
    return "\n".join(lines) + "\n"
