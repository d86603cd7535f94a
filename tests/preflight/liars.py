"""Calculators that lie, each in one way, around an honest EAM of tungsten."""

from typing import Any

import numpy as np
from ase.stress import voigt_6_to_full_3x3_stress

from qmfront.models.eam import EAM


class Honest(EAM):
    """The EAM of tungsten; `spoil` may change its results."""

    def __init__(self) -> None:
        super().__init__(potential="W_zhou")
        self.count = 0

    def calculate(self, *args: Any, **kwargs: Any) -> None:
        super().calculate(*args, **kwargs)
        self.count += 1
        self.results = {name: np.array(value) for name, value in self.results.items()}
        self.spoil()

    def spoil(self) -> None:
        """Nothing to spoil."""


class WrongSign(Honest):
    def spoil(self) -> None:
        self.results["forces"] *= -1


class Hartrees(Honest):
    """Forces in hartree per bohr."""

    def spoil(self) -> None:
        self.results["forces"] /= 51.422067


class NotANumber(Honest):
    def spoil(self) -> None:
        self.results["forces"][3, 1] = np.nan


class Random(Honest):
    """Other forces every time."""

    def spoil(self) -> None:
        shape = self.results["forces"].shape
        self.results["forces"] += np.random.default_rng(self.count).normal(scale=0.02, size=shape)


class Remembers(Honest):
    """Forces that depend on how often it was asked before, as those of an unconverged field."""

    def spoil(self) -> None:
        self.results["forces"] *= 1 + 0.01 / self.count


class Noisy(Honest):
    """The same noise for the same atoms: repetition does not show it."""

    def spoil(self) -> None:
        digits = np.round(np.abs(self.atoms.positions) * 1e6).astype(np.uint64)
        generator = np.random.default_rng(digits.ravel())
        self.results["forces"] += generator.normal(scale=3e-4, size=digits.shape)


class SinglePrecision(Honest):
    def spoil(self) -> None:
        self.results = {name: value.astype(np.float32) for name, value in self.results.items()}


class FullStress(Honest):
    """All nine components of the stress, as CHGNet returns it."""

    def spoil(self) -> None:
        if "stress" in self.results:
            self.results["stress"] = voigt_6_to_full_3x3_stress(self.results["stress"])


class Inconsistent(Honest):
    """An energy with a term whose gradient the forces lack."""

    def spoil(self) -> None:
        distances = self.atoms.get_all_distances(mic=True)
        self.results["energy"] = self.results["energy"] + np.exp(-(distances**2) / 4).sum()
        self.results["free_energy"] = self.results["energy"]


class StressSign(Honest):
    def spoil(self) -> None:
        if "stress" in self.results:
            self.results["stress"] = -self.results["stress"]


class Gigapascals(Honest):
    def spoil(self) -> None:
        if "stress" in self.results:
            self.results["stress"] = self.results["stress"] * 160.21766


class PressureMissing(Honest):
    """A stress without the part that changes with the density."""

    def spoil(self) -> None:
        if "stress" in self.results:
            self.results["stress"][:3] -= 0.6 * self.results["stress"][:3].mean()


class NoStress(Honest):
    implemented_properties = ("energy", "forces", "free_energy")

    def spoil(self) -> None:
        self.results.pop("stress", None)

    def get_property(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "stress":
            from ase.calculators.calculator import PropertyNotImplementedError

            raise PropertyNotImplementedError("stress")
        return super().get_property(name, *args, **kwargs)


class GivesUp(Honest):
    def spoil(self) -> None:
        raise RuntimeError("SCF did not converge after 100 iterations")


class SaysUnconverged(Honest):
    """Returns what it has, and that it is not converged."""

    def spoil(self) -> None:
        self.converged = False


class Breaks(Honest):
    def spoil(self) -> None:
        raise OSError("no such licence")


class NotPeriodic(Honest):
    """Forces that notice where in space an atom is."""

    def spoil(self) -> None:
        self.results["forces"] += 1e-3 * np.sin(self.atoms.positions[:, :1])


class NotExtensive(Honest):
    """An energy per cell, not per atom."""

    def spoil(self) -> None:
        for name in ("energy", "free_energy"):
            self.results[name] = self.results[name] + 0.5 * len(self.atoms) ** 1.1


class Weak(Honest):
    """All but free atoms, as of a pair potential whose length is in another unit."""

    def spoil(self) -> None:
        self.results = {name: 1e-4 * value for name, value in self.results.items()}


class WrongDensity(Honest):
    """At rest far from where the crystal is; energy, forces and stress of scaled lattices belong together."""

    scale = 1.08

    def calculate(self, atoms: Any = None, *args: Any, **kwargs: Any) -> None:
        scaled = atoms.copy()
        scaled.set_cell(atoms.cell.array * self.scale, scale_atoms=True)
        super().calculate(scaled, *args, **kwargs)
        self.results["forces"] *= self.scale
        if "stress" in self.results:
            self.results["stress"] *= self.scale**3
        self.atoms = atoms.copy()
