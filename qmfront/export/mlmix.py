"""A finished iteration for ML-MIX, which mixes the forces of two pair styles by region inside LAMMPS.

What ML-MIX evaluates where stands in two properties of the atoms, which its `fix mlml` makes from distances. Here they
follow from our partition: the force is that of potential 1 (QM) on QM sites, and that of potential 2 (MM) elsewhere.
Each potential is evaluated on its sites and within its cut-off of them. That is less than our buffer: atoms of ML-MIX
see the whole crystal, those of a QM call its surface.
"""

from collections.abc import Mapping

import numpy as np

from qmfront.analysis.structure import FinishedIteration
from qmfront.coupling.partition import QM
from qmfront.crystal.neighbours import pairs_within
from qmfront.export.lammps import DATA, INPUT, data_file, end, head, setting
from qmfront.export.lammps_models import NoPairStyle, PairStyle

PAIR = "mlmix.pair"
STYLE = "hybrid/overlay/mlml"
EVALUATED, WEIGHTS = "Evaluated", "Weights"
PROPERTIES = {EVALUATED: "i2_potential 2 ghost yes", WEIGHTS: "d2_eval 2 ghost yes"}
"""Sections of the data file, and what ML-MIX calls their properties."""
COMMUNICATING = ("eam", "adp", "meam")
"""Pair styles that exchange data between processors while they compute: ML-MIX cannot take them."""
TESTED = ("lj/cut", "pace", "uf3", "snap", "table")
"""Those that its authors list as tested."""


def mlmix_files(
    found: FinishedIteration,
    models: Mapping[str, PairStyle | NoPairStyle],
    *,
    title: str,
    cutoffs: tuple[float, float],
) -> dict[str, str | bytes]:
    """Name -> content of all files.

    Parameters
    ----------
    models : "qm" and "mm" -> how LAMMPS reads it
    cutoffs : of the QM and of the MM model, Å

    Raises
    ------
    ValueError
        If LAMMPS cannot read one of the models, or ML-MIX cannot mix it.
    """
    qm, mm = (_mixable(models[name]) for name in ("qm", "mm"))
    evaluated = evaluated_sites(found, cutoffs)
    weights = np.stack([found.region == QM, found.region != QM], axis=1).astype(int)
    sections = {
        EVALUATED: [f"{a} {b}" for a, b in evaluated.astype(int)],
        WEIGHTS: [f"{a}.0 {b}.0" for a, b in weights],
    }
    lines = [*head(found, title), "# If ML-MIX is a plugin: plugin load hybridoverlaymlmlplugin.so"]
    lines += [*_untested(qm, mm), *setting(found, PROPERTIES), "", f"include {PAIR}"]
    lines += [
        "",
        "# The regions stay as they are. ML-MIX moves them in molecular dynamics with, for example,",
    ]
    lines += [f"# fix regions all mlml 1 0.0 {max(cutoffs)} 4.0 group qm", *end()]
    return {
        **qm.files,
        **mm.files,
        PAIR: "\n".join(mixed_commands(qm, mm)) + "\n",
        DATA: data_file(found, qm.species, title=title, sections=sections),
        INPUT: "\n".join(lines) + "\n",
    }


def evaluated_sites(found: FinishedIteration, cutoffs: tuple[float, float]) -> np.ndarray:
    """Where each potential is evaluated, (n, 2) bool: on its own sites, and within its cut-off (Å) of them."""
    atoms, is_qm = found.atoms, found.region == QM
    evaluated = np.stack([is_qm, ~is_qm], axis=1)
    for own, cutoff in zip(evaluated.T, cutoffs, strict=True):
        pairs = pairs_within(atoms.positions, np.array(atoms.cell.array), np.asarray(atoms.pbc, bool), cutoff)
        own[pairs.first[own[pairs.second]]] = True
    return evaluated


def mixed_commands(qm: PairStyle, mm: PairStyle) -> list[str]:
    """pair_style and pair_coeff of both models: after the name of a style stands the region, 1 or 2, and if it occurs
    several times its number among those of its name."""
    parts = [(part, region) for region, model in ((1, qm), (2, mm)) for part in model.parts]
    names = [part.style for part, _ in parts]
    settings = " ".join(f"{part.style} {part.settings}".strip() for part, _ in parts)
    lines = [f"pair_style {STYLE} {settings}"]
    for place, (part, region) in enumerate(parts):
        number = f" {names[: place + 1].count(part.style)}" if names.count(part.style) > 1 else ""
        lines += [
            f"pair_coeff {types} {part.style} {region}{number} {text}" for types, text in part.coefficients
        ]
    return [*lines, *qm.others, *mm.others]


def _mixable(model: PairStyle | NoPairStyle) -> PairStyle:
    if isinstance(model, NoPairStyle):
        raise ValueError(model.reason)
    for style in model.styles:
        if style.startswith(COMMUNICATING):
            raise ValueError(
                f"ML-MIX cannot mix {style}: it exchanges densities between processors while it computes. Take "
                "export lammps, or another QM model"
            )
    return model


def _untested(qm: PairStyle, mm: PairStyle) -> list[str]:
    untested = [style for style in dict.fromkeys((*qm.styles, *mm.styles)) if style not in TESTED]
    if not untested:
        return []
    return [f"# Not among the pair styles that ML-MIX lists as tested: {', '.join(untested)}"]
