"""How far the QM forces on the QM region feel the end of the buffer: measured before anything is solved."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qmfront.config.stages import Embedding
from qmfront.coupling.embedding import Forces, embedded_forces
from qmfront.coupling.partition import QM
from qmfront.crystal.cluster import cluster_around, surrounded
from qmfront.crystal.defect import Defect

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BufferErrors:
    """Force errors on the QM region in buffers of several widths.

    width : (m,) float, Å
    n_atoms : (m,) int
        Of QM region and buffer.
    error, error_subtracted : (m,) float, eV/Å
        Largest force error, as it is and with the forces of the perfect crystal subtracted.
    change : alternative arguments of the model -> largest change of the forces, eV/Å
    """

    width: np.ndarray
    n_atoms: np.ndarray
    error: np.ndarray
    error_subtracted: np.ndarray
    change: Mapping[str, float]

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a store of kind "locality"; its attribute `alternatives` has the keys of change."""
        plain = ("width", "n_atoms", "error", "error_subtracted")
        return {name: getattr(self, name) for name in plain} | {
            "change": np.array(list(self.change.values()))
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], alternatives: Sequence[str]) -> "BufferErrors":
        """The inverse of `arrays`."""
        return cls(
            width=arrays["width"],
            n_atoms=arrays["n_atoms"],
            error=arrays["error"],
            error_subtracted=arrays["error_subtracted"],
            change=dict(zip(alternatives, arrays["change"].tolist(), strict=True)),
        )

    def at(self, width: float, embedding: Embedding) -> float:
        """The force error (eV/Å) that a buffer of this width (Å), one of those measured, leaves."""
        errors = self.error_subtracted if embedding.subtract_lattice else self.error
        return float(errors[np.argmin(np.abs(self.width - width))])


def buffer_errors(
    defect: Defect,
    region: np.ndarray,
    qm: Forces,
    alternatives: Mapping[str, Forces],
    *,
    widths: Sequence[float],
    embedding: Embedding,
) -> BufferErrors:
    """Force errors on the QM region of iteration 0, at the predictor.

        error(R) = max_{l in QM} |F_R(l) - F(l)|

    with F_R in a buffer of width R and F on the whole domain, embedded as the case does. The errors are given with and
    without the forces of the perfect crystal subtracted, beside what other arguments of the model change in the buffer
    of the case.

    Parameters
    ----------
    region : (n,) int
    qm : Atoms -> forces
    alternatives : label -> Atoms -> forces
        The same model with other arguments.
    widths : float, Å
        The first one is that of the buffer of the case.
    embedding : Embedding
        Of the case, for F.
    """
    inner, own = region == QM, widths[0]
    wanted = _forces(defect, inner, qm, embedding, width=None)
    ascending = sorted(set(widths))
    errors: dict[bool, list[float]] = {False: [], True: []}
    for width in ascending:
        for subtracted, found in errors.items():
            chosen = embedding.model_copy(update={"subtract_lattice": subtracted})
            found.append(_largest(_forces(defect, inner, qm, chosen, width=width) - wanted))
        logger.info("buffer %.1f Å: force error %.2e, lattice subtracted %.2e eV/Å", width, *_last(errors))
    used = _forces(defect, inner, qm, embedding, width=own)
    return BufferErrors(
        width=np.array(ascending),
        n_atoms=np.array([_cluster(defect, inner, width).sum() for width in ascending]),
        error=np.array(errors[False]),
        error_subtracted=np.array(errors[True]),
        change={
            label: _largest(_forces(defect, inner, other, embedding, width=own) - used)
            for label, other in alternatives.items()
        },
    )


def refuse_thin_buffer(found: BufferErrors, embedding: Embedding, *, width: float, tolerance: float) -> None:
    """Raises RuntimeError if the buffer of the case, width Å, leaves a larger force error than tolerance, eV/Å."""
    error = found.at(width, embedding)
    if error <= tolerance:
        return
    enough = [w for w in found.width if found.at(w, embedding) <= tolerance]
    advice = (
        f"Set buffer.width to {min(enough):g} Å"
        if enough
        else f"None of {', '.join(f'{w:g}' for w in found.width)} Å is enough: try wider ones (locality.widths)"
    )
    raise RuntimeError(
        f"A buffer of {width:g} Å leaves a force error of {error:.1e} eV/Å on the QM region, more than "
        f"locality.tolerance = {tolerance:g} eV/Å. {advice}, or raise the tolerance if such an error will do."
    )


def _forces(
    defect: Defect, inner: np.ndarray, qm: Forces, embedding: Embedding, *, width: float | None
) -> np.ndarray:
    """QM forces on the inner sites in a buffer, or on the whole domain for no width."""
    included = np.ones(defect.n_sites, bool) if width is None else _cluster(defect, inner, width)
    cluster = cluster_around(inner, included)
    return embedded_forces(defect.body, cluster, qm, embedding)(np.zeros_like(defect.predictor))


def _cluster(defect: Defect, inner: np.ndarray, width: float) -> np.ndarray:
    return surrounded(inner, defect.body.reference, defect.cell, defect.pbc, width=width)


def _largest(forces: np.ndarray) -> float:
    return float(np.linalg.norm(forces, axis=1).max())


def _last(errors: Mapping[bool, Sequence[float]]) -> tuple[float, float]:
    return errors[False][-1], errors[True][-1]
