"""Atoms of other elements on sites of a straight defect, and how a higher domain of it repeats a lower one."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from ase.data import chemical_symbols
from ase.geometry import find_mic
from scipy.spatial import cKDTree

from qmfront.crystal.defect import Defect

NEAR_R0 = 1.0
"""r0; a position farther from every atom names none."""
SAME_SITE = 1e-3
"""Å; sites of two domains that are this close are the same."""


def with_solutes(
    defect: Defect, places: Sequence[tuple[float, float, float]], numbers: Sequence[int]
) -> Defect:
    """The defect with other elements on the sites that are nearest to given positions.

    Parameters
    ----------
    defect : Defect
        Its core at the origin.
    places : (s, 3) float, Å
        Positions near l + u0 in the frame of the case, of a file in its axes; they count modulo the periods.
    numbers : (s,) int
        Atomic numbers.

    Raises
    ------
    ValueError
        If a position is on a clamped site or outside, two name one site, or the element is there already.
    """
    if not len(places):
        return defect
    at, turn = defect.sites + defect.predictor, np.eye(3) if defect.turn is None else defect.turn
    found: dict[int, int] = {}
    for place, number in zip(places, numbers, strict=True):
        apart = at - turn @ np.asarray(place, float)
        distance = find_mic(apart, defect.cell, defect.pbc)[1]
        site, what = int(distance.argmin()), f"defect.solutes: {chemical_symbols[number]} at {list(place)} Å"
        if distance[site] > NEAR_R0 * defect.r0:
            raise ValueError(
                f"{what} is {distance[site]:.2f} Å from the nearest atom of the domain, more than the distance "
                f"{defect.r0:.2f} Å of neighbours. Positions are relative to the core, in the frame of the case."
            )
        if not defect.free[site]:
            raise ValueError(
                f"{what} is in the clamped rim. Put it nearer to the core, or enlarge the domain."
            )
        if site in found:
            raise ValueError(
                f"{what} is nearest to the atom at {(at[site] @ turn).round(2).tolist()} Å, which another solute has "
                "already. Move one of them, or make the domain higher (domain.periods)."
            )
        if defect.numbers[site] == number:
            raise ValueError(
                f"{what}: the nearest atom is {chemical_symbols[number]} already; nothing changes."
            )
        found[site] = number
    changed = defect.numbers.copy()
    changed[list(found)] = list(found.values())
    return replace(defect, numbers=changed)


def same_sites(defect: Defect, shorter: Defect) -> np.ndarray:
    """For every site that of the same defect in a domain that is as high or a whole part as high, (n,) int.

    Raises
    ------
    ValueError
        If sites or predictors differ.
    """
    repeats = np.flatnonzero(shorter.pbc)
    edge = np.diag(shorter.cell)[repeats]
    places, known = defect.sites.copy(), shorter.sites.copy()
    for sites in (places, known):
        sites[:, repeats] = np.mod(sites[:, repeats] + SAME_SITE, edge)
    distance, site = map(np.asarray, cKDTree(known).query(places))
    advice = "Both have to be one defect in one domain, which may be higher (domain.periods) with the solute."
    periods = defect.n_sites / shorter.n_sites
    if distance.max() > SAME_SITE or periods != round(periods):
        raise ValueError(
            f"The defect with the solute has {defect.n_sites} sites, the one without {shorter.n_sites}, and they do "
            f"not repeat each other: one is {distance.max():.2e} Å from the nearest. {advice}"
        )
    apart = np.abs(defect.predictor - shorter.predictor[site]).max()
    if apart > SAME_SITE:
        raise ValueError(f"The predictors with and without the solute differ by {apart:.1e} Å. {advice}")
    return site
