"""The certificate's figure with and without surface energies, from arrays of its own."""

import numpy as np
import pandas as pd
import pytest
from ase import units

from qmfront.elasticity.certificate import Certificate
from qmfront.figures.certificate import certificate_figure
from qmfront.figures.surfaces import RELAXATIONS, SLAB_PHONONS, SURFACES, surface_table
from qmfront.training.certificate_table import consistency_table

TUNGSTEN = np.array([74])
QM, MM = np.array([0.21, 0.25, 0.24]), np.array([0.2, 0.252, 0.24])


def certificate(**extra: np.ndarray) -> dict[str, np.ndarray]:
    path = np.linspace(0.0, 4.0, 9)
    omega2 = np.column_stack([np.sin(path) ** 2, 0.8 * np.sin(path) ** 2, 2 * np.sin(path) ** 2]) + 0.1
    distance = np.array([0.0, 2.7, 2.7, 3.2])
    return {
        "distance": distance,
        "fc_qm": np.exp(-distance),
        "fc_mismatch": 1e-4 * np.exp(-distance)[:, None, None] * np.eye(3) / np.sqrt(3),
        "path": path,
        "ticks": np.linspace(0.0, 4.0, 5),
        "omega2_qm": omega2,
        "omega2_mm": 1.01 * omega2,
        "moduli_qm": np.array([3.2, 1.2, 1.0]),
        "moduli_mm": np.array([3.3, 1.2, 1.01]),
        "mismatch_residual": np.array(0.4),
        "mismatch_size": np.array(0.01),
        "mismatch_exponents": np.zeros((0, 6), int),
        "mismatch_coefficients": np.zeros(0),
    } | extra


def table(arrays: dict[str, np.ndarray]) -> pd.DataFrame:
    found = consistency_table(Certificate.from_arrays(arrays), TUNGSTEN)
    return pd.concat([found, surface_table(arrays, TUNGSTEN)], ignore_index=True)


def test_surface_energies_come_in_joule_per_square_metre():
    found = surface_table(certificate(surface_energy_qm=QM, surface_energy_mm=MM), TUNGSTEN)
    # 1 eV/Å^2 is the elementary charge over 1e-20 m^2
    np.testing.assert_allclose(found["qm"], 16.02176634 * QM, rtol=1e-6)
    np.testing.assert_allclose(found["difference"], 16.02176634 * (MM - QM), rtol=1e-6, atol=1e-12)
    assert found["name"].tolist() == ["surface 1", "surface 2", "surface 3"]
    planes = np.array([[1, 0, 0], [1, 1, 0], [1, 1, -2]])
    named = surface_table(
        certificate(surface_energy_qm=QM, surface_energy_mm=MM, surface_plane=planes), TUNGSTEN
    )
    assert named["name"].tolist() == ["(100)", "(110)", "(11-2)"]
    assert units.J / units.m**2 == pytest.approx(1 / 16.02176634, rel=1e-6)


def test_one_surface_may_come_as_a_number():
    found = surface_table(certificate(surface_energy_qm=0.2, surface_energy_mm=0.21), TUNGSTEN)
    assert len(found) == 1


def test_other_surface_arrays_change_nothing():
    plain = table(certificate())
    assert SURFACES not in set(plain["quantity"])
    extra = {"surface_omega2_qm": np.ones((5, 7)), "surface_path": np.arange(5.0)}
    pd.testing.assert_frame_equal(table(certificate(**extra)), plain)


def test_surfaces_stand_below_the_moduli():
    arrays = certificate(surface_energy_qm=QM[:1], surface_energy_mm=MM[:1])
    figure = certificate_figure(
        {"with": table(arrays), "without": table(certificate())}, ticks=arrays["ticks"]
    )
    panels = [axes for part in figure.subfigs for axes in part.axes]
    names = [[t.get_text() for t in panels[i].get_yticklabels()] for i in (2, 5)]
    assert names == [["$C_{11}$", "$C_{12}$", "$C_{44}$", "surface 1"], ["$C_{11}$", "$C_{12}$", "$C_{44}$"]]
    assert "QM 3.36   ACE 3.20" in [t.get_text() for t in panels[2].texts]
    titles = [part._suptitle.get_text().replace("\n", " ") for part in figure.subfigs]
    assert titles[0].startswith("with dW as a polynomial misses 0.4")
    assert all(title.endswith("use estimate.far_field_samples: 300.") for title in titles)
    assert "J/m" in panels[2].get_title() and "J/m" not in panels[5].get_title()


def test_relaxation_and_slab_phonons_are_rows_and_a_panel():
    """Frequencies in THz, relaxations in per cent, one curve per branch of the first surface."""
    omega2 = np.linspace(0.0, 4.0, 24).reshape(2, 4, 3)
    path = np.array([np.linspace(0.0, 1.0, 4), np.linspace(0.0, 0.7, 4)])
    arrays = certificate(
        surface_energy_qm=QM[:2],
        surface_energy_mm=MM[:2],
        surface_plane=np.array([[1, 1, 0], [1, 0, 0]]),
        surface_relaxation_qm=np.array([-0.005, 0.047]),
        surface_relaxation_mm=np.array([-0.006, 0.047]),
        surface_eigenvalue_qm=np.array([0.05, 0.03]),
        surface_eigenvalue_mm=np.array([0.05, 0.03]),
        surface_path=path,
        surface_omega2_qm=omega2,
        surface_omega2_mm=1.21 * omega2,
    )
    found = table(arrays)
    relaxation = found[found["quantity"] == RELAXATIONS].set_index("name")
    assert relaxation.loc["(110)", "difference"] == pytest.approx(-0.1)
    phonons = found[found["quantity"] == SLAB_PHONONS]
    assert len(phonons) == 2 * 4 * 3 and phonons["name"].nunique() == 6
    one = phonons[phonons["name"] == "(100) 2"]
    assert one["x"].to_numpy() == pytest.approx(path[1])
    assert one["mm"].to_numpy() == pytest.approx(1.1 * one["qm"].to_numpy())
    bulk = found[(found["quantity"] == "phonons") & (found["name"] == "1")].iloc[0]
    thz_per_root = bulk["qm"] / np.sqrt(arrays["omega2_qm"][0, 0])
    assert one["qm"].to_numpy() == pytest.approx(thz_per_root * np.sqrt(omega2[1, :, 1]))
    figure = certificate_figure({"one": found}, ticks=arrays["ticks"])
    panels = [axes for row in figure.subfigs for axes in row.axes]
    assert len(panels) == 4 and panels[3].get_title() == "phonons of a (110) slab"
    assert len(panels[3].get_lines()) >= 6
