"""The certificate's figure with and without surface energies, from arrays of its own."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from qmfront.elasticity.certificate import Certificate
from qmfront.elasticity.moduli import cubic_moduli, to_voigt
from qmfront.figures.certificate import Branches, certificate_figure, draw_force_constants, draw_phonons
from qmfront.figures.simple_defects import FAULTS, FORCES, LATTICE, VACANCIES, simple_defects_table
from qmfront.figures.surfaces import RELAXATIONS, SLAB_PHONONS, SURFACES, ComparedSurfaces, surface_table
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
        "moduli_qm": to_voigt(cubic_moduli(3.2, 1.2, 1.0)),
        "moduli_mm": to_voigt(cubic_moduli(3.3, 1.2, 1.01)),
        "mismatch_residual": np.array(0.4),
        "mismatch_size": np.array(0.01),
        "mismatch_exponents": np.zeros((0, 6), int),
        "mismatch_coefficients": np.zeros(0),
    } | extra


def surfaces(n: int = 3) -> dict[str, np.ndarray]:
    """n surfaces whose slabs have four waves and three branches."""
    omega2 = np.linspace(0.0, 4.0, 12 * n).reshape(n, 4, 3)
    return {
        "surface_plane": np.array([[1, 1, 0], [1, 0, 0], [1, 1, -2]])[:n],
        "surface_energy_qm": QM[:n],
        "surface_energy_mm": MM[:n],
        "surface_relaxation_qm": np.array([-0.005, 0.047, 0.0])[:n],
        "surface_relaxation_mm": np.array([-0.006, 0.047, 0.0])[:n],
        "surface_eigenvalue_qm": np.array([0.05, 0.03, 0.04])[:n],
        "surface_eigenvalue_mm": np.array([0.05, 0.03, 0.04])[:n],
        "surface_path": np.linspace(0.0, [1.0, 0.7, 0.9], 4).T[:n],
        "surface_omega2_qm": omega2,
        "surface_omega2_mm": 1.21 * omega2,
    }


def table(arrays: dict[str, np.ndarray]) -> pd.DataFrame:
    found = consistency_table(Certificate.from_arrays(arrays), TUNGSTEN)
    return pd.concat(
        [found, surface_table(ComparedSurfaces.from_arrays(arrays), TUNGSTEN)], ignore_index=True
    )


def test_surface_energies_come_in_joule_per_square_metre():
    found = table(certificate(**surfaces())).query(f"quantity == '{SURFACES}'")
    # 1 eV/Å^2 is the elementary charge over 1e-20 m^2
    np.testing.assert_allclose(found["qm"], 16.02176634 * QM, rtol=1e-6)
    np.testing.assert_allclose(found["difference"], 16.02176634 * (MM - QM), rtol=1e-6, atol=1e-12)
    assert found["name"].tolist() == ["(110)", "(100)", "(11-2)"]
    assert SURFACES not in set(table(certificate())["quantity"])


def test_relaxation_and_slab_phonons_are_rows_and_a_panel():
    """Frequencies in THz, relaxations in per cent, one curve per branch of the first surface."""
    arrays = certificate(**surfaces(2))
    path, omega2 = arrays["surface_path"], arrays["surface_omega2_qm"]
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


def test_the_panels_hold_the_table():
    """A row for each potential: force constants, phonons, moduli and surfaces, branches of the first slab."""
    plain, faced = table(certificate()), table(certificate(**surfaces(2)))
    figure = certificate_figure({"plain": plain, "faced": faced}, ticks=np.linspace(0.0, 4.0, 5))
    panels = [axes for row in figure.subfigs for axes in row.axes]
    assert len(panels) == 8
    shells, moduli, slab = panels[4].get_lines()[0], panels[6].get_lines()[0], panels[7].get_lines()
    wanted = faced.query("quantity == 'force constants'")
    np.testing.assert_allclose(shells.get_xydata(), wanted[["x", "qm"]])
    values = faced[faced["quantity"].isin(["elastic constants", SURFACES])]
    relative = np.maximum((values["mm"] - values["qm"]).abs() / values["qm"], 1e-12)
    np.testing.assert_allclose(moduli.get_xdata(), relative)
    branches = faced[(faced["quantity"] == SLAB_PHONONS) & faced["name"].str.startswith("(110)")]
    drawn = np.concatenate([line.get_ydata() for line in slab[:6]])
    np.testing.assert_allclose(drawn, [*branches["qm"], *branches["mm"]])


def simple_defects() -> dict[str, np.ndarray]:
    """Two slip systems, one of them not in the order of its slip."""
    third, sixth = 1 / 3, 1 / 6
    return {
        "fault_plane": np.array([[1, 1, 1], [1, 1, 0], [1, 1, 1]]),
        "fault_path": np.array([[sixth, sixth, -third], [-0.5, 0.5, 0.5], [sixth, sixth, -third]]),
        "fault_shift": np.array([0.5, 0.25, 0.125]),
        "fault_energy_qm": np.array([0.02, 0.03, 0.01]),
        "fault_energy_mm": np.array([0.021, 0.03, 0.012]),
        "vacancy_energy_qm": np.array(1.5),
        "vacancy_energy_mm": np.array(1.4),
        "vacancy_energy_relaxed": np.array(1.2),
        "lattice_constant_qm": np.array(3.6),
        "lattice_constant_mm": np.array(3.61),
        "unseen_error": np.array(0.03),
        "lowest_wave": np.array(0.0),
    }


def test_simple_defects_stand_beside_those_of_the_qm_model():
    """Along the slip in mJ/m^2, 1 eV/Å^2 is 16 021.8 of them; what was not observed has no row."""
    found = simple_defects_table(simple_defects())
    fault = found[found["name"] == "(111)[11-2]"]
    assert fault["x"].tolist() == [0.125, 0.5]
    np.testing.assert_allclose(fault["mm"], [192.26, 336.457], rtol=1e-5)
    assert found[found["quantity"] == FAULTS]["name"].nunique() == 2
    numbers = found.set_index(["quantity", "name"])["difference"]
    assert numbers[VACANCIES, "at rest"] == pytest.approx(-0.1)
    assert numbers[LATTICE, ""] == pytest.approx(0.01)
    assert numbers[FORCES, "rattled"] == 0.03 and (FORCES, "rattled, strained") not in numbers
    assert len(simple_defects_table(certificate())) == 0


def test_the_panel_of_simple_defects_holds_the_curves():
    """A potential without them has an empty place, and does not set the scale."""
    arrays = certificate()
    judged = pd.concat([table(arrays), simple_defects_table(simple_defects())], ignore_index=True)
    figure = certificate_figure({"plain": table(arrays), "judged": judged}, ticks=np.linspace(0.0, 4.0, 5))
    panels = [axes for row in figure.subfigs for axes in row.axes]
    assert len(panels) == 8 and not panels[3].axison
    qm, mm = panels[7].get_lines()[:2]
    wanted = judged[judged["name"] == "(111)[11-2]"]
    np.testing.assert_allclose(qm.get_xydata(), wanted[["x", "qm"]])
    np.testing.assert_allclose(mm.get_ydata(), wanted["mm"])
    (told,) = (text.get_text() for text in panels[7].texts)
    assert "vacancy at rest 1.40 (1.50) eV" in told and "forces, rattled: 3.0% off" in told


def test_what_no_difference_resolves_has_no_place_on_a_logarithmic_axis():
    distance = np.linspace(2.7, 9, 20)
    reference = np.exp(-distance)
    difference = np.where(np.arange(20) == 4, 0.0, 1e-5 * reference)
    whole, small = draw_force_constants(Figure().subplots(), distance, reference, difference)
    assert (len(whole.get_xdata()), len(small.get_xdata())) == (20, 19)


def test_an_unstable_branch_is_not_cut_off():
    path = np.linspace(0, 3, 50)
    qm = 5 * np.abs(np.sin(np.outer(path, [1.0, 0.8, 1.1])))
    axes = Figure().subplots()
    lines = draw_phonons(axes, Branches(path, qm, qm - 0.2, [("G", 0.0), ("P", 3.0)]))
    np.testing.assert_allclose([line.get_ydata() for line in lines], [*qm.T, *(qm - 0.2).T])
    assert axes.get_ylim()[0] < -0.2
