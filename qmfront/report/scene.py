"""What the page shows of a structure: the atoms of every iteration with region, estimate, displacement and residual.

Numbers go into the page as base64: places as 16 bit steps, quantities as 16 bit steps of their logarithm, two bytes
each. A page stays small, and a value is known to better than a thousandth.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.data import chemical_symbols
from scipy.spatial import KDTree

from qmfront.storage import store
from qmfront.storage.layouts.estimate import ESTIMATE
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.residual import RESIDUAL
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE

MOST_ATOMS = 20_000
"""Of a structure; a browser turns them without a wait."""
MOST_FRAMES = 12
"""Of a structure."""
FEWEST_ATOMS = 2000
"""Frames are left out before fewer atoms than these are shown."""
BUDGET = 150_000
"""Atoms times frames of all structures of a page, 17.3 bytes each: 2.6 MB."""
OF_ATOM = 0.4
"""Of a frame; what is written of an atom once, its number and species."""
SHOWN_DECADES = 4.0
"""Below the largest value, on the scale of colours."""
KEPT_DECADES = 12.0
"""What is smaller is written as this far below the largest value."""
STEPS = 2**16 - 1

QUANTITIES = {
    "eta": ("share of the estimated error", "Å"),
    "displacement": ("displacement", "Å"),
    "residual": ("residual force", "eV/Å"),
}
"""Quantities of every atom: what they are called, and their unit."""


@dataclass(frozen=True, eq=False)
class Frame:
    """An iteration.

    k : its number
    eta : float, Å
    positions : (n, 3) float, Å, in the frame of the case
    region : (n,) int, 0 QM, 1 buffer, 2 MM, 3 far field
    counts : (4,) int, atoms of each region in the whole structure
    values : quantity of QUANTITIES -> (n,) float, not negative
    """

    k: int
    eta: float
    positions: np.ndarray
    region: np.ndarray
    counts: np.ndarray
    values: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Scene:
    """The iterations of a case, on the atoms nearest to its last QM region.

    index : (n,) int, places of the atoms in relaxed.extxyz, counted from 0
    numbers : (n,) int, atomic numbers
    total : atoms of the whole structure
    iterations : how many the case has
    frames : some of them, the first and the last among them
    cut : float, Å, third coordinate of a plane through the defect
    r0 : float, Å
    dimension : 2 for a defect that is straight along the third axis, 3 for one in a box
    displaced_from : what the displacement starts from, in words
    """

    index: np.ndarray
    numbers: np.ndarray
    total: int
    iterations: int
    frames: Sequence[Frame]
    cut: float
    r0: float
    dimension: int
    displaced_from: str

    @classmethod
    def read(cls, case: Path, iterations: Sequence[tuple[int, float]], *, share: int = BUDGET) -> "Scene":
        """From the stores of a case.

        Parameters
        ----------
        case : results/{case}
        iterations : k and eta (Å) of each
        share : atoms times frames that may be shown
        """
        structure = store.load(case / "structure.zarr", STRUCTURE)
        reference = structure["sites"] + structure["predictor"]
        last = store.load(case / str(iterations[-1][0]) / "partition.zarr", PARTITION)["region"]
        n_atoms, n_frames = share_out(share, len(reference), len(iterations))
        index = nearest(structure["sites"], last == 0, n_atoms)
        chosen = sorted({round(at) for at in np.linspace(len(iterations) - 1, 0, n_frames)})
        frames = [_frame(case, *iterations[at], reference=reference, index=index) for at in chosen]
        dimension = 3 if np.all(structure["pbc"]) else 2
        of_file = "turn" in structure
        predicted = "the perfect lattice" if dimension == 3 else "the elastic prediction"
        return cls(
            index=index,
            numbers=structure["numbers"][index],
            total=len(reference),
            iterations=len(iterations),
            frames=frames,
            cut=structure["core"][2] if dimension == 3 else height_of(frames[-1], structure["cell"][2, 2]),
            r0=structure["r0"],
            dimension=dimension,
            displaced_from="where the file has the atom" if of_file else predicted,
        )

    def content(self) -> dict[str, object]:
        """As JSON that viewer.js reads."""
        corner = np.min([frame.positions.min(axis=0) for frame in self.frames], axis=0)
        extent = max(float((frame.positions - corner).max()) for frame in self.frames)
        step = max(extent, 1e-6) / STEPS
        species = sorted(set(self.numbers.tolist()))
        scales = {name: _scale([frame.values[name] for frame in self.frames]) for name in QUANTITIES}
        return {
            "index": _packed(self.index, "<u4"),
            "species": [chemical_symbols[number] for number in species],
            "element": _packed(np.searchsorted(species, self.numbers), "u1"),
            "total": self.total,
            "iterations": self.iterations,
            "cut": self.cut - corner[2],
            "r0": self.r0,
            "dimension": self.dimension,
            "step": step,
            "quantities": {
                name: {"label": self._label(name), "unit": unit, "top": scales[name]}
                for name, (_, unit) in QUANTITIES.items()
            },
            "frames": [
                {
                    "k": frame.k,
                    "counts": frame.counts.tolist(),
                    "estimate": frame.eta,
                    "position": _packed(np.rint((frame.positions - corner) / step), "<u2"),
                    "region": _packed(frame.region, "u1"),
                    **{
                        name: _packed(_logarithm(frame.values[name], scales[name]), "<u2")
                        for name in QUANTITIES
                    },
                }
                for frame in self.frames
            ],
        }

    def _label(self, name: str) -> str:
        return f"displacement from {self.displaced_from}" if name == "displacement" else QUANTITIES[name][0]


def share_out(share: int, n_atoms: int, n_iterations: int) -> tuple[int, int]:
    """Atoms and frames of a structure by its share of the page, one atom and one frame at least.

    Iterations are left out first, down to the first and the last, then atoms.
    """
    most = min(n_atoms, MOST_ATOMS)
    frames = min(n_iterations, MOST_FRAMES, max(2, share // min(most, FEWEST_ATOMS)))
    return max(1, min(most, int(share / (frames + OF_ATOM)))), frames


def nearest(sites: np.ndarray, is_qm: np.ndarray, n: int) -> np.ndarray:
    """The n atoms nearest to the QM region, (n,) int in rising order.

    Parameters
    ----------
    sites : (m, 3) float, Å
    is_qm : (m,) bool
    """
    if n >= len(sites):
        return np.arange(len(sites))
    centre = sites[is_qm] if np.any(is_qm) else sites.mean(axis=0)[None]
    return np.sort(np.argsort(KDTree(centre).query(sites)[0], kind="stable")[:n])


def height_of(frame: Frame, period: float) -> float:
    """Where along its line a defect lies, if it is not straight: the mean height, Å, of the atoms that were displaced.

    The mean of angles 2 pi z / period, weighted by the squares of the displacements.
    """
    height = frame.positions[:, 2]
    pointer = np.sum(frame.values["displacement"] ** 2 * np.exp(2j * np.pi * height / period))
    found = np.angle(pointer) / (2 * np.pi) * period
    return float(height.min() + (found - height.min()) % period)


def _frame(case: Path, k: int, eta: float, *, reference: np.ndarray, index: np.ndarray) -> Frame:
    folder = case / str(k)
    displacement = store.load(folder / "solution.zarr", SOLUTION)["displacement"]
    region = store.load(folder / "partition.zarr", PARTITION)["region"]
    residuals = store.load(folder / "residual.zarr", RESIDUAL)
    chosen = json.loads((folder / "estimate.json").read_text(encoding="utf-8"))["residual"]
    return Frame(
        k=k,
        eta=eta,
        positions=(reference + displacement)[index],
        region=region[index],
        counts=np.bincount(region, minlength=4),
        values={
            "eta": store.load(folder / "estimate.zarr", ESTIMATE)["eta_site"][index],
            "displacement": np.linalg.norm(displacement[index], axis=1),
            "residual": np.linalg.norm(residuals[chosen][index], axis=1),
        },
    )


def _scale(values: Sequence[np.ndarray]) -> float:
    """The logarithm of the largest value, or of 1 where all are zero."""
    largest = max(float(value.max()) for value in values)
    return float(np.log10(largest)) if largest > 0.0 else 0.0


def _logarithm(values: np.ndarray, top: float) -> np.ndarray:
    """Steps below the largest value, from STEPS down to 1; 0 where the value is zero."""
    with np.errstate(divide="ignore"):
        depth = np.clip((np.log10(values) - top) / KEPT_DECADES, -1.0, 0.0)
    return np.where(values > 0.0, np.rint(1 + (1.0 + depth) * (STEPS - 1)), 0)


def _packed(values: np.ndarray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values).astype(kind).tobytes()).decode("ascii")
