"""Clusters in vacuum: what subtracting the perfect crystal does, and that the buffer which is enough is found."""

from dataclasses import replace

import numpy as np
import pytest

from qmfront.coupling.buffer_error import BufferErrors, buffer_errors, refuse_thin_buffer
from qmfront.coupling.embedding import VACUUM, Embedding, embedded_forces
from qmfront.coupling.force_mixing import Models, hybrid_forces, model_forces
from qmfront.coupling.partition import BUFFER, FAR_FIELD, MM, QM
from qmfront.crystal.cluster import cluster_around, surrounded
from qmfront.models.nrltb import NRLTB
from tests.silicon import edge, sw_forces

SUBTRACTED = Embedding(subtract_lattice=True)


def cut(defect, radius: float, width: float):
    inner = np.linalg.norm(defect.sites[:, :2], axis=1) < radius
    around = surrounded(inner, defect.body.reference, defect.cell, defect.pbc, width=width)
    return inner, cluster_around(inner, around)


@pytest.fixture(scope="module")
def smooth():
    """Silicon without a dislocation, bent by 0.3 %: tight binding sees little but the surface of a cluster."""
    defect = edge(8.0)
    x, y = defect.sites[:, :2].T
    bent = np.column_stack([1e-3 * x * y / 10, 3e-3 * x, np.zeros_like(x)])
    return replace(defect, predictor=bent)


@pytest.fixture(scope="module")
def tight_binding():
    calculator = NRLTB(kpts=(1, 1, 2))
    return lambda atoms: np.array(calculator.get_forces(atoms))


def test_in_a_perfect_crystal_nothing_is_left(smooth, tight_binding):
    perfect = replace(smooth, predictor=np.zeros_like(smooth.sites))
    _, cluster = cut(perfect, 4.0, 4.0)
    u = np.zeros_like(perfect.sites)
    plain = embedded_forces(perfect.body, cluster, tight_binding)(u)
    assert np.abs(plain).max() > 0.05, "the surface is felt"
    assert np.abs(embedded_forces(perfect.body, cluster, tight_binding, SUBTRACTED)(u)).max() < 1e-10


def test_subtraction_helps_where_the_field_is_smooth(smooth, tight_binding):
    inner, cluster = cut(smooth, 3.0, 4.0)
    _, wide = cut(smooth, 3.0, 11.0)
    u = np.zeros_like(smooth.sites)
    wanted = embedded_forces(smooth.body, wide, tight_binding, SUBTRACTED)(u)
    errors = [
        np.abs(embedded_forces(smooth.body, cluster, tight_binding, e)(u) - wanted).max()
        for e in (VACUUM, SUBTRACTED)
    ]
    assert inner.sum() == len(wanted) and errors[1] < 0.2 * errors[0], errors


def test_perfect_crystal_is_asked_once_per_cluster():
    defect, asked = edge(8.0), []
    _, cluster = cut(defect, 4.0, 4.0)

    def qm(atoms):
        asked.append(atoms.positions.copy())
        return sw_forces(atoms)

    force = embedded_forces(defect.body, cluster, qm, SUBTRACTED)
    u = np.random.default_rng(1).normal(size=defect.sites.shape) * 0.05
    first = force(u)
    force(2 * u)
    assert len(asked) == 3 and np.array_equal(asked[0], defect.sites[cluster.sites])
    plain = embedded_forces(defect.body, cluster, sw_forces)(u)
    assert np.abs(plain - first - sw_forces(defect.body.perfect(cluster))[cluster.wanted]).max() < 1e-12


def test_hybrid_and_whole_body_are_embedded_alike():
    """With the buffer that covers the body, QM forces are those of the reference, the rim's surface subtracted too."""
    defect = edge(8.0)
    inner, _ = cut(defect, 5.0, 4.0)
    region = np.select([~defect.free, inner, np.ones(defect.n_sites, bool)], [FAR_FIELD, QM, BUFFER])
    u = np.where(defect.free[:, None], 0.03 * np.random.default_rng(5).normal(size=defect.sites.shape), 0.0)
    mixed = hybrid_forces(defect.body, region, Models(sw_forces, sw_forces), SUBTRACTED)(u)
    whole = model_forces(defect.body, defect.free, sw_forces, SUBTRACTED)(u)
    assert np.abs(mixed - whole)[region == QM].max() < 1e-9 and MM not in region


@pytest.fixture(scope="module")
def measured():
    """Stillinger-Weber forces reach 7.5 Å, and not farther."""
    defect = edge(8.0)
    inner, _ = cut(defect, 5.0, 4.0)
    region = np.where(inner, QM, np.where(defect.free, MM, FAR_FIELD))
    others = {"ten per cent more": lambda atoms: 1.1 * sw_forces(atoms), "the same": sw_forces}
    return buffer_errors(defect, region, sw_forces, others, widths=(5.0, 2.0, 4.0, 8.0), embedding=VACUUM)


def test_error_falls_to_zero_at_the_range_of_the_model(measured):
    found = measured
    assert list(found.width) == [2.0, 4.0, 5.0, 8.0] and np.all(np.diff(found.n_atoms) > 0)
    assert found.error[0] > 0.1 and found.error[-1] < 1e-10
    assert np.all(np.diff(found.error) <= 0)
    assert found.change["ten per cent more"] > 0.01 and found.change["the same"] == 0.0


def test_errors_survive_their_store(measured):
    again = BufferErrors.from_arrays(measured.arrays(), list(measured.change))
    assert again.change == measured.change
    for name in ("width", "n_atoms", "error", "error_subtracted"):
        np.testing.assert_array_equal(getattr(again, name), getattr(measured, name))


def test_a_thin_buffer_is_refused_with_the_one_that_is_enough(measured):
    found = measured
    assert found.at(5.0, VACUUM) == found.error[2]
    with pytest.raises(RuntimeError, match="Set buffer.width to 8 Å"):
        refuse_thin_buffer(found, VACUUM, width=5.0, tolerance=0.5 * found.error[2])
    narrow = replace(found, width=found.width[:3], error=found.error[:3])
    with pytest.raises(RuntimeError, match="try wider ones"):
        refuse_thin_buffer(narrow, VACUUM, width=5.0, tolerance=0.5 * found.error[2])
    refuse_thin_buffer(found, VACUUM, width=5.0, tolerance=2 * found.error[2])
