"""Parameter sets of NRL tight binding with an sp basis, converted to eV and Å and laid out for the kernels.

A set is a JSON file: any number of species, one entry for each ordered pair of them in `environment` (what the
density of the second does to the levels of the first) and one for each unordered pair in `pairs`, where different
species need `ps_sigma` beside `sp_sigma`. The formulas are in `radial.py`, `environment.py` and in the file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_numbers, chemical_symbols

BOHR = 0.52917721067  # Å, CODATA 2014
RYDBERG = 13.60569301  # eV, CODATA 2014
PACKAGED = Path(__file__).parent
INTEGRALS = ("ss_sigma", "sp_sigma", "ps_sigma", "pp_sigma", "pp_pi")
# One row of `Parameters.channels` each: hopping, overlap, the density at the first and at the second atom of a bond.
HOPPING, OVERLAP, DENSITY = slice(0, 5), slice(5, 10), slice(10, 12)
N_CHANNELS = 12
ORBITALS = 4  # s, px, py, pz


@dataclass(frozen=True)
class Parameters:
    """One parameter set for k species.

    species : (k,) int
        Atomic numbers, ascending; the other arrays are indexed by position in this list.
    electrons : (k,) float
        Valence electrons of the neutral atom.
    levels : (k, 2) float, eV
        s and p level of the free atom.
    environment : (k, k, 2, 3) float, eV
        Coefficients of rho^(2/3), rho^(4/3), rho^2 in the s and p level of the first species, rho made by the second.
    channels : (k, k, 12, 5) float, eV or 1, with powers of 1/Å
        Polynomial of degree 3, lowest power first, and decay (1/Å) of each radial function of a bond.
    cutoff, screening : float, Å
    minimum_distance : float, Å
        Closer atoms are refused: the overlap matrix loses its meaning there.
    """

    species: np.ndarray
    electrons: np.ndarray
    levels: np.ndarray
    environment: np.ndarray
    channels: np.ndarray
    cutoff: float
    screening: float
    minimum_distance: float

    def kind(self, numbers: np.ndarray) -> np.ndarray:
        """(n,) int, positions in `species` of atomic numbers (n,); ValueError for species without parameters."""
        unknown = np.setdiff1d(numbers, self.species)
        if len(unknown):
            raise ValueError(
                f"The tight-binding set has no parameters for {[chemical_symbols[z] for z in unknown]}; it knows "
                f"{[chemical_symbols[z] for z in self.species]}. Choose another set or change the atoms."
            )
        return np.searchsorted(self.species, numbers)


def load_parameters(name: str | Path, *, minimum_distance: float | None = None) -> Parameters:
    """A packaged set ("silicon") or one from a JSON file of the same form.

    Parameters
    ----------
    minimum_distance : float or None, Å
        In place of the one in the file.

    Raises
    ------
    ValueError
        For an unknown name, a missing entry, or other units than bohr and rydberg.
    """
    path = PACKAGED / f"{name}.json" if str(name) in packaged_sets() else Path(name)
    if not path.suffix:
        raise ValueError(
            f"Tight-binding set {str(name)!r} is unknown. Choose one of {packaged_sets()} or give the path of a .json "
            "file."
        )
    content = json.loads(path.read_text(encoding="utf-8"))
    if minimum_distance is not None:
        content = {**content, "minimum_distance": minimum_distance}
    try:
        return from_mapping(content)
    except KeyError as error:
        raise ValueError(
            f"{path}: entry {error} is missing. Compare with {PACKAGED / 'silicon.json'}."
        ) from error


def packaged_sets() -> list[str]:
    """Names of the sets that come with the package."""
    return sorted(path.stem for path in PACKAGED.glob("*.json"))


def from_mapping(content: Mapping[str, Any]) -> Parameters:
    """The set of a parsed file, in eV and Å; KeyError for a missing entry."""
    units = content["units"]
    if (units["length"], units["energy"], units["minimum_distance"]) != ("bohr", "rydberg", "Å"):
        raise ValueError(f"Units {units} are not read. Give lengths in bohr, energies in rydberg.")
    symbols = sorted(content["species"], key=atomic_numbers.__getitem__)
    species = [content["species"][symbol] for symbol in symbols]
    environment = [
        [[content["environment"][of][by][level] for level in "sp"] for by in symbols] for of in symbols
    ]
    return Parameters(
        species=np.array([atomic_numbers[symbol] for symbol in symbols]),
        electrons=np.array([float(entry["electrons"]) for entry in species]),
        levels=RYDBERG * np.array([[entry["s"], entry["p"]] for entry in species]),
        environment=RYDBERG * np.array(environment, float),
        channels=np.array([[_channels(content, i, j) for j in symbols] for i in symbols]),
        cutoff=BOHR * content["cutoff"],
        screening=BOHR * content["screening"],
        minimum_distance=float(content["minimum_distance"]),
    )


def _channels(content: Mapping[str, Any], first: str, second: str) -> np.ndarray:
    """(12, 5), the radial functions of a bond from species `first` to species `second`."""
    turned = f"{first}-{second}" not in content["pairs"]
    pair = content["pairs"][f"{second}-{first}" if turned else f"{first}-{second}"]
    channels = np.zeros((N_CHANNELS, 5))
    for block, entries, unit in ((HOPPING, pair["hopping"], RYDBERG), (OVERLAP, pair["overlap"], 1.0)):
        for row, name in zip(range(block.start, block.stop), INTEGRALS, strict=True):
            *polynomial, decay = entries[_stored(name, same=first == second, turned=turned)]
            channels[row, : len(polynomial)] = unit * np.array(polynomial)
            channels[row, 4] = decay
    channels[DENSITY, 0] = 1.0
    channels[DENSITY, 4] = [content["species"][symbol]["density_decay"] for symbol in (second, first)]
    return channels / BOHR ** np.array([0, 1, 2, 3, 1])


def _stored(name: str, *, same: bool, turned: bool) -> str:
    """Under which name a file holds an integral: s on one atom and p on the other depend on the order of the pair."""
    if name not in ("sp_sigma", "ps_sigma"):
        return name
    if same:
        return "sp_sigma"
    return {"sp_sigma": "ps_sigma", "ps_sigma": "sp_sigma"}[name] if turned else name
