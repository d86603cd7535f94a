"""The fit of a potential by the recipe robust: weights by noise, cells beside the lattice, and a certificate to pass.

    W_j = min(W_j, w / noise_j^2)  for derivatives,   one weight for all cells away from the lattice

Of the weights that are tried, the smallest one wins whose error on what was not fitted to is close to the least: beyond
it the lattice, which carries the far field, would pay for nothing. A fit that fails its certificate is made again with
the other weights and with a larger basis, and is refused if that does not help.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import qr

from qmfront.config.potential import Basis as BasisSettings
from qmfront.config.potential import Fitting
from qmfront.elasticity.bulk import Bulk
from qmfront.models.ace.basis import Basis
from qmfront.models.ace.calculator import ACE
from qmfront.models.ace.potential import Repulsion
from qmfront.training.defect_certificate import DefectCertificate, defect_certificate
from qmfront.training.fit import SMALL, Fit, Rows, basis_functions, fit_potential, fit_rows, rows_of
from qmfront.training.observations import Observations
from qmfront.training.observe.kinds import KIND
from qmfront.training.observe.noise import weights_by_noise
from qmfront.training.observe.off_lattice import FITTED, UNSEEN
from qmfront.training.observe.rattled import CellSet, ObservedCells
from qmfront.training.regression import ridge
from qmfront.training.repulsion import repulsion_of, without_repulsion
from qmfront.training.solutes import fit_with_solutes

SIZES = {1: (SMALL, (20, 18, 12), (24, 20, 14)), 2: ((12, 10, 6), (14, 12, 8), SMALL)}
"""max_degree that are tried in turn, by number of species: 354, 666 and 1060 functions of one, 1060, 2070 and 3904 of
two; from the second on where the fourth derivative is matched."""
RADIAL_LAMBDA = 0.5
"""radial_lambda where none is given. Of 0.1, 0.5, 1, 2 and 4, the least errors on unseen cells of W, Cu and Fe."""
CLOSE = 2.0
"""The largest error on unseen cells relative to the least that a smaller weight may have."""
STRONGER = (1.0, 10.0, 100.0)
"""Factors of the repulsion, each tried where atoms fall into each other with the one before."""
KINK = 1.0
"""Relative change of a derivative with the step from which on the model has a kink close to the lattice."""
ADVICE = (
    "Let it have more to fit to (robust.cells.count, robust.strained.count), a larger basis (basis.max_degree) or "
    "cut-off (basis.cutoff), or go on all the same with robust.refuse: false"
)
ADVICE_FOR_A_KINK = (
    "No smooth basis follows that, and a larger one costs time. Choose a smoother model, or go on all the same with "
    "robust.refuse: false"
)
ADVICE_OF_SOLUTES = (
    "Let it have more to fit to (robust.solute_cells.count), less distorted cells (amplitudes and strain there), a "
    "larger cut-off (basis.cutoff), or go on all the same with robust.refuse: false"
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Unseen:
    """Cells that no fit has seen, and the same rows of every basis function.

    targets, design : kind -> (rows,), kind -> (rows, n_functions)
    """

    targets: dict[str, np.ndarray]
    design: dict[str, np.ndarray]

    @classmethod
    def of(cls, sets: Mapping[CellSet, ObservedCells], bulk: Bulk, basis: Basis) -> "Unseen":
        """Of all sets that are not fitted to."""
        targets: dict[str, np.ndarray] = {}
        design: dict[str, np.ndarray] = {}
        for name in UNSEEN:
            if name in sets:
                targets |= sets[name].targets(bulk)
                design |= sets[name].design(bulk, basis)
        return cls(targets, design)

    def errors(self, coefficients: np.ndarray) -> dict[str, float]:
        """|A c - y| / |y|: of forces, and of energies of faults."""
        kinds = [name for name in self.targets if name.endswith("_forces") or name == "between_energy"]
        return {
            name: float(
                np.linalg.norm(self.design[name] @ coefficients - self.targets[name])
                / np.linalg.norm(self.targets[name])
            )
            for name in kinds
            if name != "between_forces"
        }

    def error(self, coefficients: np.ndarray) -> float:
        """Root mean square of those."""
        return float(np.sqrt(np.mean(np.square(list(self.errors(coefficients).values())))))


@dataclass(frozen=True)
class Attempt:
    """One basis, and what was fitted and judged with it.

    basis : BasisSettings
    fit : Fit
    weight : float
        Of the cells.
    """

    basis: BasisSettings
    fit: Fit
    weight: float

    @property
    def certificate(self) -> DefectCertificate:
        """Of its simple defects."""
        assert self.fit.defects is not None, "a fit of the recipe has it"
        return self.fit.defects

    @property
    def words(self) -> str:
        """What was tried."""
        return f"{len(self.fit.potential.basis)} functions, cells weigh {self.weight:.0e}"


def fit_by_recipe(observations: Observations, bulk: Bulk, basis: BasisSettings, settings: Fitting) -> Fit:
    """The fit that the settings ask for.

    Parameters
    ----------
    observations : Observations
        Made with the same settings.
    bulk : Bulk
    basis : section `basis` of the potential
    settings : Fitting

    Raises
    ------
    RuntimeError
        If no attempt passes its certificate, with all that is wrong with the last one.
    """
    if settings.recipe == "paper":
        return fit_potential(observations, bulk, basis_functions(bulk.crystal.species, basis), settings)
    failed: list[Attempt] = []
    for attempt in _attempts(observations, bulk, basis, settings):
        problems = attempt.certificate.problems()
        logger.info("%s\n%s", attempt.words, attempt.certificate.report())
        if not problems:
            return _with_solutes(attempt, observations, bulk, settings)
        failed.append(attempt)
        logger.warning("%s: %s", attempt.words, "; ".join(problems))
    best = min(failed, key=lambda attempt: len(attempt.certificate.problems()))
    tried = "; then ".join(attempt.words for attempt in failed)
    message = f"The fit is poor: {'; '.join(best.certificate.problems())}. Tried: {tried}"
    kink = _kink(observations, settings)
    if kink:
        message += f". {kink}"
    if settings.robust.refuse:
        raise RuntimeError(f"{message}. {ADVICE_FOR_A_KINK if kink else ADVICE}.")
    logger.warning("%s. It is taken all the same (robust.refuse is false).", message)
    return _with_solutes(best, observations, bulk, settings)


def _kink(observations: Observations, settings: Fitting) -> str:
    """What is wrong with the reference model close to the lattice, in words; empty if nothing is."""
    kinks = [name for name, change in observations.noise.items() if change > KINK]
    if not kinks:
        return ""
    first = min(kinks, key=lambda name: KIND[name].matching)
    strain = 4 * settings.strain_step
    return (
        "The reference model has a kink close to the lattice, such as a cut-off between two shells of neighbours: its "
        f"{first.replace('_', ' ')} changes by {observations.noise[first]:.0f} times its size when strains up to "
        f"{strain:.1%} become {2 * strain:.1%}"
    )


def _with_solutes(attempt: Attempt, observations: Observations, bulk: Bulk, settings: Fitting) -> Fit:
    """The fit of an attempt with the solutes, if there are some.

    Raises
    ------
    RuntimeError
        If it does not pass what its certificate says of them.
    """
    fit = fit_with_solutes(attempt.fit, observations, bulk, attempt.basis, settings)
    assert fit.defects is not None, "a fit of the recipe has it"
    problems = fit.defects.problems_of_solutes()
    if not problems:
        return fit
    message = f"The fit of the solutes {', '.join(settings.foreign)} is poor: {'; '.join(problems)}"
    if settings.robust.refuse:
        raise RuntimeError(f"{message}. {ADVICE_OF_SOLUTES}.")
    logger.warning("%s. It is taken all the same (robust.refuse is false).", message)
    return fit


def _attempts(
    observations: Observations, bulk: Bulk, basis: BasisSettings, settings: Fitting
) -> Iterator[Attempt]:
    """Fits with growing bases and weights, each made when the one before is not accepted."""
    if basis.radial_lambda is None:
        basis = basis.model_copy(update={"radial_lambda": RADIAL_LAMBDA})
    smallest = 1 if "fourth_derivative" in observations.lattice.rows else 0
    default = SIZES[len(bulk.crystal.species)]
    sizes = default[smallest:] if basis.max_degree is None else (basis.max_degree,)
    noise = weights_by_noise(observations.noise, settings.weights, settings.robust)
    for size in sizes:
        chosen = basis.model_copy(update={"max_degree": size})
        functions = basis_functions(bulk.crystal.species, chosen)
        prepared = _Prepared.of(observations, bulk, functions, settings, noise)
        weight = prepared.weight()
        yield Attempt(chosen, prepared.fit(weight), weight)
        largest = max(settings.robust.weights)
        if weight < largest:
            yield Attempt(chosen, prepared.fit(largest), largest)


@dataclass(frozen=True, eq=False)
class _Prepared:
    """Rows of one basis, with which several weights are tried.

    rows : Rows
        Of all that is fitted to, without the repulsion.
    noise : kind -> weight of derivatives
    """

    observations: Observations
    bulk: Bulk
    basis: Basis
    settings: Fitting
    noise: dict[str, float]
    rows: Rows
    repulsion: Repulsion | None

    @classmethod
    def of(
        cls, observations: Observations, bulk: Bulk, basis: Basis, settings: Fitting, noise: dict[str, float]
    ) -> "_Prepared":
        repulsion = repulsion_of(bulk.crystal) if settings.robust.repulsion else None
        bare = _bare(observations, repulsion)
        rows = rows_of(bare, bulk, basis, settings)
        return cls(observations, bulk, basis, settings, noise, rows, repulsion)

    def weight(self) -> float:
        """The smallest weight of the cells whose error on what is not fitted to is close to the least."""
        unseen = Unseen.of(_bare(self.observations, self.repulsion).off_lattice, self.bulk, self.basis)
        blocks, errors = _compressed(self.rows), {}
        for weight in sorted(self.settings.robust.weights):
            weights = self._weights(weight)
            factors = {
                name: np.sqrt(
                    weights[name] if name in weights else getattr(self.settings.weights, KIND[name].weight)
                )
                for name in blocks
            }
            stacked = np.concatenate([factors[name] * block for name, block in blocks.items()])
            found = ridge(
                stacked[:, :-1], stacked[:, -1], self.basis.smoothness, self.settings.regression.prior
            )
            errors[weight] = unseen.error(found)
        least = min(errors.values())
        weight = min(weight for weight, error in errors.items() if error <= CLOSE * least)
        told = ", ".join(f"{error:.3f} with {tried:.0e}" for tried, error in errors.items())
        logger.info("error on what is not fitted to %s: the cells weigh %.0e", told, weight)
        return weight

    def fit(self, weight: float) -> Fit:
        """With a weight of the cells, and with the weakest repulsion that keeps atoms apart."""
        for stronger in STRONGER if self.repulsion else (1.0,):
            fitted = self._fitted(weight, stronger)
            assert fitted.defects is not None, "it was just made"
            if np.all(np.diff(fitted.defects.near, axis=1) > 0):
                break
        return fitted

    def _fitted(self, weight: float, stronger: float) -> Fit:
        repulsion, rows = self.repulsion, self.rows
        if repulsion is not None and stronger != 1.0:
            repulsion = repulsion_of(self.bulk.crystal, stronger=stronger)
            targets = dict(rows.targets)
            for cells in _bare(self.observations, repulsion).off_lattice.values():
                if cells.name in FITTED:
                    targets |= cells.targets(self.bulk)
            rows = Rows(targets, rows.design)
        weights = self._weights(weight)
        fit = fit_rows(rows, self.bulk, self.basis, self.settings, weights=weights, repulsion=repulsion)
        constants = rows.design["force_constants"] @ fit.potential.coefficients
        defects = defect_certificate(
            self.bulk, ACE(fit.potential), self.observations.off_lattice, constants.reshape(-1, 3, 3)
        )
        return replace(fit, defects=defects, noise=dict(self.observations.noise), cell_weight=weight)

    def _weights(self, weight: float) -> dict[str, float]:
        """Of derivatives by their noise, and of all cells away from the lattice."""
        kinds = [name for name in self.rows.targets if KIND[name].chosen]
        return self.noise | dict.fromkeys(kinds, weight)


def _bare(observations: Observations, repulsion: Repulsion | None) -> Observations:
    """The observations of cells without what the repulsion gives."""
    if repulsion is None:
        return observations
    cells = observations.cells
    return replace(
        observations,
        cells=None if cells is None else without_repulsion(cells, repulsion),
        off_lattice={
            name: without_repulsion(each, repulsion) for name, each in observations.off_lattice.items()
        },
    )


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
