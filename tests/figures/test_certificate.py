"""The certificate's figure with and without surface energies, from arrays of its own."""

import numpy as np
import pandas as pd
import pytest
from ase import units

from qmfront.figures.certificate import certificate_figure
from qmfront.figures.surfaces import SURFACES, surface_table
from qmfront.training.consistency import consistency_table

QM, MM = np.array([0.21, 0.25, 0.24]), np.array([0.2, 0.252, 0.24])


def certificate(**extra: np.ndarray) -> dict[str, np.ndarray]:
    path = np.linspace(0.0, 4.0, 9)
    omega2 = np.column_stack([np.sin(path) ** 2, 0.8 * np.sin(path) ** 2, 2 * np.sin(path) ** 2]) + 0.1
    distance = np.array([0.0, 2.7, 2.7, 3.2])
    return {
        "distance": distance,
        "fc_qm": np.exp(-distance),
        "fc_difference": 1e-4 * np.exp(-distance),
        "path": path,
        "ticks": np.linspace(0.0, 4.0, 5),
        "omega2_qm": omega2,
        "omega2_mm": 1.01 * omega2,
        "moduli_qm": np.array([3.2, 1.2, 1.0]),
        "moduli_mm": np.array([3.3, 1.2, 1.01]),
    } | extra


def table(arrays: dict[str, np.ndarray]) -> pd.DataFrame:
    return pd.concat([consistency_table(arrays, np.array([74])), surface_table(arrays)], ignore_index=True)


def test_surface_energies_come_in_joule_per_square_metre():
    found = surface_table(certificate(surface_energy_qm=QM, surface_energy_mm=MM))
    # 1 eV/Å^2 is the elementary charge over 1e-20 m^2
    np.testing.assert_allclose(found["qm"], 16.02176634 * QM, rtol=1e-6)
    np.testing.assert_allclose(found["difference"], 16.02176634 * (MM - QM), rtol=1e-6, atol=1e-12)
    assert found["name"].tolist() == ["surface 1", "surface 2", "surface 3"]
    planes = np.array([[1, 0, 0], [1, 1, 0], [1, 1, -2]])
    named = surface_table(certificate(surface_energy_qm=QM, surface_energy_mm=MM, surface_plane=planes))
    assert named["name"].tolist() == ["(100)", "(110)", "(11-2)"]
    assert units.J / units.m**2 == pytest.approx(1 / 16.02176634, rel=1e-6)


def test_one_surface_may_come_as_a_number():
    found = surface_table(certificate(surface_energy_qm=0.2, surface_energy_mm=0.21))
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
    assert "J/m" in panels[2].get_title() and "J/m" not in panels[5].get_title()
