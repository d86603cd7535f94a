"""The predictor (B.2): core map, registry across the cut, and forces of order r^-3."""

import numpy as np
import pytest

from qmfront.crystal.disc import LineCell, disc, straight_line_cell
from qmfront.crystal.lattice import cubic_crystal
from qmfront.crystal.neighbours import pairs_within
from qmfront.crystal.stencil import label_pairs, stencil
from qmfront.elasticity.dislocation import (
    core_map,
    dislocation_predictor,
    inverse_core_map,
    smooth_step,
)
from qmfront.elasticity.moduli import elastic_moduli, lattice_constant, rotated_moduli
from qmfront.elasticity.stroh import DislocationField
from qmfront.models.eam import EAM

CASES = {  # line, plane normal, Burgers vector / a
    "edge": ((0, 1, 0), (0, 0, 1), (1.0, 0.0, 0.0)),
    "screw": ((1, 1, 1), (1, -1, 0), (0.5, 0.5, 0.5)),
    "mixed": ((0, 0, 1), (1, -1, 0), (0.5, 0.5, 0.5)),
}


@pytest.fixture(scope="module")
def tungsten():
    """Relaxed crystal and moduli in cubic axes."""
    crystal = lattice_constant(cubic_crystal("W", "bcc", 3.165), EAM("W_zhou"))
    return crystal, elastic_moduli(crystal, EAM("W_zhou"))


def build(
    tungsten, character: str, radius_r0: float
) -> tuple[LineCell, object, DislocationField, np.ndarray]:
    crystal, moduli = tungsten
    line, normal, direction = CASES[character]
    cell = straight_line_cell(crystal, line, normal)
    a0 = (2 * crystal.volume) ** (1 / 3)
    field = DislocationField(rotated_moduli(moduli, cell.frame), a0 * cell.frame @ direction)
    sites = disc(cell, radius_r0 * crystal.nearest_neighbour_distance, clamp_width=11.0)
    return cell, sites, field, dislocation_predictor(sites.positions, field)


def test_smooth_step_is_smooth_and_monotone():
    s = np.linspace(-0.5, 1.5, 4001)
    eta, slope = smooth_step(s)
    assert np.all(eta[s <= 0] == 0) and np.all(eta[s >= 1] == 1) and np.all(np.diff(eta) >= 0)
    assert slope.max() == pytest.approx(2, abs=1e-6)
    assert np.gradient(eta, s)[1:-1] == pytest.approx(slope[1:-1], abs=1e-5)
    assert eta + smooth_step(1 - s)[0] == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("b1", [2.7, -2.7])
@pytest.mark.parametrize("ratio", [2.25, 3.0, 6.0])
def test_inverse_core_map(b1, ratio):
    rng = np.random.default_rng(0)
    x = np.vstack([4 * rng.normal(size=(2000, 2)), 100 * rng.normal(size=(500, 2))])
    x = np.vstack([x, [[-0.1, 0.0], [-2.0, 0.0], [-1e3, 0.0], [5.0, 1e-12], [5.0, -1e-12]]])
    back = core_map(inverse_core_map(x, b1, core_radius=ratio * abs(b1)), b1, core_radius=ratio * abs(b1))
    assert np.abs(back - x).max() < 1e-12 * 100
    grid = np.stack(np.meshgrid(np.linspace(-20, 20, 400), np.linspace(-20, 20, 400)), axis=-1)
    image = core_map(grid.reshape(-1, 2), b1, core_radius=ratio * abs(b1)).reshape(400, 400, 2)
    assert np.all(np.diff(image[..., 0], axis=1) > 0)  # one-to-one


def test_predictor_continues_the_lattice_across_the_cut(tungsten):
    """Beyond the core radius the lower half is exactly the upper half continued, shifted by b: to all orders.

    With x' = x + b12 just below the cut, y0(x) = y0+(x'), y0+ being the smooth continuation from above.
    """
    _, _, field, _ = build(tungsten, "edge", 3)
    b1 = field.burgers[0]
    x = np.column_stack([np.linspace(20, 60, 30), np.full(30, 1e-13)])
    below = x * [1, -1]
    y_below = np.pad(below, ((0, 0), (0, 1))) + dislocation_predictor(below, field)
    shifted = x + np.array([b1, 0.0])
    y_above = np.pad(shifted, ((0, 0), (0, 1))) + dislocation_predictor(shifted, field)
    assert np.abs(y_below - y_above).max() < 1e-10
    plain = field.displacement(below) - field.displacement(shifted) - [b1, 0, 0]
    assert np.abs(plain).max() > 1e-3  # what it would be without xi: b du/dx = O(1/r)


