"""The systems of crystals.py: materials, surfaces and defects, and the models of LAMMPS behind them."""

from collections.abc import Sequence
from typing import Any

from structure_files import MADE
from zoo_systems import FILES, SI_SCREW, System
from zoo_systems import MATERIALS as ELEMENTS

from qmfront import Box, Crack, Crystal, Disc, Dislocation, Point, QuantumModel


def eam(structure: str, symbol: str, a0: float, file: str, cutoff: float) -> tuple[Crystal, QuantumModel]:
    """A table of LAMMPS in our own reader."""
    crystal = Crystal(structure=structure, symbol=symbol, lattice_constant_guess=a0)
    files = {"potential": str(FILES / file)}
    return crystal, QuantumModel(calculator="qmfront.models.eam.EAM", files=files, cutoff=cutoff)


def by_lammps(style: str, symbols: Sequence[str], file: str, cutoff: float) -> QuantumModel:
    """A pair style of LAMMPS with a file."""
    kwargs: dict[str, Any] = {
        "lmpcmds": [f"pair_style {style}", f"pair_coeff * * {{potential}} {' '.join(symbols)}"],
        "atom_types": {symbol: number + 1 for number, symbol in enumerate(symbols)},
        "keep_alive": True,
    }
    name = "ase.calculators.lammpslib.LAMMPSlib"
    return QuantumModel(calculator=name, kwargs=kwargs, files={"potential": file}, cutoff=cutoff)


def tersoff(
    structure: str, symbols: tuple[str, str], a0: float, file: str, cutoff: float
) -> tuple[Crystal, QuantumModel]:
    """By LAMMPS itself."""
    crystal = Crystal(structure=structure, symbol="".join(symbols), lattice_constant_guess=a0)
    return crystal, by_lammps("tersoff", symbols, str(FILES / file), cutoff)


def ions(cutoff: float, alpha: float) -> tuple[Crystal, QuantumModel]:
    """MgO: charges of two, damped and shifted (coul/dsf of LAMMPS), and Buckingham's repulsion of Lewis and Catlow."""
    kwargs: dict[str, Any] = {
        "lammps_header": ["atom_style charge", "units metal", "atom_modify map array sort 0 0"],
        "lmpcmds": [
            f"pair_style hybrid/overlay buck {cutoff} coul/dsf {alpha} {cutoff}",
            "pair_modify shift yes",
            "pair_coeff * * coul/dsf",
            "pair_coeff * * buck 0.0 1.0 0.0",
            "pair_coeff 1 2 buck 1428.5 0.2945 0.0",
            "pair_coeff 2 2 buck 22764.3 0.149 27.88",
        ],
        "amendments": ["set type 1 charge 2.0", "set type 2 charge -2.0"],
        "atom_types": {"Mg": 1, "O": 2},
        "keep_alive": True,
    }
    crystal = Crystal(structure="rocksalt", symbol="MgO", lattice_constant_guess=4.21)
    return crystal, QuantumModel(
        calculator="ase.calculators.lammpslib.LAMMPSlib", kwargs=kwargs, cutoff=cutoff
    )


