"""Smooth curves through states of a defect, along which forces do work."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import CubicSpline


@dataclass(frozen=True)
class Curve:
    """A smooth curve through some states, from 0 to 1 in the length along the chords.

    nodes : (m, n, 3) float, Å
    """

    nodes: np.ndarray

    @cached_property
    def places(self) -> np.ndarray:
        """Of the nodes, (m,) float."""
        chords = np.linalg.norm(np.diff(self.nodes, axis=0), axis=(1, 2))
        return np.concatenate([[0.0], np.cumsum(chords)]) / chords.sum()

    @cached_property
    def spline(self) -> CubicSpline:
        """Of all coordinates."""
        return CubicSpline(self.places, self.nodes)

    def at(self, place: float) -> np.ndarray:
        """u (n, 3), Å."""
        return self.spline(place)

    def tangent(self, place: float) -> np.ndarray:
        """du/ds (n, 3), Å."""
        return self.spline(place, 1)


def straight(start: np.ndarray, end: np.ndarray, images: int) -> Curve:
    """The straight line with some images between its ends (n, 3), Å."""
    return Curve(np.linspace(start, end, images + 2))
