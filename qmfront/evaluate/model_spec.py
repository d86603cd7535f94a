"""A model as studies name it: the dotted path of an ASE calculator, and its keyword arguments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from qmfront.models.calculator import build


@dataclass(frozen=True)
class ModelSpec:
    """What stands for a model in the keys of the journal.

    calculator : dotted path of a class or factory
    kwargs : its keyword arguments, whatever they are
    """

    calculator: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def entry(self) -> dict[str, Any]:
        """As in a configuration: {calculator: dotted path, kwargs: {...}}."""
        return {"calculator": self.calculator, "kwargs": dict(self.kwargs)}

    def build(self) -> Any:
        """The calculator; errors as in `models.calculator.build`."""
        return build(self.entry)
