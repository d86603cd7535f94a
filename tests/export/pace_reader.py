"""What a `.yace` file means, read literally from the description of its format: slow, and without a line of ours.

Complex harmonics are SciPy's, Chebyshev polynomials cos(k arccos x); forces are differences of energies.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml
from ase import Atoms
from ase.neighborlist import neighbor_list
from scipy.special import sph_harm_y


@dataclass(frozen=True)
class Pace:
    """A potential of PACE."""

    content: dict[Any, Any]

    @classmethod
    def of(cls, text: str) -> "Pace":
        return cls(yaml.load(text, Loader=_Loader))

    def energies(self, atoms: Atoms) -> np.ndarray:
        """Site energies (n,), eV."""
        names = self.content["elements"]
        kind = np.array([names.index(symbol) for symbol in atoms.get_chemical_symbols()])
        cutoff = max(bond["rcut"] for bond in self.content["bonds"].values())
        first, second, vectors = neighbor_list("ijD", atoms, cutoff)
        return np.array(
            [self._energy(kind[i], kind[second[first == i]], vectors[first == i]) for i in range(len(atoms))]
        )

    def _energy(self, centre: int, kind: np.ndarray, vectors: np.ndarray) -> float:
        energy, channels = self.content["E0"][centre], {}
        for function in self.content["functions"][centre]:
            rank = function["rank"]
            ms = np.reshape(function["ms_combs"], (-1, rank))
            assert function["mu0"] == centre and function["ndensity"] == 1
            assert len(ms) == len(function["ctildes"]) == function["num_ms_combs"]
            for row, factor in zip(ms, function["ctildes"], strict=True):
                value = 1.0 + 0.0j
                for key in zip(function["mus"], function["ns"], function["ls"], row.tolist(), strict=True):
                    if key not in channels:
                        channels[key] = self._channel(centre, key, kind, vectors, rank)
                    value *= channels[key]
                energy += factor * value.real
        return energy

    def _channel(self, centre: int, key: tuple, kind: np.ndarray, vectors: np.ndarray, rank: int) -> complex:
        """A(mu, n, l, m): sum of R_nl Y_lm over the neighbours of a species, or of g_n for a single factor."""
        mu, n, l, m = key
        vectors = vectors[kind == mu]
        r = np.linalg.norm(vectors, axis=1)
        bond = self.content["bonds"][(centre, mu)]
        g = np.array([_radial(bond, k, r) for k in range(1, bond["nradbasemax"] + 1)])
        radial = g[n - 1] if rank == 1 else np.array(bond["radcoefficients"])[n - 1, l] @ g
        polar, azimuth = np.arccos(vectors[:, 2] / r), np.arctan2(vectors[:, 1], vectors[:, 0])
        return complex(np.sum(radial * np.sqrt(4 * np.pi) * sph_harm_y(l, m, polar, azimuth)))


def _radial(bond: dict, k: int, r: np.ndarray) -> np.ndarray:
    """g_k of ChebExpCos."""
    assert bond["radbasename"] == "ChebExpCos" and bond["prehc"] == 0 and bond["rcut_in"] == 0
    (decay,), cutoff, width = bond["radparameters"], bond["rcut"], bond["dcut"]
    x = 1 - 2 * (np.exp(-decay * r / cutoff) - np.exp(-decay)) / (1 - np.exp(-decay))
    envelope = np.where(r < cutoff, (1 + np.cos(np.pi * r / cutoff)) / 2, 0.0)
    outer = (1 + np.cos(np.pi * (r - cutoff + width) / width)) / 2
    envelope = np.where(r > cutoff - width, envelope * outer, envelope)
    return envelope if k == 1 else envelope * (1 - np.cos((k - 1) * np.arccos(np.clip(x, -1, 1)))) / 2


class _Loader(yaml.SafeLoader):
    """YAML with lists as keys."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict:
    pairs = [
        (loader.construct_object(k, deep=True), loader.construct_object(v, deep=True)) for k, v in node.value
    ]
    return {tuple(key) if isinstance(key, list) else key: value for key, value in pairs}


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
