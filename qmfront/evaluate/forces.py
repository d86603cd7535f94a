"""Forces of a model as a plain function of atoms, through the journal or straight from the calculator."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.model_spec import ModelSpec


def journaled_forces(
    spec: ModelSpec, journal: Journal | Path | str, tally: Tally
) -> Callable[[Atoms], np.ndarray]:
    """Atoms -> forces (n, 3) eV/Å of a QM model; each evaluation is in the journal before it is returned.

    Parameters
    ----------
    spec : ModelSpec
    journal : the journal, or its folder
    tally : counts the evaluations
    """
    calculator = spec.build()
    book = journal if isinstance(journal, Journal) else Journal(journal)

    def forces(atoms: Atoms) -> np.ndarray:
        return book.evaluate(atoms, calculator, spec, tally=tally).forces

    return forces


def calculator_forces(calculator: Any) -> Callable[[Atoms], np.ndarray]:
    """Atoms -> forces (n, 3) eV/Å of an ASE calculator."""

    def forces(atoms: Atoms) -> np.ndarray:
        atoms = atoms.copy()
        atoms.calc = calculator
        return atoms.get_forces()

    return forces


def calculator_energy(calculator: Any) -> Callable[[Atoms], float]:
    """Atoms -> energy, eV, of an ASE calculator."""

    def energy(atoms: Atoms) -> float:
        atoms = atoms.copy()
        atoms.calc = calculator
        return float(atoms.get_potential_energy())

    return energy
