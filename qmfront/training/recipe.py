"""The fit of a potential by the recipe robust: weights by noise, cells with a weight chosen where nothing was fitted.

    W_j = min(W_j, w / noise_j^2)  for derivatives,   one weight for all distorted cells

Of the weights that are tried, the smallest one wins whose error on unseen cells is close to the least: beyond it the
lattice, which carries the far field, would pay for nothing.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr

from qmfront.config.potential import Basis as BasisSettings
from qmfront.config.potential import Fitting
from qmfront.elasticity.bulk import Bulk
from qmfront.models.ace.basis import Basis
from qmfront.training.fit import Fit, Rows, basis_functions, fit_potential, fit_rows, rows_of
from qmfront.training.observations import Observations
from qmfront.training.observe.kinds import KIND
from qmfront.training.observe.noise import weights_by_noise
from qmfront.training.observe.rattled import ObservedCells
from qmfront.training.regression import ridge

LARGE = (20, 18, 12)
"""max_degree where the fourth derivative is matched: 666 functions of one species."""
CLOSE = 2.0
"""The largest error on unseen cells relative to the least that a smaller weight may have."""
CELL_KINDS = ("distorted_energy", "distorted_forces")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Unseen:
    """Cells that no fit has seen, and the same rows of every basis function.

    targets, design : kind -> (rows,), kind -> (rows, n_functions)
    """

    targets: dict[str, np.ndarray]
    design: dict[str, np.ndarray]

    @classmethod
    def of(cls, cells: ObservedCells, bulk: Bulk, basis: Basis) -> "Unseen":
        """Of observed cells."""
        return cls(cells.targets(bulk), cells.design(bulk, basis))

    def error(self, coefficients: np.ndarray) -> float:
        """|F^MM - F^QM| / |F^QM|."""
        target = self.targets["unseen_forces"]
        return float(
            np.linalg.norm(self.design["unseen_forces"] @ coefficients - target) / np.linalg.norm(target)
        )


def fit_by_recipe(observations: Observations, bulk: Bulk, basis: BasisSettings, settings: Fitting) -> Fit:
    """The fit that the settings ask for.

    Parameters
    ----------
    observations : Observations
        Made with the same settings.
    bulk : Bulk
    basis : section `basis` of the potential
    settings : Fitting
    """
    if settings.recipe == "paper" or observations.distorted is None or observations.unseen is None:
        return fit_potential(observations, bulk, basis_functions(bulk.crystal.species, basis), settings)
    if basis.max_degree is None and "fourth_derivative" in observations.lattice.rows:
        basis = basis.model_copy(update={"max_degree": LARGE})
    functions = basis_functions(bulk.crystal.species, basis)
    rows = rows_of(observations, bulk, functions, settings)
    unseen = Unseen.of(observations.unseen, bulk, functions)
    noise = weights_by_noise(observations.noise, settings.weights, settings.robust)
    weight = chosen_weight(rows, unseen, functions, settings, noise)
    return fit_rows(rows, bulk, functions, settings, weights=noise | dict.fromkeys(CELL_KINDS, weight))


def chosen_weight(
    rows: Rows, unseen: Unseen, basis: Basis, settings: Fitting, noise: Mapping[str, float]
) -> float:
    """The smallest weight of the cells whose error on unseen ones is close to the least."""
    blocks = _compressed(rows)
    errors = {}
    for weight in sorted(settings.robust.weights):
        changed = dict(noise) | dict.fromkeys(CELL_KINDS, weight)
        factors = {
            name: np.sqrt(changed[name] if name in changed else getattr(settings.weights, KIND[name].weight))
            for name in blocks
        }
        stacked = np.concatenate([factors[name] * block for name, block in blocks.items()])
        found = ridge(stacked[:, :-1], stacked[:, -1], basis.smoothness, settings.regression.prior)
        errors[weight] = unseen.error(found)
    least = min(errors.values())
    weight = min(weight for weight, error in errors.items() if error <= CLOSE * least)
    told = ", ".join(f"{error:.3f} with {tried:.0e}" for tried, error in errors.items())
    logger.info("error on unseen cells %s: the cells weigh %.0e", told, weight)
    return weight


def _compressed(rows: Rows) -> dict[str, np.ndarray]:
    """[A_j | y_j] / |y_j| of every kind as its triangular factor, which has the same least squares."""
    return {
        name: qr(
            np.column_stack([rows.design[name], target]) / KIND[name].size(rows.targets),
            mode="r",
            check_finite=False,
        )[0][: len(rows.design[name][0]) + 1]
        for name, target in rows.targets.items()
    }
