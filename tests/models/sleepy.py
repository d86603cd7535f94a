"""A calculator that never answers."""

import time

from ase.calculators.calculator import Calculator


class Sleepy(Calculator):
    """Says that it knows forces, and sleeps."""

    implemented_properties = ("energy", "forces")

    def calculate(self, *args: object, **kwargs: object) -> None:
        time.sleep(600.0)