@pytest.mark.parametrize("character", CASES)
def test_registry_and_stencil_of_the_predictor(tungsten, character):
    """Separations across the cut are within O(b/r) of lattice vectors; 14 neighbours outside the core."""
    cell, sites, field, u0 = build(tungsten, character, 20)
    r0, y0 = cell.crystal.nearest_neighbour_distance, sites.positions + u0
    pairs = pairs_within(y0, sites.cell, sites.pbc, 1.5 * r0)
    assert np.linalg.norm(pairs.vector, axis=1).min() > 0.7 * r0  # no overlaps
    off = np.linalg.norm(pairs.vector - label_pairs(pairs, cell.crystal).vector, axis=1)
    first, second = sites.positions[pairs.first], sites.positions[pairs.second]
    across = (first[:, 1] * second[:, 1] < 0) & (first[:, 0] > 0)
    radius = np.linalg.norm(first[:, :2], axis=1)
    far = across & (radius > 6 * r0)
    b = np.linalg.norm(field.burgers)
    assert far.sum() > 50 and np.all(off[far] < 1.5 * b * 0.5 * r0 / radius[far])
    neighbours = stencil(y0, sites.cell, sites.pbc, cell.crystal)
    count = np.bincount(neighbours.first, minlength=len(sites))
    distance = np.linalg.norm(sites.positions[:, :2], axis=1)
    assert np.all(count[sites.free & (distance > 3 * r0)] == 14)


def test_forces_of_the_edge_predictor_decay_with_the_third_power(tungsten):
    """max |F(u0)| ~ r^-3: needs the right moduli, field and core map; without xi it decays like r^-1."""
    cell, sites, field, u0 = build(tungsten, "edge", 50)
    r0 = cell.crystal.nearest_neighbour_distance
    radius = np.linalg.norm(sites.positions[:, :2], axis=1)
    rings = np.array([12, 17, 24, 34, 48]) * r0

    def slope(displacement: np.ndarray) -> float:
        force = np.linalg.norm(EAM("W_zhou").get_forces(sites.to_atoms(displacement)), axis=1)
        peak = [force[sites.free & (np.abs(radius - r) < 1.5 * r0)].max() for r in rings]
        return np.polyfit(np.log(rings), np.log(peak), 1)[0]

    assert -3.4 < slope(u0) < -2.9
    assert slope(field.displacement(sites.positions)) > -1.3


@pytest.mark.parametrize("character", ["screw", "mixed"])
def test_forces_of_other_characters_decay(tungsten, character):
    cell, sites, _, u0 = build(tungsten, character, 30)
    r0 = cell.crystal.nearest_neighbour_distance
    radius = np.linalg.norm(sites.positions[:, :2], axis=1)
    force = np.linalg.norm(EAM("W_zhou").get_forces(sites.to_atoms(u0)), axis=1)
    rings = np.array([10, 14, 20, 28]) * r0
    peak = [force[sites.free & (np.abs(radius - r) < 1.5 * r0)].max() for r in rings]
    assert np.polyfit(np.log(rings), np.log(peak), 1)[0] < -2.8


def test_bad_input_says_what_to_do(tungsten):
    _, sites, field, _ = build(tungsten, "edge", 5)
    tilted = DislocationField(field.moduli, np.array([1.0, 0.5, 0.0]))
    with pytest.raises(ValueError, match="normal to the cut plane"):
        dislocation_predictor(sites.positions, tilted)
    with pytest.raises(ValueError, match="core map folds"):
        dislocation_predictor(sites.positions, field, core_radius=1.0)
    with pytest.raises(ValueError, match="cut x2 = 0"):
        dislocation_predictor(np.array([[3.0, 0.0, 0.0]]), field)
