"""Periodic boxes: every lattice site once, forces that converge with the buffer, and translations that cost nothing."""

import numpy as np
import pytest

from qmfront.config.stages import Reference, Stability
from qmfront.coupling.embedding import Embedding, boxed, embedded_forces
from qmfront.coupling.force_mixing import Models, hybrid_forces
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import BUFFER, MM, QM
from qmfront.coupling.reference import reference_solution
from qmfront.crystal.box import BoxDomain, box_around, box_cells, sites_in_box
from qmfront.crystal.cluster import cluster_around, surrounded
from tests.points import operators_of, point
from tests.silicon import sw_forces

BOX = Embedding(kind="box", minimum_cells=2)
ROUGH = Stability(tolerance=1e-2, vectors=10, step=1e-3)
SAME = Models(sw_forces, sw_forces)


def ball(defect, radius: float) -> np.ndarray:
    return np.linalg.norm(defect.sites - defect.core, axis=1) < radius


@pytest.mark.parametrize("cells", [1, 2, 3, 4])
def test_a_box_holds_one_image_of_every_site_of_its_cells(cells):
    defect = point("vacancy", 5)
    rng = np.random.default_rng(cells)
    for centre in defect.core + rng.uniform(-20, 20, (10, 3)):
        domain = BoxDomain(defect.period, 5 * defect.period)
        chosen, image = sites_in_box(defect.sites, centre, domain, cells=cells)
        inside = defect.sites[chosen] + image - centre
        assert len(chosen) in (8 * cells**3, 8 * cells**3 - 1), "all of them, but for the vacancy"
        assert len(set(chosen)) == len(chosen)
        assert np.abs(inside).max() < (cells / 2 + 0.01) * defect.period[0]


def test_forces_in_a_box_are_those_of_the_domain_for_a_model_of_finite_range():
    """A smooth field and the defect; Stillinger-Weber forces reach 7.5 Å, so that 4^3 cells are exact near the core."""
    defect = point("triangular", 6)
    x = (defect.sites - defect.core) / (6 * defect.period)
    u = 0.05 * np.stack([np.sin(2 * np.pi * x[:, 1]), np.cos(2 * np.pi * x[:, 2]), x[:, 0] ** 2], axis=1)
    inner = ball(defect, 4.0)
    whole = sw_forces(defect.body.atoms(u))[inner]
    errors = []
    for width in (0.5, 8.0):
        included = surrounded(inner, defect.body.reference, defect.cell, defect.pbc, width=width)
        cluster = cluster_around(inner, included)
        assert len(boxed(defect.body, cluster, 2)[0]) < defect.n_sites
        found = embedded_forces(defect.body, cluster, sw_forces, BOX)(u)
        errors.append(np.abs(found - whole).max())
    assert errors[0] > 1e-3 and errors[1] < 1e-10, errors


def test_a_box_as_large_as_the_domain_is_the_domain():
    defect = point("triangular", 3)
    u = 0.1 * np.random.default_rng(0).normal(size=defect.sites.shape)
    cluster = cluster_around(ball(defect, 3.0), np.ones(defect.n_sites, bool))
    found = embedded_forces(defect.body, cluster, sw_forces, BOX)(u)
    assert np.abs(found - sw_forces(defect.body.atoms(u))[ball(defect, 3.0)]).max() < 1e-12


def test_the_buffer_fills_the_box_of_the_qm_model():
    """Also where the box reaches over the edge of the folded domain."""
    defect = point("triangular", 6)
    for shift in ((0.0, 0.0, 0.0), (9.0, -7.0, 11.0)):
        inner = np.linalg.norm(defect.sites - defect.core - shift, axis=1) < 5.0
        domain = BoxDomain(defect.period, 6 * defect.period)
        cube = box_around(inner, defect.sites, domain, width=3.0, minimum_cells=2)
        sites, _, cell = boxed(defect.body, cluster_around(inner, cube), 2)
        assert set(sites) == set(np.flatnonzero(cube))
        assert round(cell[0, 0] / defect.period[0]) == 3


