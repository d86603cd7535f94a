"""A model as studies name it: the dotted path of an ASE calculator, and its keyword arguments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import Atoms

from qmfront.config.section import CalculatorArguments, ModelEntry
from qmfront.models.calculator import build


@dataclass(frozen=True)
class ModelSpec:
    """What stands for a model in the keys of the journal.

    calculator : dotted path of a class or factory
    kwargs : its keyword arguments, whatever they are
    moments, charges : element -> initial magnetic moment (μB) and charge (e)
        Of all atoms that bring none of their own. They are a part of every question, not of the model.
    """

    calculator: str
    kwargs: CalculatorArguments = field(default_factory=dict)
    moments: Mapping[str, float] = field(default_factory=dict)
    charges: Mapping[str, float] = field(default_factory=dict)

    @property
    def entry(self) -> ModelEntry:
        """As in a configuration: {calculator: dotted path, kwargs: {...}}."""
        return ModelEntry(calculator=self.calculator, kwargs=dict(self.kwargs))

    def dressed(self, atoms: Atoms) -> Atoms:
        """The atoms with the initial moments and charges of their elements, where they have none of their own."""
        given = {"initial_magmoms": self.moments, "initial_charges": self.charges}
        missing = {name: values for name, values in given.items() if values and not atoms.has(name)}
        if not missing:
            return atoms
        work = atoms.copy()
        for name, values in missing.items():
            work.set_array(name, np.array([values.get(symbol, 0.0) for symbol in atoms.symbols]))
        return work

    def build(self) -> Any:
        """The calculator; errors as in `models.calculator.build`."""
        return build(self.entry)
