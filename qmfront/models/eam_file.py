"""Reader of the tabulated embedded-atom files eam/alloy (setfl) and eam/fs (Finnis-Sinclair)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers

HEADER_LINES = 3  # free text


@dataclass(frozen=True)
class EAMTables:
    """The content of a file, species sorted by atomic number.

    species : (k,) int
        Atomic numbers, ascending.
    embedding : (k, n_rho) float, eV
        F on rho = 0, rho_spacing, ...
    density : (k, k, n_r) float
        density[i, j]: what an atom of species j adds at an atom of species i, on r = 0, r_spacing, ...
    pair : (k, k, n_r) float, eV Å
        r phi(r), symmetric in the species.
    rho_spacing : float;  r_spacing : float, Å;  cutoff : float, Å
    """

    species: np.ndarray
    embedding: np.ndarray
    density: np.ndarray
    pair: np.ndarray
    rho_spacing: float
    r_spacing: float
    cutoff: float


def read_eam_file(path: str | Path) -> EAMTables:
    """Read an `.eam.alloy` or `.eam.fs` file (metal units: eV, Å); the ending tells the format.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the ending is another, or the content is not what the header announces.
    """
    path = Path(path)
    finnis_sinclair = _is_finnis_sinclair(path)
    if not path.is_file():
        raise FileNotFoundError(f"EAM potential file {path} does not exist. Check the path of `potential`.")
    lines = _Lines(path)
    symbols, (n_rho, rho_spacing, n_r, r_spacing, cutoff) = _header(lines)
    k = len(symbols)
    embedding, density, pair = np.empty((k, n_rho)), np.empty((k, k, n_r)), np.empty((k, k, n_r))
    for i, symbol in enumerate(symbols):
        lines.fields(2, f"atomic number and mass of {symbol}")
        embedding[i] = lines.numbers(n_rho, f"F(rho) of {symbol}")
        for j in range(k) if finnis_sinclair else [slice(None)]:
            density[j, i] = lines.numbers(n_r, f"density of {symbol}")
    for i in range(k):
        for j in range(i + 1):
            pair[i, j] = pair[j, i] = lines.numbers(n_r, f"r phi(r) of {symbols[i]}-{symbols[j]}")
    lines.end()
    numbers = np.array([atomic_numbers[symbol] for symbol in symbols])
    order = np.argsort(numbers)
    return EAMTables(
        species=numbers[order],
        embedding=embedding[order],
        density=density[np.ix_(order, order)],
        pair=pair[np.ix_(order, order)],
        rho_spacing=rho_spacing,
        r_spacing=r_spacing,
        cutoff=cutoff,
    )


def _is_finnis_sinclair(path: Path) -> bool:
    if path.name.endswith((".eam.alloy", ".set", ".setfl")):
        return False
    if path.name.endswith(".eam.fs"):
        return True
    raise ValueError(
        f"EAM potential {str(path)!r} is neither a packaged name nor a file that ends in .eam.alloy or .eam.fs. "
        "Give one of these; single-element .eam (funcfl) files must be converted to eam/alloy first."
    )


class _Lines:
    """The lines after the free text, handed out one request at a time, with errors that name the line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text(encoding="utf-8", errors="replace").splitlines()
        self.next = HEADER_LINES

    def fields(self, count: int, meaning: str) -> list[str]:
        """The words of the next line that is not empty; at least `count` of them."""
        while self.next < len(self.text):
            words = self.text[self.next].split("#")[0].split()
            self.next += 1
            if words:
                break
        else:
            raise self.error(f"the file ends where {meaning} should follow")
        if len(words) < count:
            raise self.error(f"{len(words)} fields where {meaning} should be ({count} fields)")
        return words

    def numbers(self, count: int, meaning: str) -> np.ndarray:
        """The next `count` numbers, which must end with a line."""
        found: list[str] = []
        while len(found) < count:
            found += self.fields(1, f"{meaning} ({len(found)} of {count} values read)")
        if len(found) > count:
            raise self.error(f"the {count} values of {meaning} do not end with this line")
        values = self.floats(found, meaning)
        if not np.all(np.isfinite(values)):
            raise self.error(f"{meaning} contains values that are not finite")
        return values

    def floats(self, words: list[str], meaning: str) -> np.ndarray:
        """Words as floats; Fortran's D exponents are understood."""
        try:
            return np.array([float(word.replace("D", "E").replace("d", "e")) for word in words])
        except ValueError as problem:
            raise self.error(f"{meaning} should be numbers ({problem})") from problem

    def end(self) -> None:
        """Nothing but empty lines may be left."""
        rest = [line for line in self.text[self.next :] if line.split("#")[0].strip()]
        if rest:
            raise self.error(f"{len(rest)} lines too many (is an eam/fs file named .eam.alloy?)")

    def error(self, problem: str) -> ValueError:
        return ValueError(
            f"Bad EAM file {self.path}, line {self.next}: {problem}. "
            "Compare the file with its source, and its ending (.eam.alloy or .eam.fs) with its format."
        )


def _header(lines: _Lines) -> tuple[list[str], tuple[int, float, int, float, float]]:
    words = lines.fields(2, "number and names of the elements")
    if not words[0].isdigit() or len(words) < 1 + int(words[0]) or int(words[0]) < 1:
        raise lines.error(f"{' '.join(words)!r} should be the number and names of the elements")
    symbols = words[1 : 1 + int(words[0])]
    unknown = [symbol for symbol in symbols if symbol not in atomic_numbers]
    if unknown or len(set(symbols)) < len(symbols):
        raise lines.error(f"element names {symbols} must be different chemical symbols")
    words = lines.fields(5, "n_rho, rho_spacing, n_r, r_spacing, cutoff")
    n_rho, rho_spacing, n_r, r_spacing, cutoff = lines.floats(words[:5], "n_rho, d_rho, n_r, d_r, cutoff")
    if min(n_rho, n_r) < 8 or not min(rho_spacing, r_spacing, cutoff) > 0.0:
        raise lines.error(
            f"{' '.join(words)!r}: at least 8 points and positive spacings and cutoff are needed"
        )
    return symbols, (int(n_rho), float(rho_spacing), int(n_r), float(r_spacing), float(cutoff))
