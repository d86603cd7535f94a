"""Every kind of observation that a potential can be fitted to, one row each.

A row says how the observation is called in stores and tables, its unit, how its rows follow from the responses of the
lattice and hence what it costs, which matching order asks for it, and how it counts in the loss

    sum_j W_j |A_j c - y_j|^2 / |y_j|^2        (2.12), (4.5)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qmfront.storage.layout import Declared
from qmfront.training.observe.lattice import (
    AtRest,
    ForceConstantDerivative,
    Functional,
    Lattice,
    StrainDerivative,
)
from qmfront.training.observe.responses import Response


@dataclass(frozen=True)
class Kind:
    """One kind of observation.

    name : of its rows in the training store and in fit.csv
    unit : of its rows
    functional : of the responses of the lattice; None for what is observed on cells, slabs and strains of a predictor
    matching : the first matching order that observes it
    of_basis : only crystals with a basis have it
    of_tail : only needed where the reference model reaches beyond the force constants that are matched
    weight : key of `weights`; its own name if empty
    sized_as : the kind whose |y| its errors are relative to; itself if empty
    absolute : its errors are measured against one unit, since its target is zero
    chosen : its weight is found by the fit and is no key of `weights`
    """

    name: str
    unit: str
    functional: Functional | None = None
    matching: int = 0
    of_basis: bool = False
    of_tail: bool = False
    weight: str = ""
    sized_as: str = ""
    absolute: bool = False
    chosen: bool = False

    def __post_init__(self) -> None:
        for field in ("weight", "sized_as"):
            object.__setattr__(self, field, getattr(self, field) or self.name)

    def size(self, targets: Mapping[str, np.ndarray]) -> float:
        """|y_j|, what its errors are relative to; targets: kind -> (rows,)."""
        return 1.0 if self.absolute else float(np.linalg.norm(targets[self.sized_as]))

    @property
    def declared(self) -> Declared:
        """Of its rows in the training store, for a functional of the lattice."""
        words = f"observed {self.name.replace('_', ' ')}"
        return Declared(f"{self.name}_row", "f", self.unit, words, "(4.5)")


# PAPER (4.5) has the force constants and the third derivative of W_cb (matching 1); 2 and 3 go one and two orders on.
# ASSUME internal forces (eV/Å) count as the stress (eV) that they release through shifts of about 1 Å per unit strain.
# Second derivatives of W_cb are in the force constants, unless the reference model reaches farther: the tail that is
# cut off is small site by site, but not its second moment. They weigh as much as the force constants.
KINDS: tuple[Kind, ...] = (
    Kind("energy", "eV", AtRest("energy")),
    Kind("stress", "eV", AtRest("stress"), absolute=True),
    Kind("force_constants", "eV/Å^2", AtRest("force_constants")),
    Kind("third_derivative", "eV", StrainDerivative("stress", 2), matching=1),
    Kind("fourth_derivative", "eV", StrainDerivative("stress", 3), matching=2),
    Kind("strained_force_constants", "eV/Å^2", ForceConstantDerivative(1), matching=2),
    Kind("fifth_derivative", "eV", StrainDerivative("stress", 4, widening=2.0), matching=3),
    Kind("twice_strained_force_constants", "eV/Å^2", ForceConstantDerivative(2, widening=2.0), matching=3),
    Kind(
        "internal_second_derivative",
        "eV/Å",
        StrainDerivative("internal_forces", 2),
        matching=1,
        of_basis=True,
        weight="third_derivative",
        sized_as="third_derivative",
    ),
    Kind(
        "internal_third_derivative",
        "eV/Å",
        StrainDerivative("internal_forces", 3),
        matching=2,
        of_basis=True,
        weight="fourth_derivative",
        sized_as="fourth_derivative",
    ),
    Kind(
        "internal_fourth_derivative",
        "eV/Å",
        StrainDerivative("internal_forces", 4, widening=2.0),
        matching=3,
        of_basis=True,
        weight="fifth_derivative",
        sized_as="fifth_derivative",
    ),
    Kind(
        "second_derivative",
        "eV",
        StrainDerivative("stress", 1),
        matching=1,
        of_tail=True,
        weight="force_constants",
    ),
    Kind(
        "internal_first_derivative",
        "eV/Å",
        StrainDerivative("internal_forces", 1),
        matching=1,
        of_basis=True,
        of_tail=True,
        weight="force_constants",
        sized_as="second_derivative",
    ),
    Kind("rattled_energy", "eV"),
    Kind("rattled_forces", "eV/Å"),
    Kind("distorted_energy", "eV", chosen=True),
    Kind("distorted_forces", "eV/Å", chosen=True),
    Kind("faults_energy", "eV", chosen=True),
    Kind("faults_forces", "eV/Å", chosen=True),
    Kind("close_energy", "eV", chosen=True),
    Kind("close_forces", "eV/Å", chosen=True),
    Kind("vacancy_energy", "eV", chosen=True),
    Kind("vacancy_forces", "eV/Å", chosen=True),
    Kind("dumbbells_energy", "eV", chosen=True),
    Kind("dumbbells_forces", "eV/Å", chosen=True),
    Kind("swapped_energy", "eV", chosen=True),
    Kind("swapped_forces", "eV/Å", chosen=True),
    Kind("dilute_energy", "eV", chosen=True),
    Kind("dilute_forces", "eV/Å", chosen=True),
    Kind("solute_pairs_energy", "eV", chosen=True),
    Kind("solute_pairs_forces", "eV/Å", chosen=True),
    Kind("solute_vacancy_energy", "eV", chosen=True),
    Kind("solute_vacancy_forces", "eV/Å", chosen=True),
    Kind("solute_close_energy", "eV", chosen=True),
    Kind("solute_close_forces", "eV/Å", chosen=True),
    Kind("interstitial_energy", "eV", chosen=True),
    Kind("interstitial_forces", "eV/Å", chosen=True),
    Kind("sampled_stress", "eV"),
    Kind("field_stress", "eV"),
    Kind("surface_energy", "eV"),
    Kind("surface_forces", "eV/Å"),
)
KIND = {kind.name: kind for kind in KINDS}

# First order of W_cb in strain that a matching order leaves free.
FIRST_FREE_ORDER = {0: 3, 1: 4, 2: 5, 3: 6}


def kinds_of(matching: int, lattice: Lattice) -> tuple[Kind, ...]:
    """What a matching order observes on a lattice."""
    return tuple(
        kind
        for kind in KINDS
        if kind.functional is not None
        and kind.matching <= matching
        and kind.of_basis <= lattice.has_basis
        and kind.of_tail <= lattice.tail
    )


def observe(response: Response, kinds: Sequence[Kind], lattice: Lattice) -> dict[str, np.ndarray]:
    """Rows of functionals of the lattice, each (rows,) for a calculator and (rows, n_functions) for a basis.

    For a crystal with a basis all of them are taken at the internal shifts that the response has (those of the QM
    model), where they are linear in the coefficients of a potential. A potential with the same P and the same internal
    forces to order t^n has the same relaxed W_cb to order t^(n+1), since its own shifts then differ by t^(n+1).
    """
    return {kind.name: kind.functional.rows(response, lattice) for kind in kinds if kind.functional}


def observed_gradients(kinds: Sequence[Kind], lattice: Lattice) -> np.ndarray:
    """The deformation gradients (g, 3, 3) at which `observe` needs a response, each once."""
    distinct: list[np.ndarray] = []
    for kind in kinds:
        for F in kind.functional.gradients(lattice) if kind.functional else []:
            if not any(np.array_equal(F, other) for other in distinct):
                distinct.append(F)
    return np.array(distinct)


def observed_supercells(kinds: Sequence[Kind], lattice: Lattice) -> int:
    """How many strained lattices need force constants."""
    return sum(kind.functional.supercells(lattice) for kind in kinds if kind.functional)