def test_a_cuboid_grows_along_one_axis():
    """66 atoms are followed by a cell more along the long axis of the QM region; a cube would take 3^3."""
    defect = point("triangular", 5)
    period = defect.period
    slim = np.all(np.abs(defect.sites - defect.core) < [3.0, 1.5, 1.5], axis=1)
    long = np.all(np.abs(defect.sites - defect.core) < [5.2, 2.5, 2.5], axis=1)
    for inner, cells in ((slim, (2, 2, 2)), (long, (3, 2, 2))):
        choice = {"width": 2.3, "shape": "cuboid"}
        assert tuple(box_cells(defect.sites[inner], period, minimum=2, **choice)) == cells
        domain = BoxDomain(period, 5 * period)
        included = box_around(inner, defect.sites, domain, minimum_cells=2, **choice)
        cluster = cluster_around(inner, included)
        sites, _, cell = boxed(defect.body, cluster, 2, shape="cuboid")
        assert set(sites) == set(np.flatnonzero(included)) and len(sites) == 8 * np.prod(cells) + 2
        assert np.allclose(np.diag(cell), np.array(cells) * period) and np.count_nonzero(cell) == 3
    assert tuple(box_cells(defect.sites[long], period, width=2.3, minimum=2)) == (3, 3, 3)


def test_a_cuboid_may_span_the_domain_along_one_axis():
    defect = point("triangular", 3)
    u = 0.05 * np.random.default_rng(0).normal(size=defect.sites.shape)
    inner = np.all(np.abs(defect.sites - defect.core) < [8.0, 1.5, 1.5], axis=1)
    cluster = cluster_around(inner, inner)
    sites, _, cell = boxed(defect.body, cluster, 2, shape="cuboid")
    assert np.allclose(np.diag(cell) / defect.period, [3, 2, 2]) and len(sites) == 98
    found = embedded_forces(defect.body, cluster, sw_forces, BOX.model_copy(update={"shape": "cuboid"}))(u)
    assert found.shape == (inner.sum(), 3) and np.isfinite(found).all()


def test_straight_defects_have_no_box():
    from tests.silicon import edge

    defect = edge()
    with pytest.raises(ValueError, match="periodic in all directions"):
        embedded_forces(defect.body, cluster_around(defect.free, defect.free), sw_forces, BOX)


def test_mixed_forces_have_no_sum_and_know_no_translation():
    defect = point("triangular", 3)
    region = np.where(ball(defect, 5.0), QM, np.where(ball(defect, 9.0), BUFFER, MM))

    def stiffer(atoms):
        return 1.1 * sw_forces(atoms)

    force = hybrid_forces(defect.body, region, Models(stiffer, sw_forces), BOX)
    u = 0.02 * np.random.default_rng(1).normal(size=defect.sites.shape)
    F = force(u)
    assert np.abs(F).max() > 0.1 and np.abs(F.sum(axis=0)).max() < 1e-10
    assert np.abs(force(u + np.array([0.3, -0.2, 0.1])) - F).max() < 1e-9


@pytest.mark.parametrize("name", ["triangular", "hexagonal"])
def test_interstitials_come_to_rest_in_a_minimum(name):
    defect = point(name)
    settings = Reference(max_force=1e-4, max_calls=60, stability=ROUGH)
    found = reference_solution(Hybrid(defect, operators_of(name), SAME), settings)
    assert np.abs(found.displacement).max() > 0.1
    assert np.abs(found.displacement.mean(axis=0)).max() < 1e-10
    assert 0.0 < found.lowest_eigenvalue < 1.0
    assert np.abs(sw_forces(defect.body.atoms(found.displacement))).max() < 1e-4


def test_the_triangular_interstitial_keeps_its_axis():
    """Displacements are carried into each other by the threefold rotation about [111] through the site."""
    defect = point("triangular", position=(0.0, 0.0, 0.0))
    settings = Reference(max_force=1e-5, max_calls=60, stability=ROUGH)
    u = reference_solution(Hybrid(defect, operators_of("triangular"), SAME), settings).displacement
    turned = np.roll(defect.sites, 1, axis=1)
    apart = turned[:, None] - defect.sites
    apart -= defect.cell[0, 0] * np.rint(apart / defect.cell[0, 0])
    image = np.linalg.norm(apart, axis=2).argmin(axis=1)
    assert np.abs(u[image] - np.roll(u, 1, axis=1)).max() < 1e-3 and np.abs(u).max() > 0.1