MATERIALS = {
    "Mg": eam("hcp", "Mg", 3.2, "Mg_mm.eam.fs", 7.5),
    "Zr": eam("hcp", "Zr", 3.23, "Zr_mm.eam.fs", 7.6),
    "NiAl": eam("b2", "NiAl", 2.88, "NiAlH_jea.eam.alloy", 5.65),
    "Ni3Al": eam("l1_2", "NiAl", 3.57, "NiAlH_jea.eam.alloy", 5.65),
    "SiC": tersoff("zincblende", ("Si", "C"), 4.36, "SiC.tersoff", 3.2),
    "SiCE": tersoff("zincblende", ("Si", "C"), 4.36, "SiC_Erhart-Albe.tersoff", 3.1),
    "GaN": tersoff("wurtzite", ("Ga", "N"), 3.18, "GaN.tersoff", 3.3),
    "MgO": ions(10.0, 0.25),
    "Si": ELEMENTS["Si"],
    "SiT": ELEMENTS["SiT"],
}
PAIR_STYLES = {"Mg": "eam/fs", "Zr": "eam/fs", "NiAl": "eam/alloy", "Ni3Al": "eam/alloy", "Fe": "eam/fs"}
"""Of LAMMPS, for the tables that our own reader reads."""
VACANCY = {"removed": ((0.0, 0.0, 0.0),)}
BASAL_SCREW = {"line": (1, 1, -2, 0), "burgers": (1 / 3, 1 / 3, -2 / 3, 0.0), "plane": (0, 0, 0, 1)}
BASAL_EDGE = BASAL_SCREW | {"line": (1, -1, 0, 0)}
PRISMATIC_SCREW = BASAL_SCREW | {"plane": (1, -1, 0, 0)}
PRISMATIC_EDGE = PRISMATIC_SCREW | {"line": (0, 0, 0, 1)}
SURFACES = {
    "Si_surface_111": ("Si", (1, 1, 1)),
    "Si_surface_110": ("Si", (1, 1, 0)),
    "SiT_surface_111": ("SiT", (1, 1, 1)),
    "SiT_surface_110": ("SiT", (1, 1, 0)),
    "SiC_surface_111": ("SiC", (1, 1, 1)),
    "SiC_surface_110": ("SiC", (1, 1, 0)),
    "NiAl_surface_110": ("NiAl", (1, 1, 0)),
    "NiAl_surface_100": ("NiAl", (1, 0, 0)),
    "GaN_surface_basal": ("GaN", (0, 0, 1)),
    "GaN_surface_prismatic": ("GaN", (1, 0, 0)),
    "Mg_surface_basal": ("Mg", (0, 0, 1)),
    "Mg_surface_prismatic": ("Mg", (1, 0, 0)),
}
ANTISITES = {"substituted": ({"element": "C"}, {"at": (0.25, 0.25, 0.25), "element": "Si"})}
CRACK_111 = {"front": (1, -1, 0), "plane": (1, 1, 1), "load": 0.9}
CRACK_110 = {"front": (1, -1, 0), "plane": (1, 1, 0), "load": 0.9}
SYSTEMS = {
    "Si_crack_111": System("Si", Crack(**CRACK_111), Disc(radius_r0=20)),
    "Si_crack_110": System("Si", Crack(**CRACK_110), Disc(radius_r0=20)),
    "SiT_crack_111": System("SiT", Crack(**CRACK_111), Disc(radius_r0=20)),
    "NiAl_crack_110": System("NiAl", Crack(front=(0, 0, 1), plane=(1, 1, 0), load=1.0), Disc(radius_r0=20)),
    "Mg_vacancy": System("Mg", Point(**VACANCY), Box(cells=(10, 6, 6))),
    "Mg_basal_screw": System("Mg", Dislocation(**BASAL_SCREW), Disc(radius_r0=22)),
    "Mg_basal_edge": System("Mg", Dislocation(**BASAL_EDGE), Disc(radius_r0=25)),
    "Zr_prismatic_screw": System("Zr", Dislocation(**PRISMATIC_SCREW), Disc(radius_r0=22)),
    "Zr_prismatic_edge": System("Zr", Dislocation(**PRISMATIC_EDGE), Disc(radius_r0=25)),
    "NiAl_vacancy_Ni": System("NiAl", Point(sublattice="Ni", **VACANCY), Box(cells=10)),
    "NiAl_vacancy_Al": System("NiAl", Point(sublattice="Al", **VACANCY), Box(cells=10)),
    "NiAl_antisite_Ni": System(
        "NiAl", Point(sublattice="Al", substituted=({"element": "Ni"},)), Box(cells=10)
    ),
    "NiAl_antisite_Al": System(
        "NiAl", Point(sublattice="Ni", substituted=({"element": "Al"},)), Box(cells=10)
    ),
    "NiAl_edge_100": System(
        "NiAl",
        Dislocation(line=(0, 1, 0), burgers=(1.0, 0.0, 0.0), plane=(0, 0, 1)),
        Disc(radius_r0=25),
    ),
    "SiC_vacancy_Si": System("SiC", Point(sublattice="Si", **VACANCY), Box(cells=6)),
    "SiC_vacancy_C": System("SiC", Point(sublattice="C", **VACANCY), Box(cells=6)),
    "SiC_antisite_pair": System("SiC", Point(**ANTISITES), Box(cells=6)),
    "MgO_vacancy_O": System("MgO", Point(sublattice="O", **VACANCY), Box(cells=8)),
    "MgO_vacancy_Mg": System("MgO", Point(sublattice="Mg", **VACANCY), Box(cells=8)),
    "SiCE_vacancy_Si": System("SiCE", Point(sublattice="Si", **VACANCY), Box(cells=6)),
    "SiCE_vacancy_C": System("SiCE", Point(sublattice="C", **VACANCY), Box(cells=6)),
    "SiCE_antisite_pair": System("SiCE", Point(**ANTISITES), Box(cells=6)),
    "SiCE_screw": System("SiCE", Dislocation(**SI_SCREW), Disc(radius_r0=18)),
    "SiC_screw": System("SiC", Dislocation(**SI_SCREW), Disc(radius_r0=18)),
}


def system_of(name: str) -> System:
    """A defect in a crystal; those of files are made first."""
    return SYSTEMS[name] if name in SYSTEMS else System(name.partition("_")[0], MADE[name](name), Disc())


def known(name: str) -> tuple[Crystal, QuantumModel]:
    """Crystal and model of a material."""
    return MATERIALS[name] if name in MATERIALS else ELEMENTS[name]
