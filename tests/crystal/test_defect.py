"""The defect record: a dislocation in a disc, as every stage sees it."""

from dataclasses import fields, replace

import numpy as np
import pytest

from qmfront.crystal.defect import Defect
from qmfront.crystal.neighbours import pairs_within
from qmfront.elasticity.dislocation import dislocation_predictor
from qmfront.elasticity.moduli import cubic_moduli
from qmfront.elasticity.straight import StraightDislocation, dislocation_defect
from qmfront.elasticity.stroh import DislocationField


def radius_r0(defect: Defect) -> np.ndarray:
    return np.linalg.norm(defect.sites[:, :2], axis=1) / defect.r0


@pytest.mark.parametrize("case", ["edge", "mixed"])
def test_sites_away_from_the_core_have_fourteen_neighbours(case, request):
    defect = request.getfixturevalue(case)
    count = np.bincount(defect.stencil.first, minlength=defect.n_sites)
    away = defect.free & (radius_r0(defect) > 2.0)
    assert away.sum() > 200 and np.all(count[away] == 14)
    assert np.any(count[defect.free] != 14), "the core is not a perfect crystal"


@pytest.mark.parametrize("case", ["edge", "mixed"])
def test_stencil_crosses_the_cut(case, request, tungsten):
    """Neighbours across {x2 = 0, x1 > 0} are lattice vectors of the deformed crystal, not of the reference sites."""
    defect = request.getfixturevalue(case)
    pairs = defect.stencil
    x1, x2 = defect.sites[:, 0], defect.sites[:, 1]
    crosses = (x1[pairs.first] > 4 * defect.r0) & (x2[pairs.first] > 0) & (x2[pairs.second] < 0)
    crosses &= defect.free[pairs.first]
    assert crosses.sum() > 5
    assert tungsten.crystal.rotated(defect.frame).contains(pairs.vector[crosses])
    reference = defect.sites[pairs.second] - defect.sites[pairs.first]
    apart = (reference - pairs.vector)[crosses]
    apart[:, 2] -= defect.cell[2, 2] * np.rint(apart[:, 2] / defect.cell[2, 2])
    assert np.all(np.linalg.norm(apart[:, :2], axis=1) > 0.5), "slip is in the reference sites"


@pytest.mark.parametrize("case", ["edge", "mixed"])
def test_predictor_forces_decay(case, request, eam_forces):
    """In balance to leading order: the largest force in a ring falls faster than 1/r^2 away from the core."""
    defect = request.getfixturevalue(case)
    forces = np.linalg.norm(eam_forces(defect.body.atoms(np.zeros_like(defect.sites))), axis=1)
    distance = radius_r0(defect)
    largest = [forces[defect.free & (distance > a) & (distance < a + 1.5)].max() for a in (0.0, 3.0, 6.5)]
    assert largest[0] > 1.0 and largest[1] > largest[2]
    assert largest[2] < largest[1] * (3.0 / 6.5) ** 2 and largest[2] < 0.02


@pytest.mark.parametrize("case", ["edge", "mixed"])
def test_burgers_vector_closes_across_the_cut(case, request, tungsten):
    """u0(x+) - u0(x-) = -b in the frame of the case, extrapolated to the cut from the sites on either side."""
    defect = request.getfixturevalue(case)
    crystal = {"edge": (1.0, 0.0, 0.0), "mixed": (-0.5, -0.5, 0.5)}[case]
    burgers = defect.frame @ np.array(crystal) * tungsten.crystal.lattice_constant
    assert abs(burgers[1]) < 1e-12, "b lies in the cut plane"
    assert np.linalg.det(defect.frame) == pytest.approx(1.0) and np.array_equal(defect.core, np.zeros(3))
    x1, x2 = defect.sites[:, 0], defect.sites[:, 1]
    outer = x1 > 8 * defect.r0
    layer = np.abs(x2[outer]).min() * 1.01
    above, below = (defect.predictor[outer & (s * x2 > 0) & (s * x2 < layer)] for s in (1, -1))
    assert len(above) > 1 and len(below) > 1
    jump = above.mean(axis=0) - below.mean(axis=0)
    # The predictor changes by some b / (2 pi r) per Å between the two layers.
    assert np.abs(jump + burgers).max() < 0.1 * np.linalg.norm(burgers)
    assert np.abs(jump - burgers).max() > np.linalg.norm(burgers)


