"""The finished results that rule `check` hands over; without QMFRONT_STUDY there is nothing to collect here.

QMFRONT_STUDY is JSON, {cases: {name: {potential, reference, buffer, solve}}, potentials: {name: material}}, about the
results/ in the working directory.
"""

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.moduli import sampled_moduli
from qmfront.estimate.trust import JUMP_R0
from qmfront.storage import store
from qmfront.storage.layout import Kind
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.potential import POTENTIAL
from qmfront.storage.layouts.reference import REFERENCE
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.store import Store

STUDY: dict[str, Any] = json.loads(os.environ.get("QMFRONT_STUDY", '{"cases": {}, "potentials": {}}'))
RESULTS = Path("results")
collect_ignore_glob = [] if STUDY["potentials"] else ["test_*.py"]

FULL_BASIS = 300
"""Number of basis functions from which a potential is expected to match; with fewer the fit has no room to."""
SHORT = 0.2
"""Force constants that miss the moduli by more, relative to the largest, end where their supercell does: the model does
not, and no potential can have both."""
SAME = 1e-6
"""Moduli that differ by less, relative to the largest, are those of the strain samples; differences of stresses are not
that close."""


@dataclass(frozen=True)
class FinishedPotential:
    """The fit and the certificate of a potential, and the bulk that it was fitted to."""

    name: str
    material: str

    @property
    def folder(self) -> Path:
        return RESULTS / "potentials" / self.name

    @cached_property
    def fit(self) -> dict[str, float]:
        """Relative error by observation, and the number of functions."""
        table = pd.read_csv(self.folder / "fit.csv", index_col=0)
        return table["relative_error"].to_dict()

    @cached_property
    def intervals(self) -> pd.DataFrame:
        return pd.read_csv(self.folder / "intervals.csv")

    @property
    def is_full(self) -> bool:
        return self.fit["functions"] >= FULL_BASIS

    @cached_property
    def bulk(self) -> Bulk:
        return Bulk.from_arrays(store.load(RESULTS / "bulk" / f"{self.material}.zarr", BULK))

    @cached_property
    def is_short(self) -> bool:
        """Whether the force constants of the bulk are no elastic crystal by themselves."""
        moduli = self.bulk.force_constants.moduli(self.bulk.crystal.volume)
        return bool(np.abs(moduli - self.bulk.moduli).max() > SHORT * self.bulk.moduli.max())

    @cached_property
    def is_sampled(self) -> bool:
        """Whether the moduli of the bulk are those of the polynomial through its strain samples."""
        try:
            moduli = sampled_moduli(self.bulk.gradients, self.bulk.stresses, self.bulk.crystal)
        except ValueError:  # too few samples
            return False
        return bool(np.abs(moduli - self.bulk.moduli).max() < SAME * self.bulk.moduli.max())

    @property
    def is_robust(self) -> bool:
        """Whether it was fitted by the recipe robust, which measures the noise of what it fits to."""
        return any(name.startswith("noise_") for name in self.fit)

    @cached_property
    def certificate(self) -> Store:
        return store.load(self.folder / "certificate.zarr", POTENTIAL)


@dataclass(frozen=True)
class FinishedCase:
    """A case, from its first iteration to its last."""

    name: str
    settings: dict[str, Any]

    @property
    def folder(self) -> Path:
        return RESULTS / self.name

    @property
    def potential(self) -> FinishedPotential:
        name = self.settings["potential"]
        return FinishedPotential(name, STUDY["potentials"][name])

    @cached_property
    def table(self) -> pd.DataFrame:
        return pd.read_csv(self.folder / "convergence.csv")

    @cached_property
    def structure(self) -> Store:
        return store.load(self.folder / "structure.zarr", STRUCTURE)

    def load(self, k: int, kind: Kind) -> Store:
        return store.load(self.folder / str(k) / f"{kind.name}.zarr", kind)

    @cached_property
    def regions(self) -> list[np.ndarray]:
        """Regions (n,) of every iteration."""
        return [self.load(k, PARTITION)["region"] for k in self.table["k"]]

    @cached_property
    def reference(self) -> Store:
        if not self.settings["reference"]["compute"]:
            pytest.skip(f"{self.name} has no reference")
        return store.load(self.folder / "reference.zarr", REFERENCE)

    def norm(self, k: int) -> str:
        """The norm of eta: force_constants, hessian or laplacian."""
        return json.loads((self.folder / str(k) / "estimate.json").read_text(encoding="utf-8"))["norm"]

    @cached_property
    def near_reference(self) -> pd.DataFrame:
        """The iterations in the basin of the reference: no site is far from its place there."""
        far, wanted = JUMP_R0 * self.structure["r0"], self.reference["displacement"]
        apart = [self.load(k, SOLUTION)["displacement"] - wanted for k in self.table["k"]]
        return self.table[[np.linalg.norm(each, axis=1).max() <= far for each in apart]]


@pytest.fixture(params=list(STUDY["cases"]), scope="session")
def case(request: pytest.FixtureRequest) -> FinishedCase:
    return FinishedCase(request.param, STUDY["cases"][request.param])


@pytest.fixture(params=list(STUDY["potentials"]), scope="session")
def potential(request: pytest.FixtureRequest) -> FinishedPotential:
    return FinishedPotential(request.param, STUDY["potentials"][request.param])


@pytest.fixture
def full_potential(potential: FinishedPotential) -> FinishedPotential:
    if not potential.is_full:
        pytest.skip(f"{potential.name} has {potential.fit['functions']:.0f} functions, too few to match")
    return potential