def test_clamp_is_wide_enough_and_outside(edge, eam):
    distance = np.linalg.norm(edge.sites[:, :2], axis=1)
    assert np.array_equal(edge.free, distance < 8 * edge.r0)
    assert distance.max() == pytest.approx(8 * edge.r0 + eam.force_range, abs=0.5 * edge.r0)
    pairs = pairs_within(edge.body.reference, edge.cell, edge.pbc, 1.2 * edge.r0)
    assert np.bincount(pairs.first, minlength=edge.n_sites)[edge.free].min() >= 8
    assert np.linalg.norm(pairs.vector, axis=1).min() > 0.8 * edge.r0, "no two atoms collide in the predictor"


def test_body_is_sites_plus_predictor(edge):
    u = np.random.default_rng(0).normal(size=edge.sites.shape)
    assert np.array_equal(edge.body.reference, edge.sites + edge.predictor)
    atoms = edge.body.atoms(u)
    assert np.array_equal(atoms.positions, edge.sites + edge.predictor + u)
    assert np.array_equal(atoms.numbers, edge.numbers) and atoms.pbc.tolist() == [False, False, True]
    assert atoms.cell.array[2] == pytest.approx(edge.cell[2]) and edge.n_sites == len(atoms)


OF_FILES = ("turn", "image", "frames", "grain")
"""Fields that defects of files have."""


def test_round_trip_keeps_every_field(mixed):
    again = Defect.from_arrays(mixed.arrays())
    for field in fields(Defect):
        if field.name in OF_FILES:
            assert getattr(again, field.name) is getattr(mixed, field.name) is None
        elif field.name == "state":
            assert (
                again.state.arrays.keys() == mixed.state.arrays.keys()
                and again.state.info == mixed.state.info
            )
        elif field.name != "stencil":
            assert np.array_equal(getattr(again, field.name), getattr(mixed, field.name)), field.name
    for name in ("first", "second", "vector"):
        assert np.array_equal(getattr(again.stencil, name), getattr(mixed.stencil, name))
    assert set(mixed.arrays()) == {f.name for f in fields(Defect)} - {"stencil", "state", *OF_FILES} | {
        "stencil_first", "stencil_second", "stencil_vector"
    }  # fmt: skip


def test_round_trip_keeps_what_a_file_adds(mixed):
    n = mixed.n_sites
    own = {
        "turn": np.eye(3)[[1, 2, 0]],
        "image": np.arange(3.0 * n).reshape(n, 3),
        "frames": np.stack([np.eye(3), mixed.frame]),
        "grain": np.arange(n) % 2,
    }
    again = Defect.from_arrays(replace(mixed, **own).arrays())
    assert tuple(own) == OF_FILES
    assert all(np.array_equal(getattr(again, name), value) for name, value in own.items())


def test_predictor_belongs_to_the_moduli_in_the_frame_of_the_case(tungsten, mixed, eam):
    """With strongly anisotropic moduli (tungsten is almost isotropic), rotated here by another route."""
    bulk = replace(tungsten, moduli=cubic_moduli(1.5, 1.0, 0.75))
    dislocation = StraightDislocation(
        (1, 1, 1), (1, -1, 0), (-0.5, -0.5, 0.5), (0.0, 0.0), 3.5, 8.0, eam.force_range
    )
    defect = dislocation_defect(bulk, dislocation)
    e = defect.frame
    rotated = np.zeros((3, 3, 3, 3))
    for index in np.ndindex(3, 3, 3, 3):
        axes = np.einsum("a,b,c,d->abcd", *(e[i] for i in index))
        rotated[index] = np.sum(axes * bulk.moduli)
    burgers = e @ [-0.5, -0.5, 0.5] * bulk.crystal.lattice_constant
    field = DislocationField(rotated, burgers)
    expected = dislocation_predictor(defect.sites, field, core_radius=3.5 * defect.r0)
    assert np.abs(defect.predictor - expected).max() < 1e-10
    assert np.array_equal(defect.sites, mixed.sites) and np.abs(expected - mixed.predictor).max() > 0.05


def test_core_offset_moves_the_core_in_the_crystal(tungsten, edge, eam):
    """The crystal is shifted the other way, the core stays at the origin."""
    offset = np.array([0.4, 0.3])
    moved = dislocation_defect(
        tungsten,
        StraightDislocation(
            line=(0, 1, 0),
            plane=(0, 0, 1),
            burgers=(1.0, 0.0, 0.0),
            core_offset=tuple(offset),
            core_map_radius_r0=3.5,
            radius_r0=8.0,
            clamp_width=eam.force_range,
        ),
    )
    assert np.array_equal(moved.core, np.zeros(3))
    nearest = np.argmin(np.linalg.norm(edge.sites - [5.0, 5.0, 0.0], axis=1))
    shifted = edge.sites[nearest] - np.append(offset, 0.0)
    assert np.linalg.norm(moved.sites - shifted, axis=1).min() < 1e-9
